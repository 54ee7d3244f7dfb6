"""Who pushes to which department, and how it goes: a document a department in `pushes`.

At most one worker pushes to a department at one time, by a lease on the database's clock: that is what keeps the order
of a case's messages. Counts are added up now and then, not with every message.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec

from intake.house import Database

LEASE = 30  #: seconds
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """推送情况 of one department, as `intake status` shows it."""

    department: str
    pushing: bool  #: some worker holds it
    state: str = "new"  #: pushing, resting
    reason: str | None = None  #: why it rests
    rests_until: datetime | None = None
    taken_at: datetime | None = None  #: when it took the last message
    taken: int = 0
    failed: int = 0
    parked: int = 0


class StandingStore:
    """The collection."""

    def __init__(self, db: Database) -> None:
        self._pushes = db.pushes

    async def claim(self, department: str, owner: str) -> bool:
        """Become who pushes to it, if nobody is."""
        await self._pushes.update_one({"_id": department}, {"$setOnInsert": {"until": _LONG_AGO}}, upsert=True)
        free = {"_id": department, "$expr": {"$lt": ["$until", "$$NOW"]}}
        taken = await self._pushes.update_one(free, [{"$set": {"owner": owner, "until": _from_now()}}])
        return bool(taken.matched_count)

    async def renew(self, department: str, owner: str) -> bool:
        """Go on being it; False: somebody else is."""
        kept = await self._pushes.update_one(
            {"_id": department, "owner": owner, "$expr": {"$gt": ["$until", "$$NOW"]}},
            [{"$set": {"until": _from_now()}}],
        )
        return bool(kept.matched_count)

    async def let_go(self, department: str, owner: str) -> None:
        """Let another be it at once."""
        await self._pushes.update_one(
            {"_id": department, "owner": owner}, {"$set": {"until": _LONG_AGO, "owner": None}}
        )

    async def note(self, department: str, counts: Counter[str], **fields: str | datetime | None) -> None:
        """Add up what happened since the last time, and say how it stands."""
        change: dict[str, Any] = {"$set": fields} if fields else {}
        if counts:
            change["$inc"] = dict(counts)
        if change:
            await self._pushes.update_one({"_id": department}, change)

    async def all(self) -> list[Standing]:
        """Give all, by code."""
        standing = {"$addFields": {"department": "$_id", "pushing": {"$gt": ["$until", "$$NOW"]}}}
        rows = self._pushes.aggregate([standing, {"$sort": {"_id": 1}}])
        return [msgspec.convert(row, Standing) async for row in rows]


def _from_now() -> dict[str, Any]:
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LEASE}}
