"""End what runs beside us (收尾): cancelled, and waited for until it has really ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN = 1.5  #: seconds after which whatever still goes on is told once more


async def end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel them all and wait. What they failed with is read by whoever needs it, or by nobody.

    One telling is not enough: Python 3.11's `wait_for`, of which the drivers are full, forgets a cancellation that
    comes in the moment in which what it waits for is done, and a loop would go on for ever.
    """
    ending = set(tasks)
    every = list(ending)
    while ending:
        for task in ending:
            task.cancel()
        _, ending = await asyncio.wait(ending, timeout=AGAIN)
    await asyncio.gather(*every, return_exceptions=True)
