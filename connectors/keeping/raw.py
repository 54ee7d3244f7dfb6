"""The collections `raw` and `raw_revisions`: items as they came, sealed. Payloads are opened only here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from connectors.keeping.compare import Change, Destroyed, Head
from connectors.keeping.pages import What
from connectors.keeping.raw_documents import HEAD, SHANGHAI, Parked, Writing, fixed, head_of, parked_of, raw_of
from connectors.keeping.sealing import Seal, opened
from connectors.raw_appeal import RawAppeal
from connectors.source import Source

#: Withdrawn by one sweep; the rest goes with the next, so that a page stays a page.
MOST_GONE = 500
#: Ids in one query: a board that vanished may have had more of them than a query may hold (16 MB).
ASKED_AT_ONCE = 10_000
DUPLICATE_KEY = 11000
_NOT_ERASED = {"$ne": Destroyed.ERASED.value}


class RawStore:
    """Inserts go by `_id`, updates by revision and digest: what did not take was someone else's, and is read again."""

    def __init__(self, raw: Any, revisions: Any, seal: Seal) -> None:  # noqa: ANN401
        self._raw = raw
        self._revisions = revisions
        self._seal = seal

    async def heads(self, ids: Iterable[str]) -> dict[str, Head]:
        """One round trip: what is known of these ids."""
        documents = await self._raw.find({"_id": {"$in": list(ids)}}, HEAD).to_list(None)
        return {document["_id"]: head_of(document) for document in documents}

    async def scopes(self, ids: Iterable[str]) -> dict[str, str]:
        """In which enumeration each of these items is looked for."""
        found = await self._raw.find({"_id": {"$in": list(ids)}}, {"scope": 1}).to_list(None)
        return {document["_id"]: document["scope"] for document in found}

    async def add(
        self, changes: Sequence[Change], source: Source, *, reader: int | None, at: datetime
    ) -> tuple[list[RawAppeal | None], bool]:
        """Store these changes; for each what is handed on, if anything, and whether every write took."""
        label = f"raw/{source.name}/{at.astimezone(SHANGHAI):%Y-%m}"
        keys = await self._seal.keys_of(label, [change.row.id for change in changes])
        payloads = await self._payloads(changes)
        writing = Writing(source, keys, reader, at, payloads, fixed(source, at))
        first = [change for change in changes if change.before is None]
        later = [change for change in changes if change.before is not None]
        took = True
        if first:
            took &= await self._insert([writing.document(change) for change in first])
        if later:
            await self._keep([change.before for change in later if change.what is not What.REFRESHED], reader)
            took &= await self._update([writing.update(change) for change in later])
        return [writing.raw(change) if change.is_handed_on else None for change in changes], took

    async def load(self, entries: Mapping[str, bool]) -> list[RawAppeal]:
        """Load raw items, opened, in the order of the ids; the value says whether one was only refreshed.

        What was destroyed is left out; that it was taken back can be told without its text.
        """
        documents = {document["_id"]: document async for document in self._raw.find({"_id": {"$in": list(entries)}})}
        found = [(documents[id_], refreshed) for id_, refreshed in entries.items() if id_ in documents]
        return [
            raw_of(document, *await self._open(document), refreshed=refreshed)
            for document, refreshed in found
            if not document["parked"]
            and not (document["withdrawn"] and document["revision"] == 1)
            and not (document.get("destroyed") and not document["withdrawn"])
        ]

    async def sweep(self, source: str, scope: str, seen: frozenset[str], *, reader: int) -> list[Head]:
        """Mark what a complete enumeration did not hold; hand back what is absent for the second time."""
        query = {"source": source, "scope": scope, "withdrawn": False, "parked": None, "destroyed.why": _NOT_ERASED}
        once: list[str] = []
        back: list[str] = []
        twice: list[str] = []
        # One after the other: a board may have had millions, and only those that changed sides are held.
        async for document in self._raw.find(query, {"native_id": 1, "absent": 1}):
            absent = document["absent"]
            if document["native_id"] in seen:
                if absent:
                    back.append(document["_id"])
            elif not absent:
                once.append(document["_id"])
            elif len(twice) < MOST_GONE:
                twice.append(document["_id"])
        for ids, count in ((once, 1), (back, 0)):
            for start in range(0, len(ids), ASKED_AT_ONCE):
                mine = {"_id": {"$in": ids[start : start + ASKED_AT_ONCE]}, "reader": {"$lte": reader}}
                await self._raw.update_many(mine, {"$set": {"absent": count}})
        return list((await self.heads(twice)).values()) if twice else []

    async def parked(self, source: str | None = None, *, discarded: bool = False) -> AsyncIterator[Parked]:
        """What could not be read; those set aside only where asked for."""
        query: dict[str, Any] = {"parked.stage": "parse"} | ({"source": source} if source else {})
        if not discarded:
            query["parked.discarded"] = None
        async for document in self._raw.find(query, {"payload": 0}, sort=[("parked.at", 1)]):
            yield parked_of(document)

    async def parked_payload(self, id_: str) -> Parked | None:
        """One parked row with its payload opened; the caller records who asked and why (promise 9)."""
        document = await self._raw.find_one({"_id": id_, "parked.stage": "parse"})
        return None if document is None else parked_of(document, *await self._open(document))

    async def payload(self, id_: str) -> bytes:
        """An item as it came, empty where it was destroyed; the caller records who asked and why (promise 9)."""
        document = await self._raw.find_one({"_id": id_})
        return b"" if document is None else (await self._open(document))[0]

    async def whole(self, id_: str) -> tuple[str, bytes, Mapping[str, str]] | None:
        """Give an item's native id, payload and context; the caller records who asked and why (promise 9)."""
        document = await self._raw.find_one({"_id": id_})
        return None if document is None else (document["native_id"], *await self._open(document))

    async def context(self, id_: str) -> Mapping[str, str]:
        """Give what the page knew of an item and the item does not: where it stands, for an answer to it."""
        document = await self._raw.find_one({"_id": id_})
        return {} if document is None else (await self._open(document))[1]

    async def mark_mended(self, id_: str, *, actor: str, reason: str, at: datetime) -> None:
        """Note who puts it right, and why: what its source sent, and goes on sending, is not taken in again."""
        mended = {"digest": "$digest", "actor": {"$literal": actor}, "reason": {"$literal": reason}, "at": at}
        await self._raw.update_one({"_id": id_}, [{"$set": {"mended": mended}}])

    async def discard(self, id_: str, *, actor: str, reason: str, at: datetime) -> bool:
        """Set a parked row aside for good: it stays parked, with who said so, and is no longer listed."""
        result = await self._raw.update_one(
            {"_id": id_, "parked.stage": "parse", "parked.discarded": None},
            {"$set": {"parked.discarded": {"actor": actor, "reason": reason, "at": at}}},
        )
        return bool(result.modified_count)

    async def destroy(self, ids: Collection[str], why: Destroyed, at: datetime) -> int:
        """Empty these items and their superseded revisions; that they were there stays, and why they are not.

        Their keys are destroyed by whoever has the keys. What was erased loses its digests too: a telephone number has
        few enough digits to try them all.
        """
        empty: dict[str, Any] = {"payload": b"", "destroyed": {"why": why.value, "at": at}}
        if why is Destroyed.ERASED:
            empty |= {"content": b"", "digest": b"", "mended": None}
        change = {"$set": empty, "$unset": {"context": ""}}
        listed = list(ids)
        await self._revisions.update_many({"of": {"$in": listed}}, change)
        there = {"_id": {"$in": listed}, "destroyed.why": _NOT_ERASED}
        return int((await self._raw.update_many(there, change)).modified_count)

    async def _payloads(self, changes: Sequence[Change]) -> dict[str, tuple[bytes, dict[str, str]]]:
        """What is stored of items that were withdrawn without a word."""
        ids = [change.row.id for change in changes if change.row.payload is None and change.before is not None]
        if not ids:
            return {}
        documents = await self._raw.find({"_id": {"$in": ids}}).to_list(None)
        return {document["_id"]: await self._open(document) for document in documents}

    async def _insert(self, documents: list[dict[str, Any]]) -> bool:
        try:
            await self._raw.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise
            return False
        return True

    async def _keep(self, heads: Sequence[Head | None], reader: int | None) -> None:
        """Copy what is about to be superseded, inside the server. What was superseded already is not copied again."""
        by_revision: dict[int, list[str]] = {}
        for head in heads:
            if head is not None:
                by_revision.setdefault(head.revision, []).append(head.id)
        if not by_revision:
            return
        superseded: dict[str, Any] = {
            "$or": [{"_id": {"$in": ids}, "revision": revision} for revision, ids in by_revision.items()]
        }
        if reader is not None:
            superseded["reader"] = {"$lte": reader}
        copy_id = {"$concat": ["$_id", "-", {"$toString": "$revision"}]}
        await self._raw.aggregate(
            [
                {"$match": superseded},
                {"$set": {"_id": copy_id, "of": "$_id"}},
                {"$merge": {"into": self._revisions.name, "whenMatched": "replace"}},
            ]
        ).to_list(None)

    async def _update(self, writes: list[UpdateOne]) -> bool:
        result = await self._raw.bulk_write(writes, ordered=False)
        return bool(result.matched_count == len(writes))

    async def _open(self, document: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Give payload and context; both empty where their time was over, or their author had them erased."""
        return await opened(self._seal, document) or (b"", {})
