"""Pages on their way: one is read and stored while those before are normalized and those before them are published.

Bounded everywhere, so that memory stays flat whatever the backlog: one page waits at each door, and a reader that finds
the door taken waits with its page in hand. Pages may overtake one another, as those of two workers do: every write asks
for the revision, the version or the fence that it builds on. Where they must not (a file that is imported: whom a
letter repeats is not left to chance) there is one in each room. A page that can't go on now (its server is away) waits
in place; one whose claim was lost meanwhile is dropped, since another worker has it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

import msgspec
import structlog
from bson import ObjectId

from connectors.flow import Batch
from connectors.keeping.pages import PageClaim, Stage
from intake.street.patience import Patience, Stopping, fault
from intake.street.progress import Progress
from normalizer.appeal import Handed

T = TypeVar("T")
log = structlog.get_logger()

RENEW_EVERY = 10.0  #: seconds; a page's lease is 30
SURE = 20.0  #: seconds since its last renewal for which a claim is surely ours; a process that was stopped has lost it

AT_ONCE = 2  #: pages in each room: while one waits for a server, the other is worked on

Normalize = Callable[[Batch], Awaitable[Sequence[Handed]]]
Route = Callable[[Sequence[Handed]], Awaitable[object]]  # anything but None


class Pages(Protocol):
    """What the pipeline does to a page's document; False: the claim is lost."""

    async def renew(self, claim: PageClaim) -> bool: ...
    async def hand_over(self, claim: PageClaim, stage: Stage) -> bool: ...
    async def done(self, claim: PageClaim) -> bool: ...
    async def release(self, claim: PageClaim) -> bool: ...


class _OnItsWay(msgspec.Struct, frozen=True):
    batch: Batch
    handed: Sequence[Handed]


class Pipeline:
    """The rooms after the first, for pages claimed by this worker; a room that `--only` leaves out is None."""

    def __init__(
        self,
        pages: Pages,
        normalize: Normalize | None,
        route: Route | None,
        patience: Patience,
        progress: Progress,
        *,
        in_order: bool = False,
    ) -> None:
        self._at_once = 1 if in_order else AT_ONCE
        self._pages = pages
        self._normalize = normalize
        self._route = route
        self._patience = patience
        self._progress = progress
        self._to_normalize: asyncio.Queue[Batch] = asyncio.Queue(1)
        self._to_route: asyncio.Queue[_OnItsWay] = asyncio.Queue(1)
        self._held: dict[ObjectId, PageClaim] = {}
        self._sure: dict[ObjectId, float] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    async def put(self, batch: Batch) -> None:
        """Take a claimed page in hand; waits while the door is taken."""
        self._held[batch.claim.id] = batch.claim
        self._sure[batch.claim.id] = time.monotonic()
        self._empty.clear()
        if self._normalize is None:
            await self._finish(batch, self._pages.release)
            return
        try:
            await self._to_normalize.put(batch)
        except asyncio.CancelledError:
            # Its reader was stopped at the door: whoever comes next finds the page stored.
            await self._finish(batch, self._pages.release)
            raise

    async def drained(self) -> None:
        """Wait until no page is in hand."""
        await self._empty.wait()

    def in_hand(self) -> int:
        return len(self._held)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._at_once):
                group.create_task(self._normalize_pages(), name=f"normalize {number}")
                group.create_task(self._route_pages(), name=f"route {number}")
            group.create_task(self._renew_claims(), name="renew pages")

    async def let_go(self) -> None:
        """Release what is in hand, so that the next worker need not wait for the lease; for the very end."""
        held, self._held = list(self._held.values()), {}
        self._empty.set()
        with suppress(Exception):  # a lease that was not released lapses
            async with asyncio.timeout(1):
                await asyncio.gather(*(self._pages.release(claim) for claim in held), return_exceptions=True)

    async def _normalize_pages(self) -> None:
        while True:
            batch = await self._to_normalize.get()
            handed = await self._step("normalizer", batch, partial(_known(self._normalize), batch))
            if handed is None:
                continue
            self._progress.normalized += len(handed)
            if self._route is None:
                await self._finish(batch, partial(self._pages.hand_over, stage=Stage.NORMALIZED))
            else:
                await self._to_route.put(_OnItsWay(batch, handed))

    async def _route_pages(self) -> None:
        while True:
            page = await self._to_route.get()
            routed = await self._step("router", page.batch, partial(_known(self._route), page.handed))
            if routed is not None:
                await self._finish(page.batch, self._pages.done)
                self._progress.page_done(len(page.batch.claim.entries))

    async def _step(self, room: str, batch: Batch, step: Callable[[], Awaitable[T]]) -> T | None:
        """Do one room's part of a page. None: the page is no longer ours to finish."""
        try:
            result = await self._patience.ask(room, partial(self._if_ours, batch.claim, step))
        except Stopping:
            self._drop(batch.claim)
            return None
        except Exception as error:  # noqa: BLE001 - one page that fails never holds up another (promise 11)
            self._fail(room, batch.claim, error)
            return None
        return result if batch.claim.id in self._held else None

    async def _if_ours(self, claim: PageClaim, step: Callable[[], Awaitable[T]]) -> T | None:
        """Do a step only to a page that is surely ours: what a stopped process still holds in memory is old news."""
        if time.monotonic() - self._sure.get(claim.id, 0.0) > SURE:
            await self._renew(claim)
        return await step() if claim.id in self._held else None

    def _fail(self, room: str, claim: PageClaim, error: Exception) -> None:
        # The class and the page alone: an exception's text may quote the citizen.
        where = fault(error)
        log.error("page failed", action="page_failed", room=room, page=str(claim.id), error=where)
        self._progress.failures.append(f"{room}: page {claim.id}: {where}")
        self._drop(claim)

    async def _finish(self, batch: Batch, write: Callable[[PageClaim], Awaitable[bool]]) -> None:
        try:
            kept = await self._patience.ask("pages", lambda: write(batch.claim))
        except Stopping:
            kept = False
        except Exception as error:  # noqa: BLE001 - nor does a page whose end cannot be written down
            self._fail("pages", batch.claim, error)
            return
        if not kept:
            log.info("page was taken over", action="page_lost", page=str(batch.claim.id))
        self._drop(batch.claim)

    def _drop(self, claim: PageClaim) -> None:
        self._held.pop(claim.id, None)
        self._sure.pop(claim.id, None)
        if not self._held:
            self._empty.set()

    async def _renew_claims(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            for claim in list(self._held.values()):
                try:
                    await self._patience.ask("pages", partial(self._renew, claim), give_up=False)
                except Exception as error:  # noqa: BLE001 - it lapses, and is asked for before it is used
                    where = fault(error)
                    log.error("claim not renewed", action="renew_failed", page=str(claim.id), error=where)  # noqa: TRY400

    async def _renew(self, claim: PageClaim) -> None:
        asked = time.monotonic()
        if await self._pages.renew(claim):
            if claim.id in self._held:
                self._sure[claim.id] = asked
        elif claim.id in self._held:
            log.warning("page was taken over", action="page_lost", page=str(claim.id))
            self._drop(claim)


def _known(step: Callable[..., Awaitable[T]] | None) -> Callable[..., Awaitable[T]]:
    assert step is not None, "only asked for where `--only` leaves the room in"
    return step
