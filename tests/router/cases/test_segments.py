"""Every millisecond of a case has one owner, whatever happened; no history leaves the tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from router.cases.case import Case, from_document, to_document
from router.cases.centre import Visit, decide_ask, reassign, urge, visit
from router.cases.delivery import confirm, discard, park, retry
from router.cases.moves import MOVES, Kind
from router.cases.segments import CENTRE, CITIZEN, DONE, INTAKE, OUTAGE, RETURN, segments, totals
from router.cases.standing import standing
from router.cases.work import NAMES, Ask
from tests.router.cases.histories import UNITS, VERSIONS, history
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_parts_add_up_to_the_whole_to_the_millisecond(seed: int, more: int) -> None:
    case, passed = history(seed)
    now = AT + timedelta(milliseconds=passed + more)
    found = segments(case, now)
    assert sum(totals(case, now).values(), timedelta(0)) == now - case.opened_at
    for before, after in pairwise(found):
        assert before.end == after.begin
        assert before.owner != after.owner
    assert {each.owner for each in found} <= CENTRE | set(UNITS)
    assert all(each.begin < each.end for each in found)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 10**9))
def test_no_history_leaves_the_tables(seed: int) -> None:
    case, _ = history(seed)
    assert {event.kind for event in case.events} <= set(MOVES)
    assert [event.n for event in case.events] == list(range(1, len(case.events) + 1))
    assert standing(case).work in {None, *NAMES}
    assert from_document(to_document(case)) == case
    for unit in UNITS:
        sequences = [row.sequence for row in case.dispatches if row.department == unit]
        assert sequences == list(range(1, len(sequences) + 1))


def test_a_return_is_the_desk_s_time_and_a_suspension_the_citizen_s() -> None:
    minute = timedelta(minutes=1)
    case = delivered("ZJJ")
    case = heard(case, said(case, "accepted"), at=AT + 10 * minute)
    case = heard(case, said(case, "return_requested", 2), at=AT + 20 * minute)
    case = decide_ask(case, "ZJJ", Ask.RETURN, "王", "不成立", AT + 50 * minute, granted=False)
    case = heard(case, said(case, "suspended", 60), at=AT + 60 * minute)
    case = decide_ask(case, "ZJJ", Ask.SUSPENSION, "王", "可以", AT + 70 * minute, granted=True)
    case = heard(case, said(case, "resumed", 100), at=AT + 100 * minute)
    case = reassign(case, "CGJ", "王", "改派", VERSIONS, AT + 110 * minute)
    case = confirm(case, [row.id for row in case.dispatches], AT + 111 * minute)
    assert totals(case, AT + 120 * minute) == {
        "ZJJ": (20 + 20 + 10) * minute,
        RETURN: 30 * minute,
        CITIZEN: 30 * minute,
        INTAKE: 1 * minute,
        "CGJ": 9 * minute,
    }


def test_what_could_not_be_delivered_is_our_outage() -> None:
    case = delivered("ZJJ")
    case = reassign(case, "CGJ", "王", "改派", VERSIONS, AT + timedelta(hours=1))
    case = park(case, case.dispatches[-1].id, "NO_ROUTE", AT + timedelta(hours=2))
    assert totals(case, AT + timedelta(hours=5))[OUTAGE] == timedelta(hours=3)


def test_a_message_that_nobody_waits_for_any_more_is_no_outage() -> None:
    hour = timedelta(hours=1)
    case = confirmed(urge(delivered("ZJJ"), "王", "请尽快", AT + hour), AT + hour)
    dead = park(case, case.dispatches[-1].id, "delivery_limit", AT + 2 * hour, Kind.DEAD_LETTERED)
    after = discard(dead, "王", "不用了", AT + 3 * hour)
    assert totals(after, AT + 9 * hour) == {OUTAGE: hour, "ZJJ": 8 * hour}


def test_after_its_end_a_late_message_makes_it_nobodys_time_again() -> None:
    hour = timedelta(hours=1)
    case = heard(delivered("ZJJ"), said(delivered("ZJJ"), "resolved"), at=AT + hour)
    case = confirmed(visit(case, Visit(reached=True, solved="yes"), "李", AT + 2 * hour), AT + 2 * hour)
    dead = park(case, case.dispatches[-1].id, "delivery_limit", AT + 3 * hour, Kind.DEAD_LETTERED)
    again = confirmed(retry(dead, "王", AT + 4 * hour), AT + 4 * hour)
    assert totals(again, AT + 9 * hour) == {"ZJJ": hour, CITIZEN: hour, DONE: 7 * hour}


def confirmed(case: Case, at: datetime) -> Case:
    return confirm(case, [row.id for row in case.dispatches], at)
