"""Pushes are stored whole before they are answered; what a crash left behind without a receipt is nobody's loss."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from connectors.base import Item, Page
from connectors.flow import Room, take_pushed
from connectors.keeping.pages import Stage
from connectors.left_behind import take_over
from connectors.raw_appeal import appeal_id
from connectors.source import Source

STAGES = (Stage.OFFERED, Stage.STORED, Stage.NORMALIZED)


@pytest.fixture
def exchange(source: Source) -> Source:
    return msgspec.structs.replace(source, name="exchange", transport="push")


@pytest.fixture
def door(room: Room) -> Room:
    return with_(room, pushed=frozenset({"exchange"}))


def with_(room: Room, **fields: Any) -> Room:
    return Room(**{"store": room.store, "now": room.now, "owner": room.owner, **fields})


def page(*told: tuple[str, dict[str, int]]) -> Page:
    items = tuple(item(name, fields) for name, fields in told)
    return Page(offered=tuple(each.native_id for each in items), items=items, cursor=None)


def item(name: str, fields: dict[str, int]) -> Item:
    return Item(native_id=name, payload=msgspec.json.encode(fields, order="sorted"), content=(str(sorted(fields)),))


def merge(stored: bytes, pushed: bytes) -> Item:
    """The larger number of each field stands."""
    old, new = msgspec.json.decode(stored), msgspec.json.decode(pushed)
    return item("a", {name: max(old.get(name, 0), new.get(name, 0)) for name in {*old, *new}})


async def test_parts_that_are_pushed_side_by_side_all_stand(exchange: Source, door: Room) -> None:
    """By several workers at once: whoever loses the race lays its part over what the other stored."""
    rooms = [with_(door, owner=f"worker-{number}") for number in range(4)]
    await asyncio.gather(
        *(take_pushed(page(("a", {f"field-{n}": n + 1})), exchange, room, merge) for n, room in enumerate(rooms))
    )

    (raw,) = await door.store.raw.load({appeal_id("exchange", "a"): False})
    assert msgspec.json.decode(raw.payload) == {f"field-{number}": number + 1 for number in range(4)}


async def test_an_older_part_changes_nothing(exchange: Source, door: Room, database: Any) -> None:
    await take_pushed(page(("a", {"x": 5})), exchange, door, merge)
    assert await take_pushed(page(("a", {"x": 3})), exchange, door, merge) is None
    assert await database.pages.count_documents({}) == 1


async def test_a_page_that_was_never_received_is_done_with(
    exchange: Source, door: Room, database: Any, lapse: Callable[[], Any]
) -> None:
    """Its worker died between offering and storing: nobody was answered, and nothing waits for ever."""
    await take_pushed(page(("a", {"x": 1}), ("b", {"x": 1})), exchange, door)
    await database.raw.delete_many({})
    await database.pages.update_many({}, {"$set": {"stage": "offered"}})
    await lapse()

    assert await take_over(door, STAGES) is None

    assert await door.store.pages.open_pages() == 0
    assert [each["ids"] async for each in database.pages.find()] == [[]]


async def test_what_was_received_of_a_page_goes_on(
    exchange: Source, door: Room, database: Any, lapse: Callable[[], Any]
) -> None:
    await take_pushed(page(("a", {"x": 1}), ("b", {"x": 1})), exchange, door)
    await database.raw.delete_one({"native_id": "b"})
    await database.pages.update_many({}, {"$set": {"stage": "offered"}})
    await lapse()

    batch = await take_over(door, STAGES)

    assert batch is not None
    assert [raw.native_id for raw in batch.raws] == ["a"]
    assert [entry.native_id for entry in batch.claim.entries] == ["a"]
    assert await door.store.pages.done(batch.claim)


async def test_a_source_that_we_read_ourselves_is_waited_for(
    source: Source, door: Room, database: Any, lapse: Callable[[], Any]
) -> None:
    await take_pushed(page(("a", {"x": 1})), source, door)
    await database.raw.delete_many({})
    await database.pages.update_many({}, {"$set": {"stage": "offered"}})
    await lapse()

    assert await take_over(door, STAGES) is None
    assert await door.store.pages.open_pages() == 1
