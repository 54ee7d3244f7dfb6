"""Read back what a department's queue gave up (死信): delivery limit reached, rejected, expired.

Each is acknowledged only after it is written down. What belongs to a case parks that case's dispatch with the
reason; what belongs to none is kept sealed in `strays`, since its body may be anything.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import aio_pika
import msgspec
import structlog
from aio_pika.abc import AbstractIncomingMessage

from router.cases.case import Case
from router.cases.delivery import park
from router.cases.moves import Kind
from router.dispatch import SHANGHAI
from router.dispatching.publisher import as_ours
from router.dispatching.topology import DEAD_QUEUE
from router.store import CaseStore

logger = structlog.get_logger(__name__)

_PREFETCH = 50


class Seal(Protocol):
    """What this room needs of intake/sealing.py."""

    async def ready(self, label: str) -> None:
        """Make or load the data key of this label."""

    def seal(self, label: str, bind: bytes, plain: bytes) -> bytes:
        """Seal a value under the key of this label."""


class _Named(msgspec.Struct):
    """What a message of ours says of its case."""

    subject: str


_NAMES = msgspec.json.Decoder(_Named)


class DeadLetter(Protocol):
    """What is read of a message; aio-pika's incoming message has it."""

    @property
    def message_id(self) -> str | None: ...
    @property
    def routing_key(self) -> str | None: ...
    @property
    def headers(self) -> Mapping[str, Any]: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Readback:
    """What the front door hands in."""

    store: CaseStore
    seal: Seal
    now: Callable[[], datetime]


async def take_back(letter: DeadLetter, readback: Readback) -> Case | None:
    """Write down one dead letter; taking the same one twice changes nothing. Gives its case, or None for a stray."""
    at = readback.now()
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    queue, reason = why(letter)
    named = case_of(letter.body)
    case = await readback.store.by_message(named, letter.message_id) if named and letter.message_id else None
    # A queue that anybody else can write to could name a message that was never sent: the department must be right.
    row = next((row for row in case.dispatches if row.id == letter.message_id), None) if case else None
    if case is None or row is None or queue not in {f"dept.{row.department}", f"dept.{row.department}.urgent"}:
        await _stray(letter, queue, reason, at, readback)
        return None
    logger.warning("Parked a dead letter", action="dead_letter", case=case.id, department=row.department, reason=reason)
    return await readback.store.change(case, lambda now: park(now, row.id, reason, at, Kind.DEAD_LETTERED))


def why(letter: DeadLetter) -> tuple[str, str]:
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
    taken = 0
    with as_ours("reading dead letters"):
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=_PREFETCH)
            source = await channel.get_queue(queue, ensure=False)
            letters: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            # Who deletes the queue ends our reading and leaves the channel open: begin again, where it is made anew.
            deleted = asyncio.Event()
            (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lambda _: deleted.set())
            await source.consume(letters.put)
            stopping = asyncio.ensure_future(stop.wait())
            closing = asyncio.ensure_future(_any(channel.closed(), deleted.wait()))
            try:
                while not stop.is_set():
                    next_one = asyncio.ensure_future(letters.get())
                    await asyncio.wait({next_one, stopping, closing}, return_when=asyncio.FIRST_COMPLETED)
                    if not next_one.done():
                        next_one.cancel()
                        if closing.done() and not stop.is_set():
                            raise ConnectionError("the channel closed, or the queue is gone")
                        break
                    letter = next_one.result()
                    await take_back(letter, readback)
                    await letter.ack()
                    taken += 1
            finally:
                stopping.cancel()
                closing.cancel()
    return taken


async def _any(*waits: Awaitable[Any]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _stray(letter: DeadLetter, queue: str, reason: str, at: datetime, readback: Readback) -> None:
    label = f"strays/{at.astimezone(SHANGHAI):%Y-%m}"
    known = f"{queue}\0{letter.message_id}".encode() + b"\0" + letter.body
    name = hashlib.blake2b(known, digest_size=16).hexdigest()
    await readback.seal.ready(label)
    sealed = readback.seal.seal(label, f"strays/{name}".encode(), letter.body)
    await readback.store.add_stray(
        {
            "_id": name,
            "message_id": letter.message_id,
            "queue": queue,
            "routing_key": letter.routing_key,
            "reason": reason,
            "at": at,
            "body": sealed,
            "key": label,
        }
    )
    logger.warning("Kept a stray message", action="stray", stray=name, queue=queue, reason=reason)
