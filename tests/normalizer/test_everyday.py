"""Everyday characters need no step that they skip: those would change nothing and note nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer.steps.clean import clean
from normalizer.steps.everyday import is_everyday
from normalizer.steps.repair.apply import may_be_broken
from normalizer.steps.simplify import is_traditional
from normalizer.tables import Tables
from tests.normalizer.conftest import known

#: Each is everyday; some are not behind others.
PIECES = (
    *("路灯坏了", "，", "。", "\n", " ", "(", "（", ")", "a", "A", "?", "!", ";", "/", "引", "用", "回", "复", "编辑"),
    *("本帖最后由", "湖边人", "\u3000", "\xa0", "\r\n", "\t"),
    *("发自我的手机", "——来自手机", "via App", "12栋", "〔", "”", ">", "3楼", "×", "①", "在", "的发言", "-"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@settings(max_examples=500)
@given(text=TEXTS)
def test_everyday_texts_come_out_as_if_each_step_had_looked_at_them(text: str, tables: Tables) -> None:
    if not is_everyday(text):
        return
    quick, slow = (known(title=text, text=text, address=text, everyday=everyday) for everyday in (True, False))
    clean(quick, tables)
    clean(slow, tables)

    assert not may_be_broken(text)
    assert not is_traditional(text)
    assert (quick.title, quick.text, quick.address) == (slow.title, slow.text, slow.address)
    assert quick.repairs == slow.repairs


def test_no_everyday_character_is_one_that_a_step_looks_for() -> None:
    everyday = "".join(filter(is_everyday, map(chr, range(0x110000))))

    assert len(everyday) > 4000
    assert not any(map(may_be_broken, everyday))
    assert not is_traditional(everyday)


@pytest.mark.parametrize(
    "text", ["楼道里有三辆电动车，12栋2单元，请处理。", "一、路灯（东门）坏了！\n二、没有人修？", "ok, 3.5 km"]
)
def test_most_texts_are_everyday(text: str) -> None:
    assert is_everyday(text)


@pytest.mark.parametrize(
    "text",
    [
        "路灯\u3000坏了",
        "<b>",
        "路  灯",
        "樓道",
        "電(diàn)話",
        "网(wang)上",
        "引用 2楼",
        "回复",
        "本帖最后由 湖边人 编辑",
        "\x00",
        "１",
    ],
)
def test_what_a_step_must_see_is_not(text: str) -> None:
    assert not is_everyday(text)
