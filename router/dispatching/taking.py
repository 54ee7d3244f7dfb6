"""Take messages off a department's queue by hand, as its own program would (`intake consume`)."""

from __future__ import annotations

from collections.abc import Callable

import aio_pika

from router.dispatching.publisher import as_ours


async def take(url: str, queue: str, handle: Callable[[bytes], None], *, limit: int | None = None) -> int:
    """Hand over message by message and acknowledge each once it is handled; stop at `limit` or when none is left.

    Raises BrokerAway or BrokerRefuses; what was not acknowledged is delivered again.
    """
    taken = 0
    with as_ours(f"reading {queue}"):
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            source = await channel.get_queue(queue, ensure=False)
            while limit is None or taken < limit:
                letter = await source.get(fail=False)
                if letter is None:
                    break
                handle(letter.body)
                await letter.ack()
                taken += 1
    return taken
