"""This room's collections: appeals, appeal_revisions, vault, unmapped. One round trip a page and collection.

Every promise is carried by `_id`: inserts say what stood already, and a replacement asks for an older revision.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne, UpdateOne, WriteConcern
from pymongo.errors import AutoReconnect, BulkWriteError, ConnectionFailure, ExecutionTimeout, NetworkTimeout

from normalizer.appeal import MOST_PARTS, Appeal, from_document, message_of, part_id, to_document
from normalizer.document import document_of
from normalizer.errors import StoreAway
from normalizer.matter.again import Said

Document = dict[str, Any]
#: What the source's own handling says after the appeal was written.
AFTERWARDS = ("handler", "handled_before", "sent_back")
DUPLICATE = 11000
#: How much of what a page's authors wrote before is read at most.
MOST_SAID = 5_000

#: Which collection has which indexes; `_id` carries identity, these carry reading. `vault` has none and `appeals` one:
#: four cost more than the insert itself, and whoever comes to need one makes it by a migration.
PERSON = IndexModel(
    [("citizen.ref", ASCENDING), ("posted_at", DESCENDING)],
    name="person",
    partialFilterExpression={"citizen.ref": {"$gt": ""}},
)
INDEXES: Mapping[str, Sequence[IndexModel]] = {
    "appeals": (PERSON,),
    "appeal_revisions": (IndexModel([("id", ASCENDING), ("revision", DESCENDING)], name="appeal_revision"),),
    "unmapped": (IndexModel([("source", ASCENDING), ("at", DESCENDING)], name="source_at"),),
}


class Standing(NamedTuple):
    """An appeal as it stands in the store, and whether it is withdrawn."""

    appeal: Appeal
    withdrawn: bool


@contextmanager
def _driver_errors() -> Iterator[None]:
    """Only this file knows the driver's errors."""
    try:
        yield
    except (AutoReconnect, ConnectionFailure, NetworkTimeout, ExecutionTimeout) as error:
        raise StoreAway(f"MongoDB does not answer ({type(error).__name__}); the page is run again") from error


class AppealStore:
    """Keeps what `normalize` made."""

    def __init__(self, db: AsyncIOMotorDatabase[Document]) -> None:
        self._appeals = db["appeals"]
        self._revisions = db["appeal_revisions"]
        self._vault = db["vault"]
        self._unmapped = db["unmapped"]
        # Not waited for until it lasts: a page that a crash leaves behind writes its note again.
        self._work = db.get_collection("matter_work", write_concern=WriteConcern(w=1, j=False))

    # --- what a page needs

    async def insert(self, appeals: Sequence[bytes]) -> set[str]:
        """Insert appeals as `encoded` wrote them; return the ids that stood already and were left alone."""
        if not appeals:
            return set()
        documents = [RawBSONDocument(appeal) for appeal in appeals]
        with _driver_errors():
            try:
                await self._appeals.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                return {documents[at]["_id"] for at in _duplicates(error)}
        return set()

    async def said_before(self, people: Collection[str], since: datetime) -> list[Said]:
        """Read what these citizens wrote since then; so much of it that no page waits for a busy writer."""
        found = self._appeals.find(
            {"citizen.ref": {"$in": list(people)}, "posted_at": {"$gte": since}, "withdrawn": False},
            {"title": 1, "text": 1, "posted_at": 1, "citizen.ref": 1, "place.district": 1, "place.street": 1},
        )
        with _driver_errors():
            return [
                Said(
                    id=one["_id"],
                    person=one["citizen"]["ref"],
                    at=one["posted_at"],
                    title=one["title"],
                    text=one["text"],
                    district=one["place"]["district"],
                    street=one["place"]["street"],
                )
                for one in await found.limit(MOST_SAID).to_list(None)
            ]

    async def note_for_second_look(self, ids: Sequence[str]) -> None:
        """Leave a note that these were stored: they are compared with all others off this path."""
        if ids:
            with _driver_errors():
                await self._work.insert_one({"ids": list(ids)})

    async def standing(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Read the appeals that stand under these ids."""
        if not ids:
            return {}
        with _driver_errors():
            found = await self._appeals.find({"_id": {"$in": list(ids)}}).to_list(None)
        return {one["_id"]: Standing(from_document(one), bool(one.get("withdrawn"))) for one in found}

    async def parts(self, messages: Sequence[str]) -> dict[str, list[Standing]]:
        """Read the further parts that these messages have, or had in an earlier revision."""
        found = await self.standing([part_id(message, 2) for message in messages])
        several = [message_of(id_) for id_ in found]
        found |= await self.standing([part_id(message, n) for message in several for n in range(3, MOST_PARTS + 1)])
        parts: dict[str, list[Standing]] = {}
        for id_, one in sorted(found.items()):
            parts.setdefault(message_of(id_), []).append(one)
        return parts

    async def superseded(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Read the newest superseded revision of each of these ids."""
        if not ids:
            return {}
        with _driver_errors():
            found = await self._revisions.find({"id": {"$in": list(ids)}}).sort("revision", ASCENDING).to_list(None)
        return {one["id"]: Standing(from_document(one), bool(one.get("withdrawn"))) for one in found}

    async def supersede(self, changes: Sequence[tuple[Standing, bytes]]) -> bool:
        """Put newer revisions in place of standing ones, keeping those; say whether every one still stood as read."""
        if not changes:
            return True
        kept = []
        for old, _ in changes:
            document = document_of(old.appeal, withdrawn=old.withdrawn)
            document["_id"] = f"{old.appeal.id}-{old.appeal.revision}"
            kept.append(InsertOne(document))
        replaced: list[ReplaceOne[Any]] = [
            ReplaceOne({"_id": old.appeal.id, "revision": old.appeal.revision}, RawBSONDocument(new))
            for old, new in changes
        ]
        with _driver_errors():
            try:
                await self._revisions.bulk_write(kept, ordered=False)
            except BulkWriteError as error:
                _duplicates(error)
            result = await self._appeals.bulk_write(replaced, ordered=False)
        return bool(result.matched_count == len(changes))

    async def refresh(self, appeals: Sequence[Appeal]) -> None:
        """Update reactions, the official reply and whom the source gave it to, where the revision is the same."""
        if not appeals:
            return
        updates = []
        for appeal in appeals:
            document = to_document(appeal)
            fresh = {name: document[name] for name in ("engagement", "official_reply")}
            fresh |= {f"signals.{name}": document["signals"][name] for name in AFTERWARDS}
            updates.append(UpdateOne({"_id": appeal.id, "revision": appeal.revision}, {"$set": fresh}))
        with _driver_errors():
            await self._appeals.bulk_write(updates, ordered=False)

    async def keep_secrets(self, sealed: Sequence[Document]) -> None:
        """Put sealed secrets into the vault; what is of the same or a newer revision stands."""
        first = [one for one in sealed if one["revision"] == 1]
        later = [one for one in sealed if one["revision"] != 1]
        with _driver_errors():
            if first:
                try:
                    await self._vault.insert_many(first, ordered=False)
                except BulkWriteError as error:
                    _duplicates(error)
            if later:
                updates = [
                    ReplaceOne({"_id": one["_id"], "revision": {"$lt": one["revision"]}}, one, upsert=True)
                    for one in later
                ]
                try:
                    await self._vault.bulk_write(updates, ordered=False)
                except BulkWriteError as error:
                    _duplicates(error)

    async def set_aside(self, documents: Sequence[Document]) -> None:
        """Keep what could not be mapped; an older failure of the same item gives way, the same one stands."""
        if not documents:
            return
        updates = [
            ReplaceOne({"_id": one["_id"], "revision": {"$lt": one["revision"]}}, one, upsert=True) for one in documents
        ]
        with _driver_errors():
            try:
                await self._unmapped.bulk_write(updates, ordered=False)
            except BulkWriteError as error:
                _duplicates(error)

    # --- what the front door asks

    async def get(self, appeal_id: str) -> Appeal | None:
        """Read one appeal."""
        return (await self.standing([appeal_id])).get(appeal_id, (None,))[0]

    async def revisions(self, appeal_id: str) -> list[Appeal]:
        """Read the superseded revisions of an appeal, oldest first."""
        with _driver_errors():
            found = await self._revisions.find({"id": appeal_id}).sort("revision", ASCENDING).to_list(None)
        return [from_document(one) for one in found]

    async def secrets(self, appeal_id: str) -> Document | None:
        """Read the sealed secrets of an appeal: {_id, revision, sealed, key}. Whoever opens them writes an event."""
        with _driver_errors():
            return await self._vault.find_one({"_id": appeal_id})

    async def unmapped(self, source: str | None = None, limit: int = 1000) -> list[Document]:
        """List what could not be mapped, newest first."""
        with _driver_errors():
            return (
                await self._unmapped.find({} if source is None else {"source": source})
                .sort([("at", DESCENDING), ("_id", ASCENDING)])
                .to_list(limit)
            )

    async def resolve(self, ids: Sequence[str]) -> int:
        """Take items out of `unmapped`: they were mapped after all, or a person discarded them; return how many."""
        if not ids:
            return 0
        with _driver_errors():
            return int((await self._unmapped.delete_many({"_id": {"$in": list(ids)}})).deleted_count)

    async def each(self, query: Document | None = None) -> AsyncIterator[Appeal]:
        """Read many appeals, one after another, by their id."""
        with _driver_errors():
            async for one in self._appeals.find(query or {}).sort("_id", ASCENDING):
                yield from_document(one)


def _duplicates(error: BulkWriteError) -> list[int]:
    """Say which writes met an `_id` that stood already; a write that never will be taken is not asked for again."""
    errors = error.details["writeErrors"]
    if any(one["code"] != DUPLICATE for one in errors):
        raise error
    if error.details.get("writeConcernErrors"):
        raise StoreAway("MongoDB could not say that a bulk write will last; the page is run again") from error
    return [one["index"] for one in errors]


async def ensure_indexes(db: AsyncIOMotorDatabase[Document]) -> None:
    """Make the indexes of this room's collections; what exists stays."""
    with _driver_errors():
        for name, indexes in INDEXES.items():
            await db[name].create_indexes(list(indexes))
