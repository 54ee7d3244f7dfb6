"""What goes wrong at the demonstration's sources: by seed and by request count, so that a run can be told again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PERIOD = 60  #: requests between two rounds of faults: rare enough that every run comes to its end


class Faults:
    """One plan a source: in each 60 requests one 500, one 429 and one answer that breaks off."""

    def __init__(self, seed: int, *, on: bool, stall: float) -> None:
        self._seed = seed
        self._on = on
        self._stall = stall
        self._counts: dict[str, int] = {}

    def guard(self, source: str, handler: Handler, broken: Callable[[], web.Response] | None = None) -> Handler:
        """Answer by the source's plan, and by the handler where the plan has nothing.

        `broken` is how a source tells its own failures, where that is not HTTP 500.
        """
        plan = fault_plan(self._seed, source) if self._on else {}

        async def guarded(request: web.Request) -> web.StreamResponse:
            count = self._counts[source] = self._counts.get(source, 0) + 1
            fault = plan.get(count % PERIOD)
            if fault == "broken":
                return broken() if broken else web.Response(status=500, text="Internal Server Error")
            if fault == "busy":
                return web.Response(
                    status=429, text="Too Many Requests", headers={"Retry-After": str(1 + self._seed % 2)}
                )
            if fault == "cut":
                return await self._hang_up(request)
            return await handler(request)

        return guarded

    async def _hang_up(self, request: web.Request) -> web.StreamResponse:
        """Promise an answer, say nothing for a while, then close the line: a time-out or a reset, by one's patience."""
        answer = web.StreamResponse(headers={"Content-Length": "20000", "Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(b" ")
        await asyncio.sleep(self._stall)
        if request.transport is not None:
            request.transport.abort()
        return answer


def fault_plan(seed: int, source: str) -> dict[int, str]:
    """Which of each 60 requests of a source fails, and how; never the first."""
    places = random.Random(f"{seed}/faults/{source}").sample(range(2, 14), 3)
    return dict(zip(places, ("broken", "busy", "cut"), strict=True))
