"""One budget for all workers on a real MongoDB: rests, breaker, places, shares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from connectors.asking import budget
from connectors.asking.budget import SharedBudget, Terms, Verdict, pause_of
from connectors.errors import Resting
from connectors.keeping import budgets
from connectors.keeping.budgets import FAILURES, BudgetStore
from connectors.keeping.store import Store

Hand = Callable[..., SharedBudget]


@pytest.fixture
async def hand(store: Store, database: Any) -> AsyncIterator[Hand]:
    """Make one worker's hand in the budget."""
    await store.sources.ensure(["board"])
    made: list[SharedBudget] = []

    def make(rpm: float = 6000, *, share: float = 1.0, concurrency: int = 1, **kwargs: Any) -> SharedBudget:
        terms = Terms(source="board", pause=pause_of(rpm), concurrency=concurrency, share=share)
        kwargs = {"now": lambda: datetime(2026, 11, 22, 4, tzinfo=UTC)} | kwargs
        made.append(SharedBudget(BudgetStore(database.sources), terms, owner=f"worker-{len(made)}", **kwargs))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@asynccontextmanager
async def asking(one: SharedBudget, verdict: Verdict = Verdict.WELL, rest: float = 0.0) -> AsyncIterator[None]:
    place = await one.spend()
    try:
        yield
    finally:
        await one.ended(place, verdict, rest)


async def once(one: SharedBudget, verdict: Verdict = Verdict.WELL, rest: float = 0.0) -> float:
    async with asking(one, verdict, rest):
        return time.monotonic()


async def test_a_turn_of_requests_costs_one_round_trip(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    take = BudgetStore.take

    async def counted(self: BudgetStore, terms: Terms, place: str, count: int) -> Any:
        nonlocal asked
        asked += 1
        return await take(self, terms, place, count)

    monkeypatch.setattr(BudgetStore, "take", counted)
    one = hand(6000)

    for _ in range(60):
        await once(one)

    assert asked < 20


async def test_two_workers_are_as_slow_as_one(hand: Hand) -> None:
    workers = [hand(1200), hand(1200)]
    moments: list[float] = []

    async def ask(one: SharedBudget) -> None:
        moments.extend([await once(one) for _ in range(12)])

    await asyncio.gather(*map(ask, workers))

    moments.sort()
    pause = pause_of(1200)
    assert moments[-1] - moments[0] >= 23 * pause - 0.5
    assert len(moments) == 24


async def test_no_two_workers_ask_at_once_where_one_request_was_agreed(hand: Hand) -> None:
    under_way = most = 0

    async def ask(one: SharedBudget) -> None:
        nonlocal under_way, most
        for _ in range(6):
            async with asking(one):
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0.02)
                under_way -= 1

    await asyncio.gather(*(ask(hand()) for _ in range(4)))

    assert most == 1


async def test_as_many_requests_as_agreed_go_at_once(hand: Hand) -> None:
    under_way = most = 0
    one, two = hand(60_000, concurrency=3), hand(60_000, concurrency=3)

    async def ask(each: SharedBudget) -> None:
        nonlocal under_way, most
        async with asking(each):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.3)
            under_way -= 1

    await asyncio.gather(*(ask(each) for each in (one, two) for _ in range(3)))

    assert most == 3


async def test_what_one_worker_is_told_binds_all_and_is_seen(hand: Hand, store: Store) -> None:
    await once(hand(), Verdict.UNKNOWN, 120.0)

    with pytest.raises(Resting, match="asked for 120 s of patience; it is asked again at") as resting:
        await once(hand())

    assert 110 < resting.value.seconds <= 121
    (state,) = await store.sources.states()
    assert state.rest_until is not None
    assert "asked for 120 s" in (state.reason or "")
    await store.sources.resume("board")
    with pytest.raises(Resting):
        await once(hand())


async def test_a_shorter_rest_does_not_end_a_longer_one(hand: Hand) -> None:
    one = hand(concurrency=2)
    longer, shorter = await one.spend(), await one.spend()
    await one.ended(longer, Verdict.UNKNOWN, 120.0)
    await one.ended(shorter, Verdict.UNKNOWN, 1.0)

    with pytest.raises(Resting) as resting:
        await once(hand())

    assert resting.value.seconds > 100


async def test_a_short_rest_is_waited_out(hand: Hand) -> None:
    one = hand()
    told = await once(one, Verdict.UNKNOWN, 0.7)

    assert await once(hand()) - told >= 0.7


async def test_too_many_failures_open_the_breaker_and_one_probe_closes_it(
    hand: Hand, store: Store, database: Any
) -> None:
    one, other = hand(), hand()
    for _ in range(FAILURES):
        await once(one, Verdict.DOWN)

    with pytest.raises(Resting, match="failed 6 times in a row and is left alone; one request tries it at"):
        await once(other)
    (state,) = await store.sources.states()
    assert state.breaker == "open"

    await _let_it_be_over(database)
    (state,) = await store.sources.states()
    assert state.breaker == "half_open"
    probe = await one.spend()
    waiting = asyncio.create_task(once(other))
    await asyncio.sleep(0.3)
    assert not waiting.done(), "one request tries it, not two"
    await one.ended(probe, Verdict.WELL)
    await asyncio.wait_for(waiting, 5)
    (state,) = await store.sources.states()
    assert state.breaker == "closed"


async def test_a_failed_probe_opens_the_breaker_for_longer(hand: Hand, store: Store, database: Any) -> None:
    one = hand()
    for _ in range(FAILURES):
        await once(one, Verdict.DOWN)
    with pytest.raises(Resting) as first:
        await once(one)
    await _let_it_be_over(database)
    await once(one, Verdict.DOWN)

    with pytest.raises(Resting) as second:
        await once(one)

    assert 1.5 * first.value.seconds < second.value.seconds < 3 * first.value.seconds
    await store.sources.resume("board")
    await once(one)


async def _let_it_be_over(database: Any) -> None:
    now = (await database.command("hello"))["localTime"].replace(tzinfo=UTC)
    await database.sources.update_one({}, {"$set": {"budget.open_until": now - timedelta(seconds=1)}})


async def test_a_dead_workers_place_is_free_before_its_source_is_taken_over(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "HOLD", 1.0)
    dead = hand()
    place = await dead.spend()
    dead._holding[place].cancel()  # as SIGSTOP and SIGKILL do
    begin = time.monotonic()

    await asyncio.wait_for(once(hand()), 5)

    assert 0.5 < time.monotonic() - begin < 3


async def test_a_long_answer_keeps_its_place(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "HOLD", 1.0)
    monkeypatch.setattr(budget, "RENEW_EVERY", 0.3)
    one = hand()
    place = await one.spend()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(once(hand()), 2.5)

    await one.ended(place, Verdict.WELL)


async def test_a_slot_that_is_late_is_lost_and_not_caught_up(hand: Hand) -> None:
    """A stopped worker that wakes up does not send what it had reserved."""
    one = hand(1200)
    for _ in range(8):
        await once(one)
    one._count = 4
    await once(one)
    time.sleep(1.0)  # noqa: ASYNC251 - the whole process stands still, as under SIGSTOP
    moments = [await once(one) for _ in range(6)]

    assert all(later - earlier > 0.03 for earlier, later in pairwise(moments))


async def test_quiet_hours_are_told_and_nothing_is_reserved(hand: Hand, database: Any) -> None:
    one = hand(quiet_hours=("11:00-13:30",))

    with pytest.raises(Resting, match="quiet hours until 13:30") as resting:
        await once(one)

    assert resting.value.seconds == 90 * 60
    assert "budget" not in await database.sources.find_one({})


async def test_a_backfill_gets_its_share_and_never_goes_first(hand: Hand) -> None:
    live, backfill = hand(1200), hand(1200, share=0.25)
    counts = {"live": 0, "backfill": 0}

    async def ask(name: str, one: SharedBudget) -> None:
        while True:
            await once(one)
            counts[name] += 1

    tasks = [asyncio.create_task(ask("live", live)), asyncio.create_task(ask("backfill", backfill))]
    await asyncio.sleep(6)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert 5 <= counts["backfill"] <= 0.3 * sum(counts.values()), counts
    assert sum(counts.values()) > 60, counts
