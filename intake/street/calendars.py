"""The calendars that deadlines were reckoned with (放假安排的版本), and what happens when there is another one.

`calendars` has a document for each change, numbered, with the announced years: what a department was told rested on the
one before. A worker that starts with another calendar writes it down; one worker then goes through the open orders,
page by page, and whoever takes over after a crash goes on behind the last page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from pymongo.errors import DuplicateKeyError

from intake import daily
from intake.house import Database
from router.cases import case as cases
from router.cases.calendar import Calendar, Year
from router.cases.moves import State
from router.cases.recomputing import RECKONED, last_change
from router.cases.work import Work
from router.flow import Room
from router.recalculating import recompute_page

log = structlog.get_logger()

TURN = "calendar"
LEASE = timedelta(minutes=10)
PAGE = 500
_OPEN = [work.value for work in Work if work is not Work.CLOSED]


class Calendars:
    """One worker's look at the calendars: what it was started with is written down once."""

    def __init__(self, db: Database, room: Room, owner: str) -> None:
        self._db, self._room, self._owner = db, room, owner
        self._change: int | None = None
        self._done = False

    async def recompute(self) -> bool:
        """Go on with the newest change until it is done; never says that there is more."""
        if self._change is None:
            self._change = await register(self._db, self._room.tables.calendar, self._room.moment())
        if self._done:
            return False
        last = await self._db.calendars.find_one({}, sort=[("_id", -1)])
        # A change that another worker has begun is for those that know its calendar.
        self._done = last["done"] or last["_id"] != self._change
        if self._done or not await daily.claim(self._db, TURN, f"change {self._change}", self._owner, LEASE):
            return False
        try:
            await self._walk(last)
            await daily.remember(self._db, TURN, {"day": f"change {self._change}"})
            self._done = True
        finally:
            await daily.hand_back(self._db, TURN)
        return False

    async def _walk(self, change: dict[str, Any]) -> None:
        number, told = change["_id"], 0
        before = [each async for each in self._db.calendars.find({"_id": {"$lt": number}}).sort("_id", 1)]
        known = Known(before)
        async for page in _open_orders(self._db, change["behind"], change["at"]):
            told += await recompute_page(page, known.to, number, self._room)
            await self._db.calendars.update_one({"_id": number}, {"$set": {"behind": page[-1].id}})
        await self._db.calendars.update_one({"_id": number}, {"$set": {"done": True}})
        log.info("Recomputed open deadlines", action="deadlines_recomputed", change=number, cases=told)


class Known:
    """With which calendar the departments of a case have reckoned so far."""

    def __init__(self, changes: Sequence[dict[str, Any]]) -> None:
        self._begun = [(change["_id"], change["at"]) for change in changes]
        self._done = max((change["_id"] for change in changes if change["done"]), default=1)
        self._calendars = {change["_id"]: calendar_of(change) for change in changes}

    def to(self, case: cases.Case) -> Calendar:
        """The last change that reached everybody, or this case alone, or that was there when the case began."""
        there = max((number for number, at in self._begun if at <= case.opened_at), default=1)
        return self._calendars[max(self._done, there, last_change(case))]


async def register(db: Database, calendar: Calendar, at: datetime) -> int:
    """Write this calendar down, if it is not the newest one; the first one of all changes nothing."""
    while True:
        last = await db.calendars.find_one({}, sort=[("_id", -1)])
        if last is not None and last["version"] == calendar.version:
            return int(last["_id"])
        number = 1 if last is None else last["_id"] + 1
        document = {
            "_id": number,
            "version": calendar.version,
            "at": at,
            "years": [msgspec.to_builtins(year) for year in calendar.announced],
            "behind": "",
            "done": last is None,
        }
        with suppress(DuplicateKeyError):  # another worker was faster: look again
            await db.calendars.insert_one(document)


def calendar_of(document: dict[str, Any]) -> Calendar:
    """Read a calendar as it was."""
    return Calendar(msgspec.convert(document["years"], list[Year]))


async def _open_orders(db: Database, behind: str, before: datetime) -> AsyncIterator[list[cases.Case]]:
    """Give the open orders of before the change, in the order of their ids; parked ones may still be with somebody."""
    parked = {"goal": State.PARKED.value, "dispatches.0": {"$exists": True}}
    either = [parked, {"due": {"$type": "date"}}, {"handling.work": {"$in": _OPEN, "$type": "string"}}]
    page: list[cases.Case] = []
    goals = [goal.value for goal in RECKONED]
    query = {"_id": {"$gt": behind}, "$or": either, "goal": {"$in": goals}, "opened_at": {"$lt": before}}
    async for document in db.cases.find(query).sort("_id", 1).batch_size(PAGE):
        page.append(cases.from_document(document))
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page
