"""What a source showed in the past: only that, only what is new, once, wherever it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.base import BadItem, Item, Page
from connectors.errors import RateLimited, TryLater
from connectors.flow import GONE, Batch, Room
from connectors.keeping.pages import Entry, Stage, What
from connectors.keeping.sources import SourceStore
from connectors.keeping.store import ensure_indexes, open_store
from connectors.left_behind import take_over
from connectors.raw_appeal import Mode, RawAppeal, appeal_id
from connectors.source import Source
from intake.street.backfill import Backfill, Course, Done, Span
from intake.street.patience import Patience
from tests.chaos.living_source import KEY, LivingSource, living_source
from tests.chaos.test_kills import SETTINGS
from tests.house import await_, opened

SOURCE = Source(name="board", kind="feed", channel="forum", mode=Mode.HISTORY, zone="Asia/Shanghai")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = Span(FIRST + timedelta(days=10), FIRST + timedelta(days=20))
PAGE = 7


def item(number: int) -> Item:
    return Item(
        native_id=str(number),
        payload=(FIRST + timedelta(hours=12 * number)).isoformat().encode(),
        content=(str(number),),
    )


def posted_at(raw: RawAppeal) -> datetime | None:
    return datetime.fromisoformat(raw.payload.decode())


class Board:
    """Sixty posts, two a day, oldest first or newest first; position is a page."""

    def __init__(self, *, newest_first: bool = False, fails: list[TryLater] | None = None) -> None:
        numbers = list(range(60))
        self._numbers = numbers[::-1] if newest_first else numbers
        self._fails = fails or []
        self.read = 0

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        for start in range(int(cursor or 0), len(self._numbers), PAGE):
            if self._fails:
                raise self._fails.pop()
            self.read += 1
            rows = tuple(item(number) for number in self._numbers[start : start + PAGE])
            bad = (BadItem(native_id="bad", payload=b"?", reason="broken"),) if start == 0 else ()
            offered = tuple(row.native_id for row in rows) + tuple(row.native_id for row in bad)
            yield Page(offered=offered, items=rows, bad=bad, cursor=str(start + PAGE))


@pytest.fixture
async def room(mongo: Any, seal: Any) -> Room:
    await ensure_indexes(mongo)
    return Room(store=open_store(mongo, seal), now=lambda: datetime.now(UTC), owner="backfill")


Make = Callable[[Board], Backfill]


@pytest.fixture
def make(room: Room, mongo: Any) -> Make:
    def made(board: Board) -> Backfill:
        return Backfill(
            SOURCE, board, SPAN, room=room, positions=SourceStore(mongo.backfills), posted_at=posted_at,
            patience=Patience(asyncio.Event()),
        )  # fmt: skip

    return made


EXPECTED = {str(number) for number in range(20, 40)} | {"bad"}


class Taken:
    """What was handed on."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.batches: list[Batch] = []
        self._left = dies_after

    async def __call__(self, batch: Batch) -> None:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left = None if self._left is None else self._left - 1
        self.batches.append(batch)

    @property
    def ids(self) -> list[str]:
        return [entry.native_id for batch in self.batches for entry in batch.claim.entries]


@pytest.mark.parametrize("newest_first", [False, True])
async def test_only_the_span_is_taken_in_as_history(make: Make, room: Room, mongo: Any, newest_first: bool) -> None:
    taken = Taken()
    filling = make(Board(newest_first=newest_first))

    assert await filling.run(taken) is None

    assert set(taken.ids) == EXPECTED
    assert {raw.mode for batch in taken.batches for raw in batch.raws} == {Mode.HISTORY}
    assert await mongo.raw.distinct("mode") == ["history"]
    assert (filling.done.seen, filling.done.within, filling.done.share) == (61, 20, 1.0)
    assert await mongo.sources.count_documents({"cursor": {"$ne": None}}) == 0, "the live position stands"
    again = Board()
    assert await make(again).run(Taken()) is None
    assert again.read == 0, "a span that was read is not read again"


@pytest.mark.parametrize("page", range(4))
async def test_killed_anywhere_it_goes_on_from_its_position(make: Make, mongo: Any, page: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        await make(Board()).run(Taken(dies_after=page))

    rest = Board()
    assert await make(rest).run(Taken()) is None

    stored = {document["native_id"] async for document in mongo.raw.find({}, {"native_id": 1})}
    assert stored == EXPECTED
    assert rest.read < 9 or page == 0


async def test_what_the_live_reader_has_is_its_own(make: Make, room: Room, mongo: Any) -> None:
    live = msgspec.structs.replace(SOURCE, mode=Mode.ROUTE)
    from connectors.flow import take_page  # noqa: PLC0415

    newer = Item(native_id="25", payload=item(25).payload, content=("edited since",))
    await take_page(Page(offered=("25",), items=(newer,), cursor=None), live, None, room)
    taken = Taken()

    await make(Board()).run(taken)

    assert set(taken.ids) == EXPECTED - {"25"}
    assert {entry.what for batch in taken.batches for entry in batch.claim.entries} == {What.NEW, What.BAD}
    document = await mongo.raw.find_one({"_id": appeal_id("board", "25")})
    assert (document["mode"], document["revision"]) == ("route", 1)


async def test_a_source_that_asks_for_patience_is_waited_for(make: Make) -> None:
    filling = make(Board(fails=[RateLimited("asks for 0 s of patience", 0.2)]))
    taken = Taken()

    assert await filling.run(taken) is None
    assert set(taken.ids) == EXPECTED


async def test_one_span_is_read_by_one_process(make: Make, room: Room, mongo: Any) -> None:
    filling = make(Board())
    positions = SourceStore(mongo.backfills)
    await positions.ensure([filling.name])
    assert await positions.claim(filling.name, "another") is not None

    assert "another process" in (await filling.run(Taken()) or "")


def test_newest_first_it_ends_far_behind_the_span_and_oldest_first_far_beyond_it() -> None:
    days = [FIRST + timedelta(days=day) for day in range(60)]
    newest, oldest = Course(SPAN), Course(SPAN)

    for day in days[::-1]:
        if not newest.is_over:
            newest.take([day])
            last = day
    for day in days:
        if not oldest.is_over:
            oldest.take([day])
            first = day

    assert newest.is_over
    assert last == SPAN.begin - timedelta(days=5)
    assert oldest.is_over
    assert first == SPAN.end + timedelta(days=4)


async def test_oldest_first_it_asks_for_nothing_far_beyond_the_span(make: Make) -> None:
    board, taken = Board(), Taken()
    board._numbers = list(range(600))

    assert await make(board).run(taken) is None

    assert len(set(taken.ids) - {"bad"}) == 20
    assert board.read < 600 / PAGE / 2


class Articles(Board):
    """What lies far behind the span under one article stands before the span under the next."""

    lists = 2

    def __init__(self) -> None:
        super().__init__()
        self._numbers = [*range(40, 140), *range(60)]


async def test_the_end_of_one_list_is_not_the_end_of_the_next(make: Make) -> None:
    taken = Taken()

    assert await make(Articles()).run(taken) is None

    assert set(taken.ids) == EXPECTED


async def test_what_a_crash_left_without_its_item_is_read_by_the_backfill_after_all(
    make: Make, room: Room, mongo: Any
) -> None:
    """The live reader had nothing of it: until the backfill goes on it is parked, with the reason."""
    within = item(25)
    entry = Entry(appeal_id(SOURCE.name, within.native_id), within.native_id, 1, What.NEW)
    await room.store.sources.ensure([SOURCE.name])
    await room.store.pages.offer(SOURCE.name, [entry], day="2026-01-13", at=room.now(), owner="dead")
    await mongo.pages.update_many({}, {"$set": {"until": FIRST}})
    claim = await room.store.sources.claim(SOURCE.name, "live")
    assert claim is not None
    await room.store.sources.read_to_end(claim, room.now() + timedelta(seconds=1))

    batch = await take_over(replace(room, sources={SOURCE.name: SOURCE}), list(Stage))
    parked = await mongo.raw.find_one({"_id": entry.id})
    taken = Taken()
    await make(Board()).run(taken)

    assert batch is not None
    assert batch.raws == ()
    assert parked["parked"]["reason"] == GONE
    assert within.native_id in taken.ids
    assert (await mongo.raw.find_one({"_id": entry.id}))["parked"] is None


def test_what_remains_is_reckoned_from_the_time_that_was_covered() -> None:
    done = Done(share=0.5, first_share=0.0)
    done.started -= 60

    assert done.remaining is not None
    assert timedelta(seconds=55) < done.remaining < timedelta(seconds=65)
    assert Done().remaining is None


def happened(source: LivingSource) -> int:
    source._catch_up()
    return len(source.orders)


@pytest.mark.timeout(300)
def test_a_backfill_a_reading_and_a_rewind_end_with_the_same_books(tmp_path: Any) -> None:
    """The command itself, against a source that keeps its own list."""
    with (
        living_source(seed=3, rate=60) as source,
        opened(tmp_path, SETTINGS.format(url=source.url), {"ORDERS_KEY": KEY}) as house,
    ):
        now = datetime.now(UTC).astimezone()
        await_(lambda: happened(source) > 300, "orders")
        source.frozen = True
        span = ["--from", f"{now - timedelta(days=2):%Y-%m-%d}", "--to", f"{now + timedelta(days=2):%Y-%m-%d}"]
        refused = house.command("sources", "backfill", "orders", *span)
        assert refused.returncode == 2, "history may not take what is still to be sent"

        told = house.json("sources", "backfill", "orders", *span, "--mode", "observe")
        assert told["to_end"]
        items = {item["native_id"]: item for item in house.json("balance", "--items")["items"]}
        assert items.keys() == source.offered
        assert told["added"] == len(items) > 300

        house.intake("run", "--once", "--embedded")
        house.intake("sources", "rewind", "orders", "--to", f"{now - timedelta(days=1):%Y-%m-%d}")
        house.intake("run", "--once", "--embedded")
        after = {item["native_id"]: item for item in house.json("balance", "--items")["items"]}
        assert after == items
        assert house.drain() == {}, "what a backfill observed is not sent by the reading after it"
