"""What the broker says of a case's messages, and what a person makes of those that are parked (投递结果).

Pure: each function takes a case and gives the next one; where nothing happens, the very case that came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from router.cases.case import BEGINS, Case, holders
from router.cases.deciding import is_over
from router.cases.ledger import BROKER, draft_of, record
from router.cases.moves import Kind, Sent, State
from router.cases.sending import mark, once_more, set_aside


def confirm(case: Case, message_ids: Iterable[str], at: datetime) -> Case:
    """Mark what the broker has taken. What is marked already changes nothing."""
    wanted = set(message_ids)
    rows = [row for row in case.dispatches if row.id in wanted and row.state is Sent.PENDING]
    if not rows:
        return case
    if len(rows) == case.unsent:
        return all_sent(case, at)
    case = draft_of(case)
    mark(case, {row.id for row in rows}, lambda row: replace(row, state=Sent.SENT, sent_at=at))
    for row in rows:
        said = {"sequence": row.sequence}
        record(case, Kind.DELIVERED, at, actor=BROKER, department=row.department, data=said)
    return case


def all_sent(case: Case, at: datetime) -> Case:
    """Mark everything that is pending: what nearly every case of a page comes to, so it is done without detours."""
    case = draft_of(case)
    case.dispatches = [
        replace(row, state=Sent.SENT, sent_at=at) if row.state is Sent.PENDING else row for row in case.dispatches
    ]
    record(case, Kind.DELIVERED, at, actor=BROKER)
    return case


def park(case: Case, message: str, reason: str, at: datetime, kind: Kind = Kind.RETURNED) -> Case:
    """Park a dispatch with the reason; what waits behind it at the same department is parked with it."""
    parkable = {Sent.PENDING, Sent.SENT} if kind is Kind.DEAD_LETTERED else {Sent.PENDING}
    row = next((row for row in case.dispatches if row.id == message and row.state in parkable), None)
    if row is None:
        return case
    case = draft_of(case)
    behind = {
        other.id
        for other in case.dispatches
        if other.department == row.department and other.sequence > row.sequence and other.state is Sent.PENDING
    }
    mark(case, {message}, lambda row: set_aside(row, reason, at))
    mark(case, behind, lambda other: set_aside(other, f"waits behind sequence {row.sequence}", at))
    record(case, kind, at, actor=BROKER, department=row.department, note=reason, data={"sequence": row.sequence})
    return case


def retry(case: Case, actor: str, at: datetime) -> Case:
    """Let everything that is parked be sent again: the same ids, the same bodies, in order."""
    parked = {row.id: row.department for row in case.dispatches if row.state is Sent.PARKED}
    if not parked:
        return case
    case = draft_of(case)
    mark(case, parked, once_more)
    for department in dict.fromkeys(parked.values()):
        record(case, Kind.RETRIED, at, actor=actor, department=department)
    return case


def discard(case: Case, actor: str, reason: str, at: datetime) -> Case:
    """Give up what is parked. A case whose lead's order is given up stays parked: nobody answers it.

    Where an assistant's is given up, its lead works on; what is closed stays closed.
    """
    parked = [row for row in case.dispatches if row.state is Sent.PARKED]
    if not parked:
        return case
    orders = any(row.type in BEGINS and row.department == case.holder for row in parked)
    case = draft_of(case)
    mark(case, {row.id for row in parked}, lambda row: replace(row, state=Sent.DISCARDED))
    nobody = case.holder not in holders(case) and not is_over(case)
    kind = Kind.GIVEN_UP if case.goal is State.DELIVERED and orders and nobody else Kind.DISCARDED
    # One event for all: after it the case is where it was going, and nothing more is there to give up.
    which = [{"department": row.department, "sequence": row.sequence} for row in parked]
    record(case, kind, at, actor=actor, note=reason, data={"dispatches": which})
    return case
