"""This part's collections; candidates come from the database, by the index on `names`, so that any worker sees them.

matters: portraits, and in which event each is. matter_work: pages that nobody compared yet. events: what people said of
an event. matter_claim: who compares now.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import DuplicateKeyError

from normalizer.appeal import Appeal, from_document
from normalizer.matter.portrait import Portrait
from normalizer.matter.web import Event

Document = dict[str, Any]

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    "matters": (
        IndexModel([("names", ASCENDING)], name="names"),
        IndexModel([("event", ASCENDING)], name="event", partialFilterExpression={"event": {"$gt": ""}}),
    ),
}
#: Names are counted so far; what so many bear is a place or a word, and counts as borne by everybody.
COUNTED, EVERYBODY = 1_000, 1_000_000_000
#: How many portraits, or names of appeals, are read before the loop turns to others.
_AT_ONCE, _LIGHT = 100, 1_000
_LEASE = 60  #: seconds


class MatterStore:
    """Keeps portraits and who belongs together."""

    def __init__(self, db: AsyncIOMotorDatabase[Document]) -> None:
        self._matters = db["matters"]
        self._work = db["matter_work"]
        self._events = db["events"]
        self._claims = db["matter_claim"]
        self._appeals = db["appeals"]

    # --- the second look

    async def claim(self) -> str | None:
        """Become the one who compares, for a minute by the database's clock; None: somebody else is at it."""
        owner = uuid4().hex
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": _LEASE}}
        free = {"_id": "second look", "$expr": {"$lt": ["$until", "$$NOW"]}}
        taken = await self._claims.find_one_and_update(free, [{"$set": {"owner": owner, "until": until}}])
        if taken is not None:
            return owner
        try:
            await self._claims.insert_one({"_id": "second look", "owner": None, "until": datetime(1970, 1, 1)})  # noqa: DTZ001 - long ago
        except DuplicateKeyError:
            return None
        return await self.claim()

    async def keeps(self, owner: str) -> bool:
        """Renew the claim; False: it is lost, and nothing more may be written."""
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": _LEASE}}
        kept = await self._claims.update_one({"_id": "second look", "owner": owner}, [{"$set": {"until": until}}])
        return bool(kept.matched_count)

    async def release(self, owner: str) -> None:
        """Let the next one compare."""
        await self._claims.delete_one({"_id": "second look", "owner": owner})

    async def waiting(self, most: int) -> tuple[list[Any], list[str]]:
        """Give pages that were not compared yet, the oldest first: their keys and the ids in them."""
        keys: list[Any] = []
        ids: dict[str, None] = {}
        async for page in self._work.find({}, sort=[("_id", ASCENDING)]):
            keys.append(page["_id"])
            ids.update(dict.fromkeys(page["ids"]))
            if len(ids) >= most:
                break
        return keys, list(ids)

    async def compared(self, keys: Sequence[Any]) -> None:
        """Take pages off the list."""
        await self._work.delete_many({"_id": {"$in": list(keys)}})

    async def left(self) -> int:
        """Count the pages that were not compared yet."""
        return await self._work.count_documents({})

    async def appeals(self, ids: Sequence[str]) -> list[tuple[Appeal, bool]]:
        """Read appeals, and whether each still counts: it is one, and its author has not taken it back."""
        found = self._appeals.find({"_id": {"$in": list(ids)}})
        return [(from_document(one), not one.get("withdrawn") and one["quality"]["is_appeal"]) async for one in found]

    async def keep(self, portraits: Sequence[Portrait]) -> None:
        """Put portraits in place of older ones of the same appeals; where they are stays."""
        if portraits:
            await self._matters.bulk_write(
                [UpdateOne({"_id": one.id}, {"$set": _document(one)}, upsert=True) for one in portraits], ordered=False
            )

    async def forget(self, ids: Sequence[str]) -> None:
        """Remove the portraits of what counts no more."""
        if ids:
            await self._matters.delete_many({"_id": {"$in": list(ids)}})

    async def bearing(self, keys: Collection[str]) -> list[tuple[str, list[str]]]:
        """Give the appeals that are found by one of these keys, and all keys of each."""
        some = list(keys)
        found = self._matters.find({"names": {"$in": some}, "keys": {"$in": some}}, {"keys": 1}, batch_size=_LIGHT)
        return [(one["_id"], one["keys"]) async for one in found]

    async def members(self, events: Collection[str]) -> list[Kept]:
        """Give the portraits in these events."""
        return await self._read({"event": {"$in": list(events)}})

    async def portraits(self, ids: Collection[str]) -> list[Kept]:
        """Give the portraits of these appeals."""
        return await self._read({"_id": {"$in": list(ids)}})

    async def _read(self, which: Document) -> list[Kept]:
        same: dict[str, str] = {}  # letters about one thing say the same: each word is held once
        return [_kept(one, same) async for one in self._matters.find(which, batch_size=_AT_ONCE)]

    async def counts(self, names: Collection[str]) -> Counter[str]:
        """Count how many appeals bear each of these names; the database looks no further than to `COUNTED`."""
        if not names:
            return Counter()
        bearers = {
            "from": self._matters.name,
            "localField": "name",
            "foreignField": "names",
            "pipeline": [{"$limit": COUNTED}, {"$count": "n"}],
            "as": "bearers",
        }
        steps: list[Document] = [
            {"$documents": [{"name": {"$literal": name}} for name in names]},
            {"$lookup": bearers},
            {"$match": {"bearers": {"$ne": []}}},
        ]
        counts: Counter[str] = Counter()
        async for one in self._matters.database.aggregate(steps):
            n = one["bearers"][0]["n"]
            counts[one["name"]] = n if n < COUNTED else EVERYBODY
        return counts

    async def place(self, homes: Mapping[str, str | None]) -> None:
        """Say in which event each of these is now; the appeal says so too (`links.same_event`)."""
        by_event: dict[str | None, list[str]] = {}
        for id_, event in homes.items():
            by_event.setdefault(event, []).append(id_)
        if not by_event:
            return
        await self._matters.bulk_write(
            [UpdateMany({"_id": {"$in": ids}}, {"$set": {"event": event}}) for event, ids in by_event.items()],
            ordered=False,
        )
        await self._appeals.bulk_write(
            [
                UpdateMany({"_id": {"$in": ids}}, {"$set": {"links.same_event": event}})
                for event, ids in by_event.items()
            ],
            ordered=False,
        )

    # --- what people say

    async def event(self, id_: str) -> Event | None:
        """Read what people said of an event."""
        found = await self._events.find_one({"_id": id_})
        return None if found is None else msgspec.convert({**found, "id": found["_id"]}, Event)

    async def confirmed(self) -> list[Event]:
        """Give the events that people confirmed."""
        return [
            msgspec.convert({**one, "id": one["_id"]}, Event)
            async for one in self._events.find({"order": {"$type": "string"}})
        ]

    async def keep_event(self, event: Event) -> None:
        """Write down what people say of an event now."""
        document = {
            name: value for name, value in msgspec.to_builtins(event, builtin_types=(datetime,)).items() if name != "id"
        }
        await self._events.bulk_write([ReplaceOne({"_id": event.id}, {"_id": event.id, **document}, upsert=True)])

    async def drop_event(self, id_: str) -> None:
        """Forget an event that nobody confirms any more."""
        await self._events.delete_one({"_id": id_})

    async def fix(self, ids: Collection[str], *, fixed: bool) -> None:
        """Mark portraits that a person put where they are, or give them free."""
        await self._matters.update_many({"_id": {"$in": list(ids)}}, {"$set": {"fixed": fixed}})


class Kept(msgspec.Struct, frozen=True):
    """A portrait as it is kept: in which event it is, and whether a person put it there."""

    portrait: Portrait
    event: str | None
    fixed: bool


async def ensure_indexes(db: AsyncIOMotorDatabase[Document]) -> None:
    """Make the indexes of these collections; what exists stays."""
    for name, indexes in INDEXES.items():
        await db[name].create_indexes(list(indexes))


def _document(one: Portrait) -> Document:
    return {
        "at": one.at,
        "person": one.person,
        "district": one.district,
        "category": one.category,
        "also": sorted(one.also),
        "keys": sorted(one.keys),
        "names": sorted(one.names),
        # Pairs of characters one after another, and their weights: a tenth of what a document of them would take.
        "pairs": "".join(one.words),
        "weights": array("f", one.words.values()).tobytes(),
        "titled": sorted(one.titled),
        "schools": sorted(one.schools),
        "about": sorted(one.about),
    }


def _kept(found: Document, same: dict[str, str]) -> Kept:
    pairs: str = found["pairs"]
    words = (pairs[at : at + 2] for at in range(0, len(pairs), 2))
    weights = array("f")
    weights.frombytes(found["weights"])
    portrait = Portrait(
        id=found["_id"],
        at=found["at"],
        person=found["person"],
        district=found["district"],
        category=found["category"],
        also=frozenset(found["also"]),
        keys=frozenset(same.setdefault(key, key) for key in found["keys"]),
        names=frozenset(same.setdefault(name, name) for name in found["names"]),
        words={same.setdefault(word, word): weight for word, weight in zip(words, weights, strict=True)},
        titled=frozenset(found["titled"]),
        schools=frozenset(found["schools"]),
        about=frozenset(found["about"]),
    )
    return Kept(portrait, found.get("event"), bool(found.get("fixed")))
