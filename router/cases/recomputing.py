"""What a new calendar makes of the deadlines of an open order (放假通知发布后重算时限). Pure.

A year that was not announced yet was reckoned provisionally. Once it is, or once an announcement is mended, whoever
has an order whose deadline moves, or is provisional no more, hears of it: once for each change of the calendar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from normalizer.appeal import instant
from router.cases.case import Case, holders
from router.cases.clock import Clock, Due, dues, next_look
from router.cases.deadlines import local
from router.cases.ledger import CLOCK, count, draft_of, record
from router.cases.moves import Kind, State
from router.cases.sending import append
from router.cases.track import Handling
from router.dispatch import MessageType

WHY = "放假调休安排有变，时限已重新计算"
RECKONED = frozenset({State.DELIVERED, State.PARKED})  #: where departments may have an order


def recompute(case: Case, before: Clock, now: Clock, change: int, at: datetime) -> Case:
    """Tell each department whose deadlines the change moves; where it moves nothing, the very case comes back.

    `change` numbers the changes of the calendar: what a case was told of, it is not told again. Who has an order whose
    newer revision could not be decided is told too, in the words that it has.
    """
    if case.goal not in RECKONED or change <= last_change(case):
        return case
    moved = _moved(case, before, now)
    if not moved:
        return case
    after = draft_of(case)
    after.handling = after.handling or Handling()
    for department, rows in moved.items():
        said = {"calendar": now.calendar.version, "change": change}
        data = said | {"deadlines": [_plain(old, new) for old, new in rows]}
        record(after, Kind.RECOMPUTED, at, actor=CLOCK, department=department, data=data)
        tell_moved(after, department, rows, now, at, WHY)
    count(after)
    return replace(after, due=next_look(after, now))


def tell_moved(  # noqa: PLR0917 - who is told what, and why
    draft: Case, department: str, rows: Sequence[tuple[Due, Due]], clock: Clock, at: datetime, why: str
) -> None:
    """Tell a department where its deadlines were and where they are now."""
    told = {"recomputed": {"calendar": clock.calendar.version, "deadlines": [_told(*row) for row in rows]}}
    append(draft, department, MessageType.DEADLINE, holders(draft)[department], at, why, told=told)


def last_change(case: Case) -> int:
    """Give the number of the last change of which this case was told."""
    return max((event.data["change"] for event in case.events if event.kind is Kind.RECOMPUTED), default=0)


def as_told(case: Case) -> Case:
    """Give the case as the departments that have it know it: what could not be decided was not told to them."""
    if case.goal is not State.PARKED or case.decision is None:
        return case
    return replace(case, revision=case.decision.revision)


def _moved(case: Case, before: Clock, now: Clock) -> Mapping[str, list[tuple[Due, Due]]]:
    old = {(due.department, due.kind): due for due in dues(case, before)}
    moved: dict[str, list[tuple[Due, Due]]] = {}
    for due in dues(case, now):
        then = old.get((due.department, due.kind))
        if then is None or due.met or (then.at, then.provisional) == (due.at, due.provisional):
            continue
        moved.setdefault(due.department, []).append((then, due))
    return moved


def _plain(old: Due, new: Due) -> dict[str, Any]:
    return {"kind": new.kind, "before": old.at, "after": new.at, "provisional": new.provisional}


def _told(old: Due, new: Due) -> dict[str, Any]:
    return {
        "kind": new.kind,
        "before": instant(old.at),
        "at": instant(new.at),
        "local": local(new.at),
        "provisional": new.provisional,
    }
