"""Limits that all workers share: what each let in, counted in `door_limits`, a document a caller.

A request asks nobody: every two seconds a worker tells what it let in and hears of the others, in two round trips for
all callers together, and none where nobody came. So for two seconds each may let in as many as one alone would; what
was too much then is missing afterwards, and over a minute all workers together keep the limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from pymongo import UpdateOne

from intake.door.limits import Limit
from intake.street.patience import fault, is_away

log = structlog.get_logger()

EVERY = 2.0  #: seconds


class Sharing:
    """Some limits of one worker, each by a name that is the same everywhere."""

    def __init__(self, counts: Any, limits: Mapping[str, Limit]) -> None:  # noqa: ANN401  motor ships no types
        self._counts = counts
        self._limits = limits

    async def run(self) -> None:
        """Until cancelled; while the database is away each worker counts for itself."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.share()
            except Exception as error:  # noqa: BLE001 - the next time tells it all
                if not is_away(error):
                    log.error("limits not shared", action="door_failed", error=fault(error))  # noqa: TRY400

    async def share(self) -> None:
        """Tell, and hear."""
        told = {name: limit.untold() for name, limit in self._limits.items()}
        ids = {f"{name}/{caller}": count for name, counts in told.items() for caller, count in counts.items()}
        new = [UpdateOne({"_id": id_}, {"$inc": {"let_in": count}}, upsert=True) for id_, count in ids.items() if count]
        if new:
            await self._counts.bulk_write(new, ordered=False)
        if not ids:
            return
        found = {each["_id"]: each["let_in"] async for each in self._counts.find({"_id": {"$in": list(ids)}})}
        for name, counts in told.items():
            totals = {caller: found.get(f"{name}/{caller}", 0) for caller in counts}
            self._limits[name].heard(counts, totals)
