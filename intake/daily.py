"""What one worker does once a day for all (每日一次): whose turn it is, in `sweeps`, by the database's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from intake.house import Database

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def claim(db: Database, what: str, today: str, owner: str, lease: timedelta) -> bool:
    """Take today's turn: a second worker finds it taken, or done; after `lease` a dead one's is anybody's."""
    await db.sweeps.update_one({"_id": what}, {"$setOnInsert": {"day": "", "until": _LONG_AGO}}, upsert=True)
    until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": int(lease.total_seconds())}}
    taken = await db.sweeps.update_one(
        {"_id": what, "day": {"$ne": today}, "$expr": {"$lt": ["$until", "$$NOW"]}},
        [{"$set": {"owner": owner, "until": until}}],
    )
    return bool(taken.matched_count)


async def remember(db: Database, what: str, fields: Mapping[str, Any]) -> None:
    """Write down how far it is."""
    await db.sweeps.update_one({"_id": what}, {"$set": dict(fields)}, upsert=True)


async def hand_back(db: Database, what: str) -> None:
    """Give the turn back: whoever looks next may go on, or finds the day done."""
    await remember(db, what, {"until": _LONG_AGO})
