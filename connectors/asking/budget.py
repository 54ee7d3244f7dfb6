"""How often a source may be asked: so many requests a minute, evenly, a few at a time, and not while it wants rest.

The proof. Slots lie `pause` apart, and a minute's worth of them is `grace` longer than a minute. A slot that can't be
used within `late` of its moment is lost, never caught up. So of any N + 1 requests the first and the last are at least
60 + grace - late seconds apart: no minute, wherever it begins, holds more than N, network delays of up to grace - late
included. A token is spent before the request and never given back.

With one request at a time (the default) the next one of any worker leaves only after the answer to the one before was
judged: what a worker is told by a 429 binds the others before they can ask.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import structlog

from connectors.asking.quiet import quiet_until
from connectors.errors import Resting

log = structlog.get_logger()

SHORT_WAIT = 8.0  #: seconds that are waited here; a longer rest is told to the flow, which writes it beside the source
TURN = 0.25  #: seconds whose slots one worker reserves at once
MOST = 64  #: slots of one reservation
POLL = 0.03  #: seconds between two looks for a place that another worker holds
WANTED = 1.0  #: seconds for which a wish for the place stands
HOLD = 6.0  #: seconds after which a dead worker's place is free
RENEW_EVERY = 2.0
IDLE = 0.1  #: seconds after which a place that is not used is let go
PATIENCE = 2.0  #: seconds to let go of a place; then it lapses by itself


class Verdict(StrEnum):
    """What came of a request."""

    WELL = "well"  #: the source lives, whatever it says
    DOWN = "down"  #: no whole answer, or one that says that it is broken
    UNKNOWN = "unknown"  #: never sent, or given up by us


class Budget(Protocol):
    """One budget a source. Each `spend` is ended once."""

    async def spend(self) -> str:
        """Wait until one more request is allowed; hand back the place that it holds."""
        ...

    async def ended(self, place: str, verdict: Verdict, rest: float = 0.0) -> None:
        """Tell what came of it, and for how many seconds the source wants to be left alone."""
        ...

    def slow_down(self, seconds: float) -> None:
        """Leave at least so much between two requests: robots.txt says so."""
        ...


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What a minute is, and how exact a network; only a simulated day has others."""

    minute: float = 60.0
    grace: float = 2.0
    late: float = 0.5


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked of a source, and by whom."""

    source: str
    pause: float  #: seconds between two slots
    concurrency: int = 1
    share: float = 1.0  #: of the budget; a backfill has less than one and never goes first


class Slots(msgspec.Struct, frozen=True):
    """Moments of this machine's monotonic clock that are ours."""

    moments: tuple[float, ...]
    delay: float  #: how inexact they may be
    troubled: bool  #: the source failed lately: the next good answer is news


class Refused(msgspec.Struct, frozen=True):
    """Not now."""

    seconds: float  #: until it is worth asking again
    why: str | None = None  #: told to people if it is long
    taken: bool = False  #: another worker holds the place


class Books(Protocol):
    """Where budgets are kept for all workers: connectors/keeping/budgets.py."""

    async def take(self, terms: Terms, place: str, count: int) -> Slots | Refused:
        """Let go of this place, and reserve it anew with so many slots if nothing is in the way."""
        ...

    async def want(self, terms: Terms, place: str) -> None:
        """Ask whoever holds the place to let it go after its turn."""
        ...

    async def hold(self, terms: Terms, place: str) -> None:
        """Keep a place while its answer takes long."""
        ...

    async def end(self, terms: Terms, places: list[str], verdict: Verdict, rest: float) -> None:
        """Let go, and write down what the source's answer means for everyone."""
        ...


def pause_of(requests_per_minute: float, pace: Pace | None = None) -> float:
    """Seconds between two slots."""
    pace = pace or Pace()
    return (pace.minute + pace.grace) / requests_per_minute


class LocalBudget:
    """The budget of the only one that asks: nobody else is told of it, and nothing outlives it."""

    def __init__(self, requests_per_minute: float) -> None:
        self._pause = pause_of(requests_per_minute)
        self._next = 0.0
        self._lock = asyncio.Lock()

    async def spend(self) -> str:
        async with self._lock:
            # Again after each sleep: the source may have asked for rest meanwhile.
            while (wait := self._next - time.monotonic()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(wait)
            # No bursts, no catching up: no minute, wherever it begins, holds more than was agreed.
            self._next = max(self._next, time.monotonic()) + self._pause
        return ""

    async def ended(self, place: str, verdict: Verdict, rest: float = 0.0) -> None:
        del place, verdict
        self._next = max(self._next, time.monotonic() + rest) if rest else self._next

    def slow_down(self, seconds: float) -> None:
        self._pause = max(self._pause, seconds)


class SharedBudget:
    """One worker's hand in the budget that all workers and backfills share."""

    def __init__(
        self,
        books: Books,
        terms: Terms,
        *,
        owner: str,
        now: Callable[[], datetime],
        pace: Pace | None = None,
        quiet_hours: tuple[str, ...] = (),
        zone: str = "Asia/Shanghai",
    ) -> None:
        self._books = books
        self._terms = terms
        self._pace = pace or Pace()
        self._now = now
        self._quiet_hours = quiet_hours
        self._zone = zone
        self._places: asyncio.LifoQueue[str] = asyncio.LifoQueue()
        for number in range(terms.concurrency):
            self._places.put_nowait(f"{owner}#{number}")
        self._kept: dict[str, deque[float]] = {}  #: reserved and not yet used
        self._delay = 0.0
        self._count = 1  #: slots of the next reservation
        self._troubled = False
        self._unsaid: float | None = None  #: a rest that could not be written down, by the monotonic clock
        self._holding: dict[str, asyncio.Task[None]] = {}
        self._idle: dict[str, asyncio.TimerHandle] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}

    async def spend(self) -> str:
        place = await self._places.get()
        try:
            if idle := self._idle.pop(place, None):
                idle.cancel()
            if leaving := self._leaving.pop(place, None):
                await leaving  # else it would let go of what is reserved next
            await self._slot(place)
        except BaseException:
            self._places.put_nowait(place)
            raise
        self._holding[place] = asyncio.create_task(self._hold(place))
        return place

    async def ended(self, place: str, verdict: Verdict, rest: float = 0.0) -> None:
        self._holding.pop(place).cancel()
        try:
            news = rest > 0 or verdict is Verdict.DOWN or (verdict is Verdict.WELL and self._troubled)
            if rest > 0:
                self._unsaid = time.monotonic() + rest
            if news or self._terms.concurrency > 1:
                await self._end([place], verdict, rest)
            else:
                loop = asyncio.get_running_loop()
                self._idle[place] = loop.call_later(IDLE, self._let_go, place)
        finally:
            self._places.put_nowait(place)

    def slow_down(self, seconds: float) -> None:
        self._terms = msgspec.structs.replace(self._terms, pause=max(self._terms.pause, seconds))

    async def close(self) -> None:
        """Let go of everything, so that the next worker need not wait."""
        for idle in self._idle.values():
            idle.cancel()
        for task in (*self._holding.values(), *self._leaving.values()):
            task.cancel()
        if self._kept:
            await self._end(list(self._kept), Verdict.UNKNOWN, 0.0)

    async def _slot(self, place: str) -> None:
        """Wait for a slot that can be used in time."""
        while True:
            self._must_not_be_quiet()
            kept = self._kept.get(place)
            if not kept:
                kept = await self._take(place)
            moment = kept.popleft()
            if (wait := moment - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if time.monotonic() - moment + self._delay <= self._pace.late:
                self._must_not_be_quiet()
                return
            self._count = 1  # we are slower than the slots: reserve fewer

    async def _take(self, place: str) -> deque[float]:
        """Reserve slots; a short wait is waited here, a long one is told."""
        self._kept[place] = deque()
        await self._say()
        asked_at = 0.0
        while isinstance(answer := await self._books.take(self._terms, place, self._count), Refused):
            if answer.why is not None and answer.seconds > SHORT_WAIT:
                raise Resting(answer.why, answer.seconds)
            if answer.taken and time.monotonic() - asked_at > WANTED / 2:
                asked_at = time.monotonic()
                await self._books.want(self._terms, place)
            # Workers should not ask in step.
            await asyncio.sleep(max(answer.seconds, POLL) * random.uniform(1.0, 1.3))  # noqa: S311
        self._delay, self._troubled = answer.delay, answer.troubled
        self._kept[place] = deque(answer.moments)
        most = max(1, min(MOST, int(TURN / self._terms.pause)))
        self._count = min(self._count * 2, most) if self._terms.concurrency == 1 and self._terms.share == 1 else 1
        return self._kept[place]

    async def _say(self) -> None:
        """Write down a rest that could not be written when it was asked for."""
        if self._unsaid is None:
            return
        left = self._unsaid - time.monotonic()
        if left > 0:
            await self._books.end(self._terms, [], Verdict.UNKNOWN, left)
        self._unsaid = None

    async def _end(self, places: list[str], verdict: Verdict, rest: float) -> None:
        for place in places:
            self._kept.pop(place, None)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._books.end(self._terms, places, verdict, rest)
            self._unsaid = None if rest > 0 else self._unsaid
        except Exception as error:  # noqa: BLE001  the place lapses, and a rest is said before the next request
            log.info("budget not told", action="budget_untold", source=self._terms.source, error=type(error).__name__)

    def _let_go(self, place: str) -> None:
        """Nobody asked for a while: others may."""
        self._idle.pop(place, None)
        self._leaving[place] = asyncio.create_task(self._end([place], Verdict.UNKNOWN, 0.0))

    async def _hold(self, place: str) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                await self._books.hold(self._terms, place)
            except Exception as error:  # noqa: BLE001  asked again; at worst the place lapses while the answer is awaited
                log.info("place not held", action="budget_untold", source=self._terms.source, error=str(type(error)))

    def _must_not_be_quiet(self) -> None:
        now = self._now()
        late = timedelta(minutes=self._pace.late / self._pace.minute)
        for moment in (now, now + late):
            until = quiet_until(moment, self._quiet_hours, self._zone) if self._quiet_hours else None
            if until is not None:
                local = until.astimezone(ZoneInfo(self._zone))
                raise Resting(
                    f"source {self._terms.source}: quiet hours until {local:%H:%M}; nothing is asked before",
                    (until - now).total_seconds(),
                )
