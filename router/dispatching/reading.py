"""Read a queue of our own, as many letters at a time as lie there; each is acknowledged once it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from router.dispatching.publisher import as_ours

_PREFETCH = 50

Letters = Sequence[AbstractIncomingMessage]
Failed = list[BaseException | None]


async def read_queue(url: str, queue: str, take: Callable[[Letters], Awaitable[Failed]], stop: asyncio.Event) -> int:
    """Hand letters over, up to 50 at a time; gives how many. Raises BrokerAway: start it again later."""
    taken = 0
    with as_ours(f"reading {queue}"):
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
            closing = [asyncio.ensure_future(channel.closed()), asyncio.ensure_future(deleted.wait())]
            try:
                while not stop.is_set():
                    next_one = asyncio.ensure_future(letters.get())
                    await asyncio.wait({next_one, stopping, *closing}, return_when=asyncio.FIRST_COMPLETED)
                    if not next_one.done():
                        next_one.cancel()
                        if any(each.done() for each in closing) and not stop.is_set():
                            raise ConnectionError("the channel closed, or the queue is gone")
                        break
                    some = [next_one.result()]
                    while not letters.empty():
                        some.append(letters.get_nowait())
                    failed = await take(some)
                    for letter, error in zip(some, failed, strict=True):
                        await (letter.ack() if error is None else letter.nack(requeue=True))
                    taken += failed.count(None)
                    for error in filter(None, failed):
                        raise error  # what was taken in is acknowledged; the others come again
            finally:
                for waiting in (stopping, *closing):
                    waiting.cancel()
    return taken
