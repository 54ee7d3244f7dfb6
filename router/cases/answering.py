"""What the source that a case came from is told of it (回写): written down with the move, sent afterwards. Pure.

An answer is made where the public face of a case changes, and its id follows from the case and its number: whoever
sends it again sends the same one. Nothing is told of a mere dispatch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec.structs import replace

from normalizer.appeal import Mode, appeal_of, family, message_of
from router.cases.case import Case
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind, State
from router.cases.public import PublicState, public_face
from router.cases.track import Answering, Handling, Status

ANSWERER = "answerer"
LEASE = timedelta(seconds=60)  #: how long whoever sends it may take before another does
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)

#: Where a case ends without a department's word.
_AT_THE_DESK = frozenset({State.INFORMED, State.HANDED_OVER, State.WITHDRAWN})
_STATUSES: Mapping[PublicState, Status] = MappingProxyType(
    {"accepted": "accepted", "in_progress": "in_progress", "replied": "in_progress", "closed": "closed"}
)


def with_answer(before: Case, after: Case, at: datetime, within: timedelta | None) -> Case:
    """Write an answer down where there is something new to tell; without a span its source cannot be answered."""
    if within is None or after is before or after.mode not in {Mode.ROUTE, Mode.FOLLOW}:
        return after
    if after.goal in _AT_THE_DESK:
        known = after.parts or before.parts or (after.handling is not None and after.handling.answers)
        ends = known and after.goal is not before.goal
        return _with(after, "closed", None, at, within) if ends else after
    if after.handling is None:
        return after
    face, told = public_face(after), after.handling.answers
    status = _STATUSES.get(face.state)
    last = told[-1].status if told else None
    reply = face.reply if face.reply not in {row.reply for row in told} else None
    if status == "accepted" and last is not None:
        status = last  # another department signed it: nothing new out there
    if status is None or (status == last and reply is None):
        return after
    return _with(after, status, reply, at, within)


def others_of(case: Case) -> list[str]:
    """Name the appeals whose newest cases say what is told of this one; the last text may name no part any more."""
    if case.goal in _AT_THE_DESK:
        return [id_ for id_ in family([message_of(case.id)]) if id_ != appeal_of(case.id)]
    return case.parts


def of_message(case: Case, row: Answering, others: Iterable[Case]) -> tuple[Status, str | None] | None:
    """Say what the message's author is told of a case: of several requests, that all is done only when all of it is.

    None: nothing. A request that ended at the desk has no news of its own: it tells that all is done, if it is the last
    and the author has heard of any before.
    """
    if case.goal in _AT_THE_DESK and row.reply is None:
        return (row.status, None) if _is_the_end(case, list(others)) else None
    if not case.parts:
        return row.status, row.reply
    number = appeal_of(case.id).partition("-")[2] or "1"
    reply = None if row.reply is None else f"（第{number}项）{row.reply}"
    known = list(others)
    still_open = any(public_face(other).status == "open" for other in known)
    begun = any(row.state != "discarded" for other in known if other.handling for row in other.handling.answers)
    if (row.status == "closed" and still_open) or (row.status == "accepted" and begun):
        return "in_progress", reply
    return row.status, reply


def due(case: Case, now: datetime) -> Answering | None:
    """Give the answer that is to be sent now: the first one that is pending, so that they arrive in order."""
    handling = case.handling
    if handling is None or handling.answer_at is None or handling.answer_at > now:
        return None
    return next((row for row in handling.answers if row.state == "pending"), None)


def take_up(case: Case, answer: str, now: datetime) -> Case:
    """Keep others from sending it for a while, before it is sent."""
    row = due(case, now)
    if row is None or row.id != answer or case.handling is None:
        return case
    return _changed(case, replace(row, tries=row.tries + 1), now + LEASE)


def sent(case: Case, answer: str, receipt: str | None, at: datetime) -> Case:
    """Write down the receipt (回执)."""
    row = _row(case, answer)
    if row is None or row.state == "sent":
        return case
    after = draft_of(case)
    after.handling = after.handling or Handling()
    record(after, Kind.ANSWERED, at, actor=ANSWERER, data={"answer": answer, "status": row.status, "receipt": receipt})
    return _changed(after, replace(row, state="sent", sent_at=at, receipt=receipt, reason=None), at)


def failed(case: Case, answer: str, reason: str, at: datetime, wait: timedelta | None) -> Case:
    """Try it again later, longer each time, or park it: when it is refused for good, or its deadline is over."""
    row = _row(case, answer)
    if row is None or row.state != "pending":
        return case
    if wait is not None and at + wait < row.deadline:
        return _changed(case, replace(row, reason=reason), at + wait)
    after = draft_of(case)
    record(after, Kind.ANSWER_PARKED, at, actor=ANSWERER, note=reason, data={"answer": answer})
    return _changed(after, replace(row, state="parked", reason=reason), at)


def needless(case: Case, answer: str, reason: str, at: datetime) -> Case:
    """Leave it: it is not for that place."""
    row = _row(case, answer)
    if row is None or row.state != "pending":
        return case
    return _changed(case, replace(row, state="discarded", reason=reason), at)


def again(case: Case, at: datetime, within: timedelta) -> Case:
    """Let what is parked be sent again, with a new deadline and the same ids."""
    if case.handling is None or not any(row.state == "parked" for row in case.handling.answers):
        return case
    rows = [
        replace(row, state="pending", tries=0, reason=None, deadline=at + within) if row.state == "parked" else row
        for row in case.handling.answers
    ]
    return replace(case, handling=_due(replace(case.handling, answers=rows), at))


def give_up(case: Case, reason: str) -> Case:
    """Leave what is parked, on a person's word."""
    if case.handling is None or not any(row.state == "parked" for row in case.handling.answers):
        return case
    rows = [
        replace(row, state="discarded", reason=reason) if row.state == "parked" else row
        for row in case.handling.answers
    ]
    return replace(case, handling=_due(replace(case.handling, answers=rows), None))


def wait_after(tries: int) -> timedelta:
    """Double the wait with each try."""
    return min(FIRST_WAIT * (1 << min(tries, 12)), LONGEST_WAIT)


# ---------------------------------------------------------------- inside


def _with(case: Case, status: Status, reply: str | None, at: datetime, within: timedelta) -> Case:
    handling = case.handling or Handling()
    told = handling.answers
    row = Answering(id=_id(case.id, len(told) + 1), status=status, reply=reply, at=at, deadline=at + within)
    return replace(case, handling=_due(replace(handling, answers=[*told, row]), at))


def _is_the_end(case: Case, others: Sequence[Case]) -> bool:
    """Whoever takes all of it back knows that it is over."""
    every = [case, *others]
    over = all(other.goal in _AT_THE_DESK or public_face(other).status == "closed" for other in others)
    return over and any(map(_was_told, every)) and any(each.goal is not State.WITHDRAWN for each in every)


def _was_told(case: Case) -> bool:
    return case.handling is not None and any(row.state == "sent" for row in case.handling.answers)


def _id(case: str, number: int) -> str:
    return hashlib.blake2b(f"answer\0{case}\0{number}".encode(), digest_size=16).hexdigest()


def _row(case: Case, answer: str) -> Answering | None:
    rows = case.handling.answers if case.handling else []
    return next((row for row in rows if row.id == answer), None)


def _changed(case: Case, row: Answering, at: datetime) -> Case:
    assert case.handling is not None
    rows = [row if each.id == row.id else each for each in case.handling.answers]
    return replace(case, handling=_due(replace(case.handling, answers=rows), at))


def _due(handling: Handling, at: datetime | None) -> Handling:
    states = [row.state for row in handling.answers]
    return replace(handling, answer_at=at if "pending" in states else None, answers_parked=states.count("parked"))
