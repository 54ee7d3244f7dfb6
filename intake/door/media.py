"""The collection `media`: pictures beside their items, sealed with the item's own key, so that they end with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import BulkWriteError

from connectors.keeping.raw import DUPLICATE_KEY
from connectors.raw_appeal import appeal_id
from connectors.receiving.contract import Medium, Received
from connectors.source import Source
from intake.house import Database
from intake.item_keys import ItemKeys
from intake.sealing import Sealer


class MediaStore:
    """Keeps what came with an item and opens it for whoever may see it; its caller writes down who asked and why."""

    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._media = db.media
        self._raw = db.raw
        self._sealer = sealer

    async def keep(self, source: Source, received: Sequence[Received]) -> None:
        """Store the media of items that are stored; what is there already stands."""
        media = {appeal_id(source.name, name): some for each in received for name, some in each.media.items()}
        if not media:
            return
        documents = []
        async for raw in self._raw.find({"_id": {"$in": list(media)}}, {"key": 1}):
            label = raw["key"].partition("#")[0]
            keys = await self._sealer.keys_of(label, [raw["_id"]], beside=raw["key"])
            documents += [
                _document(raw["_id"], medium, keys.name, keys.seal(raw["_id"], _bind(raw["_id"], medium), medium.body))
                for medium in media[raw["_id"]]
            ]
        try:
            await self._media.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise

    async def open(self, appeal: str, sha256: str) -> Medium | None:
        """Give one picture; None where there is none, or its time is over."""
        found = await self._media.find_one({"_id": f"{appeal}/{sha256}"})
        if found is None:
            return None
        medium = Medium(sha256=sha256, media_type=found["media_type"], body=b"")
        body = await self._sealer.open_item(found["key"], appeal, _bind(appeal, medium), found["sealed"])
        return None if body is None else Medium(sha256=sha256, media_type=found["media_type"], body=body)

    async def seal_again(self, appeal: str, keys: ItemKeys) -> None:
        """Seal an item's pictures with other keys, before those that seal them are destroyed."""
        async for found in self._media.find(_of(appeal)):
            medium = await self.open(appeal, found["_id"].partition("/")[2])
            if medium is not None:
                sealed = keys.seal(appeal, _bind(appeal, medium), medium.body)
                await self._media.update_one({"_id": found["_id"]}, {"$set": {"sealed": sealed, "key": keys.name}})

    async def discard(self, appeals: Collection[str]) -> int:
        """Take away what is left of items whose keys were destroyed."""
        if not appeals:
            return 0
        return int((await self._media.delete_many({"$or": [_of(appeal) for appeal in appeals]})).deleted_count)


def _of(appeal: str) -> dict[str, Any]:
    """Ask for the pictures of one item, by the index that there is."""
    return {"_id": {"$gte": f"{appeal}/", "$lt": f"{appeal}0"}}  # 0 is what follows / in the table of characters


def _bind(appeal: str, medium: Medium) -> bytes:
    return f"media/{appeal}/{medium.sha256}/{medium.media_type}".encode()


def _document(appeal: str, medium: Medium, key: str, sealed: bytes) -> dict[str, object]:
    return {
        "_id": f"{appeal}/{medium.sha256}",
        "appeal": appeal,
        "media_type": medium.media_type,
        "size": len(medium.body),
        "sealed": sealed,
        "key": key,
        "at": datetime.now(UTC),
    }
