"""Who may work on what, and until when: the database's clock, and numbers that no two claims share."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

PAGE_LEASE = timedelta(seconds=30)  #: renewed every 10 s
SOURCE_LEASE = timedelta(seconds=10)  #: renewed every 3 s: a dead worker's sources are taken over within 15 s

LOOK_EVERY = 60.0  #: seconds between two looks at the database's clock, which may be set
#: A claim has lapsed, by the database's own clock. An absent `until` counts as lapsed (null sorts before dates).
LAPSED: dict[str, Any] = {"$expr": {"$lt": ["$until", "$$NOW"]}}


def until(lease: timedelta) -> dict[str, Any]:
    """`until` for a pipeline update, by the database's own clock."""
    return {"$add": ["$$NOW", int(lease.total_seconds() * 1000)]}


class DatabaseClock:
    """The database's time, kept between two looks by the monotonic clock, which no operator sets back."""

    def __init__(self, database: Any) -> None:  # noqa: ANN401  motor ships no types
        self._database = database
        self._base: datetime | None = None
        self._mark = 0.0

    async def now(self) -> datetime:
        """The database's time; asked for now and then, since the monotonic clock also runs while we are stopped."""
        if self._base is None or time.monotonic() - self._mark > LOOK_EVERY:
            before = time.monotonic()
            hello = await self._database.command("hello")
            self._mark = (before + time.monotonic()) / 2
            self._base = hello["localTime"].replace(tzinfo=UTC)
        return self._base + timedelta(seconds=time.monotonic() - self._mark)


class Fences:
    """Numbers unique to one claim, taken from the counter document a block at a time."""

    def __init__(self, counters: Any, block: int = 1000) -> None:  # noqa: ANN401
        self._counters = counters
        self._block = block
        self._next = 0
        self._end = 0
        self._lock = asyncio.Lock()

    async def next(self) -> int:
        async with self._lock:
            if self._next >= self._end:
                counter = await self._counters.find_one_and_update(
                    {"_id": "fence"}, {"$inc": {"n": self._block}}, upsert=True, return_document=ReturnDocument.AFTER
                )
                self._end = counter["n"] + 1
                self._next = self._end - self._block
            number, self._next = self._next, self._next + 1
            return number
