"""Out to a department (导出): what waits in its queue becomes a bundle, written down before it leaves the queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from intake.exchange.bundle import BadBundle, Bundle, Way, make, sha256
from intake.exchange.store import ExchangeStore
from intake.pushing.lane import event_of
from router.dispatching.publisher import as_ours

MOST = 1_000  #: messages of one bundle
LARGEST = 8 * 1024 * 1024  #: bytes of one bundle, a little more: a document of the database holds 16 MiB


class _Taken(NamedTuple):
    letters: list[AbstractIncomingMessage]
    lines: list[bytes]


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """What exporting needs."""

    store: ExchangeStore
    broker_url: str
    key: Ed25519PrivateKey


async def export(department: str, queue: str, outgoing: Outgoing, at: datetime) -> list[Bundle]:
    """Put everything that waits into bundles; gives all that are out, those of before as they were.

    Raises BadBundle where another export runs; BrokerAway, BrokerRefuses.
    """
    with as_ours(f"reading {queue}"):
        connection = await aio_pika.connect(outgoing.broker_url)
        async with connection:
            channel = await connection.channel()
            source = await channel.get_queue(queue, ensure=False)
            # What a killed export had written down and not taken off the queue is there already, byte for byte.
            known = await outgoing.store.items(department)
            async for taken in _waiting(source, known):
                if taken.lines:
                    await _keep(department, taken.lines, outgoing, at)
                for letter in taken.letters:
                    await letter.ack()
    return await outgoing.store.out(department)


async def _keep(department: str, lines: list[bytes], outgoing: Outgoing, at: datetime) -> None:
    last = await outgoing.store.last(department, Way.OUT)
    read_in = await outgoing.store.last(department, Way.IN)
    number, previous = (1, None) if last is None else (last.number + 1, last.sha256)
    bundle = make(department, number, previous, lines, read_in, at, outgoing.key)
    if not await outgoing.store.keep(bundle, at):
        raise BadBundle(f"{bundle.name} 正由另一个导出在写，稍后再导出 · another export is under way, try again")


async def _waiting(source: AbstractQueue, known: set[tuple[str, str]]) -> AsyncIterator[_Taken]:
    """Take what lies there, a bundle's worth at a time."""
    taken, size = _Taken([], []), 0
    while (letter := await source.get(fail=False)) is not None:
        event = event_of(letter.body)
        if event is None or b"\n" in letter.body:
            await letter.reject(requeue=False)  # none of ours: it goes the way of dead letters
            continue
        taken.letters.append(letter)
        if (event.id, sha256(letter.body)) not in known:
            taken.lines.append(letter.body)
            size += len(letter.body)
        if len(taken.letters) == MOST or size >= LARGEST:
            yield taken
            taken, size = _Taken([], []), 0
    yield taken
