"""Polite by proof: eight workers, real processes that are killed and started again, judged by the source's own log."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.asking.budget import Pace
from connectors.keeping.store import Store
from tests.connectors.hostile_server import Hostile, serving
from tests.connectors.polite_worker import Task

ROOT = Path(__file__).parent.parent.parent.parent
WORKERS = 8


@pytest.fixture
def task(database: Any, mongo_server: Any) -> Task:
    return Task(mongo=mongo_server.mongo_url, database=database.name, url="", requests_per_minute=20)


@asynccontextmanager
async def working(task: Task, restarts: float, count: int = WORKERS) -> AsyncIterator[None]:
    """Workers, the last of them a backfill; one is killed and started again every so many seconds."""
    backfill = msgspec.structs.replace(task, share=0.25)
    workers = [_start(task) for _ in range(count - 1)] + [_start(backfill)]
    killing = asyncio.create_task(_kill_again_and_again(workers, task, restarts))
    try:
        yield
    finally:
        killing.cancel()
        for worker in workers:
            worker.kill()
            worker.wait()


def _start(task: Task) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.connectors.polite_worker", msgspec.json.encode(task).decode()]
    return subprocess.Popen(words, cwd=ROOT, env=dict(os.environ))


async def _kill_again_and_again(workers: list[subprocess.Popen[bytes]], task: Task, every: float) -> None:
    chance = random.Random(1)
    while True:
        await asyncio.sleep(every)
        number = chance.randrange(len(workers))
        assert workers[number].poll() is None, "a worker died by itself"
        workers[number].kill()
        workers[number].wait()
        workers[number] = _start(task)


async def at_work(hostile: Hostile, seconds: float = 30) -> None:
    """Wait until the first worker asks."""
    async with asyncio.timeout(seconds):
        while not hostile.asked:
            await asyncio.sleep(0.05)


async def test_eight_workers_keep_one_budget_and_every_rest(task: Task, store: Store) -> None:
    """A minute is two seconds here: twenty requests in any two seconds and not one more, wherever they begin."""
    await store.sources.ensure(["board"])
    pace = Pace(minute=2.0, grace=0.3, late=0.15)
    async with serving(seed=1) as hostile:
        asking = msgspec.structs.replace(task, url=hostile.url, pace=pace)
        async with working(asking, restarts=3.0):
            await at_work(hostile)
            await asyncio.sleep(14)

    assert hostile.over_budget(20, 2.0) == []
    assert hostile.in_rests() == []
    assert hostile.disallowed() == []
    assert hostile.rests, "nothing was asked of us: it proves nothing"
    assert len(hostile.asked) > 40, "the budget is there to be used"


@pytest.mark.live
async def test_a_simulated_day_of_eight_workers(task: Task, store: Store) -> None:
    """A day in a minute: quiet hours at night, an hour's break-down, Retry-After, restarts every two seconds."""
    await store.sources.ensure(["board"])
    speed = 1440.0
    pace = Pace(minute=60 / speed, grace=0.08, late=0.04)
    async with serving(seed=2) as hostile:
        hostile.patience = 0.01
        begin = time.time()  # noon: 04:00 UTC
        asking = msgspec.structs.replace(
            task, url=hostile.url, requests_per_minute=6, pace=pace, quiet_hours=("23:00-06:30",), begin=begin,
            speed=speed,
        )  # fmt: skip
        async with working(asking, restarts=2.0):
            await asyncio.sleep(20)
            hostile.failing_until = time.time() + 2.5
            await asyncio.sleep(begin + 86400 / speed - time.time())
        night = [(begin + 11 * 3600 / speed, begin + 18.5 * 3600 / speed)]

    assert hostile.over_budget(6, pace.minute) == []
    assert hostile.in_rests() == []
    assert hostile.disallowed() == []
    assert hostile.during(night) == []
    assert len(hostile.failures) <= 8, "after six failures in a row it is left alone; one that is killed may not tell"
    assert len(hostile.asked) > 60, "the budget is there to be used, also by a machine that has much else to do"
