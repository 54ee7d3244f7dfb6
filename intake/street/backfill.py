"""A backfill (历史补采): what a source showed between two moments, read beside the live reading and behind it.

It has a position and a lease of its own (`backfills`), asks within the source's own budget with a lower share, and only
adds: an item that is stored already is the live reader's. Killed anywhere it goes on from its position.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import msgspec
import structlog

from connectors.base import BadItem, Connector, Dated, Item, Page
from connectors.errors import ClaimLapsed, Resting, TryLater
from connectors.flow import Batch, Room, parts, patience, take_page
from connectors.keeping.compare import Head
from connectors.keeping.sources import SourceClaim, SourceStore
from connectors.raw_appeal import RawAppeal, appeal_id
from connectors.source import Source
from intake.street.ending import end
from intake.street.patience import Patience
from intake.unstored import unstored

log = structlog.get_logger()

SHARE = 0.25  #: of the source's budget
RENEW_EVERY = 3.0
PAGES_AWAY = 5  #: pages wholly before the beginning, one after the other, that end a reading of newest items first

#: When an item was posted, as its mapper reads it; None: unknown.
PostedAt = Callable[[RawAppeal], datetime | None]


class Span(msgspec.Struct, frozen=True):
    """From when until when; the end is not in it."""

    begin: datetime
    end: datetime

    def holds(self, moment: datetime | None) -> bool:
        """Whatever does not say when it was posted may be in it."""
        return moment is None or self.begin <= moment < self.end

    def done(self, moment: datetime, *, ascending: bool) -> float:
        """How much of it was read when the reading is here."""
        part = (moment - self.begin) / (self.end - self.begin)
        return min(max(part if ascending else 1 - part, 0.0), 1.0)


class Done(msgspec.Struct):
    """How far it is, for people."""

    pages: int = 0
    seen: int = 0  #: rows that the source showed
    within: int = 0  #: of them posted in the span
    added: int = 0  #: of them new to us
    at: datetime | None = None  #: where in time the reading is
    share: float = 0.0  #: of the span
    started: float = msgspec.field(default_factory=time.monotonic)
    first_share: float | None = None
    waits: str | None = None  #: why it waits at the moment

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.seen / max(time.monotonic() - self.started, 0.001)

    @property
    def remaining(self) -> timedelta | None:
        """By how fast it got through the span so far."""
        gone = self.share - (self.first_share or 0.0)
        if gone <= 0:
            return None
        return timedelta(seconds=(time.monotonic() - self.started) * (1 - self.share) / gone)


class Course:
    """Which way a reading goes through time, and whether it has left the span for good."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._before: datetime | None = None
        self._away = 0
        self._beyond = 0
        self.ascending = True

    def take(self, moments: Sequence[datetime]) -> datetime | None:
        """Look at a page's moments; say where in time it lies."""
        if not moments:
            return None
        middle = sorted(moments)[len(moments) // 2]
        if self._before is not None and middle != self._before:
            self.ascending = middle > self._before
        falling = self._before is not None and middle <= self._before
        self._away = self._away + 1 if max(moments) < self._span.begin and falling else 0
        after = self.ascending and min(moments) >= self._span.end
        self._beyond = self._beyond + 1 if after and not falling else 0
        self._before = middle
        return middle

    @property
    def is_over(self) -> bool:
        """Newest first it is far behind the beginning; oldest first, far beyond the end.

        What was posted in the span and changed long after it stands there too, where a source tells by changes: a
        later end brings it.
        """
        return self._away >= PAGES_AWAY or self._beyond >= PAGES_AWAY


class Backfill:
    """One span of one source."""

    def __init__(
        self,
        source: Source,
        connector: Connector,
        span: Span,
        *,
        room: Room,
        positions: SourceStore,
        posted_at: PostedAt,
        patience: Patience,
    ) -> None:
        self._source = source
        self._connector = connector
        self._span = span
        self._room = room
        self._positions = positions
        self._posted_at = posted_at
        self._patience = patience
        self._course = Course(span)
        self.name = f"{source.name}/{span.begin.isoformat()}/{span.end.isoformat()}"
        self.done = Done()

    async def run(self, put: Callable[[Batch], Awaitable[None]]) -> str | None:
        """Read it to its end; a sentence says why it did not come to that."""
        await self._positions.ensure([self.name])
        claim = await self._positions.claim(self.name, self._room.owner)
        if claim is None:
            return "别的进程正在补采这一段 · another process reads this span; it may be killed and goes on elsewhere"
        if claim.read_to_end_at is not None:
            return None
        async with self._held(claim) as lost:
            while True:
                try:
                    await self._read(claim, lost, put)
                except ClaimLapsed as lapsed:
                    return str(lapsed)
                except TryLater as error:
                    claim.failures += 0 if isinstance(error, Resting) else 1
                    self.done.waits = str(error)
                    log.warning("backfill waits", action="backfill_waits", source=self._source.name, reason=str(error))
                    if await self._patience.sleep(patience(error, claim.failures).total_seconds()):
                        continue
                    return "中断，再运行一次就接着读 · interrupted; run it again and it goes on"
                if lost.is_set() or not await self._patience.sleep(0):
                    return "中断，再运行一次就接着读 · interrupted; run it again and it goes on"
                await self._positions.read_to_end(claim, self._room.now())
                self.done.share, self.done.waits = 1.0, None
                return None

    async def _read(self, claim: SourceClaim, lost: asyncio.Event, put: Callable[[Batch], Awaitable[None]]) -> None:
        pages = cast("Any", self._connector.pages(claim.cursor or self._first()))
        async with aclosing(pages):
            async for page in pages:
                self.done.waits = None
                await self._take(page, put)
                if page.cursor is not None and not await self._positions.move(claim, page.cursor, self._room.now()):
                    raise ClaimLapsed("别的进程接手了这一段 · another process took this span over")
                claim.failures = 0
                if lost.is_set() or (self._course.is_over and not self._has_lists) or not await self._patience.sleep(0):
                    return

    @property
    def _has_lists(self) -> bool:
        """Far from the span in one list, the reading may come to it in the next."""
        return getattr(self._connector, "lists", 1) > 1

    def _first(self) -> str | None:
        """Where to begin: connectors that are read by time skip what lies before."""
        if not hasattr(self._connector, "position_at"):
            return None
        return cast("Dated", self._connector).position_at(self._span.begin)

    async def _take(self, page: Page, put: Callable[[Batch], Awaitable[None]]) -> None:
        moments = {item.native_id: self._moment(item) for item in page.items}
        within = [item for item in page.items if self._span.holds(moments[item.native_id])]
        rows: list[Item | BadItem] = [*within, *page.bad]
        ids = [appeal_id(self._source.name, row.native_id) for row in rows]
        known = await self._room.store.raw.heads(ids)
        items = tuple(item for item in within if self._is_new(item.native_id, known))
        bad = tuple(row for row in page.bad if self._is_new(row.native_id, known))
        # No sweep: only the live reader, who sees all of a board, knows what is absent.
        offered = tuple(row.native_id for row in rows if self._is_new(row.native_id, known))
        new = Page(offered=offered, items=items, bad=bad, cursor=None)
        for part in parts(new):
            batch = await take_page(part, self._source, None, self._room) if part.offered else None
            if batch is not None:
                await put(batch)
        self._count(page, len(within), len(new.offered), [each for each in moments.values() if each is not None])

    def _is_new(self, native_id: str, known: Mapping[str, Head]) -> bool:
        """Not stored, or only as something that could not be had."""
        head = known.get(appeal_id(self._source.name, native_id))
        return head is None or head.parked

    def _moment(self, item: Item) -> datetime | None:
        return self._posted_at(unstored(item, self._source))

    def _count(self, page: Page, within: int, added: int, moments: list[datetime]) -> None:
        done = self.done
        done.pages += 1
        done.seen += len(page.offered)
        done.within += within
        done.added += added
        at = self._course.take(moments)
        if at is not None:
            done.at = at
            done.share = self._span.done(at, ascending=self._course.ascending)
            done.first_share = done.share if done.first_share is None else done.first_share

    @asynccontextmanager
    async def _held(self, claim: SourceClaim) -> AsyncIterator[asyncio.Event]:
        lost = asyncio.Event()
        renewing = asyncio.create_task(self._renew(claim, lost))
        try:
            yield lost
        finally:
            await end([renewing])
            await self._positions.release(claim)

    async def _renew(self, claim: SourceClaim, lost: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            renew = partial(self._positions.renew, claim)
            if not await self._patience.ask("backfill", renew, give_up=False):
                lost.set()
                return
