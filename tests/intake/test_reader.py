"""What the live table shows of a source that nobody may read: what people do next is not the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from connectors.base import Page
from connectors.errors import AccessDenied
from connectors.flow import Room
from connectors.keeping.store import open_store
from connectors.raw_appeal import Mode
from connectors.source import Source
from intake.sealing import Sealer
from intake.street import sources
from intake.street.patience import Patience
from intake.street.pipeline import Pipeline
from intake.street.progress import Progress, SourceProgress, State
from intake.street.sources import Reader
from tests.conftest import Database

BOARD = Source(
    name="board",
    kind="feed",
    channel="board",
    mode=Mode.ROUTE,
    zone="Asia/Shanghai",
    every=0.01,
    requests_per_minute=60,
)


class Door:
    """A source that lets nobody in until its key is renewed; then it has nothing to tell."""

    def __init__(self) -> None:
        self.open = False

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        if not self.open:
            raise AccessDenied("source board: renew its key")
        nothing: tuple[Page, ...] = ()
        for page in nothing:
            yield page


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_stopped_source_is_shown_as_stopped_until_it_is_resumed(
    mongo: Database, seal: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "TAKE_EVERY", 0.02)
    room = Room(store=open_store(mongo, seal), now=lambda: datetime.now(UTC), owner="a worker")
    await room.store.sources.ensure([BOARD.name])
    stopping, door, progress = asyncio.Event(), Door(), Progress((BOARD.name,))
    shown: SourceProgress = progress.source(BOARD.name)
    patience = Patience(stopping)
    pipeline = Pipeline(room.store.pages, None, None, patience, progress)
    reader = Reader(BOARD, door, room=room, pipeline=pipeline, patience=patience, progress=progress)
    reading = asyncio.create_task(reader.run())
    try:
        await until(lambda: shown.state is State.STOPPED)
        await asyncio.sleep(0.2)  # many turns of its loop
        assert (shown.state, shown.reason) == (State.STOPPED, "source board: renew its key")

        await room.store.sources.pause(BOARD.name, "对方检修")
        await until(lambda: shown.state is State.PAUSED)
        assert shown.reason == "对方检修"

        door.open = True
        await room.store.sources.resume(BOARD.name)
        await until(lambda: shown.reads > 0)
    finally:
        stopping.set()
        await asyncio.wait_for(reading, 10)


class Board:
    """A source that counts how often it is asked, and may break something of ours."""

    def __init__(self) -> None:
        self.asked = 0

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        self.asked += 1
        yield Page(offered=(), items=(), cursor=f"{self.asked}")


async def test_a_source_that_another_worker_took_is_not_asked_again(
    mongo: Database, seal: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease lapsed while this worker slept; it learns of it from its first write, long before its renewal."""
    monkeypatch.setattr(sources, "TAKE_EVERY", 0.02)
    board, stopping = Board(), asyncio.Event()
    reader, room, shown = reader_of(mongo, seal, board, stopping)
    await room.store.sources.ensure([BOARD.name])
    reading = asyncio.create_task(reader.run())
    try:
        await until(lambda: board.asked > 2)
        await mongo.sources.update_one(
            {"_id": BOARD.name},
            {"$inc": {"fence": 1}, "$set": {"owner": "other", "until": datetime(2999, 1, 1, tzinfo=UTC)}},
        )
        await until(lambda: shown.state is State.ELSEWHERE)
        asked = board.asked
        await asyncio.sleep(0.3)
        assert board.asked <= asked + 1
    finally:
        stopping.set()
        await asyncio.wait_for(reading, 10)


async def test_a_loop_that_a_fault_has_broken_begins_again(
    mongo: Database, seal: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "AFTER_A_FAULT", 0.02)
    board, stopping = Board(), asyncio.Event()
    reader, room, shown = reader_of(mongo, seal, board, stopping)
    await room.store.sources.ensure([BOARD.name])
    claim, broken = reader._claim, iter([True, True])

    async def sometimes() -> object:
        if next(broken, False):
            raise KeyError("fence")
        return await claim()

    monkeypatch.setattr(reader, "_claim", sometimes)
    reading = asyncio.create_task(reader.run())
    try:
        await until(lambda: shown.reads > 0)
    finally:
        stopping.set()
        await asyncio.wait_for(reading, 10)


def reader_of(
    mongo: Database, seal: Sealer, board: Board, stopping: asyncio.Event
) -> tuple[Reader, Room, SourceProgress]:
    room = Room(store=open_store(mongo, seal), now=lambda: datetime.now(UTC), owner="a worker")
    progress, patience = Progress((BOARD.name,)), Patience(stopping)
    pipeline = Pipeline(room.store.pages, None, None, patience, progress)
    reader = Reader(BOARD, board, room=room, pipeline=pipeline, patience=patience, progress=progress)
    return reader, room, progress.source(BOARD.name)
