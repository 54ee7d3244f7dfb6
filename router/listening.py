"""Feedback of departments (部门反馈): read, checked against who has the case, taken into the ledger, and answered.

What is not from the case's present holder or assistant, by the user that the broker has verified, moves nothing: it is
kept sealed among the strays and answered as refused. Written down before it is acknowledged; the same id again is
dropped, so a crash anywhere is mended by reading the letter again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog
from msgspec.structs import replace

from router import centre
from router.cases.case import Case, holders
from router.cases.claims import hear_claim, may_claim
from router.cases.clock import limits_of
from router.cases.hearing import REFUSALS, hear, is_known
from router.cases.resuming import tell_resumed
from router.desk import write
from router.dispatching import strays
from router.dispatching.outcome import outcome_of_stray
from router.dispatching.publish_page import Fate, Message
from router.dispatching.reading import Failed, read_queue
from router.dispatching.topology import FEEDBACK_QUEUE
from router.errors import CallOperator, TryLater
from router.feedback import Disputed, ExclusionRequested, Feedback, Outcome, Received, ReturnRequested
from router.flow import Room, deliver
from router.learning import learn
from router.looking import clocks_of
from router.reviewing import review

logger = structlog.get_logger(__name__)

MOST_BYTES = 256 * 1024
MOST_ID = 128
_USER = re.compile(r"dept\.([A-Z0-9_]{2,32})\.[ab]")
_CODE = re.compile(r"[A-Z0-9_]{2,32}")
_DECODER: msgspec.json.Decoder[Feedback] = msgspec.json.Decoder(Feedback)

#: Fields in which people write; each is masked before it is kept.
_FREE = frozenset({"handler", "note", "reply_public", "reply_internal", "reason", "clause", "evidence"}) | {
    "proposed_owner",
    "signed_by",
}


class Letter(strays.Letter, Protocol):
    """A feedback as the broker brings it."""

    @property
    def user_id(self) -> str | None: ...


class _Named(msgspec.Struct):
    """What can be read of a feedback that is otherwise unreadable: its id and its case."""

    id: Any = None
    case: Any = None


@dataclass(frozen=True, kw_only=True)
class Ear:
    """What the front door hands in."""

    room: Room
    seal: strays.Seal
    mask: Callable[[str], str]  #: the normalizer's, so that what is kept here is masked as the appeals are
    automatic: bool = False  #: returns are decided at once where precedents are clear (退单自动审核)
    arbiter: str = centre.ARBITER


async def listen(url: str, ear: Ear, stop: asyncio.Event, queue: str = FEEDBACK_QUEUE) -> int:
    """Take feedback until told to stop. Raises BrokerAway: start it again later."""
    return await read_queue(url, queue, lambda letters: take_all(letters, ear), stop)


async def take_all(letters: Sequence[Letter], ear: Ear) -> Failed:
    """Take in what lies there, side by side: in which order does not matter. Then all are answered at once.

    Gives what failed, letter by letter: one that cannot be taken in holds up no other.
    """
    taken = await asyncio.gather(*(take(letter, ear) for letter in letters), return_exceptions=True)
    await _answer_cases([each for each in taken if not isinstance(each, BaseException)], ear.room)
    return [each if isinstance(each, BaseException) else None for each in taken]


async def _answer_cases(cases: Sequence[Case | None], room: Room) -> None:
    unsent = dict.fromkeys(case.id for case in cases if case is not None and case.unsent)
    if unsent:
        await deliver(list(unsent), room)


async def take(letter: Letter, ear: Ear) -> Case | None:
    """Take in one letter; taking the same one twice changes nothing. Gives its case, None where it belongs to none.

    Its answer is written down and not sent yet.
    """
    department, verified = sender(letter)
    said = _read(letter.body)
    if said is None or not verified:
        await _refuse(letter, department, "no_user" if said is not None else "bad_message", ear)
        return None
    case = await _take_in(said, department, ear)
    if case is None:
        await _refuse(letter, department, "not_holder", ear)
    return case


async def take_said(said: Feedback, department: str, ear: Ear) -> Case | None:
    """Take in what this department says, and answer; None where it does not have the case, and nothing has happened."""
    case = await _take_in(said, department, ear)
    await _answer_cases([case], ear.room)
    return case


async def _take_in(said: Feedback, department: str, ear: Ear) -> Case | None:
    room = ear.room
    case = await room.store.get(said.case)
    if case is None or not (_may_say(case, department, said) or is_known(case, department, said.id)):
        return None
    plain, at = masked(said, ear.mask), room.moment()
    clock = (await clocks_of([case], room)).get(case.id)

    def taken_in(now: Case) -> Case:
        if isinstance(plain, ExclusionRequested | Disputed):
            return hear_claim(now, department, plain, at, room.tables.claims, room.tables.calendar)
        heard = hear(now, department, plain, at, limits_of(now, department, clock))
        return heard if heard is now or clock is None else tell_resumed(now, heard, department, clock, at)

    after = await write(case, taken_in, room, clock)
    if not is_known(after, department, said.id):
        return None  # it went elsewhere meanwhile
    logger.info(
        "Heard a department",
        action="feedback",
        case=after.id,
        department=department,
        kind=str(said.__struct_config__.tag),
        work=after.handling.work if after.handling else None,
    )
    return await _consequences(after, plain, department, ear)


async def _consequences(case: Case, said: Feedback, department: str, ear: Ear) -> Case:
    """Learn from who takes a case on, and decide a return that is clear; done again, it has no effect."""
    if isinstance(said, ReturnRequested):
        return await review(case, department, ear.room, ear.arbiter) if ear.automatic else case
    if department == case.holder and not isinstance(said, Received):
        await learn(case, ear.room)
    return case


def _may_say(case: Case, department: str, said: Feedback) -> bool:
    """What counts in figures may be claimed also after the end; all else is for those who have the case."""
    if isinstance(said, ExclusionRequested | Disputed):
        return may_claim(case, department)
    return department in holders(case)


async def answer_strays(room: Room) -> int:
    """Tell the senders of strays why; what was told by somebody who then died is told again under the same id."""
    waiting = await room.store.strays.unanswered()
    if not waiting:
        return 0
    messages = [_answer(stray) for stray in waiting]
    try:
        receipts = await room.publisher.publish(messages)
    except (TryLater, CallOperator):
        return 0  # whoever delivers the cases says so
    told = [
        stray["_id"]
        for stray, receipt in zip(waiting, receipts, strict=True)
        if receipt.fate in {Fate.SENT, Fate.RETURNED}
    ]
    await room.store.strays.answered(told)
    return len(told)


def sender(letter: Letter) -> tuple[str, bool]:
    """Say which department sent it, and whether the broker has verified that.

    The routing key alone proves less: the broker lets a user of ours write any.
    """
    user = _USER.fullmatch(letter.user_id or "")
    key = letter.routing_key or ""
    if user is not None:
        return user[1], True
    return (key if _CODE.fullmatch(key) else ""), False


def masked(said: Feedback, mask: Callable[[str], str]) -> Feedback:
    """Mask whatever people wrote in it, and leave out control characters."""
    return replace(
        said,
        **{
            name: mask(_printable(value))
            for name in said.__struct_fields__
            if name in _FREE and isinstance(value := getattr(said, name), str)
        },
    )


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


def _read(body: bytes) -> Feedback | None:
    if len(body) > MOST_BYTES:
        return None
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def _refuse(letter: Letter, department: str, code: str, ear: Ear) -> None:
    """Keep it sealed, with what its sender is to be told, and tell it."""
    named = _named(letter.body)

    def told(_: str) -> dict[str, Any]:
        outcome = Outcome(
            feedback=named[0],
            case=named[1],
            outcome="refused",
            code=code,
            sentence=REFUSALS[code],
            state="",
        )
        return {
            "unanswered": bool(department),
            "department": department,
            "outcome": msgspec.to_builtins(outcome),
        }

    reason = f"反馈未采纳 · feedback of {department or 'nobody'} refused: {code}"
    await strays.keep(letter, FEEDBACK_QUEUE, reason, ear.room.moment(), ear.room.store, ear.seal, of=told)
    await answer_strays(ear.room)


def _named(body: bytes) -> tuple[str, str]:
    """What is worth saying back of a letter: ids that are ids."""
    try:
        found = msgspec.json.decode(body[:MOST_BYTES], type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    return _id(found.id), _id(found.case)


def _id(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= MOST_ID else ""


def _answer(stray: dict[str, Any]) -> Message:
    at: datetime = stray["at"]
    name, body = outcome_of_stray(stray["_id"], msgspec.convert(stray["outcome"], Outcome), at)
    return Message(name, stray["department"], f"{stray['department']}.0000.normal", body)
