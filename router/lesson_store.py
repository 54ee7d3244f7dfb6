"""`lessons`: the log of what upheld returns teach, and the only place that reads or writes it.

An entry is never changed. Its number is its id, one more than the last: whoever writes at the same moment as another
worker loses the race, reads what was written and takes the next number. So every worker folds the same log in the same
order, and what was known at any entry can be told again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from router.cases.work import Work
from router.dispatching.precedents import Entry, from_document, to_document
from router.list_store import TEXT

Database = AsyncIOMotorDatabase[dict[str, Any]]

#: A department that has come so far has taken the case on.
_TAKEN_ON = (Work.SIGNED, Work.HANDLING, Work.INTERIM_REPLIED, Work.REPLIED, Work.CALLBACK, Work.CLOSED)


class LessonStore:
    """`lessons`."""

    def __init__(self, database: Database) -> None:
        self._lessons = database["lessons"]
        self._cases = database["cases"]

    async def append(self, make: Callable[[int], Entry]) -> Entry:
        """Write one more entry, with the next number."""
        while True:
            last = await self._lessons.find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
            entry = make(1 if last is None else last["_id"] + 1)
            try:
                await self._lessons.insert_one(to_document(entry))
            except DuplicateKeyError:
                continue  # somebody was faster
            return entry

    async def after(self, version: int, upto: int | None = None) -> list[Entry]:
        """Give the entries after this one, in their order; asked every few seconds, and mostly there are none."""
        wanted = {"$gt": version} | ({} if upto is None else {"$lte": upto})
        found = self._lessons.find({"_id": wanted}, sort=[("_id", ASCENDING)])
        return [from_document(document) async for document in found]

    async def recently_taken_on(self, rule: str, since: datetime, limit: int) -> list[str]:
        """Name the cases that this rule has sent and that somebody took on, the newest first.

        Asked once for a rule and a unit, when a return of such a case is decided for the first time.
        """
        query = {
            "handling.work": {"$in": [work.value for work in _TAKEN_ON]} | TEXT,
            "handling.since": {"$gte": since},
            "decision.routing.rule": rule,
        }
        found = self._cases.find(query, {"_id": 1}, sort=[("handling.since", DESCENDING)], limit=limit)
        return [document["_id"] async for document in found]
