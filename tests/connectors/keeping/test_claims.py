"""Claims on a real MongoDB: one holder at a time, and what a lapsed holder writes changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.keeping.claims import PAGE_LEASE, SOURCE_LEASE, DatabaseClock, Fences
from connectors.keeping.pages import Entry, PageClaim, Stage, What
from connectors.keeping.store import Store, ensure_indexes
from connectors.raw_appeal import appeal_id

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
OPEN = (Stage.OFFERED, Stage.STORED, Stage.NORMALIZED)


async def server_time(database: Any) -> datetime:
    hello = await database.command("hello")
    moment: datetime = hello["localTime"]
    return moment.replace(tzinfo=UTC)


async def offered(store: Store, native_id: str = "1", source: str = "board") -> PageClaim:
    entry = Entry(appeal_id(source, native_id), native_id, 1, What.NEW)
    return await store.pages.offer(source, [entry], day="2026-11-22", at=AT, owner="worker-1")


async def stored(store: Store, native_id: str = "1") -> PageClaim:
    claim = await offered(store, native_id)
    assert await store.pages.stored(claim, claim.entries)
    return claim


async def test_no_two_claims_share_a_number(database: Any) -> None:
    """Two workers, and one that starts anew, take from the same counter."""
    makers = [Fences(database.counters, block=3) for _ in range(3)]

    numbers = await asyncio.gather(*(maker.next() for maker in makers for _ in range(10)))

    assert len(set(numbers)) == 30


async def test_the_clock_is_the_databases(database: Any) -> None:
    clock = DatabaseClock(database)
    first = await clock.now()

    assert abs(await server_time(database) - await clock.now()) < timedelta(seconds=1)
    assert await clock.now() > first


async def test_a_page_in_hand_is_nobody_elses(store: Store) -> None:
    await stored(store)

    assert await store.pages.claim_next(OPEN, "worker-2") is None


async def test_of_many_workers_one_takes_a_page(store: Store, lapse: Callable[[], Any]) -> None:
    claims = [await stored(store, str(number)) for number in range(3)]
    await lapse()

    taken = await asyncio.gather(*(store.pages.claim_next(OPEN, f"worker-{number}") for number in range(9)))

    found = [claim for claim in taken if claim is not None]
    assert {claim.id for claim in found} == {claim.id for claim in claims}
    assert len(found) == 3


async def test_a_claim_lasts_as_long_as_it_says(store: Store, database: Any) -> None:
    claim = await stored(store)

    document = await database.pages.find_one({"_id": claim.id})

    assert timedelta(seconds=25) < document["until"] - await server_time(database) <= PAGE_LEASE
    assert await store.pages.renew(claim)


async def test_a_lapsed_holder_of_a_page_writes_nothing(store: Store, database: Any, lapse: Callable[[], Any]) -> None:
    stopped = await stored(store)
    await lapse()
    successor = await store.pages.claim_next(OPEN, "worker-2")
    assert successor is not None
    before = await database.pages.find_one()

    assert not await store.pages.renew(stopped)
    assert not await store.pages.stored(stopped, stopped.entries)
    assert not await store.pages.hand_over(stopped, Stage.NORMALIZED)
    assert not await store.pages.done(stopped)
    assert not await store.pages.release(stopped)

    assert await database.pages.find_one() == before
    assert await store.pages.done(successor)


async def test_a_lapsed_claim_that_nobody_took_still_holds(store: Store, lapse: Callable[[], Any]) -> None:
    """A slow worker's work is not thrown away without need."""
    claim = await stored(store)
    await lapse()

    assert await store.pages.done(claim)


async def test_a_page_is_handed_from_process_to_process(store: Store, database: Any) -> None:
    claim = await stored(store)

    assert await store.pages.hand_over(claim, Stage.NORMALIZED)

    assert await store.pages.claim_next((Stage.STORED,), "worker-2") is None
    taken = await store.pages.claim_next((Stage.NORMALIZED,), "worker-2")
    assert taken is not None
    assert taken.entries == claim.entries
    assert not await store.pages.done(claim)
    assert await store.pages.open_pages() == 1
    assert await store.pages.done(taken)
    assert await store.pages.open_pages() == 0


async def test_a_released_page_is_taken_at_once_and_the_oldest_comes_first(store: Store) -> None:
    first, second = await stored(store, "1"), await stored(store, "2")
    await store.pages.release(second)
    await store.pages.release(first)

    taken = await store.pages.claim_next(OPEN, "worker-2")

    assert taken is not None
    assert taken.id == first.id
    assert await store.pages.claim_next(OPEN, "worker-2", source="forum") is None


async def test_native_ids_that_look_like_fields_stay_what_they_are(store: Store, database: Any) -> None:
    """In a pipeline update "$title" would be read as a field."""
    claim = await offered(store, "$title")
    other = Entry(appeal_id("board", "$x"), "$x", 1, What.NEW)

    assert await store.pages.stored(claim, [other])

    document = await database.pages.find_one()
    assert document["native_ids"] == ["$x", "$title"]


async def test_one_worker_reads_a_source_and_another_takes_it_over(
    store: Store, database: Any, lapse: Callable[[], Any]
) -> None:
    await store.sources.ensure(["board", "forum"])
    await store.sources.ensure(["board"])

    claims = await asyncio.gather(*(store.sources.claim("board", f"worker-{number}") for number in range(5)))
    (first,) = [claim for claim in claims if claim is not None]
    document = await database.sources.find_one({"_id": "board"})
    assert timedelta(seconds=8) < document["until"] - await server_time(database) <= SOURCE_LEASE

    await lapse()
    successor = await store.sources.claim("board", "worker-9")
    assert successor is not None
    assert successor.fence > first.fence


async def test_a_lapsed_reader_of_a_source_writes_nothing(
    store: Store, database: Any, lapse: Callable[[], Any]
) -> None:
    await store.sources.ensure(["board"])
    stopped = await store.sources.claim("board", "worker-1")
    assert stopped is not None
    await lapse()
    successor = await store.sources.claim("board", "worker-2")
    assert successor is not None
    before = await database.sources.find_one()

    assert not await store.sources.move(stopped, "9", AT)
    assert not await store.sources.renew(stopped)
    assert not await store.sources.read_to_end(stopped, AT)
    assert not await store.sources.wait(stopped, AT, "busy")
    assert not await store.sources.stop(stopped, AT, "denied")
    assert not await store.sources.release(stopped)

    assert await database.sources.find_one() == before
    assert stopped.cursor is None
    assert await store.sources.move(successor, "1", AT)


async def test_a_released_source_is_taken_at_once_where_it_was_left(store: Store) -> None:
    await store.sources.ensure(["board"])
    first = await store.sources.claim("board", "worker-1")
    assert first is not None
    await store.sources.move(first, "$page-7", AT)
    await store.sources.release(first)

    second = await store.sources.claim("board", "worker-2")

    assert second is not None
    assert second.cursor == "$page-7"


async def test_a_pause_ends_a_reading_and_a_resume_lets_it_go_on(store: Store, lapse: Callable[[], Any]) -> None:
    await store.sources.ensure(["board"])
    claim = await store.sources.claim("board", "worker-1")
    assert claim is not None

    assert await store.sources.pause("board", "its operator asked")
    assert not await store.sources.renew(claim)
    await store.sources.release(claim)
    assert await store.sources.claim("board", "worker-2") is None
    (state,) = await store.sources.states()
    assert (state.paused, state.reason) == (True, "its operator asked")

    assert await store.sources.resume("board")
    assert await store.sources.claim("board", "worker-2") is not None
    assert not await store.sources.pause("nobody", "x")


async def test_rewinding_takes_the_source_from_its_reader(store: Store) -> None:
    """Else the reader at work would move the position on from where it was."""
    await store.sources.ensure(["board"])
    claim = await store.sources.claim("board", "worker-1")
    assert claim is not None
    await store.sources.move(claim, "9", AT)

    assert await store.sources.rewind("board")

    assert not await store.sources.move(claim, "10", AT)
    again = await store.sources.claim("board", "worker-1")
    assert again is not None
    assert again.cursor is None


async def test_waits_grow_in_number_until_a_page_comes(store: Store) -> None:
    await store.sources.ensure(["board"])
    claim = await store.sources.claim("board", "worker-1")
    assert claim is not None

    for expected in (1, 2, 3):
        assert await store.sources.wait(claim, AT, "no answer")
        assert claim.failures == expected
    assert await store.sources.read_to_end(claim, AT)

    (state,) = await store.sources.states()
    assert (state.failures, state.reason, state.waiting_until, state.read_to_end_at) == (0, None, None, AT)


async def test_indexes_may_be_made_again(database: Any) -> None:
    await ensure_indexes(database)
    await ensure_indexes(database)

    assert {"stage_1__id_1", "day_1"} <= set(await database.pages.index_information())
    assert {"source_1_scope_1", "parked.at_1"} <= set(await database.raw.index_information())
