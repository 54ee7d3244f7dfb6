"""A new announcement of holidays: whose deadline moves hears of it once for each change, and cards of before fall."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer.appeal import RequestType
from router.cases.calendar import Calendar, Year
from router.cases.case import Case, from_document, to_document
from router.cases.clock import Clock, dues
from router.cases.looking import look
from router.cases.moves import Kind, State
from router.cases.recomputing import last_change, recompute
from router.dispatch import MessageType
from tests.router.cases.histories import history
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT, tables

TABLES = tables()
UNKNOWN = Calendar([year for year in TABLES.calendar.announced if year.year < 2026])
SOON = AT + timedelta(minutes=1)


def announced(*off: date) -> Calendar:
    return Calendar([*UNKNOWN.announced, Year(year=2026, off=list(off), work=[])])


def clock(calendar: Calendar) -> Clock:
    return Clock("P2", RequestType.HELP, TABLES.deadlines, calendar)


def told(case: Case, department: str) -> list[dict[str, Any]]:
    return [
        row.told["recomputed"]
        for row in case.dispatches
        if row.department == department and row.type is MessageType.DEADLINE and row.told and "recomputed" in row.told
    ]


def close_of(case: Case, calendar: Calendar) -> datetime:
    return next(due.at for due in dues(case, clock(calendar)) if (due.department, due.kind) == ("ZJJ", "close"))


def test_a_moved_deadline_is_told_to_lead_and_assistant_and_written_down() -> None:
    free = announced(date(2026, 11, 24))
    after = recompute(delivered(), clock(UNKNOWN), clock(free), 2, SOON)
    events = [event for event in after.events if event.kind is Kind.RECOMPUTED]
    assert [event.department for event in events] == ["ZJJ", "CGJ"]
    (said_to_lead,) = told(after, "ZJJ")
    close = next(row for row in said_to_lead["deadlines"] if row["kind"] == "close")
    assert (close["local"], close["provisional"]) == ("2026-11-30 24:00", False)
    assert close["before"] == "2026-11-27T16:00:00.000Z"
    assert after.due is not None
    assert from_document(to_document(after)) == after


def test_what_is_only_provisional_no_more_is_told_too_and_what_does_not_change_is_not() -> None:
    plain = announced()
    after = recompute(delivered(), clock(UNKNOWN), clock(plain), 2, SOON)
    assert {row["provisional"] for row in told(after, "ZJJ")[0]["deadlines"]} == {False}
    case = delivered()
    far = announced(date(2026, 12, 31))
    assert recompute(case, clock(plain), clock(far), 3, SOON) is case
    assert recompute(case, clock(plain), clock(plain), 3, SOON) is case


def test_a_case_is_told_once_for_each_change_and_again_for_the_next() -> None:
    first, second = announced(date(2026, 11, 24)), announced(date(2026, 11, 24), date(2026, 11, 25))
    once = recompute(delivered(), clock(UNKNOWN), clock(first), 2, SOON)
    assert recompute(once, clock(UNKNOWN), clock(first), 2, SOON) is once
    twice = recompute(once, clock(first), clock(second), 3, SOON)
    assert (len(told(twice, "ZJJ")), last_change(twice)) == (2, 3)


def test_what_is_done_already_is_nobodys_news() -> None:
    case = heard(delivered(), said(delivered(), "resolved"), department="ZJJ")
    after = recompute(case, clock(UNKNOWN), clock(announced(date(2026, 11, 24))), 2, SOON)
    assert (told(after, "ZJJ"), len(told(after, "CGJ"))) == ([], 1)


def test_a_card_for_the_deadline_of_before_falls_and_the_new_one_has_its_own() -> None:
    day = timedelta(days=1)
    case = msgspec.structs.replace(delivered(), due=AT)
    red = close_of(case, UNKNOWN) + timedelta(minutes=1)
    shown = look(case, clock(UNKNOWN), red)
    assert shown.handling is not None
    assert shown.handling.tracks["ZJJ"].card == "red"
    off = [date(2026, 11, 23) + day * n for n in range(5)]
    later = announced(*off)
    after = recompute(shown, clock(UNKNOWN), clock(later), 2, red)
    assert after.handling is not None
    assert after.handling.tracks["ZJJ"].card is None
    assert after.due is not None
    again = look(after, clock(later), close_of(after, later) + timedelta(minutes=1))
    assert again.handling is not None
    assert again.handling.tracks["ZJJ"].card == "red"


def test_the_name_of_a_calendar_is_that_of_its_days() -> None:
    assert announced(date(2026, 1, 1)).version == announced(date(2026, 1, 1)).version
    assert announced().version != announced(date(2026, 1, 1)).version
    noted = Calendar([msgspec.structs.replace(year, notice="国办") for year in UNKNOWN.announced])
    assert noted.version == UNKNOWN.version


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 20), max_size=6))
def test_after_it_every_open_deadline_is_the_new_one_whatever_had_happened(seed: int, days: set[int]) -> None:
    case, _ = history(seed)
    free = announced(*(date(2026, 11, 22) + timedelta(days=n) for n in days))
    at = max(event.at for event in case.events)
    after = recompute(case, clock(UNKNOWN), clock(free), 2, at)
    assert dues(after, clock(free)) == dues(case, clock(free))
    wanted = {
        (due.department, due.kind, due.at)
        for then, due in zip(dues(case, clock(UNKNOWN)), dues(case, clock(free)), strict=True)
        if not due.met
        and (then.at, then.provisional) != (due.at, due.provisional)
        and case.goal is State.DELIVERED  # the clock does not look at what is parked
    }
    told_of = {
        (event.department, row["kind"], row["after"])
        for event in after.events
        if event.kind is Kind.RECOMPUTED
        for row in event.data["deadlines"]
    }
    assert told_of == wanted
