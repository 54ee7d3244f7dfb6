"""Read a queue of our own, letter by letter, until told to stop; each is acknowledged once it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from router.dispatching.publisher import as_ours

_PREFETCH = 50

Take = Callable[[AbstractIncomingMessage], Awaitable[object]]


async def read_queue(url: str, queue: str, take: Take, stop: asyncio.Event) -> int:
    """Hand letters over in turn; gives how many. Raises BrokerAway: start it again later."""
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
                    await take(letter)
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
