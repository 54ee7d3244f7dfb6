"""Take messages off a department's queue by hand, as its own program would (`intake consume`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from router.dispatching.publisher import as_ours

AT_ONCE = 32  #: what a dying command gives back comes back in its order, up to so many


async def take(
    url: str, queue: str, handle: Callable[[Sequence[bytes]], Awaitable[None]], *, limit: int | None = None
) -> int:
    """Hand messages over, some at a time, and acknowledge them once handled; stop at `limit` or when none is left.

    Raises BrokerAway or BrokerRefuses; what was not acknowledged is delivered again.
    """
    taken = 0
    with as_ours(f"reading {queue}"):
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            source = await channel.get_queue(queue, ensure=False)
            while letters := await _some(source, AT_ONCE if limit is None else min(AT_ONCE, limit - taken)):
                await handle([letter.body for letter in letters])
                await letters[-1].ack(multiple=True)
                taken += len(letters)
    return taken


async def _some(source: AbstractQueue, most: int) -> list[AbstractIncomingMessage]:
    letters: list[AbstractIncomingMessage] = []
    while len(letters) < most and (letter := await source.get(fail=False)) is not None:
        letters.append(letter)
    return letters
