"""How often a source may be asked: so many requests a minute, evenly, and not while it asks for patience."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Budget(Protocol):
    """One budget a source. A token is spent before the request and never given back."""

    async def spend(self) -> None:
        """Wait until one more request is allowed."""
        ...

    def rest(self, seconds: float) -> None:
        """Ask nothing for so long: the source said so."""
        ...


class LocalBudget:
    """The budget of one worker, which holds the source's lease: the only one that asks."""

    def __init__(self, requests_per_minute: float) -> None:
        self._pause = 60.0 / requests_per_minute
        self._next = 0.0
        self._lock = asyncio.Lock()

    async def spend(self) -> None:
        async with self._lock:
            # Again after each sleep: the source may have asked for rest meanwhile.
            while (wait := self._next - time.monotonic()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(wait)
            # No bursts, no catching up: no minute, wherever it begins, holds more than was agreed.
            self._next = max(self._next, time.monotonic()) + self._pause

    def rest(self, seconds: float) -> None:
        self._next = max(self._next, time.monotonic() + seconds)
