"""The collection `pages`: what was offered, how far it is, and who works on it. One document is one page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from bson import ObjectId
from pymongo import ReturnDocument

from connectors.keeping.claims import LAPSED, PAGE_LEASE, DatabaseClock, Fences, until


class Stage(StrEnum):
    """How far a page is."""

    OFFERED = "offered"  #: its ids are written down, its items perhaps not
    STORED = "stored"  #: its items are in `raw`
    NORMALIZED = "normalized"  #: its appeals are stored, and another process may go on
    DONE = "done"


class What(StrEnum):
    """What an item of a page is to what was known of it."""

    NEW = "new"
    CHANGED = "changed"
    REFRESHED = "refreshed"
    WITHDRAWN = "withdrawn"
    AGAIN = "again"  #: as it was, to be normalized again: by a newer program, or with other tables
    BAD = "bad"


class Entry(msgspec.Struct, frozen=True):
    """One item in a page document."""

    id: str
    native_id: str
    revision: int
    what: What


class PageClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A page that this worker holds."""

    id: ObjectId
    source: str
    at: datetime
    stage: Stage
    fence: int
    entries: tuple[Entry, ...]


class PageStore:
    """Every write but the first is conditional on the fence and says whether it took (False: someone else holds it)."""

    def __init__(self, collection: Any, fences: Fences, clock: DatabaseClock) -> None:  # noqa: ANN401
        self._pages = collection
        self._fences = fences
        self._clock = clock

    async def offer(self, source: str, entries: Sequence[Entry], *, day: str, at: datetime, owner: str) -> PageClaim:
        """Write down what a page offered (promise 1), claimed by this worker."""
        page = ObjectId()
        fence = await self._fences.next()
        await self._pages.insert_one(
            {"_id": page, "source": source, "day": day, "at": at, "stage": Stage.OFFERED}
            | _columns(entries)
            | {"owner": owner, "until": await self._clock.now() + PAGE_LEASE, "fence": fence}
        )
        return PageClaim(id=page, source=source, at=at, stage=Stage.OFFERED, fence=fence, entries=tuple(entries))

    async def stored(self, claim: PageClaim, entries: Sequence[Entry]) -> bool:
        """Everything offered is in `raw`; `entries` are what the items turned out to be. The claim goes on."""
        known = {entry.id for entry in entries}
        # What another worker stored meanwhile stays in the list: it was offered here too.
        both = [*entries, *(entry for entry in claim.entries if entry.id not in known)]
        columns = {} if tuple(both) == claim.entries else _columns(both)
        return await self._write(claim, {"stage": Stage.STORED, "until": until(PAGE_LEASE)} | _literal(columns))

    async def reduce(self, claim: PageClaim, entries: Sequence[Entry]) -> bool:
        """Leave only these in a page that was offered: the others were never received. Without any it is done."""
        stage = {"stage": Stage.STORED} if entries else {"stage": Stage.DONE, "owner": None, "until": None}
        return await self._write(claim, stage | _literal(_columns(entries)))

    async def claim_next(self, stages: Collection[Stage], owner: str, source: str | None = None) -> PageClaim | None:
        """Take over the oldest page that nobody holds."""
        fence = await self._fences.next()
        wanted = {"stage": {"$in": list(stages)}} | LAPSED | ({"source": source} if source else {})
        document = await self._pages.find_one_and_update(
            wanted,
            [{"$set": {"owner": {"$literal": owner}, "fence": fence, "until": until(PAGE_LEASE)}}],
            sort=[("_id", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return None if document is None else _claim(document)

    async def renew(self, claim: PageClaim) -> bool:
        return await self._write(claim, {"until": until(PAGE_LEASE)})

    async def hand_over(self, claim: PageClaim, stage: Stage) -> bool:
        """Set the stage and let go: another process goes on."""
        return await self._write(claim, {"stage": stage, "owner": None, "until": None})

    async def done(self, claim: PageClaim) -> bool:
        return await self.hand_over(claim, Stage.DONE)

    async def release(self, claim: PageClaim) -> bool:
        return await self._write(claim, {"owner": None, "until": None})

    async def open_pages(self) -> int:
        """How many pages are not done, whoever holds them."""
        return int(await self._pages.count_documents({"stage": {"$ne": Stage.DONE}}))

    async def _write(self, claim: PageClaim, fields: dict[str, Any]) -> bool:
        result = await self._pages.update_one({"_id": claim.id, "fence": claim.fence}, [{"$set": fields}])
        return bool(result.matched_count)


def _columns(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    return {
        "ids": [entry.id for entry in entries],
        "native_ids": [entry.native_id for entry in entries],
        "revisions": [entry.revision for entry in entries],
        "whats": [entry.what for entry in entries],
    }


def _literal(columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Values as they are: in a pipeline a native id that begins with $ would be read as a field."""
    return {name: {"$literal": values} for name, values in columns.items()}


def _claim(document: dict[str, Any]) -> PageClaim:
    rows = zip(document["ids"], document["native_ids"], document["revisions"], document["whats"], strict=True)
    return PageClaim(
        id=document["_id"],
        source=document["source"],
        at=document["at"],
        stage=Stage(document["stage"]),
        fence=document["fence"],
        entries=tuple(Entry(id_, native_id, revision, What(what)) for id_, native_id, revision, what in rows),
    )
