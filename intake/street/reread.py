"""Reads kept pages of a source again (重读), after its mapping was mended: by the same flows, as often as liked.

What was taken in since a page was kept is newer than the page, and stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from connectors.base import Connector, Fetch, Page
from connectors.errors import ConnectorError
from connectors.flow import Batch, Room, parts, take_page
from connectors.keeping.watches import Kept, WatchStore
from connectors.raw_appeal import appeal_id
from connectors.source import Source
from connectors.watching.replay import Replay
from connectors.watching.sentinel import adopt


class Reread(msgspec.Struct):
    """What came of it."""

    readings: int = 0
    rows: int = 0
    changed: int = 0
    unreadable: int = 0  #: rows that are parked still
    failed: list[str] = []  #: readings that cannot be read by the mapping as it is now: why


@dataclass(frozen=True)
class Again:
    """One source, and the street that its rows go down."""

    source: Source
    connect: Callable[[Fetch], Connector]
    room: Room
    put: Callable[[Batch], Awaitable[None]]

    async def reread(self) -> Reread:
        """Read everything that was kept; the flag goes if all of it could be read."""
        done, watches, name = Reread(), self.room.store.watches, self.source.name
        async for kept in watches.kept(name):
            why = await self._reread(kept, done)
            if why is None:
                done.readings += 1
                await watches.was_reread(kept.id, self.room.now())
            else:
                done.failed.append(why)
        if not done.failed:
            await accept(name, watches, self.room.now())
        return done

    async def _reread(self, kept: Kept, done: Reread) -> str | None:
        """Read one; why it cannot be read, if it can't."""
        replay = Replay(kept.exchanges)
        try:
            async for page in self.connect(replay.fetch).pages(kept.cursor):
                done.rows += len(page.offered)
                done.unreadable += len(page.bad)
                done.changed += await self._take(await self._older(page, kept))
        except ConnectorError as error:
            return None if replay.ended else str(error)
        return None

    async def _take(self, page: Page) -> int:
        changed = 0
        for part in parts(page):
            batch = await take_page(part, self.source, None, self.room) if part.offered else None
            if batch is not None:
                changed += len(batch.claim.entries)
                await self.put(batch)
        return changed

    async def _older(self, page: Page, kept: Kept) -> Page:
        """The rows of which nothing newer was taken in since."""
        ids = {native_id: appeal_id(self.source.name, native_id) for native_id in page.offered}
        heads = await self.room.store.raw.heads(ids.values())
        newer = {native_id for native_id, id_ in ids.items() if id_ in heads and heads[id_].received_at > kept.at}
        items = tuple(item for item in page.items if item.native_id not in newer)
        bad = tuple(row for row in page.bad if row.native_id not in newer)
        offered = (*(item.native_id for item in items), *(row.native_id for row in bad))
        return Page(offered=offered, items=items, bad=bad, cursor=None)


async def accept(name: str, watches: WatchStore, now: datetime) -> int:
    """Take a source as it is now: what its flag names is learned anew. How many kept readings that made needless."""
    learned, edition = await watches.load(name)
    adopt(learned, await watches.causes(name) or ())
    await watches.replace(name, learned, edition + 1)
    await watches.unflag(name)
    return await watches.needless(name, now)
