"""A department's own login at the broker, held for it: messages on loan, feedback in its name (代取).

For those who cannot speak AMQP (网闸). One queue underneath: what is lent and not given back in time, or not before
this worker stops, lies in the department's queue again under the same id. The broker itself checks the password, which
queue may be read, and the name that stands on feedback: nothing here can be talked into more.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Self

import aio_pika
import msgspec
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from router.dispatching.publisher import as_ours
from router.dispatching.topology import FEEDBACK
from router.errors import RouterError

LEASE = 300.0  #: seconds until what is not acknowledged lies in the queue again
MOST_LENT = 1_000  #: messages that one login may hold at one time
MOST_BYTES = 8 * 1024 * 1024  #: in one answer; the first message goes out whatever its size
WITHIN = 5.0  #: seconds for a login


class _Named(msgspec.Struct):
    id: str


class _Lent(NamedTuple):
    letter: AbstractIncomingMessage
    until: float


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of ids that were given back."""

    done: list[str]
    unknown: list[str]  #: not on loan (any more): they come again, and are given back then


class Login:
    """One login of one department."""

    def __init__(
        self, user: str, connection: AbstractConnection, channels: Sequence[AbstractChannel], clock: Callable[[], float]
    ) -> None:
        self.user = user
        self._connection = connection
        self._reading, self._saying = channels
        self._clock = clock
        self._lent: dict[str, list[_Lent]] = defaultdict(list)
        self._taking = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, user: str, clock: Callable[[], float]) -> Self:
        """Log in. Raises BrokerRefuses where user and password are not the department's, BrokerAway."""
        with as_ours("logging in for a department"):
            connection = await aio_pika.connect(url, timeout=WITHIN)
            try:
                reading = await connection.channel(publisher_confirms=False)
                saying = await connection.channel(publisher_confirms=True, on_return_raises=True)
            except BaseException:
                await connection.close()
                raise
        return cls(user, connection, (reading, saying), clock)

    @property
    def alive(self) -> bool:
        """Whether it can be used; with the channel everything on loan went back."""
        return not (self._connection.is_closed or self._reading.is_closed or self._saying.is_closed)

    @property
    def lent(self) -> int:
        """How many messages are on loan."""
        return sum(map(len, self._lent.values()))

    async def pull(self, queue: str, most: int, lease: float = LEASE) -> list[bytes]:
        """Lend up to so many messages. What is no message of ours goes the way of dead letters.

        Raises BrokerRefuses where there is no such queue or it is another's; BrokerAway.
        """
        bodies: list[bytes] = []
        size, most = 0, min(most, MOST_LENT - self.lent)
        with as_ours(f"reading {queue}"):
            async with self._taking:
                source = await self._reading.get_queue(queue, ensure=False)
                while len(bodies) < most and size < MOST_BYTES:
                    letter = await source.get(fail=False)
                    if letter is None:
                        break
                    name = _name(letter.body)
                    if name is None:
                        await letter.reject(requeue=False)
                        continue
                    self._lent[name].append(_Lent(letter, self._clock() + lease))
                    bodies.append(letter.body)
                    size += len(letter.body)
        return bodies

    async def settle(self, ids: Sequence[str], *, well: bool) -> Settled:
        """Acknowledge, or reject as unreadable: then they are dead letters, which the centre sees."""
        done: list[str] = []
        unknown: list[str] = []
        with as_ours("acknowledging"):
            for name in dict.fromkeys(ids):
                lent = self._lent.pop(name, [])
                for each in lent:
                    await (each.letter.ack() if well else each.letter.reject(requeue=False))
                (done if lent else unknown).append(name)
        return Settled(done=done, unknown=unknown)

    async def say(self, department: str, body: bytes) -> None:
        """Send feedback in the department's name, which the broker checks; returns once it is stored."""
        message = aio_pika.Message(
            body,
            content_type="application/json",
            user_id=self.user,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        with as_ours("sending feedback"):
            exchange = await self._saying.get_exchange(FEEDBACK, ensure=False)
            await exchange.publish(message, routing_key=department, mandatory=True, timeout=WITHIN)

    async def let_go(self) -> int:
        """Put back what was lent for too long; says how many."""
        now = self._clock()
        over = [each for lent in self._lent.values() for each in lent if each.until <= now]
        left = {name: [each for each in lent if each.until > now] for name, lent in self._lent.items()}
        self._lent = defaultdict(list, {name: lent for name, lent in left.items() if lent})
        with as_ours("putting back"):
            for each in over:
                await each.letter.reject(requeue=True)
        return len(over)

    async def close(self) -> None:
        """Log out; the broker puts back whatever is on loan."""
        with suppress(RouterError), as_ours("logging out for a department"):
            await asyncio.wait_for(self._connection.close(), 2.0)


def _name(body: bytes) -> str | None:
    """The id of a message, if it is JSON as a whole."""
    try:
        msgspec.json.decode(body)
        return msgspec.json.decode(body, type=_Named).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
