"""Deadlines that follow what was granted: yellow at 80 %, an extension from the old one, a pause that stands still."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from normalizer.appeal import RequestType
from router.cases.case import Case
from router.cases.centre import decide_ask
from router.cases.clock import Clock, Due, Moves, cards, dues, dues_of, first_look, limits_of, moved, next_look
from router.cases.deadlines import due
from router.cases.delivery import all_sent, discard, park
from router.cases.hearing import hear
from router.cases.looking import look
from router.cases.moves import Kind, State
from router.cases.track import Track
from router.cases.work import Ask, Work
from router.dispatch import SHANGHAI
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT, tables

TABLES = tables()


def clock_of(code: str = "P2", request_type: RequestType = RequestType.HELP) -> Clock:
    return Clock(code, request_type, TABLES.deadlines, TABLES.calendar)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def close_of(case: Case, clock: Clock) -> Due:
    (found,) = [each for each in dues(case, clock) if each.kind == "close" and each.department == "ZJJ"]
    return found


@pytest.mark.parametrize(
    ("span", "start", "yellow"),
    [
        ("d5", "2026-11-23T09:00", "2026-11-28T00:00"),  # the end of the fourth working day
        ("d10", "2026-11-23T09:00", "2026-12-04T00:00"),
        ("d1", "2026-11-20T23:50", "2026-11-23T19:12"),  # Friday night: 80 % of Monday
        ("d3", "2026-11-23T09:00", "2026-11-26T09:36"),
        ("H24", "2026-11-23T09:00", "2026-11-24T04:12"),
        ("h4", "2026-11-23T09:00", "2026-11-23T13:42"),  # 3 h 12 min of office hours, lunch not counted
        ("M15", "2026-11-23T09:00", "2026-11-23T09:12"),
    ],
)
def test_yellow_is_at_four_fifths_of_the_span(span: str, start: str, yellow: str) -> None:
    at, _ = due(span, local(start), TABLES.calendar, share=0.8)
    assert abs(at - local(yellow)) < timedelta(seconds=1)


@given(st.sampled_from(["M15", "H24", "D6", "d1", "d5", "d15", "h4"]), st.integers(0, 500 * 24 * 60))
@settings(max_examples=200, deadline=None)
def test_yellow_is_never_after_red(span: str, minutes: int) -> None:
    start = AT + timedelta(minutes=minutes)
    assert start < due(span, start, TABLES.calendar, share=0.8)[0] <= due(span, start, TABLES.calendar)[0]


def granted(case: Case, kind: str, ask: Ask, asked: datetime, decided: datetime) -> Case:
    case = heard(case, said(case, kind), at=asked)
    return decide_ask(case, "ZJJ", ask, "王", "同意", decided, granted=True)


def test_an_extension_counts_from_the_old_deadline() -> None:
    clock, case = clock_of(), delivered("ZJJ")  # Sunday 22 November: five working days end on Friday
    assert close_of(case, clock).at == local("2026-11-28T00:00")
    case = granted(case, "extension_requested", Ask.EXTENSION, AT + timedelta(days=1), AT + timedelta(days=2))
    assert close_of(case, clock).at == local("2026-12-03T00:00"), "three working days after that Friday"
    assert limits_of(case, "ZJJ", clock).extend_until == local("2026-12-03T00:00")


def test_the_clock_stands_still_while_suspended_and_goes_on_with_what_was_left() -> None:
    clock, case = clock_of(), delivered("ZJJ")
    case = granted(case, "suspended", Ask.SUSPENSION, local("2026-11-24T09:00"), local("2026-11-24T10:00"))
    assert dues(case, clock) == []
    assert next_look(case, clock) is None
    case = heard(case, said(case, "resumed", 60 * 24 * 9), at=local("2026-12-01T10:00"))
    # From Tuesday to the Tuesday after: five working days stood still.
    assert close_of(case, clock).at == local("2026-12-05T00:00")


def test_what_is_done_gets_no_card_and_a_card_is_shown_once() -> None:
    clock, case = clock_of(), delivered("ZJJ")
    late = AT + timedelta(days=30)
    assert {(card.due.kind, card.colour) for card in cards(case, clock, late)} == {
        ("sign", "red"),
        ("contact", "red"),
        ("close", "red"),
    }
    signed = heard(case, said(case, "accepted"))
    assert "sign" not in {card.due.kind for card in cards(signed, clock, late)}
    case.due = late
    shown = look(case, clock, late)
    assert cards(shown, clock, late) == []
    assert next_look(shown, clock) is None
    done = heard(case, said(case, "resolved"))
    assert cards(done, clock, late) == []


def test_a_case_is_looked_at_when_its_first_card_is_due() -> None:
    clock, case = clock_of(), delivered("ZJJ")
    first = first_look(clock, AT)
    assert first == next_look(case, clock)
    assert first is not None
    assert cards(case, clock, first - timedelta(seconds=1)) == []
    assert len(cards(case, clock, first)) == 1


def test_nobody_visits_and_the_case_is_closed_as_expired() -> None:
    clock, case = clock_of(), delivered("ZJJ")
    case = heard(case, said(case, "resolved"))
    case.due = next_look(case, clock)
    assert case.due == AT + timedelta(hours=1, days=7)
    assert look(case, clock, case.due - timedelta(seconds=1)) is case
    closed = look(case, clock, case.due)
    assert closed.handling is not None
    assert (closed.handling.work, closed.handling.visited, closed.due) == (Work.CLOSED, False, None)
    assert closed.events[-1].data == {"expired": True}


def test_an_order_that_came_back_and_is_given_up_after_the_end_undoes_no_end() -> None:
    clock, case = clock_of(), delivered("ZJJ")
    case = heard(case, said(case, "resolved"))
    case.due = next_look(case, clock)
    assert case.due is not None
    closed = all_sent(look(case, clock, case.due), AT)
    dead = park(closed, closed.dispatches[0].id, "delivery_limit", AT, Kind.DEAD_LETTERED)
    given_up = discard(dead, "王", "单位早已办结", AT)
    assert (given_up.state, given_up.goal, given_up.parked) == (State.DELIVERED, State.DELIVERED, 0)


def test_a_return_is_possible_within_one_working_day_and_an_extension_until_the_deadline() -> None:
    clock, case = clock_of(), delivered("ZJJ")
    limits = limits_of(case, "ZJJ", clock)
    assert limits.return_until == local("2026-11-24T00:00")
    assert (limits.extend_until, limits.extend_most) == (local("2026-11-28T00:00"), 5)
    late = hear(case, "ZJJ", said(case, "return_requested"), local("2026-11-24T00:01"), limits)
    assert late.events[-1].note == "return_late"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=3))
@settings(max_examples=100, deadline=None)
def test_a_pause_never_brings_a_deadline_forward(spans: list[tuple[int, int]]) -> None:
    begun = AT
    pauses = [
        (begun + timedelta(hours=7 * start), begun + timedelta(hours=7 * (start + length))) for start, length in spans
    ]
    clock = clock_of("P4")
    before = list(TABLES.deadlines.of("P4", RequestType.HELP, begun, TABLES.calendar))
    after = moved(before, begun, Moves(0, pauses), clock)
    for old, new in zip(before, after, strict=True):
        assert new.at >= old.at


@pytest.mark.parametrize(("days", "hours"), [(1, 26), (0, 3)])  # one working day stood still; a few hours of one
def test_a_pause_leaves_time_between_yellow_and_red(days: int, hours: int) -> None:
    clock = clock_of("P1")  # three working days, yellow at 09:36 of the third
    begun, pause = local("2026-11-23T09:00"), local("2026-11-24T10:00")
    track = Track(state=Work.HANDLING, begun=begun, pauses=[(pause, pause + timedelta(hours=hours))])
    (close,) = [each for each in dues_of("ZJJ", track, clock) if each.kind == "close"]
    assert abs(close.yellow - local("2026-11-26T09:36") - timedelta(days=days)) < timedelta(seconds=1)
    assert close.at == local("2026-11-27T00:00") + timedelta(days=days)


@pytest.mark.parametrize(
    "granted_it", [{"extended": 7}, {"pauses": [(local("2026-12-29T09:00"), local("2026-12-30T09:00"))]}]
)
def test_what_was_granted_into_a_year_that_is_not_announced_is_provisional(granted_it: dict[str, Any]) -> None:
    clock = clock_of("P4")  # the fifteenth working day is the last of the year
    track = Track(state=Work.HANDLING, begun=local("2026-12-10T09:00"))
    for moves, provisional in (({}, False), (granted_it, True)):
        close = next(each for each in dues_of("ZJJ", replace(track, **moves), clock) if each.kind == "close")
        assert close.provisional is provisional


def test_working_hours_stand_still_by_working_hours() -> None:
    clock, begun = clock_of(), local("2026-11-23T16:00")  # four working hours: until half past eleven of Tuesday
    over_night = Track(
        state=Work.HANDLING, begun=begun, pauses=[(local("2026-11-23T17:00"), local("2026-11-24T09:30"))]
    )
    (sign,) = [each for each in dues_of("ZJJ", over_night, clock) if each.kind == "sign"]
    assert sign.at == local("2026-11-24T14:00"), "an hour stood still, and lunch is none"
