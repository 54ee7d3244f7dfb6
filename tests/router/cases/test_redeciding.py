"""What a release does to one open order: only what comes out otherwise says anything, and only to whom it concerns."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from router.cases.case import Case, holders
from router.cases.deciding import assign, open_case
from router.cases.delivery import confirm
from router.cases.moves import Kind, State
from router.cases.redeciding import Stays, newly_sent, redecide, stays_because
from router.dispatch import Context, Decision, Role
from tests.router.city import AT, appeal, decide


def decision(to: str) -> Decision:
    return decide(appeal("a", to), Context())


def order(to: str = "ZJJ+CGJ") -> Case:
    case = open_case(appeal("a", to), Context().mode, decision(to), Context(), AT)
    return confirm(case, [row.id for row in case.dispatches], AT) if case.dispatches else case


def again(case: Case, to: str) -> Case:
    return redecide(case, decision(to), Context(), 3, "张三", AT)


def said(before: Case, after: Case) -> list[tuple[str, str, str]]:
    return [(row.department, row.type.value, row.role.value) for row in newly_sent(before, after)]


@pytest.mark.parametrize(
    ("to", "messages"),
    [
        ("GAJ+CGJ", [("ZJJ", "recalled", "lead"), ("GAJ", "dispatched", "lead")]),
        ("CGJ+ZJJ", [("CGJ", "updated", "lead"), ("ZJJ", "updated", "assist")]),
        ("ZJJ", [("CGJ", "recalled", "assist")]),
        ("ZJJ+CGJ+GAJ", [("GAJ", "dispatched", "assist")]),
        ("triage", [("ZJJ", "recalled", "lead"), ("CGJ", "recalled", "assist")]),
    ],
)
def test_who_is_told_what(to: str, messages: list[tuple[str, str, str]]) -> None:
    before = order()
    after = again(before, to)
    assert said(before, after) == messages
    redecided = [event for event in after.events if event.kind is Kind.REDECIDED]
    assert [(event.actor, event.data) for event in redecided] == [("张三", {"release": 3})]
    assert after.past_decisions[-1:] == [before.decision]
    assert again(after, to) is after


def test_what_comes_out_as_it_stands_is_left_alone() -> None:
    before = order("ZJJ+CGJ+GAJ")
    assert again(before, "ZJJ+GAJ+CGJ") is before


def test_out_of_triage_it_is_dispatched() -> None:
    before = order("triage")
    after = again(before, "ZJJ")
    assert said(before, after) == [("ZJJ", "dispatched", "lead")]
    assert (after.goal, after.holder, holders(after)) == (State.DELIVERED, "ZJJ", {"ZJJ": Role.LEAD})


def test_what_a_person_gave_stays() -> None:
    case = order("triage")
    assert stays_because(case) is None
    versions = decision("ZJJ").routing.versions
    given = assign(case, "ZJJ", "张三", "试", versions, AT)
    assert stays_because(given) is Stays.PERSON


@pytest.mark.parametrize(("to", "why"), [("informed", Stays.NOT_OPEN), ("ZJJ", None)])
def test_only_orders_and_triage_are_open(to: str, why: Stays | None) -> None:
    assert stays_because(order(to)) is why


@pytest.mark.parametrize("kind", [Kind.TAKEN_IN, Kind.SIGNED, Kind.RETURN_ASKED, Kind.REPLIED])
def test_what_a_department_has_spoken_of_stays(kind: Kind) -> None:
    case = order()
    heard = replace(case.events[-1], n=99, kind=kind)
    case.events = [*case.events, heard]
    assert stays_because(case) is Stays.HEARD
