"""Read back what a department's queue gave up (死信): delivery limit reached, rejected, expired.

Each is acknowledged only after it is written down. What belongs to a case parks that case's dispatch with the
reason; what belongs to none is kept sealed in `strays`, since its body may be anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from router.cases.case import Case
from router.cases.delivery import park
from router.cases.moves import Kind
from router.dispatch import MessageType
from router.dispatching.reading import Failed, read_queue
from router.dispatching.statement import is_statement
from router.dispatching.strays import Letter, Seal, keep
from router.dispatching.topology import DEAD_QUEUE
from router.store import CaseStore

logger = structlog.get_logger(__name__)


class _Named(msgspec.Struct):
    """What a message of ours says of its case."""

    subject: str


_NAMES = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, kw_only=True)
class Readback:
    """What the front door hands in."""

    store: CaseStore
    seal: Seal
    now: Callable[[], datetime]


async def take_back(letter: Letter, readback: Readback) -> Case | None:
    """Write down one dead letter; taking the same one twice changes nothing. Gives its case, or None for a stray."""
    at = readback.now()
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    queue, reason = why(letter)
    named = case_of(letter.body)
    case = await readback.store.by_message(named, letter.message_id) if named and letter.message_id else None
    # A queue that anybody else can write to could name a message that was never sent: the department must be right.
    row = next((row for row in case.dispatches if row.id == letter.message_id), None) if case else None
    if case is None or row is None or queue not in {f"dept.{row.department}", f"dept.{row.department}.urgent"}:
        if queue.startswith("dept.") and is_statement(letter.body, letter.message_id):
            logger.warning("A statement was given up", action="statement_given_up", queue=queue)
            return None  # there is another tomorrow, and this one stays written down
        await keep(letter, queue, reason, at, readback.store, readback.seal)
        return None
    if row.type is MessageType.OUTCOME:
        # What a program does not care to hear holds nothing up: its case goes on.
        logger.warning("An outcome was given up", action="outcome_given_up", case=case.id, department=row.department)
        return case
    logger.warning("Parked a dead letter", action="dead_letter", case=case.id, department=row.department, reason=reason)
    return await readback.store.change(case, lambda now: park(now, row.id, reason, at, Kind.DEAD_LETTERED))


def why(letter: Letter) -> tuple[str, str]:
    """Say from which queue it comes and why, by its first `x-death`."""
    deaths = letter.headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths else {}
    queue, reason = str(death.get("queue", "")), str(death.get("reason", "unknown"))
    return queue, f"dead-lettered from {queue or 'an unknown queue'}: {reason}, {death.get('count', 1)} times"


def case_of(body: bytes) -> str | None:
    """Give the case that a message of ours names; None where the body is no message of ours."""
    try:
        return _NAMES.decode(body).subject
    except msgspec.DecodeError:
        return None


async def consume_dead_letters(url: str, readback: Readback, stop: asyncio.Event, queue: str = DEAD_QUEUE) -> int:
    """Read dead letters back until told to stop; gives how many. Raises BrokerAway: start it again later."""

    async def take_all(letters: Sequence[Letter]) -> Failed:
        for letter in letters:
            await take_back(letter, readback)
        return [None for _ in letters]

    return await read_queue(url, queue, take_all, stop)
