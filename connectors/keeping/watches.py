"""The collections `watches` and `kept`: what was learned of each source, and its bad pages, sealed as they came.

`watches` holds one document a source, written by whoever reads it; it has counts and names of fields, no citizen's
words. `kept` holds what was asked and answered, to be read again once the mapping is mended; it ends with its month's
data key, or by itself after KEPT.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from pymongo.errors import DuplicateKeyError

from connectors.base import Request
from connectors.keeping.raw_documents import SHANGHAI
from connectors.watching.causes import Drift
from connectors.watching.learned import Learned
from connectors.watching.reading import Exchange

KEPT = timedelta(days=30)
MOST_KEPT = 500  #: readings of one source; more are not kept, and the flag says so
LARGEST_KEPT = 12 * 1024 * 1024  #: bytes of one reading; MongoDB takes 16 MiB for all of a document


class PageSeal(Protocol):
    """Sealing at rest, handed in by the front door."""

    async def ready(self, label: str) -> None:
        """Make or load the data key of this label."""
        ...

    def seal(self, label: str, bind: bytes, plain: bytes) -> bytes:
        """Seal; `bind` must be the same when it is opened."""
        ...

    async def open(self, label: str, bind: bytes, sealed: bytes) -> bytes:
        """Open what `seal` made."""
        ...


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A reading that was kept."""

    id: str
    at: datetime  #: when its rows had been taken in: what is newer than that stands
    cursor: str | None  #: where it began
    exchanges: tuple[Exchange, ...]


class WatchStore:
    """What a lapsed reader writes is refused, as everywhere."""

    def __init__(self, watches: Any, kept: Any, sources: Any, seal: PageSeal) -> None:  # noqa: ANN401
        self._watches = watches
        self._kept = kept
        self._sources = sources
        self._seal = seal

    async def load(self, source: str) -> tuple[Learned, int]:
        """What is known of a source, and which edition that is: an operator's word makes a new one."""
        document = await self._watches.find_one({"_id": source})
        if document is None:
            return Learned(), 0
        try:
            return msgspec.json.decode(document["learned"], type=Learned), document["edition"]
        except msgspec.DecodeError:
            return Learned(), document["edition"]  # of a program that kept other things: it is learned anew

    async def replace(self, source: str, learned: Learned, edition: int) -> None:
        """An operator's word: whoever reads the source at the moment takes it over at its next reading."""
        fields = {"learned": msgspec.json.encode(learned), "edition": edition}
        await self._watches.update_one({"_id": source}, {"$set": fields, "$setOnInsert": {"fence": 0}}, upsert=True)

    async def save(self, source: str, learned: Learned, *, edition: int, fence: int, at: datetime) -> bool:
        """Write what was learned; False: somebody reads this source since, or an operator has spoken."""
        fields = {"learned": msgspec.json.encode(learned), "fence": fence, "at": at}
        try:
            result = await self._watches.update_one(
                {"_id": source, "edition": edition, "fence": {"$lte": fence}}, {"$set": fields}, upsert=True
            )
        except DuplicateKeyError:
            return False
        return bool(result.matched_count or result.upserted_id)

    async def flag(self, source: str, drifts: Iterable[Drift], at: datetime) -> None:
        """Say beside the source what has changed; since when stands."""
        causes = [msgspec.to_builtins(drift) | {"says": drift.says} for drift in drifts]
        flagged = {"since": {"$ifNull": ["$drift.since", at]}, "at": at, "causes": {"$literal": causes}}
        await self._sources.update_one({"_id": source}, [{"$set": {"drift": {**flagged, "well_since": None}}}])

    async def well(self, source: str, at: datetime) -> None:
        """It is as it was before; the flag stays until somebody has looked."""
        unsaid = {"_id": source, "drift.since": {"$exists": True}, "drift.well_since": None}
        await self._sources.update_one(unsaid, {"$set": {"drift.well_since": at}})

    async def flagged(self, source: str) -> tuple[Drift, ...] | None:
        """What is wrong with it; None: it is not flagged, nothing: it is well again and nobody has looked yet."""
        flag = await self._flag_of(source)
        if flag is None:
            return None
        return () if flag["well_since"] else tuple(msgspec.convert(each, Drift) for each in flag["causes"])

    async def causes(self, source: str) -> tuple[Drift, ...] | None:
        """What its flag says, also when it is well again; None: it is not flagged."""
        flag = await self._flag_of(source)
        return None if flag is None else tuple(msgspec.convert(each, Drift) for each in flag["causes"])

    async def _flag_of(self, source: str) -> dict[str, Any] | None:
        document = await self._sources.find_one({"_id": source}, {"drift": 1})
        return (document or {}).get("drift")

    async def unflag(self, source: str) -> None:
        await self._sources.update_one({"_id": source}, {"$unset": {"drift": ""}})

    async def keep(
        self, source: str, body: str, cursor: str | None, exchanges: Iterable[Exchange], *, at: datetime, sure: bool
    ) -> bool:
        """Keep a reading as it came, once; False: there is no room for more."""
        id_ = f"{source}/{body}"
        plain = msgspec.json.encode([cursor, list(_bounded(exchanges))])
        known = await self._kept.update_one({"_id": id_}, {"$set": {"sure": True}} if sure else {"$set": {"seen": at}})
        if known.matched_count:
            return True
        if await self._kept.count_documents({"source": source}, limit=MOST_KEPT) >= MOST_KEPT:
            return False
        label = f"raw/{source}/{at.astimezone(SHANGHAI):%Y-%m}"
        await self._seal.ready(label)
        sealed = self._seal.seal(label, _bind(id_), plain)
        document = {"_id": id_, "source": source, "at": at, "seen": at, "sure": sure, "reread": None, "key": label}
        try:
            await self._kept.insert_one({**document, "sealed": sealed, "expires": at + KEPT})
        except DuplicateKeyError:
            return True
        return True

    async def confirm(self, source: str) -> None:
        """What was only suspected is sure now."""
        await self._kept.update_many({"source": source, "sure": False}, {"$set": {"sure": True}})

    async def forget_suspected(self, source: str) -> None:
        """It was nothing."""
        await self._kept.delete_many({"source": source, "sure": False})

    async def kept(self, source: str) -> AsyncIterator[Kept]:
        """What was kept and not read again yet, oldest first."""
        async for document in self._kept.find({"source": source, "reread": None}, sort=[("at", 1)]):
            plain = await self._seal.open(document["key"], _bind(document["_id"]), document["sealed"])
            cursor, exchanges = msgspec.json.decode(plain, type=tuple[str | None, tuple[Exchange, ...]])
            yield Kept(id=document["_id"], at=document["at"], cursor=cursor, exchanges=exchanges)

    async def count_kept(self) -> dict[str, int]:
        """How many readings wait to be read again, by source."""
        waiting = self._kept.aggregate([{"$match": {"reread": None}}, {"$group": {"_id": "$source", "n": {"$sum": 1}}}])
        return {row["_id"]: row["n"] async for row in waiting}

    async def needless(self, source: str, at: datetime) -> int:
        """What is still kept need not be read again."""
        result = await self._kept.update_many({"source": source, "reread": None}, {"$set": {"reread": at}})
        return int(result.modified_count)

    async def was_reread(self, id_: str, at: datetime) -> None:
        await self._kept.update_one({"_id": id_}, {"$set": {"reread": at}})


def _bounded(exchanges: Iterable[Exchange]) -> Iterable[Exchange]:
    """As many as one document holds: what was asked first is needed first. Bytes are written as base64."""
    room = LARGEST_KEPT
    for exchange in exchanges:
        room -= 4 * len(exchange.response.body) // 3 + 1000
        if room < 0:
            return
        yield Exchange(_without_keys(exchange.request), exchange.response)


def _without_keys(request: Request) -> Request:
    """A key has no business at rest."""
    return msgspec.structs.replace(request, headers={})


def _bind(id_: str) -> bytes:
    return f"kept/{id_}".encode()
