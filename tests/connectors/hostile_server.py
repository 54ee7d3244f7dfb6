"""A source that is easily annoyed, and the judge: it keeps its own log of what came and of what it had asked for."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

from aiohttp import web

ROBOTS = "User-agent: *\nDisallow: /private\nDisallow: /*.pdf$\nAllow: /private/open\n"


class Hostile:
    """Answers well, asks for patience in both forms, breaks down for a while, leads to closed paths."""

    def __init__(self, seed: int) -> None:
        self.url = ""
        self.asked: list[tuple[float, str]] = []  #: when a request came, and for which path
        self.rests: list[tuple[float, float]] = []  #: from when until when we asked to be left alone
        self.failing_until = 0.0
        self.failures: list[float] = []
        self.patience = 0.06  #: share of answers that ask for patience
        self.slow = 0.0  #: seconds of an answer
        self._chance = random.Random(seed)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        now = time.time()
        self.asked.append((now, request.path))
        if now < self.failing_until:
            self.failures.append(now)
            return web.Response(status=500)
        if request.path == "/robots.txt":
            return web.Response(text=ROBOTS)
        if self._chance.random() < self.patience:
            return self._asks_for_patience()
        if request.path == "/leads-astray":
            return web.Response(status=302, headers={"Location": "/private/diary"})
        return web.json_response({"path": request.path})

    def _asks_for_patience(self) -> web.Response:
        moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        written = self._chance.choice(("1", format_datetime(moment, usegmt=True)))
        end = time.time() + 1 if written == "1" else moment.timestamp()
        self.rests.append((time.time(), end))
        return web.Response(status=self._chance.choice((429, 503)), headers={"Retry-After": written})

    def over_budget(self, most: int, window: float) -> list[float]:
        """Moments at which more than `most` requests lay in the window behind them."""
        times = sorted(at for at, _ in self.asked)
        return [late for early, late in zip(times, times[most:], strict=False) if late - early < window]

    def in_rests(self) -> list[float]:
        """Requests that came while we had asked for patience."""
        return [at for at, _ in self.asked if any(begin < at < end for begin, end in self.rests)]

    def disallowed(self) -> list[str]:
        return [path for _, path in self.asked if path in {"/private/diary", "/files/plan.pdf"}]

    def during(self, windows: Iterable[tuple[float, float]]) -> list[float]:
        return [at for at, _ in self.asked if any(begin <= at < end for begin, end in windows)]

    def longest_pause(self, begin: float) -> float:
        times = [at for at, _ in self.asked if at >= begin]
        return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


@asynccontextmanager
async def serving(seed: int) -> AsyncIterator[Hostile]:
    hostile = Hostile(seed)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hostile.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hostile.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield hostile
    await runner.cleanup()
