"""The way out to the departments' queues, and the only place that knows aio-pika's and aiormq's errors.

A page goes out in one write with confirms and `mandatory`. What the broker says of each message comes back as a
`Receipt`; only when the broker cannot be reached, or takes nothing, is there an error, and then nothing is confirmed.

A broker whose disk or memory is nearly full stops reading from whoever publishes (connection.blocked). The connection
is kept then, and nothing more is given to it: each new one would leave another copy of a page in the broker's buffers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel as PikaChannel
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel
from aiormq.abc import AbstractConnection as Line
from aiormq.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelAccessRefused,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ConnectionNotAllowed,
    ProbableAuthenticationError,
)
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from router.dispatching.publish_page import LOST, UNKNOWN, Fate, Message, Receipt, publish_page
from router.errors import BrokerAway, BrokerBlocks, BrokerRefuses, TryLater

EXCHANGE = "appeals"
PublishPage = Callable[[AbstractChannel, str, Sequence[Message], float], Awaitable[list[Receipt]]]

logger = structlog.get_logger(__name__)


class Publisher:
    """Keeps one connection and one channel, and opens them again when they are gone."""

    def __init__(
        self,
        url: str,
        *,
        exchange: str = EXCHANGE,
        way: PublishPage = publish_page,
        answer_within: float = 20.0,
        connect_within: float = 5.0,
    ) -> None:
        self._url = url
        self._exchange = exchange
        self._way = way
        self._answer_within = answer_within
        self._connect_within = connect_within
        self._connection: AbstractConnection | None = None
        self._channel: PikaChannel | None = None
        self._opening = asyncio.Lock()
        self._blocked = False

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect, so that a wrong address shows at the start. Raises BrokerAway or BrokerRefuses."""
        await self._ready()

    async def close(self) -> None:
        """Let go of the connection; what is not confirmed stays unsent in its case."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(AMQPError, OSError, RuntimeError, TimeoutError):
                await asyncio.wait_for(connection.close(), 2.0)

    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        """Publish a page; one receipt each, in order. Raises TryLater or CallOperator only if nothing is confirmed."""
        if not page:
            return []
        channel = await self._ready()
        await self._unless_blocked(channel)
        receipts = await self._way(channel, self._exchange, page, self._answer_within)
        if all(receipt.fate is Fate.UNKNOWN for receipt in receipts):
            await self._unless_blocked(channel)
            lost = channel.is_closed
            await self._nothing_answered(channel)
            return [LOST] * len(page) if lost else receipts
        return receipts

    async def _unless_blocked(self, channel: AbstractChannel) -> None:
        """Raise BrokerBlocks while the broker takes nothing; tell the log when that begins and ends."""
        blocked = not channel.is_closed and await is_blocked(channel.connection)
        if blocked and not self._blocked:
            logger.warning("RabbitMQ takes no messages: its disk or memory is nearly full", action="broker_blocked")
        elif self._blocked and not blocked:
            logger.warning("RabbitMQ takes messages again", action="broker_unblocked")
        self._blocked = blocked
        if blocked:
            raise BrokerBlocks("RabbitMQ takes no messages: its disk or memory is nearly full; make room there")

    async def _nothing_answered(self, channel: AbstractChannel) -> None:
        """Drop a connection that says nothing, with whatever waits in its buffers; say why if the broker said why."""
        reason = channel.closing.exception() if channel.is_closed and not channel.closing.cancelled() else None
        await self.close()
        with as_ours("publishing"):
            if isinstance(reason, ChannelNotFoundEntity | ChannelAccessRefused):
                raise reason

    async def _ready(self) -> AbstractChannel:
        async with self._opening:
            if (
                self._connection is None
                or self._connection.is_closed
                or self._channel is None
                or self._channel.is_closed
            ):
                await self._reopen()
            assert self._channel is not None
            with as_ours("opening a channel"):
                return await self._channel.get_underlay_channel()

    async def _reopen(self) -> None:
        await self.close()
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(TryLater),
            stop=stop_after_delay(self._connect_within),
            wait=wait_exponential_jitter(multiplier=0.1, max=1.0, jitter=0.1),
            reraise=True,
        ):
            with attempt, as_ours("connecting"):
                self._connection = await aio_pika.connect(self._url, timeout=self._connect_within)
                self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        logger.info("Connected to the broker", action="broker_connected")


async def is_blocked(line: Line) -> bool:
    """Say whether the broker has told this connection to wait; the library waits for ever, and we look."""
    try:
        async with asyncio.timeout(0):
            await line.ready()
    except TimeoutError:
        return True
    return False


@contextmanager
def as_ours(doing: str) -> Iterator[None]:
    """Turn the libraries' errors into ours, by what the caller does next."""
    try:
        yield
    except (ChannelAccessRefused, AuthenticationError, ProbableAuthenticationError, ConnectionNotAllowed) as error:
        raise BrokerRefuses(
            f"RabbitMQ refused us while {doing} ({type(error).__name__}): check user, password, vhost, permissions"
        ) from error
    except ChannelNotFoundEntity as error:
        raise BrokerRefuses(
            f"RabbitMQ has no such exchange or queue while {doing}: run `intake departments apply`"
        ) from error
    except (AMQPError, OSError, ChannelInvalidStateError, TimeoutError, RuntimeError) as error:
        raise BrokerAway(f"RabbitMQ is away while {doing} ({type(error).__name__})") from error


__all__ = ("EXCHANGE", "UNKNOWN", "Fate", "Message", "PublishPage", "Publisher", "Receipt")
