"""The database's time and the numbers of claims, without waiting: rooms ask for both in the middle of pure work."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ReturnDocument

Database = Any  # motor ships no types

#: Fences that one worker may use up; numbers are cheap, and the database counts in 64 bits.
BLOCK = 1_000_000_000


class Clock:
    """The database's time, carried on by the monotonic clock, which no operator sets back.

    That one stands still while a machine sleeps or is moved, so the database is asked again now and then.
    """

    def __init__(self, base: datetime, mark: float, db: Database = None) -> None:
        self._base, self._mark, self._db = base, mark, db

    @classmethod
    async def of(cls, db: Database) -> Clock:
        """Ask the database what time it is."""
        clock = cls(datetime.min.replace(tzinfo=UTC), 0.0, db)
        await clock.look()
        return clock

    @classmethod
    def local(cls, now: datetime) -> Clock:
        """Begin at this machine's time, where no claim depends on it."""
        return cls(now, time.monotonic())

    async def look(self) -> None:
        """Ask the database again, if there is one."""
        if self._db is None:
            return
        before = time.monotonic()
        hello = await self._db.command("hello")
        self._base, self._mark = hello["localTime"].replace(tzinfo=UTC), (before + time.monotonic()) / 2

    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._mark)


class Fences:
    """Numbers that no other claim has, of this worker or any."""

    def __init__(self, first: int) -> None:
        self._next = first

    @classmethod
    async def of(cls, db: Database) -> Fences:
        """Take a block from the counter document that connectors/ takes its own from."""
        counter = await db.counters.find_one_and_update(
            {"_id": "fence"}, {"$inc": {"n": BLOCK}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        return cls(counter["n"] - BLOCK + 1)

    def next(self) -> int:
        number, self._next = self._next, self._next + 1
        return number
