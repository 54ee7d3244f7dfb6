"""Who is sent what (收发): rows are appended to a draft, with the next sequence of their department (promise 5).

These functions change the draft that they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from router.cases.case import Case, Sending, holders
from router.cases.ledger import record
from router.cases.moves import Kind, Sent, State
from router.dispatch import MessageType, Role, message_id

#: Never why in the words of the decision: it may be that the appeal turned out to be about this department.
ELSEWHERE = "经重新研判，不再由本单位办理"
NOT_SENT = "此号原来的消息未能送达，已放弃；以本条补号"


def send_to(case: Case, wanted: Mapping[str, Role], at: datetime) -> None:
    """Bring it to exactly these departments: recalled elsewhere, updated where it stays, dispatched where it is new."""
    held = holders(case)
    move_to(case, wanted, at, tell=[code for code in wanted if code in held])


def move_to(case: Case, wanted: Mapping[str, Role], at: datetime, tell: Sequence[str]) -> None:
    """Bring it to exactly these departments; of those that have it, only these are told."""
    held = holders(case)
    recall_all(case, wanted, at)
    new = [code for code in wanted if code not in held]
    for code in tell:
        append(case, code, MessageType.UPDATED, wanted[code], at)
    if tell:
        record(case, Kind.UPDATED, at, data={"departments": list(tell)})
    for code in new:
        append(case, code, MessageType.DISPATCHED, wanted[code], at)
    if new or case.goal is not State.DELIVERED:
        record(case, Kind.DISPATCHED, at, data={"departments": new})


def tell_holders(case: Case, at: datetime) -> None:
    """Send the new text to all who have the case."""
    held = holders(case)
    for code, role in held.items():
        append(case, code, MessageType.UPDATED, role, at)
    record(case, Kind.UPDATED if held else Kind.RECORDED, at, data={"departments": list(held)})


def tell_withdrawn(case: Case, at: datetime) -> None:
    """Tell all who have the case that its author took it back."""
    told = [
        code
        for code, role in holders(case).items()
        if take_back(case, code, role, at, MessageType.WITHDRAWN, "诉求人已撤回")
    ]
    case.holder = None
    record(case, Kind.WITHDRAWN, at, data={"departments": told})


def recall_all(case: Case, keep: Mapping[str, Role], at: datetime, reason: str = ELSEWHERE) -> None:
    """Take it back from all but these."""
    for code, role in holders(case).items():
        if code not in keep:
            take_back(case, code, role, at, MessageType.RECALLED, reason)
            record(case, Kind.RECALLED, at, department=code, note=reason)


def take_back(case: Case, department: str, role: Role, at: datetime, kind: MessageType, reason: str) -> bool:  # noqa: PLR0917
    """Tell a department that it is not its any more; what never left (the broker returned it) is discarded instead.

    It is told in the words that it has already: what was written since may be a complaint about it (promise 8).
    """
    rows = [row for row in case.dispatches if row.department == department and row.state is not Sent.DISCARDED]
    if all(row.state is Sent.PARKED and row.sent_at is None for row in rows):
        mark(case, {row.id for row in rows}, lambda row: replace(row, state=Sent.DISCARDED))
        return False
    append(case, department, kind, role, at, reason, known=rows[-1])
    return True


def append(  # noqa: PLR0917 - a row's own fields
    case: Case,
    department: str,
    kind: MessageType,
    role: Role,
    at: datetime,
    reason: str | None = None,
    *,
    known: Sending | None = None,
    told: dict[str, Any] | None = None,
) -> None:
    """Append a dispatch of the present revision and decision, or of those of a row that the department knows."""
    known = known or _told_before(case, department)
    sequence = case.sequences.get(department, 0) + 1
    row = Sending(
        id=message_id(case.id, department, sequence),
        department=department,
        sequence=sequence,
        type=kind,
        role=role,
        revision=case.revision if known is None else known.revision,
        decided=len(case.past_decisions) if known is None else known.decided,
        at=at,
        reason=reason,
        told=told if case.handling is None else _with_moves(case, department, told),
    )
    for other in case.dispatches:
        if other.department == department and other.state is Sent.PARKED:
            row = set_aside(row, f"waits behind sequence {other.sequence}", at)
            break
    _fill_gaps(case, row)
    case.dispatches.append(row)
    case.sequences[department] = sequence  # counters and state follow with the event that tells of it


def _fill_gaps(case: Case, following: Sending) -> None:
    """Use the numbers that were given up before they left: a department never sees a gap, nor a number twice.

    They go out before the next message and in its words, so that nothing is told that was not to be told any more.
    """
    code = following.department
    gaps = [row.id for row in case.dispatches if row.department == code and _never_left(row)]
    if not gaps:
        return
    held = code in holders(case)
    words = {name: getattr(following, name) for name in ("revision", "decided", "role", "state", "parked", "parked_at")}
    words["told"] = None if case.handling is None else _with_moves(case, code, None)
    mark(case, gaps, lambda row: replace(stand_in(row, held=held), **words))


def _never_left(row: Sending) -> bool:
    return row.state is Sent.DISCARDED and row.sent_at is None


def stand_in(row: Sending, *, held: bool) -> Sending:
    """Make what goes out under the number of a message that was given up: who has the order keeps it."""
    kind = MessageType.UPDATED if held else MessageType.RECALLED
    return replace(row, type=kind, reason=NOT_SENT, told=None, stands_for=row.stands_for or row.type)


def _told_before(case: Case, department: str) -> Sending | None:
    """Give the words that it has, where the newest could not be decided: they may be about it (promise 8)."""
    decided = case.decision
    if case.goal is not State.PARKED or decided is None or decided.revision == case.revision:
        return None
    rows = (row for row in reversed(case.dispatches) if row.department == department)
    return next((row for row in rows if row.state is not Sent.DISCARDED), None)


def _with_moves(case: Case, department: str, told: dict[str, Any] | None) -> dict[str, Any] | None:
    """Beside what it tells, a message carries what was granted to its department: its deadlines follow from that."""
    track = case.handling.tracks.get(department) if case.handling else None
    if track is None or not (track.extended or track.pauses):
        return told
    return (told or {}) | {"extended": track.extended, "pauses": [list(pause) for pause in track.pauses]}


def set_aside(row: Sending, reason: str, at: datetime) -> Sending:
    """Park a row with its reason."""
    return replace(row, state=Sent.PARKED, parked=reason, parked_at=at)


def once_more(row: Sending) -> Sending:
    """Let a parked row go out again: the same id, the same body. That it was there once stays true."""
    return replace(row, state=Sent.PENDING, parked=None, parked_at=None, tries=row.tries + 1)


def mark(case: Case, ids: Iterable[str], function: Callable[[Sending], Sending]) -> None:
    """Change rows. The state stays that of before until the event: an event is judged by where the case stood."""
    wanted = set(ids)
    case.dispatches = [function(row) if row.id in wanted else row for row in case.dispatches]
