"""The loop of one source: take its lease, read it to its end, wait until it is due again.

What goes wrong with one source is its own: it waits with a reason that people can see, or stands still until an
operator resumes it; the others go on (promise 11). connectors/flow.py writes the reasons down beside the source.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import msgspec
import structlog

from connectors.base import Connector
from connectors.errors import ClaimLapsed, StopSource, TryLater
from connectors.flow import Batch, Room, read_source
from connectors.keeping.sources import SourceClaim
from connectors.source import Source
from connectors.watching.watch import Watch
from intake.street.ending import end
from intake.street.patience import Patience, Stopping, fault, is_away
from intake.street.pipeline import Pipeline
from intake.street.progress import Progress, SourceProgress, State

log = structlog.get_logger()

RENEW_EVERY = 3.0  #: seconds; a source's lease is 10
TAKE_EVERY = 2.0  #: seconds between two tries to take a source that another worker reads
AFTER_A_FAULT = 15.0  #: seconds before a loop begins again that a fault of ours has broken
ROUNDS = 20  #: of `--once`: how often a source is read again because its reading brought something
PATIENCE = 60.0  #: seconds that `--once` waits for a source that asks for patience


class Ended(msgspec.Struct, frozen=True):
    """What `--once` can say of a source."""

    name: str
    to_end: bool
    why: str | None = None


class Reader:
    """Reads one source into the pipeline."""

    def __init__(
        self,
        source: Source,
        connector: Connector,
        *,
        room: Room,
        pipeline: Pipeline,
        patience: Patience,
        progress: Progress,
        watch: Watch | None = None,
    ) -> None:
        self.source = source
        self._connector = connector
        self._room = room
        self._pipeline = pipeline
        self._patience = patience
        self._watch = watch
        self._progress: SourceProgress = progress.source(source.name)

    async def run(self) -> None:
        """Read it whenever it is due, until the street closes."""
        pause = 0.0
        while await self._patience.sleep(pause):
            try:
                pause = await self._turn()
            except Stopping:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, this source is read again
                self._tell(State.WAITING, f"程序出错 · fault {fault(error)}", "source_failed")
                pause = AFTER_A_FAULT

    async def _turn(self) -> float:
        """Take the source and read it for as long as it is ours; say how long to wait before the next try."""
        claim = await self._claim()
        if claim is None:
            await self._show_why_not()
            return TAKE_EVERY
        async with self._held(claim) as lost:
            self._shows(State.STARTING)
            await self._read_when_due(claim, lost)
        return 0.0

    async def once(self) -> Ended:
        """Read it until a reading to its end brings nothing new."""
        waited = 0.0
        for _ in range(ROUNDS):
            claim = await self._claim()
            if claim is None:
                why = await self._why_not()
                if why is not None:
                    return Ended(self.source.name, to_end=False, why=why)
                waited += TAKE_EVERY
                if waited > PATIENCE or not await self._patience.sleep(TAKE_EVERY):
                    return Ended(
                        self.source.name, to_end=False, why="别的进程一直在读 · another worker keeps reading it"
                    )
                continue
            async with self._held(claim) as lost:
                left = PATIENCE - waited
                ended, brought, waited = await self._once_claimed(claim, lost, left)
            if ended is not None and (not ended.to_end or brought == 0):
                return ended
        return Ended(
            self.source.name,
            to_end=False,
            why=f"读了 {ROUNDS} 遍还有新内容 · still brings news after {ROUNDS} readings",
        )

    async def _once_claimed(
        self, claim: SourceClaim, lost: asyncio.Event, left: float
    ) -> tuple[Ended | None, int, float]:
        """Read one time to the end, with what patience is left; give the end, what came, and what was waited."""
        before = self._progress.items
        waited = PATIENCE - left
        while True:
            seconds = self._seconds_until(claim.waiting_until)
            if waited + seconds > PATIENCE:
                why = self._progress.reason or f"要等到 · asks for patience until {claim.waiting_until}"
                return Ended(self.source.name, to_end=False, why=why), 0, waited
            waited += seconds
            if seconds > 0 and not await self._patience.sleep(seconds):
                return Ended(self.source.name, to_end=False, why="中断 · interrupted"), 0, waited
            if await self._read(claim, lost):
                return Ended(self.source.name, to_end=True), self._progress.items - before, waited
            if self._progress.state is State.STOPPED:
                return Ended(self.source.name, to_end=False, why=self._progress.reason), 0, waited
            if lost.is_set():
                return None, 0, waited

    async def _read_when_due(self, claim: SourceClaim, lost: asyncio.Event) -> None:
        while not lost.is_set() and self._progress.state is not State.STOPPED:
            due = claim.waiting_until or self._next_time(claim.read_to_end_at)
            seconds = self._seconds_until(due)
            if seconds > 0:
                # A source may be paused, resumed or taken meanwhile: look up now and then.
                if not await self._patience.sleep(min(seconds, TAKE_EVERY)):
                    return
                continue
            await self._read(claim, lost)

    async def _read(self, claim: SourceClaim, lost: asyncio.Event) -> bool:
        """Read to the end once; False: it did not come to that, and the reason is told."""
        self._shows(State.READING)
        reading = asyncio.ensure_future(self._pages(claim, lost))
        losing = asyncio.ensure_future(lost.wait())
        try:
            await asyncio.wait({reading, losing}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                self._shows(State.ELSEWHERE)
                return False
            return reading.result()
        finally:
            await end([reading, losing])

    async def _pages(self, claim: SourceClaim, lost: asyncio.Event) -> bool:
        try:
            reading = read_source(self._connector, self.source, claim, self._room, self._watch)
            async with aclosing(_closing(reading)) as batches:
                async for batch in batches:
                    self._progress.items += len(batch.claim.entries)
                    await self._pipeline.put(batch)
        except TryLater as error:
            self._tell(State.WAITING, str(error), "source_waits")
            return False
        except StopSource as error:
            self._tell(State.STOPPED, str(error), "source_stopped")
            return False
        except ClaimLapsed:
            lost.set()  # now, not with the next renewal: until then this worker would go on asking the source
            self._shows(State.ELSEWHERE)
            return False
        except Stopping:
            self._shows(State.ELSEWHERE)
            return False
        except Exception as error:  # noqa: BLE001 - one source that fails never holds up another (promise 11)
            await self._failed(claim, error)
            return False
        self._progress.reads += 1
        self._shows(State.RESTING)
        return True

    async def _failed(self, claim: SourceClaim, error: Exception) -> None:
        """A server went away: read again. Anything else is a fault of ours: wait longer each time, and say where."""
        if is_away(error):
            self._shows(State.WAITING, "等服务器恢复 · waits for a server")
            await self._patience.ask("sources", partial(self._room.store.sources.renew, claim))
            return
        reason = f"程序出错 · fault {fault(error)}"
        self._tell(State.WAITING, reason, "source_failed")
        seconds = min(AFTER_A_FAULT * 2 ** min(claim.failures, 10), 1800.0)
        moment = self._room.now() + timedelta(seconds=seconds)
        await self._patience.ask("sources", partial(self._room.store.sources.wait, claim, moment, reason))

    async def _claim(self) -> SourceClaim | None:
        sources = self._room.store.sources
        return await self._patience.ask("sources", partial(sources.claim, self.source.name, self._room.owner))

    async def _why_not(self) -> str | None:
        """Say why nobody can read it; None while another worker does."""
        state, reason = await self._standing()
        words = {State.PAUSED: "已暂停 · paused", State.STOPPED: "已停止 · stopped"}
        return f"{words[state]}: {reason or '-'}" if state in words else None

    async def _show_why_not(self) -> None:
        """What people do next is not the same: nothing, resume it, or mend it first."""
        self._shows(*await self._standing())

    async def _standing(self) -> tuple[State, str | None]:
        for state in await self._patience.ask("sources", self._room.store.sources.states):
            if state.name == self.source.name and state.paused:
                return State.PAUSED, state.reason
            if state.name == self.source.name and state.stopped:
                return State.STOPPED, state.stopped
        return State.ELSEWHERE, None

    @asynccontextmanager
    async def _held(self, claim: SourceClaim) -> AsyncIterator[asyncio.Event]:
        """Hold the lease; the event says that it is lost."""
        lost = asyncio.Event()
        renewing = asyncio.ensure_future(self._renew(claim, lost))
        try:
            yield lost
        finally:
            await end([renewing])
            if not lost.is_set():
                await _quietly(self._room.store.sources.release(claim))

    async def _renew(self, claim: SourceClaim, lost: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            renew = partial(self._room.store.sources.renew, claim)
            try:
                held = await self._patience.ask("sources", renew, give_up=False)
            except Exception as error:  # noqa: BLE001 - a lease that cannot be renewed is as good as lost
                log.error("lease not renewed", action="renew_failed", source=self.source.name, error=fault(error))  # noqa: TRY400
                held = False
            if not held:
                lost.set()
                return

    def _next_time(self, read_to_end_at: datetime | None) -> datetime | None:
        return None if read_to_end_at is None else read_to_end_at + timedelta(seconds=self.source.every)

    def _seconds_until(self, moment: datetime | None) -> float:
        return 0.0 if moment is None else max(0.0, (moment - self._room.now()) / timedelta(seconds=1))

    def _shows(self, state: State, reason: str | None = None) -> None:
        self._progress.state, self._progress.reason = state, reason

    def _tell(self, state: State, reason: str, action: str) -> None:
        self._shows(state, reason)
        log.warning("source not read", action=action, source=self.source.name, reason=reason)


def _closing(batches: AsyncIterator[Batch]) -> AsyncGenerator[Batch, None]:
    """Say what it is: a generator, which must be closed where it is left."""
    return cast("AsyncGenerator[Batch, None]", batches)


async def _quietly(step: Coroutine[Any, Any, bool]) -> None:
    """Let go if the server is there; a lease lapses by itself."""
    try:
        async with asyncio.timeout(1):
            await step
    except Exception as error:  # noqa: BLE001 - nothing is lost by not letting go
        log.info("lease not released", action="lease_left", error=type(error).__name__)
