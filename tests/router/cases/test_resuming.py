"""A suspension has an end: the clock runs again when the time granted is over, and its department is told at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from normalizer.appeal import RequestType, instant
from router.cases.case import Case, from_document, to_document
from router.cases.centre import decide_ask
from router.cases.clock import Clock, cards, dues, next_look
from router.cases.looking import look
from router.cases.moves import Kind
from router.cases.resuming import tell_resumed
from router.cases.segments import CITIZEN, totals
from router.cases.standing import standing
from router.cases.work import Ask, Work
from router.dispatch import SHANGHAI, MessageType
from router.feedback import Feedback, Suspended
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT, tables

TABLES = tables()
CLOCK = Clock("P2", RequestType.HELP, TABLES.deadlines, TABLES.calendar)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


ASKED, GRANTED, UNTIL = local("2026-11-24T09:00"), local("2026-11-24T10:00"), local("2026-12-01T10:00")


def ask(case: Case, until: datetime | None) -> Feedback:
    asked = said(case, "suspended", 60 * 24)
    assert isinstance(asked, Suspended)
    return replace(asked, until=None if until is None else until.isoformat())


def put_aside(until: datetime | None = UNTIL, at: datetime = GRANTED) -> Case:
    case = delivered("ZJJ")
    case = heard(case, said(case, "accepted"), ask(case, until), at=ASKED)
    case = decide_ask(case, "ZJJ", Ask.SUSPENSION, "王", "同意", at, granted=True)
    return replace(case, due=next_look(case, CLOCK))


def resumed(case: Case, kind: str = "resumed", at: datetime = UNTIL - DAY) -> Case:
    told = said(case, kind, int((at - AT) / MINUTE))
    return tell_resumed(case, heard(case, told, at=at), "ZJJ", CLOCK, at)


def work(case: Case) -> Work | None:
    return standing(case).work


def told(case: Case) -> list[dict[str, Any]]:
    rows = [row for row in case.dispatches if row.type is MessageType.DEADLINE and row.told]
    return [row.told["recomputed"] for row in rows if row.told and "recomputed" in row.told]


def test_the_clock_runs_again_by_itself_when_the_time_granted_is_over() -> None:
    case = put_aside()
    assert (case.due, work(case)) == (UNTIL, Work.SUSPENDED)
    assert look(case, CLOCK, UNTIL - MINUTE) is case
    late = UNTIL + MINUTE
    after = look(case, CLOCK, late)
    (event,) = [event for event in after.events if event.kind is Kind.SUSPENSION_ENDED]
    assert (event.actor, event.department, event.at) == ("clock", "ZJJ", late)
    assert work(after) is Work.HANDLING
    (close,) = [each for each in dues(after, CLOCK) if each.kind == "close"]
    assert close.at == local("2026-12-05T00:00"), "from Tuesday to Tuesday five working days stood still"
    assert after.due == close.yellow, "cards come as usual"
    assert cards(after, CLOCK, close.at)[-1].colour == "red"
    assert from_document(to_document(after)) == after


def test_its_department_is_told_the_deadlines_as_they_are_now() -> None:
    after = look(put_aside(), CLOCK, UNTIL)
    (news,) = told(after)
    (close,) = [each for each in news["deadlines"] if each["kind"] == "close"]
    assert close["before"] == instant(local("2026-11-28T00:00"))
    assert (close["at"], close["local"]) == (instant(local("2026-12-05T00:00")), "2026-12-04 24:00")
    row = next(row for row in after.dispatches if row.told and "recomputed" in row.told)
    assert (row.department, row.reason) == ("ZJJ", "挂起期满，时限继续计算")
    assert row.told is not None
    assert row.told["pauses"] == [[GRANTED, UNTIL]], "its deadlines in full follow from that"


def test_it_ends_once_and_a_later_word_of_the_department_moves_nothing() -> None:
    after = look(put_aside(), CLOCK, UNTIL)
    again = look(replace(after, due=UNTIL), CLOCK, UNTIL + MINUTE)
    assert len(told(again)) == 1
    late = resumed(again, at=UNTIL + DAY)
    assert (work(late), len(told(late))) == (Work.HANDLING, 1)
    assert standing(late).tracks["ZJJ"].pauses == [(GRANTED, UNTIL)]


def test_a_straggler_of_before_the_end_lengthens_no_pause() -> None:
    after = look(put_aside(), CLOCK, UNTIL)
    straggler = heard(after, said(after, "resumed", 60 * 24 * 5), at=UNTIL + DAY)
    assert standing(straggler).tracks["ZJJ"].pauses == [(GRANTED, UNTIL)]


def test_a_suspension_without_an_end_stays_open() -> None:
    case = put_aside(until=None)
    assert (case.due, next_look(case, CLOCK)) == (None, None)
    forced = look(replace(case, due=UNTIL), CLOCK, UNTIL + 400 * DAY)
    assert (work(forced), told(forced)) == (Work.SUSPENDED, [])


def test_what_was_granted_after_its_own_end_ends_with_the_next_look() -> None:
    case = put_aside(at=UNTIL + DAY)
    after = look(case, CLOCK, UNTIL + DAY + MINUTE)
    assert standing(after).tracks["ZJJ"].pauses == [(UNTIL + DAY, UNTIL + DAY + MINUTE)]
    assert work(after) is Work.HANDLING


@pytest.mark.parametrize(("kind", "after"), [("resumed", Work.HANDLING), ("replied", Work.REPLIED)])
def test_who_goes_on_before_the_end_is_told_at_once_and_the_end_passes_unseen(kind: str, after: Work) -> None:
    case = resumed(put_aside(), kind)
    (news,) = told(case)
    assert [each["local"] for each in news["deadlines"] if each["kind"] == "close"] == ["2026-12-03 24:00"]
    assert [row.type for row in case.dispatches[-2:]] == [MessageType.OUTCOME, MessageType.DEADLINE]
    later = look(replace(case, due=UNTIL), CLOCK, UNTIL)
    assert (len(told(later)), work(later)) == (1, after)
    assert Kind.SUSPENSION_ENDED not in {event.kind for event in later.events}


def test_who_was_not_suspended_or_has_ended_it_all_is_told_no_deadline() -> None:
    case = delivered("ZJJ")
    assert told(resumed(case)) == []
    assert told(resumed(put_aside(), "resolved")) == []
    assert told(resumed(put_aside(), "progress")) == []


def test_a_department_whose_clock_is_ahead_is_woken_too() -> None:
    case = delivered("ZJJ")
    ahead = replace(ask(case, AT + 2 * MINUTE), at=(AT + 9 * MINUTE).isoformat())
    case = heard(case, ahead, at=AT + MINUTE)
    case = decide_ask(case, "ZJJ", Ask.SUSPENSION, "王", "同意", AT + MINUTE, granted=True)
    after = look(replace(case, due=AT), CLOCK, AT + 3 * MINUTE)
    assert (work(after), len(told(after))) == (Work.HANDLING, 1)


def test_the_time_after_the_end_is_the_department_s_again() -> None:
    after = look(put_aside(), CLOCK, UNTIL)
    spent = totals(after, UNTIL + DAY)
    assert spent[CITIZEN] == UNTIL - GRANTED
    assert spent["ZJJ"] == (GRANTED - AT) + DAY
