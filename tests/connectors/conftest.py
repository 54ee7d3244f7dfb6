"""Rooms on a fresh database, with a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.flow import Room
from connectors.keeping.store import Store, ensure_indexes, open_store
from connectors.raw_appeal import Mode
from connectors.source import Source


@pytest.fixture
async def database(mongo: Any) -> Any:
    await ensure_indexes(mongo)
    return mongo


@pytest.fixture
def store(database: Any, seal: Any) -> Store:
    return open_store(database, seal)


class Now:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, **kwargs: float) -> None:
        self.moment += timedelta(**kwargs)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def room(store: Store, now: Now) -> Room:
    return Room(store=store, now=now, owner="worker-1")


@pytest.fixture
def source() -> Source:
    return Source(name="board", kind="waline", channel="news_comment", mode=Mode.ROUTE, zone="Asia/Shanghai")


@pytest.fixture
def lapse(database: Any) -> Callable[[], Any]:
    """Let every claim lapse, as if its worker had died long ago."""

    async def let_lapse() -> None:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        await database.pages.update_many({"until": {"$ne": None}}, {"$set": {"until": long_ago}})
        await database.sources.update_many({"until": {"$ne": None}}, {"$set": {"until": long_ago}})

    return let_lapse
