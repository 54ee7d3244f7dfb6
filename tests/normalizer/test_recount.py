"""What a text tells of time, and what is only a number beside a day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.raw_appeal import RawAppeal, appeal_id
from normalizer.appeal import Appeal
from normalizer.flow import normalize
from normalizer.steps.recount import recount
from normalizer.tables import Tables
from tests.normalizer.conftest import known

Read = Callable[..., Appeal]


@pytest.fixture(name="told")
def reading(tables: Tables) -> Read:
    def make(text: str, posted: str | None = "2026-11-22 15:00") -> Appeal:
        raw = RawAppeal(
            id=appeal_id("time", "1"), source="time", kind="line", channel="board", native_id="1",
            payload=json.dumps({"text": text, "posted_at": posted}).encode(),
        )  # fmt: skip
        return normalize(raw, tables, b"k" * 32).appeal

    return make


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026年11月12日上午10点我在医院被多收费", "2026-11-12T02:00:00.000Z"),
        ("2026-11-12我在医院被多收费", "2026-11-11T16:00:00.000Z"),
        ("11月12日傍晚6点半楼上扔下一袋垃圾", "2026-11-12T10:30:00.000Z"),
        ("12月25日发生了漏水", "2025-12-24T16:00:00.000Z"),
        ("昨天晚上8点半楼上漏水", "2026-11-21T12:30:00.000Z"),
        ("昨晚九点工地还在打桩", "2026-11-21T13:00:00.000Z"),
        ("今早6点就开始敲墙", "2026-11-21T22:00:00.000Z"),
        ("刚才闻到很大的煤气味", "2026-11-22T07:00:00.000Z"),
    ],
)
def test_the_day_it_happened_is_read_in_the_zone_of_the_city(text: str, moment: str, told: Read) -> None:
    assert told(text).occurred_at == moment


@pytest.mark.parametrize(
    "text",
    ["请于11月30日前答复", "13月45日停水", "收费2.5元每平方，涨到3.1元", "最近经常停水", "版本11.12.5不能登录"],
)
def test_what_is_no_day_of_the_matter_is_left_open(text: str, told: Read) -> None:
    assert told(text).occurred_at is None


def test_without_a_time_of_posting_only_a_whole_date_is_read(told: Read) -> None:
    assert told("昨天漏水", posted=None).occurred_at is None
    assert told("11月12日漏水", posted=None).occurred_at is None
    assert told("2026年11月12日漏水", posted=None).occurred_at == "2026-11-11T16:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("小区停水3天了", 3),
        ("已经三个月没发工资", 90),
        ("路灯坏了半年多了", 182),
        ("从2025年11月起至今没有交房", 386),
        ("拖了两个星期，后来又拖了一年多", 365),
    ],
)
def test_how_long_it_has_lasted_is_the_longest_that_is_told(text: str, days: int, told: Read) -> None:
    signals = told(text).signals

    assert signals.told is not None
    assert signals.told.lasted_days == days


@pytest.mark.parametrize("text", ["租期三年，押金两千", "孩子3岁半，身高1米2", "物业一个月来收一次费", "请假两天"])
def test_a_plan_a_price_or_an_age_has_not_lasted(text: str, told: Read) -> None:
    assert told(text).signals.told is None


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("打过12345三次都没解决", 3),
        ("第三次反映这个问题", 2),
        ("投诉了无数次", 2),
        ("多次向社区反映无果", 2),
        ("跟物业反映过，没用", 1),
    ],
)
def test_how_often_it_was_reported_before_is_counted_at_least(text: str, times: int, told: Read) -> None:
    signals = told(text).signals

    assert signals.told is not None
    assert signals.told.reported_before == times


def test_how_soon_an_answer_is_asked_for_is_kept_with_its_words(told: Read) -> None:
    signals = told("要求24小时内处理").signals
    later = told("请贵局在十五个工作日内书面答复").signals

    assert signals.told is not None
    assert later.told is not None
    assert (signals.told.asked_hours, signals.told.said) == (24, ["要求24小时内"])
    assert later.told.asked_hours == 15 * 24


def test_the_time_that_the_source_gives_stands(tables: Tables) -> None:
    draft = known(body="昨天漏水", posted_at="2026-11-22T07:00:00.000Z", occurred_at="2026-11-01T00:00:00.000Z")

    recount(draft, tables)

    assert draft.occurred_at == "2026-11-01T00:00:00.000Z"


@given(
    st.text(
        st.sampled_from("0123456789一二三十半多年月日号天周星期了没次过内请在至今从自反映投诉昨晚前点:-/. \n"),
        max_size=80,
    )
)
def test_no_text_breaks_it_and_nothing_happens_after_it_was_told(tables: Tables, text: str) -> None:
    draft = known(body=text, posted_at="2024-02-29T16:30:00.000Z")

    recount(draft, tables)

    if draft.occurred_at is not None:
        assert datetime.fromisoformat(draft.occurred_at) <= datetime(2024, 3, 2, tzinfo=UTC)
    if draft.told is not None:
        assert draft.told.said
