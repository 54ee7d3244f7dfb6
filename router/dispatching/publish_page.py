"""Publish a whole page with confirms: one lock, one write, no future a message. Uses inner parts of aiormq 7.2.

Those parts are `lock`, `delivery_tag`, `confirmations`, `message_id_delivery_tag` and `write_queue` of a channel;
the version is pinned in pyproject.toml, and tests/router/dispatching/test_publisher.py holds this and the plain way
below to one contract.

The frames are written by hand because all of a page's frames are alike but for three values (AMQP 0-9-1, 4.2.3 to
4.2.6).
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from aiormq import spec
from aiormq.abc import AbstractChannel, ChannelFrame
from aiormq.exceptions import ChannelInvalidStateError, DeliveryError, PublishError

CONTENT_TYPE = "application/cloudevents+json"

_METHOD, _HEADER, _BODY, _END = 1, 2, 3, b"\xce"
_FRAME = struct.Struct(">BHI")
_NO_LIMIT = 131072
_AT_ONCE = 4 * 1024 * 1024
_FRAME_OVERHEAD = _FRAME.size + 1
_PUBLISH = struct.pack(">HHH", 60, 40, 0)  # class basic, method publish, a reserved short
_CONTENT = struct.Struct(">HHQH")
_FLAGS = 1 << 15 | 1 << 12 | 1 << 7  # content_type, delivery_mode, message_id
_PERSISTENT = b"\x02"
_MANDATORY = b"\x01"


class Fate(StrEnum):
    """What became of a message, as the broker said."""

    SENT = "sent"  #: confirmed: in a majority of the quorum queue
    RETURNED = "returned"  #: no queue takes it
    REFUSED = "refused"  #: the queue is full (reject-publish): back-pressure of this department
    UNKNOWN = "unknown"  #: no answer: it may be there or not, and is sent again under the same id


class Message(NamedTuple):
    """One message on its way out."""

    id: str
    department: str
    routing_key: str
    body: bytes


class Receipt(NamedTuple):
    """What the broker said of one message."""

    fate: Fate
    reason: str | None = None


UNKNOWN = Receipt(Fate.UNKNOWN, "no answer")
LOST = Receipt(Fate.UNKNOWN, "the line was lost")


async def publish_page(
    channel: AbstractChannel, exchange: str, page: Sequence[Message], patience: float
) -> list[Receipt]:
    """Publish a page in one write and wait for what the broker says of each; `patience` is in seconds.

    No message id may be twice in a page. A channel that closes under way leaves UNKNOWN where nothing was said.
    """
    inner: Any = channel
    waiting = _Waiting(len(page), asyncio.get_running_loop())
    slots = [_Slot(waiting) for _ in page]
    closing = channel.closing
    try:
        async with asyncio.timeout(patience):
            async with inner.lock:
                for start, stop in _parts(page):
                    await _write(inner, exchange, page[start:stop], slots[start:stop])
            await asyncio.wait({waiting.over, closing}, return_when=asyncio.FIRST_COMPLETED)
    except (TimeoutError, ChannelInvalidStateError):
        pass  # what was not answered reads UNKNOWN
    finally:
        closing.cancel()
        for message in page:
            inner.message_id_delivery_tag.pop(message.id, None)
    return [slot.receipt or UNKNOWN for slot in slots]


async def _write(inner: Any, exchange: str, page: Sequence[Message], slots: Sequence[_Slot]) -> None:  # noqa: ANN401
    """Give frames to the writer and expect their confirmations; the channel's lock is held."""
    frames, first = bytearray(), inner.delivery_tag + 1
    frame_max = inner.connection.connection_tune.frame_max or _NO_LIMIT
    for tag, (message, slot) in enumerate(zip(page, slots, strict=True), first):
        inner.confirmations[tag] = slot
        inner.message_id_delivery_tag[message.id] = tag
        write_frames(frames, inner.number, exchange, message, frame_max)
    inner.delivery_tag += len(page)
    # The future makes the writer wait for the socket. We wait for the confirmations instead.
    drained = asyncio.get_running_loop().create_future()
    try:
        await inner.write_queue.put(ChannelFrame(payload=bytes(frames), should_close=False, drain_future=drained))
    except BaseException:
        # The broker has not seen these: its count and ours must stay one, or later answers go to the wrong rows.
        inner.delivery_tag = first - 1
        for tag in range(first, first + len(page)):
            inner.confirmations.pop(tag, None)
        raise


def _parts(page: Sequence[Message]) -> Iterator[tuple[int, int]]:
    """Split a page of huge bodies, so that no more than some megabytes of frames wait at a time."""
    start, size = 0, 0
    for at, message in enumerate(page):
        if size and size + len(message.body) > _AT_ONCE:
            yield start, at
            start, size = at, 0
        size += len(message.body) + 1
    if start < len(page):
        yield start, len(page)


async def publish_plainly(
    channel: AbstractChannel, exchange: str, page: Sequence[Message], patience: float
) -> list[Receipt]:
    """Keep the same contract with aiormq's public calls alone: for a version whose inner parts are others."""

    async def one(message: Message) -> Receipt:
        properties = spec.Basic.Properties(delivery_mode=2, content_type=CONTENT_TYPE, message_id=message.id)
        try:
            answer = await channel.basic_publish(
                message.body,
                exchange=exchange,
                routing_key=message.routing_key,
                properties=properties,
                mandatory=True,
                timeout=patience,
            )
        except PublishError as error:
            return Receipt(Fate.RETURNED, _why(error))
        except DeliveryError:
            return Receipt(Fate.REFUSED, "the queue refuses more")
        except (TimeoutError, ChannelInvalidStateError):
            return UNKNOWN
        return Receipt(Fate.SENT) if isinstance(answer, spec.Basic.Ack) else Receipt(Fate.REFUSED, "not acknowledged")

    answers = await asyncio.gather(*(one(message) for message in page), return_exceptions=True)
    return [answer if isinstance(answer, Receipt) else UNKNOWN for answer in answers]


def write_frames(out: bytearray, channel: int, exchange: str, message: Message, frame_max: int) -> None:
    """Append method, header and body frames of one message."""
    method = _PUBLISH + _short(exchange) + _short(message.routing_key) + _MANDATORY
    out += _FRAME.pack(_METHOD, channel, len(method)) + method + _END
    body = message.body
    header = _CONTENT.pack(60, 0, len(body), _FLAGS) + _TYPE + _PERSISTENT + _short(message.id)
    out += _FRAME.pack(_HEADER, channel, len(header)) + header + _END
    room = frame_max - _FRAME_OVERHEAD
    for start in range(0, len(body), room):
        part = body[start : start + room]
        out += _FRAME.pack(_BODY, channel, len(part)) + part + _END


def _why(error: PublishError) -> str:
    return str(error.args[0]) if error.args else "NO_ROUTE"


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data


_TYPE = _short(CONTENT_TYPE)


class _Waiting:
    """Counts the answers of a page."""

    __slots__ = ("left", "over")

    def __init__(self, left: int, loop: asyncio.AbstractEventLoop) -> None:
        self.left = left
        self.over: asyncio.Future[None] = loop.create_future()
        if not left:
            self.over.set_result(None)


class _Slot:
    """Stands where aiormq expects the future of a confirmation; answers at once instead of by the loop."""

    __slots__ = ("receipt", "waiting")

    def __init__(self, waiting: _Waiting) -> None:
        self.waiting = waiting
        self.receipt: Receipt | None = None

    def done(self) -> bool:
        return self.receipt is not None

    def cancelled(self) -> bool:
        return False

    def set_result(self, _frame: object) -> None:
        self._answer(_SENT)

    def set_exception(self, error: BaseException) -> None:
        if isinstance(error, PublishError):
            self._answer(Receipt(Fate.RETURNED, _why(error)))
        else:
            self._answer(Receipt(Fate.REFUSED, "the queue refuses more"))

    def _answer(self, receipt: Receipt) -> None:
        if self.receipt is None:
            self.receipt = receipt
            self.waiting.left -= 1
            if not self.waiting.left and not self.waiting.over.done():
                self.waiting.over.set_result(None)


_SENT = Receipt(Fate.SENT)
