"""The process beside a worker: it makes the same of a page, and nothing rests on it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
import pytest

from connectors.raw_appeal import RawAppeal, appeal_id
from intake.street import beside as module
from intake.street.beside import LARGE, Beside
from intake.street.normalizing import Begin
from normalizer.finished import Failed, Finished
from normalizer.normalize import finish_all
from normalizer.tables import Tables, load_tables

KEY = b"0123456789abcdef" * 2
HERE = Path(__file__).resolve().parents[2]
TEXTS = ("小区东门的路灯坏了三天，没有人修", "楼下烧烤店油烟直排，电话13800138000", "公交车等了四十分钟也不来")


@pytest.fixture(scope="module", name="tables")
def _tables() -> Tables:
    return load_tables()


@pytest.fixture(name="beside")
async def _beside(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Beside]:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})  # as on a machine that has something to share
    made = Beside(Begin(taxonomy=None, places=None, words=None, city=None, ref_key=KEY), tables)
    yield made
    await made.close()


def page(count: int = LARGE + 20) -> list[RawAppeal]:
    """Letters, and among them one that no mapper knows and one that was taken back."""
    rows = [_raw(number) for number in range(count)]
    rows[3] = msgspec.structs.replace(rows[3], kind="nothing")
    rows[5] = msgspec.structs.replace(rows[5], withdrawn=True, revision=2)
    return rows


def _raw(number: int) -> RawAppeal:
    row = {"text": TEXTS[number % len(TEXTS)], "phone": f"1390000{number:04d}", "posted_at": "2026-11-22 08:00:00"}
    return RawAppeal(
        id=appeal_id("beside", str(number)),
        source="beside",
        kind="line",
        channel="board",
        native_id=str(number),
        payload=json.dumps(row).encode(),
        received_at=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
    )


def here(raws: list[RawAppeal], tables: Tables) -> list[Finished | Failed]:
    return finish_all(raws, tables, KEY)


async def test_a_large_page_comes_back_from_beside_as_it_would_be_made_here(beside: Beside, tables: Tables) -> None:
    await beside.ready()
    raws = page()
    done = await beside.finish(raws)

    assert beside.pid is not None
    assert done == here(raws, tables)
    assert isinstance(done[3], Failed)


async def test_for_small_pages_nothing_is_started(beside: Beside, tables: Tables) -> None:
    raws = page(LARGE - 1)
    assert await beside.finish(raws) == here(raws, tables)
    assert beside.pid is None


async def test_the_first_large_page_does_not_wait_for_the_process(beside: Beside, tables: Tables) -> None:
    raws = page()
    assert await beside.finish(raws) == here(raws, tables)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_process_that_is_killed_or_stopped_costs_no_page(
    how: signal.Signals, beside: Beside, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    await beside.ready()
    assert beside.pid is not None
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    os.kill(beside.pid, how)
    raws = page()

    assert await beside.finish(raws) == here(raws, tables)
    assert beside.pid is None


async def test_an_answer_that_nobody_waits_for_any_more_is_not_taken_for_the_next(
    beside: Beside, tables: Tables
) -> None:
    await beside.ready()
    asked = asyncio.create_task(beside.finish(page(500)))
    await asyncio.sleep(0)  # it holds the pipe now
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    raws = page()[:-1]

    assert await beside.finish(raws) == here(raws, tables)


async def test_a_process_with_other_tables_is_not_asked(beside: Beside, tables: Tables, tmp_path: Path) -> None:
    places = tmp_path / "places.toml"
    places.write_text('version = "2"\ncity = "云泽市"\n[[district]]\nname = "望湖区"\n', encoding="utf-8")
    other = Beside(Begin(taxonomy=None, places=str(places), words=None, city=None, ref_key=KEY), tables)
    await other.ready()
    raws = page()

    assert other.pid is None
    assert await other.finish(raws) == here(raws, tables)
    await other.close()


_WORKER = """
import asyncio
from intake.street.beside import Beside
from intake.street.normalizing import Begin
from normalizer.tables import load_tables

async def main():
    beside = Beside(Begin(taxonomy=None, places=None, words=None, city=None, ref_key=b"k" * 32), load_tables())
    beside._not_before = 0.0
    await beside.ready()
    print(beside.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_it_ends_with_its_worker_however_that_ends() -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, stdout=asyncio.subprocess.PIPE, cwd=HERE
    )
    assert worker.stdout is not None
    child = psutil.Process(int(await worker.stdout.readline()))
    worker.kill()
    await worker.wait()

    async with asyncio.timeout(10):
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.02)
