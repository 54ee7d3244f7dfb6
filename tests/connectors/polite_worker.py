"""One worker of a test, a process of its own: it asks a source again and again, as fast as it is allowed to.

It does not even wait when it is told to: only the budget that all workers share holds it back.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
from motor.motor_asyncio import AsyncIOMotorClient

from connectors.asking import http
from connectors.asking.budget import Pace, SharedBudget, Terms, pause_of
from connectors.base import Fetch, Request
from connectors.errors import ConnectorError
from connectors.keeping.budgets import BudgetStore
from connectors.raw_appeal import Mode
from connectors.source import Source

PATHS = ("/list", "/list?page=2", "/private/open", "/private/diary", "/files/plan.pdf", "/leads-astray")


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told."""

    mongo: str
    database: str
    url: str
    requests_per_minute: float
    pace: Pace = Pace()
    concurrency: int = 1
    share: float = 1.0
    quiet_hours: tuple[str, ...] = ()
    begin: float = 0.0  #: when the simulated day began, and how fast it goes by
    speed: float = 1.0


async def ask_for_ever(task: Task) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        task.mongo, tz_aware=True, w="majority", journal=True
    )
    source = Source(name="board", kind="feed", channel="forum", mode=Mode.ROUTE, zone="Asia/Shanghai")
    budget = SharedBudget(
        BudgetStore(client[task.database].sources),
        Terms(
            source="board",
            pause=pause_of(task.requests_per_minute, task.pace),
            concurrency=task.concurrency,
            share=task.share,
        ),
        owner=f"worker-{random.getrandbits(64)}",
        now=lambda: datetime(2026, 11, 22, 4, tzinfo=UTC) + timedelta(seconds=(time.time() - task.begin) * task.speed),
        pace=task.pace,
        quiet_hours=task.quiet_hours,
    )
    async with aiohttp.ClientSession() as session:
        fetch = http.fetch_for(source, [task.url], session, contact="x", now=lambda: datetime.now(UTC), budget=budget)
        await asyncio.gather(*(_ask(fetch, task.url) for _ in range(task.concurrency)))


async def _ask(fetch: Fetch, url: str) -> None:
    while True:
        with suppress(ConnectorError):
            await fetch(Request(url=url + random.choice(PATHS)))
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    http._backing_off = lambda state: 0.02  # type: ignore[assignment]
    asyncio.run(ask_for_ever(msgspec.json.decode(sys.argv[1], type=Task)))
