"""What a release of rules does to open orders (规则发布后的在办件): only what nobody has touched may move.

Pure. A case stays where a person put it, where a department has said anything of it, and where it carries others. What
comes out as it stands is left alone, so that deciding a thousand cases again says nothing to those that stay.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from router.cases.carrying import carried
from router.cases.case import Case, Sending, holders
from router.cases.deciding import decide, settled
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind, Sent, State
from router.cases.sending import move_to
from router.cases.work import FEEDBACK_EVENTS
from router.dispatch import Context, Decision, Outcome, Role


class Stays(StrEnum):
    """Why a case is not decided again when rules are released."""

    NOT_OPEN = "not_open"  #: no order: informed, handed over, linked, withdrawn, observed, parked, closed
    PERSON = "person"  #: 人工处置过
    HEARD = "heard"  #: 单位已收到、签收或有反馈
    CARRIES = "carries"  #: 主单，带着别的件


_BY_PEOPLE = frozenset(
    {Kind.ASSIGNED, Kind.REASSIGNED, Kind.TAKEN_BACK, Kind.CONSULTED, Kind.ARBITRATED, Kind.RETURN_UPHELD}
)
_OVER = frozenset({Kind.CLOSED, Kind.VISITED, Kind.REOPENED})


def stays_because(case: Case) -> Stays | None:
    """Say why a release leaves this case alone; None: it may be decided again, if that is asked for."""
    kinds = {event.kind for event in case.events}
    if case.goal not in {State.DELIVERED, State.TRIAGE} or case.decision is None or kinds & _OVER:
        return Stays.NOT_OPEN
    if case.assigned_by_person or kinds & _BY_PEOPLE:
        return Stays.PERSON
    if kinds & FEEDBACK_EVENTS.keys():
        return Stays.HEARD
    return Stays.CARRIES if carried(case) else None


def redecide(  # noqa: PLR0917 - what was decided, and on whose word
    case: Case, decision: Decision, context: Context, release: int, by: str, at: datetime
) -> Case:
    """Decide a case again by the rules of a release; where nothing comes out otherwise, the very case that came in."""
    before = case.decision
    if before is None or _same(before.outcome, before.routing.lead, before.routing.assist, before.code, decision):
        return case
    case = draft_of(case)
    record(case, Kind.REDECIDED, at, actor=by, data={"release": release})
    if decision.outcome is not Outcome.DISPATCH:
        decide(case, decision, context, at)
        return case
    lead, assist = decision.routing.lead, decision.routing.assist
    wanted = {} if lead is None else {lead: Role.LEAD}
    for code in assist:
        wanted.setdefault(code, Role.ASSIST)
    held = holders(case)
    settled(case, decision, context)
    move_to(case, wanted, at, tell=[code for code in wanted if held.get(code, wanted[code]) is not wanted[code]])
    return case


def newly_sent(before: Case, after: Case) -> list[Sending]:
    """Give the messages that one case has more than the other, and that the broker is to get."""
    return [row for row in after.dispatches[len(before.dispatches) :] if row.state is Sent.PENDING]


def _same(outcome: Outcome, lead: str | None, assist: list[str], code: str | None, decision: Decision) -> bool:
    routing = decision.routing
    return (outcome, lead, sorted(assist), code) == (
        decision.outcome,
        routing.lead,
        sorted(routing.assist),
        decision.code,
    )
