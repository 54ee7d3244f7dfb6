"""One worker: the loops of the street, or of the rooms that `--only` names; they stop in the order of the data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import msgspec
import structlog

from connectors.base import Connector
from connectors.keeping.pages import Stage
from connectors.left_behind import take_over
from connectors.source import Source
from connectors.watching.watch import Watch
from intake.street.ending import end
from intake.street.patience import Patience, Stopping, fault
from intake.street.pipeline import Pipeline
from intake.street.progress import Progress
from intake.street.rooms import Rooms
from intake.street.sources import Ended, Reader

log = structlog.get_logger()

SWEEP_EVERY = 2.0  #: seconds between two looks for forgotten pages and dispatches
COMPARE_EVERY = 5.0  #: seconds between two looks for appeals that were not compared with the others yet
ESCALATE_EVERY = 15.0  #: seconds between two looks at critical items in triage
RETAIN_EVERY = 600.0  #: seconds between two looks whether today's personal data was destroyed
STATE_EVERY = 600.0  #: seconds between two looks whether today's statements are out
RECOMPUTE_EVERY = 60.0  #: seconds between two looks whether deadlines rest on an older calendar
ANCHOR_EVERY = 900.0  #: seconds between two looks whether the ledgers are anchored today
LOOK_EVERY = 60.0  #: seconds between two looks at the database's clock
AGAIN_AFTER = 5.0  #: seconds before a loop that failed by a fault of ours begins again
DRAIN = 1.0  #: seconds that pages in hand get when the street closes: five in all, with our own servers
NO_NEWS = 75.0  #: seconds without any progress after which `--once` stops waiting for others' claims

ROOMS = ("connectors", "normalizer", "router")


class Left(msgspec.Struct, frozen=True):
    """What `--once` could not finish."""

    sources: list[Ended]
    pages: int
    dispatches: int
    failures: list[str]

    @property
    def nothing(self) -> bool:
        return not (self.pages or self.dispatches or self.failures) and all(source.to_end for source in self.sources)


class Street:
    """All loops of one worker."""

    def __init__(
        self,
        rooms: Rooms,
        readers: Iterable[tuple[Source, Connector]],
        *,
        only: frozenset[str] = frozenset(ROOMS),
        stopping: asyncio.Event | None = None,
        watches: Mapping[str, Watch] | None = None,
        in_order: bool = False,
    ) -> None:
        pairs = list(readers)
        self.stopping = stopping or asyncio.Event()
        self._broken: str | None = None
        self._beside: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._more_sweeps: list[tuple[str, float, Callable[[], Awaitable[bool]]]] = []
        self.progress = Progress(tuple(source.name for source, _ in pairs))
        self.patience = Patience(self.stopping)
        self._rooms = rooms
        self._only = only
        self.pipeline = Pipeline(
            rooms.connectors.store.pages,
            rooms.normalize if only & {"normalizer", "router"} else None,
            rooms.route if "router" in only else None,
            self.patience,
            self.progress,
            in_order=in_order,
        )
        self._in_order = in_order
        self._taking = asyncio.Lock()
        self._readers = [
            Reader(
                source,
                connector,
                room=rooms.connectors,
                pipeline=self.pipeline,
                patience=self.patience,
                progress=self.progress,
                watch=(watches or {}).get(source.name),
            )
            for source, connector in pairs
            if "connectors" in only
        ]

    def sweep_too(self, name: str, every: float, step: Callable[[], Awaitable[bool]]) -> None:
        """Have a step done again and again while the street runs; it says whether there is more at once."""
        self._more_sweeps.append((name, every, step))

    def open_beside(self, door: Callable[[], Awaitable[None]], name: str = "door") -> None:
        """Have what others push to us come in as well: `door` runs while the street does, and closes before it."""
        self._beside.append((name, door))

    async def run(self) -> None:
        """Run until `stopping` is set, then close within five seconds."""
        async with self.working():
            readers = [self._start(reader.run(), reader.source.name) for reader in self._readers]
            readers += [self._start(self._forever(name, door), name) for name, door in self._beside]
            log.info("the street is open", action="street_open", rooms=sorted(self._only), sources=len(self._readers))
            await self.stopping.wait()
            await end(readers)
        if self._broken is not None:
            raise RuntimeError(f"the street broke: {self._broken}")

    async def once(self) -> Left:
        """Read every source to its end and bring everything to its end state."""
        async with self.working():
            if self._in_order:
                await self._finish_left()
            reading = [self._start(reader.once(), reader.source.name) for reader in self._readers]
            stopped = self._start(self.stopping.wait(), "stop")
            await asyncio.wait(
                {asyncio.gather(*reading, return_exceptions=True), stopped}, return_when="FIRST_COMPLETED"
            )
            ended = [_ended(task, reader) for task, reader in zip(reading, self._readers, strict=True)]
            await end([*reading, stopped])
            return await self._settle(ended)

    async def _finish_left(self) -> None:
        """Take what a killed run left behind before what follows it."""
        with suppress(Stopping):
            while await self.patience.ask("forgotten pages", self._take_forgotten):
                continue

    async def drain(self) -> Left:
        """Bring what is stored to its end state; no source is read here (`intake import` reads its own)."""
        return await self._settle([])

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Run everything behind the sources."""
        line = self._start(self.pipeline.run(), "pipeline")
        line.add_done_callback(self._line_ended)
        sweeps = [self._start(self._again_and_again(name, every, step), name) for name, every, step in self._sweeps()]
        readers = (
            [
                self._start(self._forever(name, partial(step, self.stopping)), name)
                for name, step in (("dead letters", self._rooms.read_dead_letters), ("feedback", self._rooms.listen))
            ]
            if "router" in self._only
            else []
        )
        try:
            yield
        finally:
            # In the order in which data flows: no more pages are taken, then those in hand go on, then the rest stops.
            await end(sweeps)
            await self._close_pipeline(line)
            await end(readers)

    def _line_ended(self, line: asyncio.Task[None]) -> None:
        """Close the street where nothing is left behind its sources: they would wait at the door for ever."""
        error = None if line.cancelled() else line.exception()
        if error is not None:
            self._broken = fault(error)
            self.progress.failures.append(self._broken)
            log.error("the street broke", action="street_broken", error=self._broken)
            self.stopping.set()

    async def _close_pipeline(self, line: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(DRAIN):
                await self.pipeline.drained()
        except TimeoutError:
            log.info("pages left to the next worker", action="pages_left", pages=self.pipeline.in_hand())
        await end([line])
        await self.pipeline.let_go()

    def _sweeps(self) -> Iterable[tuple[str, float, Callable[[], Awaitable[bool]]]]:
        yield from self._more_sweeps
        yield "clock", LOOK_EVERY, self._look_at_the_clock
        yield "forgotten pages", SWEEP_EVERY, self._take_forgotten
        if "normalizer" in self._only:
            yield "second look", COMPARE_EVERY, self._look_again
        if "router" in self._only:
            yield "released rules", SWEEP_EVERY, self._rooms.take_release
            yield "forgotten dispatches", SWEEP_EVERY, self._deliver_forgotten
            yield "triage", ESCALATE_EVERY, self._escalate
            yield "deadlines", SWEEP_EVERY, self._look_at_due
            yield "lessons", SWEEP_EVERY, self._rooms.look_at_lessons
            yield "refused feedback", SWEEP_EVERY, self._answer_strays
            yield "answers", SWEEP_EVERY, self._answer_sources
            yield "retention", RETAIN_EVERY, self._rooms.retain
            yield "statements", STATE_EVERY, self._rooms.state
            yield "calendar", RECOMPUTE_EVERY, self._rooms.recompute
            yield "anchor", ANCHOR_EVERY, self._rooms.anchor

    def stages(self) -> tuple[Stage, ...]:
        """Which pages this worker takes over."""
        return {
            frozenset({"connectors"}): (Stage.OFFERED,),
            frozenset({"normalizer"}): (Stage.OFFERED, Stage.STORED),
            frozenset({"connectors", "normalizer"}): (Stage.OFFERED, Stage.STORED),
            frozenset({"router"}): (Stage.NORMALIZED,),
            frozenset({"connectors", "router"}): (Stage.NORMALIZED,),
        }.get(self._only, (Stage.OFFERED, Stage.STORED, Stage.NORMALIZED))

    async def _look_at_the_clock(self) -> bool:
        await self._rooms.clock.look()
        return False

    async def _take_forgotten(self) -> bool:
        async with self._taking:
            batch = await take_over(self._rooms.connectors, self.stages())
            if batch is not None:
                await self.pipeline.put(batch)
        return batch is not None

    async def _look_again(self) -> bool:
        """Compare what was stored with all else, a page at a time and only while nothing is in hand."""
        if self.pipeline.in_hand():
            return False
        return bool(await self._rooms.second_look())

    async def _deliver_forgotten(self) -> bool:
        return bool(await self._rooms.deliver_forgotten())

    async def _escalate(self) -> bool:
        await self._rooms.escalate()
        return False

    async def _look_at_due(self) -> bool:
        return bool(await self._rooms.look_at_due())

    async def _answer_strays(self) -> bool:
        return bool(await self._rooms.answer_strays())

    async def _answer_sources(self) -> bool:
        return bool(await self._rooms.answer_sources())

    async def _again_and_again(self, name: str, every: float, step: Callable[[], Awaitable[bool]]) -> None:
        """Look, and look again at once while there is more."""
        while True:
            try:
                more = await self.patience.ask(name, step)
            except Stopping:
                return
            except Exception as error:  # noqa: BLE001 - a sweep that fails is tried again; the others go on
                log.error("sweep failed", action="sweep_failed", sweep=name, error=fault(error))  # noqa: TRY400
                more = False
            if not more and not await self.patience.sleep(every):
                return

    async def _forever(self, name: str, step: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await self.patience.ask(name, step)
            except Stopping:
                return
            except Exception as error:  # noqa: BLE001 - it begins again
                log.error("loop failed", action="loop_failed", loop=name, error=fault(error))  # noqa: TRY400
            if not await self.patience.sleep(AGAIN_AFTER):
                return

    async def _settle(self, ended: list[Ended]) -> Left:
        """Wait until no page and no dispatch is open, as long as that gets on."""
        loop = asyncio.get_running_loop()
        seen, since = (-1, -1), loop.time()
        while True:
            open_ = await self._open()
            if open_ != seen:
                seen, since = open_, loop.time()
            nothing_more = loop.time() - since > NO_NEWS or self.stopping.is_set() or self.progress.failures
            if open_ == (0, 0) or (nothing_more and not self.pipeline.in_hand()):
                return Left(ended, *open_, failures=list(self.progress.failures))
            if not await self.patience.sleep(0.05):
                return Left(ended, *open_, failures=list(self.progress.failures))

    async def _open(self) -> tuple[int, int]:
        """Count what is not at its end: pages, and cases with something unsent."""
        try:
            pages = await self.patience.ask("balance", self._rooms.connectors.store.pages.open_pages)
            return pages, await self.patience.ask("balance", self._rooms.unsent)
        except Stopping:
            return self.pipeline.in_hand(), 0

    def _start(self, loop: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        return asyncio.create_task(loop, name=name)


def _ended(task: asyncio.Task[Ended], reader: Reader) -> Ended:
    name = reader.source.name
    if not task.done():
        return Ended(name, to_end=False, why="中断 · interrupted")
    error = task.exception()
    return task.result() if error is None else Ended(name, to_end=False, why=fault(error))


__all__ = ("ROOMS", "Left", "Street")
