"""Migrations: recorded, one at a time, from empty and from every earlier version; a stranger's schema is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from intake import migrations
from intake.migrations import MIGRATIONS, NEWEST, Migration, SchemaRefused, check, migrate, version

Database = AsyncIOMotorDatabase[dict[str, Any]]


#: Every index of a full street beside `_id`: a new one costs every item something, and belongs here with its reason.
WANTED = {
    "pages": {"stage_1__id_1", "day_1"},
    "raw": {"source_1_scope_1", "parked.at_1"},  # partial: only items of an enumeration, only unreadable ones
    "appeals": {
        "pushed",
        "person",
    },  # partial: only what was pushed to us; whoever wrote before is found by the citizen
    "matters": {"names", "event"},  # off the hot path: the second look
    "vault": set(),
    # All but the number partial. Of these a new order enters `unsent`, for a moment, and `due`, at its right end.
    "cases": {"unsent", "parked", "open", "case_no", "due", "work", "answer_at", "answers_parked", "card"},
}


async def indexes(mongo: Database) -> dict[str, set[str]]:
    return {name: set(await mongo[name].index_information()) - {"_id_"} for name in WANTED}


async def test_an_empty_database_becomes_the_newest_and_stays_so(mongo: Database) -> None:
    assert await migrate(mongo) == [migration.version for migration in MIGRATIONS]
    assert await version(mongo) == NEWEST
    assert await migrate(mongo) == []
    await check(mongo)
    assert await indexes(mongo) == WANTED


@pytest.mark.parametrize("before", range(NEWEST + 1))
async def test_every_earlier_version_becomes_the_newest(mongo: Database, before: int) -> None:
    if before:
        await migrate(mongo, MIGRATIONS[:before])
        assert await version(mongo) == before
    await migrate(mongo)
    assert await version(mongo) == NEWEST


async def test_orders_of_before_are_looked_at_by_the_clock(mongo: Database) -> None:
    await migrate(mongo, MIGRATIONS[:4])
    order = {"goal": "delivered", "mode": "route"}
    await mongo.cases.insert_many([{"_id": "old"} | order, {"_id": "seen", "due": None} | order, {"_id": "triage"}])
    await migrate(mongo)
    assert [case["_id"] async for case in mongo.cases.find({"due": {"$type": "date"}})] == ["old"]


async def test_suspended_orders_of_before_are_looked_at_by_the_clock(mongo: Database) -> None:
    await migrate(mongo, MIGRATIONS[:9])
    order = {"goal": "delivered", "due": None}
    asleep = order | {"events": [{"kind": "suspension_granted"}]}
    closed = {"handling": {"work": "closed"}}
    for_its_assistant = {"due": datetime(2999, 1, 1, tzinfo=UTC)}
    await mongo.cases.insert_many(
        [
            {"_id": "asleep"} | asleep,
            {"_id": "beside"} | asleep | for_its_assistant,
            {"_id": "over"} | asleep | closed,
            {"_id": "done"} | order,
        ]
    )
    await migrate(mongo)
    soon = {"due": {"$lte": datetime.now(UTC)}}
    assert [case["_id"] async for case in mongo.cases.find({"due": {"$type": "date"}} | soon)] == ["asleep", "beside"]


async def test_indexes_that_version_1_made_and_nothing_needs_are_gone(mongo: Database) -> None:
    """What they cost each item was a third of its whole way."""
    await migrate(mongo, MIGRATIONS[:1])
    for collection, names in migrations._NEEDLESS.items():
        for name in names:
            await mongo[collection].create_index([(f"{name}.of_old", 1)], name=name)
    await migrate(mongo)
    assert await indexes(mongo) == WANTED


async def test_two_at_once_apply_each_step_once(mongo: Database) -> None:
    ran: list[int] = []

    def step(number: int) -> Migration:
        async def expand(_: Database) -> None:
            ran.append(number)
            await asyncio.sleep(0.01)

        return Migration(number, f"step {number}", expand)

    steps = [step(1), step(2), step(3)]
    await asyncio.gather(*(migrate(mongo, steps) for _ in range(4)))
    assert ran == [1, 2, 3]


async def test_contracting_comes_after_all_expanding(mongo: Database) -> None:
    order: list[str] = []

    def note(what: str) -> migrations.Step:
        async def step(_: Database) -> None:
            order.append(what)

        return step

    steps = [Migration(1, "one", note("expand 1"), note("contract 1")), Migration(2, "two", note("expand 2"))]
    await migrate(mongo, steps)
    assert order == ["expand 1", "expand 2", "contract 1"]


async def test_a_newer_schema_is_refused_and_left_alone(mongo: Database) -> None:
    await mongo.migrations.insert_one({"_id": "schema", "version": NEWEST + 1})
    with pytest.raises(SchemaRefused, match="newer"):
        await migrate(mongo)
    with pytest.raises(SchemaRefused):
        await check(mongo)
    assert await version(mongo) == NEWEST + 1


async def test_a_database_without_schema_is_refused_by_a_worker(mongo: Database) -> None:
    with pytest.raises(SchemaRefused, match="intake migrate"):
        await check(mongo)
