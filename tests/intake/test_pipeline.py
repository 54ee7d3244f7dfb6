"""Pages on their way: a page that fails is one page, and a process that was stopped touches nothing when it wakes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from bson import ObjectId
from pymongo.errors import OperationFailure

from connectors.flow import Batch
from connectors.keeping.pages import Entry, PageClaim, Stage, What
from intake.street import pipeline
from intake.street.patience import Patience
from intake.street.pipeline import Pipeline
from intake.street.progress import Progress
from normalizer.appeal import Handed


class Pages:
    """The claims of a store that may refuse, and another worker that may take them."""

    def __init__(self) -> None:
        self.finished: list[ObjectId] = []
        self.refuses = False
        self.taken = False

    async def renew(self, claim: PageClaim) -> bool:
        return self._answer(claim)

    async def release(self, claim: PageClaim) -> bool:
        return self._answer(claim)

    async def hand_over(self, claim: PageClaim, stage: Stage) -> bool:
        return self._answer(claim)

    async def done(self, claim: PageClaim) -> bool:
        self.finished.append(claim.id)
        return self._answer(claim)

    def _answer(self, claim: PageClaim) -> bool:
        if self.refuses:
            raise OperationFailure("not authorized", 13)
        return not self.taken


def batch() -> Batch:
    entries = (Entry("a", "n", 1, What.NEW),)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    claim = PageClaim(id=ObjectId(), source="s", at=at, stage=Stage.STORED, fence=1, entries=entries)
    return Batch(claim=claim, raws=())


@asynccontextmanager
async def running(pages: Pages, route: Callable[[], None] = lambda: None) -> AsyncIterator[tuple[Pipeline, Progress]]:
    async def normalize(_: Batch) -> Sequence[Handed]:
        return []

    async def routed(_: Sequence[Handed]) -> object:
        route()
        return "routed"

    progress = Progress(("s",))
    line = Pipeline(pages, normalize, routed, Patience(asyncio.Event()), progress)
    task = asyncio.create_task(line.run())
    try:
        yield line, progress
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_page_whose_end_cannot_be_written_down_does_not_stop_the_street() -> None:
    pages = Pages()
    pages.refuses = True
    async with running(pages) as (line, progress), asyncio.timeout(5):
        for _ in range(5):
            await line.put(batch())
        await line.drained()
    assert len(progress.failures) == len(pages.finished) == 5
    assert "OperationFailure" in progress.failures[0]


async def test_a_claim_that_cannot_be_renewed_does_not_stop_the_street(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "RENEW_EVERY", 0.01)
    pages, held = Pages(), asyncio.Event()
    pages.refuses = True

    async def slowly(_: Batch) -> Sequence[Handed]:
        await held.wait()
        return []

    async with running(pages) as (line, _progress), asyncio.timeout(5):
        line._normalize = slowly
        await line.put(batch())
        while line.in_hand() and not held.is_set():
            await asyncio.sleep(0.05)
            pages.refuses = False
            held.set()
        await line.put(batch())
        await line.drained()
    assert len(pages.finished) == 2


async def test_a_worker_that_was_stopped_routes_nothing_that_another_has_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP between two rooms, a lease that lapses, SIGCONT: no timer has run yet when the next step begins."""
    pages, routed = Pages(), list[str]()
    monkeypatch.setattr(pipeline, "SURE", -1.0)  # so long ago
    pages.taken = True
    async with running(pages, lambda: routed.append("a")) as (line, _), asyncio.timeout(5):
        await line.put(batch())
        await line.drained()
    assert routed == []
    assert pages.finished == []
