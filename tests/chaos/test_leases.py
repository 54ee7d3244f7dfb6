"""Two workers on one set of servers: a stopped one's source is taken over, and what it writes when it wakes is refused.

SIGSTOP is the hard case: the process is there, holds connections and half a page, and goes on later as if nothing was.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.chaos.living_source import KEY, LivingSource, living_source
from tests.chaos.test_kills import SETTINGS, prove
from tests.house import House, await_, opened

TAKEN_WITHIN = 15.0


@contextmanager
def two_workers(house: House) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    workers = [house.start("run", "--embedded") for _ in range(2)]
    try:
        yield {worker.pid: worker for worker in workers}
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()


def connected(house: House) -> MongoClient[dict[str, Any]]:
    return MongoClient(f"mongodb://{house.server('mongod')['address']}/?directConnection=true")


def reader(client: MongoClient[dict[str, Any]]) -> int | None:
    """The process that reads the source, by its lease."""
    document = client["chaos"]["sources"].find_one({"_id": "orders"})
    owner = str(document["owner"] or "") if document else ""
    return int(owner.split("/")[1]) if owner else None


def await_reading(source: LivingSource, what: str, seconds: float = 90) -> None:
    before = len(source.offered)
    await_(lambda: len(source.offered) > before + 20, what, seconds)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", [1, pytest.param(8, marks=pytest.mark.live)])
def test_a_stopped_worker_is_replaced_and_changes_nothing_when_it_wakes(times: int, tmp_path: Path) -> None:
    took: list[float] = []
    with (
        living_source(seed=times, rate=60) as source,
        opened(tmp_path, SETTINGS.format(url=source.url), {"ORDERS_KEY": KEY}) as house,
        connected(house) as client,
        two_workers(house) as workers,
    ):
        await_reading(source, "the first reading")
        for number in range(times):
            await_(lambda: reader(client) in workers, "a reader")
            stopped = reader(client)
            assert stopped is not None
            time.sleep(number * 0.37 % 1.0)  # another moment of the reading each time
            os.kill(stopped, signal.SIGSTOP)
            begin = time.monotonic()
            await_(lambda: reader(client) not in {None, stopped}, "its successor", TAKEN_WITHIN)  # noqa: B023
            await_reading(source, "the successor's reading", TAKEN_WITHIN)
            took.append(time.monotonic() - begin)
            os.kill(stopped, signal.SIGCONT)
            await_reading(source, "both at work")
            assert reader(client) != stopped, "who wakes up does not take its source back"
        assert max(took) <= TAKEN_WITHIN, took
        source.frozen = True
        for worker in workers.values():
            worker.send_signal(signal.SIGINT)
        for worker in workers.values():
            assert worker.wait(30) == 0

        done = house.command("run", "--once", "--embedded", "--json")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        prove(source, house.json("balance", "--items")["items"], house.drain())


@pytest.mark.timeout(300)
def test_a_killed_workers_source_is_read_on_within_fifteen_seconds(tmp_path: Path) -> None:
    with (
        living_source(seed=5, rate=60) as source,
        opened(tmp_path, SETTINGS.format(url=source.url), {"ORDERS_KEY": KEY}) as house,
        connected(house) as client,
        two_workers(house) as workers,
    ):
        await_reading(source, "the first reading")
        killed = reader(client)
        assert killed is not None
        workers[killed].kill()
        workers[killed].wait()

        await_reading(source, "the successor's reading", TAKEN_WITHIN)
