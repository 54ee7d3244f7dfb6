"""The ledger of a case (台账): lines are appended, never changed, and each is judged by the one table of moves.

These functions change the draft that they are given; a draft is a copy, and the case that came in is never changed.
"""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import Any

from router.cases.case import Case, Event
from router.cases.moves import MOVES, REVIVES, Kind, Sent, State, allowed, state_of
from router.cases.standing import standing
from router.errors import MoveNotAllowed

ROUTER = "router"
BROKER = "broker"
CLOCK = "clock"


def draft_of(case: Case) -> Case:
    """Copy what the moves below change."""
    draft = copy(case)
    draft.dispatches = [*case.dispatches]
    draft.events = [*case.events]
    draft.past_decisions = [*case.past_decisions]
    draft.sequences = {**case.sequences}
    return draft


def record(
    case: Case,
    kind: Kind,
    at: datetime,
    *,
    actor: str = ROUTER,
    department: str | None = None,
    note: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Append one event, if the table has the move, and bring state and counters in line."""
    if not allowed(kind, case.state):
        raise MoveNotAllowed(f"case {case.id} is {case.state}: the table has no move {kind} from there")
    if case.continued and kind in REVIVES:
        raise MoveNotAllowed(f"case {case.id} is closed and {case.continued} follows it: do it to that one")
    case.events.append(
        Event(n=len(case.events) + 1, at=at, kind=kind, actor=actor, department=department, note=note, data=data or {})
    )
    goal = MOVES[kind].goal or case.goal
    if goal is not case.goal or kind is Kind.TRIAGED:
        case.since = at
    case.goal = goal
    count(case)
    if case.handling is not None:
        case.handling = standing(case)


def count(case: Case) -> None:
    """Bring the counters and the state in line with the dispatches."""
    states = [row.state for row in case.dispatches]
    case.unsent = states.count(Sent.PENDING)
    case.parked = states.count(Sent.PARKED)
    if case.goal is not State.RECEIVED:
        case.state = state_of(case.goal, states)
