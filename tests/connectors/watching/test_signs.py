"""What is strange, and what only looks so: each told to the sentinel of a source that it knows for a month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.base import BadItem, Item, Page, Request, Response
from connectors.errors import AccessDenied, FormatChanged
from connectors.watching.causes import Cause, Drift
from connectors.watching.learned import Learned
from connectors.watching.reading import Reading
from connectors.watching.sentinel import judge_failure, judge_reading

BEGIN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
KNOWN = 90  #: readings


def page(*rows: dict[str, Any], bad: int = 0) -> Page:
    items = tuple(Item(native_id=row["id"], payload=msgspec.json.encode(row), content=(row["id"],)) for row in rows)
    parked = tuple(BadItem(native_id=f"bad-{number}", payload=b"", reason="not read") for number in range(bad))
    offered = tuple(item.native_id for item in items) + tuple(row.native_id for row in parked)
    return Page(offered=offered, items=items, bad=parked, cursor=None)


def rows(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": f"{number}-{each}", "text": f"第 {number} 封 {each}", **fields} for each in range(4)]


def of(*pages: Page) -> Reading:
    reading = Reading("Asia/Shanghai")
    for each in pages:
        reading.read(each)
    return reading


class Sentinel:
    """It has seen so many readings, all of them well."""

    def __init__(self) -> None:
        self.learned = Learned()
        self.now = BEGIN

    def sees(self, reading: Reading) -> tuple[Drift, ...]:
        self.now += timedelta(hours=1)
        return judge_reading(self.learned, reading, fresh=1, now=self.now, day_kind=lambda _: "workday").drifts

    def knows(self, reading: Any) -> Sentinel:
        for number in range(KNOWN):
            assert self.sees(reading(number)) == ()
        return self

    def says_of(self, reading: Any) -> list[Cause]:
        return [drift.cause for number in (KNOWN, KNOWN + 1) for drift in self.sees(reading(number))]


def test_fewer_unreadable_rows_than_usual_are_no_fault() -> None:
    sentinel = Sentinel().knows(lambda number: of(page(*rows(number), bad=9)))

    assert sentinel.says_of(lambda number: of(page(*rows(number), bad=1))) == []
    assert sentinel.says_of(lambda number: of(page(*rows(number)))) == []


def test_a_field_that_one_of_two_senders_leaves_out_is_missed() -> None:
    sentinel = Sentinel().knows(lambda number: of(page(*rows(number, place="柳荫街道"))))

    assert sentinel.says_of(lambda n: of(page(*rows(n, place="柳荫街道")[:2], *rows(n)[2:]))) == [Cause.GONE]


def test_a_field_that_was_often_left_out_may_be_left_out_oftener() -> None:
    sentinel = Sentinel().knows(lambda n: of(page(*rows(n, reply="已办")[: 3 + n % 2], *rows(n)[3 + n % 2 :])))

    assert sentinel.says_of(lambda n: of(page(*rows(n, reply="已办")[:1], *rows(n)[1:]))) == []


@pytest.mark.parametrize(("written", "causes"), [("09:00", []), ("17:00", [Cause.TIME_SHIFT]), ("12:00", [])])
def test_a_clock_that_lost_its_zone_is_told_by_the_clock_beside_it(written: str, causes: list[Cause]) -> None:
    def letters(number: int, clock: str) -> Reading:
        day = f"2026-11-{number % 20 + 1:02}"
        return of(page(*rows(number, date=f"{day} {clock}:00", received=f"{day} 09:00:20")))

    sentinel = Sentinel().knows(lambda number: letters(number, "09:00"))

    assert sentinel.says_of(lambda number: letters(number, written)) == causes


def answered(pages: dict[str, bytes], *found: Page) -> Reading:
    reading = of(*found)
    for name, body in pages.items():
        response = Response(status=200, headers={"content-type": "text/html"}, body=body, fetched_at=BEGIN)
        reading.heard(Request(url="https://city.example/letter", query={"id": name}), response)
    return reading


GONE = "<html><body>该信件已被删除</body></html>".encode()


def letter(number: int) -> bytes:
    return f"<html><body>第 {number} 封信</body></html>".encode()


def test_two_letters_that_are_gone_are_no_page_that_repeats() -> None:
    sentinel = Sentinel().knows(lambda n: answered({f"{n}1": letter(n), f"{n}2": GONE}, page(*rows(n))))
    gone = {"1": GONE, "2": GONE}

    assert sentinel.says_of(lambda n: answered(gone | {"3": letter(n)}, page(*rows(n)))) == []
    assert sentinel.says_of(lambda n: answered(dict.fromkeys("123", letter(n)), page(*rows(n)))) == [Cause.SAME_PAGE]


def test_a_log_in_page_is_one_also_on_a_site_that_asks_on_every_page() -> None:
    box = b"<html><input type=password>"
    sentinel = Sentinel().knows(lambda n: answered({"1": box + letter(n)}, page(*rows(n))))
    reading = answered({"1": box})

    drifts = judge_failure(sentinel.learned, reading, AccessDenied("a log-in page"), now=sentinel.now)

    assert Cause.LOG_IN in {drift.cause for drift in drifts}


def test_another_encoding_is_never_all_that_is_said_of_a_page_that_could_not_be_read() -> None:
    sentinel = Sentinel().knows(lambda n: answered({"1": letter(n).decode().encode("gb18030")}, page(*rows(n))))
    reading = answered({"1": "<html><h1>系统维护中</h1>".encode()})

    drifts = judge_failure(sentinel.learned, reading, FormatChanged("no cells"), now=sentinel.now)

    assert [drift.cause for drift in drifts] == [Cause.FORMAT, Cause.ENCODING]


def test_pushes_that_are_turned_away_are_told_with_the_reason_that_their_caller_heard() -> None:
    def refused(_: int) -> Reading:
        reading = of()
        reading.refused.update({"neither text nor title": 3})
        return reading

    sentinel = Sentinel().knows(lambda number: of(page(*rows(number))))

    drifts = [drift for number in range(2) for drift in sentinel.sees(refused(number))]
    assert [(drift.cause, drift.other) for drift in drifts] == [(Cause.TURNED_AWAY, "neither text nor title")]


def test_a_caller_that_is_now_and_then_turned_away_is_none_of_our_concern() -> None:
    def some(number: int) -> Reading:
        reading = of(page(*rows(number)))
        reading.refused.update({"neither text nor title": 3})
        return reading

    assert Sentinel().knows(lambda number: of(page(*rows(number)))).says_of(some) == []
