"""What was pushed to us since a moment: read off `pages` and a few of its items, so that any worker may look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from connectors.base import BadItem, Item, Page
from connectors.keeping.pages import What
from connectors.keeping.raw import RawStore
from connectors.watching.watch import Pushed

FIRST_LOOK = timedelta(minutes=5)
MOST_PAGES = 2_000  #: of one look; more are looked at in the next
ROWS = 16  #: that are opened
UNREADABLE = "not read"


class OfferStore:
    """By the time in a page's id, which every page has: there is no index for a source's pages."""

    def __init__(self, pages: Any, sources: Any, raw: RawStore, now: Callable[[], datetime]) -> None:  # noqa: ANN401
        self._pages = pages
        self._sources = sources
        self._raw = raw
        self._now = now

    async def since(self, source: str, last: str) -> Pushed:
        """Give what was offered since; items of a page that is not stored yet are told of and not opened."""
        told, _, counted = last.partition(" ")
        after = ObjectId(told) if told else ObjectId.from_datetime(self._now() - FIRST_LOOK)
        refused, count = await self._refused(source, counted)
        found = await (
            self._pages.find({"_id": {"$gt": after}, "source": source}, {"ids": 1, "native_ids": 1, "whats": 1})
            .sort("_id", 1)
            .limit(MOST_PAGES)
            .to_list(None)
        )
        if not found:
            return Pushed((), 0, f"{after} {count}", refused)
        rows = [row for page in found for row in zip(page["ids"], page["native_ids"], page["whats"], strict=True)]
        wanted = [id_ for id_, _, what in rows if what != What.BAD]
        opened = await self._raw.load(dict.fromkeys(wanted[-ROWS:], False))
        page = Page(
            offered=tuple(dict.fromkeys(native_id for _, native_id, _ in rows)),
            items=tuple(Item(native_id=raw.native_id, payload=raw.payload, content=()) for raw in opened),
            bad=tuple(
                BadItem(native_id=native_id, payload=b"", reason=UNREADABLE)
                for _, native_id, what in rows
                if what == What.BAD
            ),
            cursor=None,
        )
        return Pushed((page,), len(rows), f"{found[-1]['_id']} {count}", refused)

    async def _refused(self, source: str, counted: str) -> tuple[dict[str, int], int]:
        """How many were turned away since so many were, with the word that most of them heard; and how many in all."""
        document = await self._sources.find_one({"_id": source}, {"refused": 1})
        told = (document or {}).get("refused")
        if told is None:
            return {}, 0
        more = told["count"] - int(counted) if counted else 0
        return ({told["reason"]: more} if more > 0 else {}), told["count"]
