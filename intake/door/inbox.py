"""Pushes of one source, gathered for a few milliseconds into pages (收件箱).

Whoever pushes is answered when the page is stored (majority and journal), not before and not much after: what happens
behind the door never holds up an answer. Pages wait for the street in memory only a few at a time; the others are let
go, stored as they are, and the sweep of forgotten pages finds them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import msgspec
import structlog

from connectors.base import BadItem, Item, Page
from connectors.flow import LARGEST, Batch, Merge, Room, take_pushed
from connectors.keeping.pages import PageClaim
from connectors.receiving.contract import Received
from connectors.source import Source
from intake.door.limits import TooMany
from intake.street.ending import end
from intake.street.patience import fault, is_away
from intake.street.pipeline import Pipeline
from intake.street.progress import SourceProgress, State

log = structlog.get_logger()

GATHER = 0.02  #: seconds
LONGER = 0.06  #: seconds more while pages wait for their turn: the street then takes fewer and larger ones
MOST_WAITING = 2_000  #: pushes that wait to be stored; more are asked to come again
MOST_PAGES = 4  #: stored pages that wait in memory for their turn in the street
LOOK_EVERY = 2.0  #: seconds between two looks at whether an operator paused the source
LONGEST_REASON = 200
AGAIN_AFTER = 2.0  #: seconds that a caller is asked to wait

#: Keeps the media of items that are stored.
Keep = Callable[[Source, Sequence[Received]], Awaitable[None]]


class _Waiting(msgspec.Struct):
    received: Received
    stored: asyncio.Future[None]


class Inbox:
    """Takes in what is pushed for one source."""

    def __init__(
        self,
        source: Source,
        room: Room,
        pipeline: Pipeline,
        progress: SourceProgress,
        *,
        merge: Merge | None,
        keep: Keep,
    ) -> None:
        self.source = source
        self._room = room
        self._pipeline = pipeline
        self._progress = progress
        self._merge = merge
        self._keep = keep
        self._waiting: list[_Waiting] = []
        self._came = asyncio.Event()
        self._paused = False
        self._refused: Counter[str] = Counter()  #: since the last look
        self._putting: set[asyncio.Task[None]] = set()

    async def put(self, received: Received) -> None:
        """Return when it is stored; TooMany where it cannot be now: nothing of it is stored then, or all."""
        if self._paused:
            raise TooMany(60, 503, "本来源已由人工暂停 · this source is paused by an operator")
        if len(self._waiting) >= MOST_WAITING:
            raise TooMany(AGAIN_AFTER, 503, "忙，请稍后再试 · busy, try again")
        waiting = _Waiting(received, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._came.set()
        await waiting.stored

    def turned_away(self, reason: str) -> None:
        """Count a push that was not taken in: the sentinel tells when that becomes the rule."""
        self._refused[reason[:LONGEST_REASON]] += 1

    async def run(self) -> None:
        """Store what comes, until cancelled; then what is in hand is let go."""
        self._progress.state = State.LISTENING
        looking = asyncio.create_task(self._look())
        try:
            while True:
                await self._came.wait()
                await self._gather()
                await self._store(self._take())
        finally:
            await end([looking, *self._putting])

    async def _gather(self) -> None:
        await asyncio.sleep(GATHER)
        if self._putting:
            await asyncio.wait(self._putting, timeout=LONGER, return_when=asyncio.FIRST_COMPLETED)

    def _take(self) -> list[_Waiting]:
        """As many as make a page, in which no id comes twice: a repeat is a revision, not a race."""
        ids: set[str] = set()
        count = 0
        for waiting in self._waiting:
            offered = waiting.received.page.offered
            if ids and (len(ids) + len(offered) > LARGEST or not ids.isdisjoint(offered)):
                break
            ids.update(offered)
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        if not self._waiting:
            self._came.clear()
        return taken

    async def _store(self, taken: Sequence[_Waiting]) -> None:
        try:
            page = _joined([each.received for each in taken])
            batch = await take_pushed(page, self.source, self._room, self._merge)
            await self._keep(self.source, [each.received for each in taken])
        except Exception as error:  # noqa: BLE001 - whatever it is, its callers are answered and the next are stored
            await self._failed(taken, error)
            return
        for each in taken:
            if not each.stored.done():
                each.stored.set_result(None)
        if batch is not None:
            self._progress.items += len(batch.claim.entries)
            await self._hand_on(batch)

    async def _failed(self, taken: Sequence[_Waiting], error: Exception) -> None:
        """One push that cannot be stored is the failure of one: the others of its page are stored without it."""
        if is_away(error):
            refusal: Exception = TooMany(AGAIN_AFTER, 503, "库暂时不可用，请稍后再试 · try again in a moment")
        elif len(taken) > 1:
            for each in taken:
                await self._store([each])
            return
        else:
            log.error("push not stored", action="push_failed", source=self.source.name, error=fault(error))
            refusal = error
        for each in taken:
            if not each.stored.done():
                each.stored.set_exception(refusal)

    async def _hand_on(self, batch: Batch) -> None:
        if len(self._putting) >= MOST_PAGES:
            await self._release(batch.claim)
            return
        task = asyncio.create_task(self._pipeline.put(batch))
        self._putting.add(task)
        task.add_done_callback(self._putting.discard)

    async def _release(self, claim: PageClaim) -> None:
        try:
            await self._room.store.pages.release(claim)
        except Exception as error:
            if not is_away(error):
                raise  # its lease lapses by itself

    async def _look(self) -> None:
        """See whether an operator paused it, and say when it was last heard of."""
        heard = partial(self._room.store.sources.heard, self.source.name)
        seen = -1
        while True:
            refused, self._refused = self._refused, Counter()
            try:
                news, seen = self._progress.items != seen, self._progress.items
                self._paused = await heard(self._room.now() if news and seen else None, refused)
                self._progress.state = State.PAUSED if self._paused else State.LISTENING
            except Exception as error:  # noqa: BLE001 - the last look stands
                self._refused.update(refused)
                if not is_away(error):
                    log.error("source not looked up", action="push_failed", source=self.source.name, error=fault(error))  # noqa: TRY400
            await asyncio.sleep(LOOK_EVERY)


def _joined(received: Sequence[Received]) -> Page:
    items: list[Item] = []
    bad: list[BadItem] = []
    for each in received:
        items += each.page.items
        bad += each.page.bad
    offered = tuple(native_id for each in received for native_id in each.page.offered)
    return Page(offered=offered, items=tuple(items), bad=tuple(bad), cursor=None)
