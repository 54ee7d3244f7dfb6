"""Migrations (库结构升级): versions recorded, one at a time under a lock, each expands first and contracts last.

`expand` only adds (indexes, fields that older workers ignore); `contract` removes what no supported worker reads.
Running one again changes nothing, so a crash in the middle is repaired by the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from pymongo.errors import DuplicateKeyError

import connectors.keeping.store
import normalizer.matter.store
import normalizer.store
import router.store_indexes
from intake import cards

Database = Any  # motor ships no types
Step = Callable[[Database], Awaitable[None]]

log = structlog.get_logger()

LOCK_SECONDS = 60
LOCK_TRIES = 600


class Migration(msgspec.Struct, frozen=True):
    """One step of the schema's life."""

    version: int
    what: str
    expand: Step
    contract: Step | None = None


class SchemaRefused(Exception):
    """The database's schema is outside the range that this worker knows."""


async def _first_indexes(db: Database) -> None:
    """Every index beside `_id`: each room knows its own, the front door those of what sees all rooms."""
    await connectors.keeping.store.ensure_indexes(db)
    await normalizer.store.ensure_indexes(db)
    await router.store_indexes.ensure_indexes(db)
    for collection, name, keys, options in _FRONT_DOOR:
        await db[collection].create_index(list(keys), name=name, **options)


#: (collection, name, keys, options): what `intake show` leans on.
_FRONT_DOOR: Sequence[tuple[str, str, Sequence[tuple[str, int]], dict[str, Any]]] = (
    ("accesses", "item", [("item", 1), ("at", 1)], {}),
)

#: What version 1 had made and no question of today needs: together half of what an item cost the database.
_NEEDLESS: Mapping[str, Sequence[str]] = {
    "pages": ("under_way",),
    "raw": ("native_id", "day"),
    "appeals": ("source_native", "fingerprint", "citizen", "received"),
    "vault": ("key",),
    "cases": ("native_id", "message_id"),
}


async def _nothing(_: Database) -> None:
    """A version that adds nothing."""


async def _drop_needless(db: Database) -> None:
    for collection, names in _NEEDLESS.items():
        there = await db[collection].index_information()
        for name in names:
            if name in there:
                await db[collection].drop_index(name)


async def _index_what_was_pushed(db: Database) -> None:
    """What a source's callers may look up by time; what we read ourselves is not in it and costs nothing."""
    await db.appeals.create_index(
        [("source", 1), ("posted_at", -1), ("_id", 1)],
        name="pushed",
        partialFilterExpression={"transport": "push"},
    )


async def _index_kept(db: Database) -> None:
    await db.kept.create_index([("source", 1), ("at", 1)])
    await db.kept.create_index([("expires", 1)], expireAfterSeconds=0)


async def _compare_all(db: Database) -> None:
    """What was stored before there was a second look is compared too, and a citizen's own appeals are found."""
    await db.appeals.create_indexes([normalizer.store.PERSON])
    await normalizer.matter.store.ensure_indexes(db)
    if await db.matters.find_one({}, {"_id": 1}) is not None:
        return
    page: list[str] = []
    async for one in db.appeals.find({}, {"_id": 1}).sort("_id", 1):
        page.append(one["_id"])
        if len(page) == PAGE:
            await db.matter_work.insert_one({"ids": page})
            page = []
    if page:
        await db.matter_work.insert_one({"ids": page})


#: How many appeals one note of the second look names.
PAGE = 500


async def _start_the_clock(db: Database) -> None:
    """Orders of before have no moment at which the clock looks at them: it looks at all of them once."""
    await router.store_indexes.ensure_indexes(db)
    open_orders = {"goal": "delivered", "due": {"$exists": False}, "mode": {"$in": ["route", "follow"]}}
    await db.cases.update_many(open_orders, {"$set": {"due": datetime.now(UTC)}})


async def _wake_suspended(db: Database) -> None:
    """A suspended order of before has no moment at which the clock looks at it, or that of another department on it."""
    asleep = {"goal": "delivered", "events.kind": "suspension_granted", "handling.work": {"$ne": "closed"}}
    await db.cases.update_many(asleep, {"$set": {"due": datetime.now(UTC)}})


async def _show_cards(db: Database) -> None:
    keys, options = cards.INDEX
    await db.cases.create_index(keys, **options)
    await cards.fill(db)


MIGRATIONS: Sequence[Migration] = (
    Migration(1, "indexes of all rooms", _first_indexes),
    Migration(2, "without the indexes that nothing hot needs", _nothing, _drop_needless),
    Migration(3, "pushed appeals by when they were posted", _index_what_was_pushed),
    Migration(4, "bad pages of sources that have changed", _index_kept),
    Migration(5, "the clock of orders, where their work stands, what their sources are told", _start_the_clock),
    Migration(6, "who wrote again, and what belongs together", _compare_all),
    # Older workers would seal under the month's key and find no key of an item: from here on they are refused. What
    # stands is sealed anew by the sweep of retention, which has the keys (intake/rights/resealing.py).
    Migration(7, "a key for each item, the caller's data apart from the matter's", _nothing),
    # Older workers would write events without their stamps. What stands is stamped by the first anchor, which has the
    # key (intake/ledger/anchoring.py).
    Migration(8, "ledgers are stamped, event by event", _nothing),
    Migration(9, "which departments stand under a card", _show_cards),
    # Older workers do not know the event: from here on they are refused.
    Migration(10, "suspensions end when their time is over", _wake_suspended),
)

#: The schema versions that this worker reads and writes.
OLDEST, NEWEST = 1, MIGRATIONS[-1].version


async def version(db: Database) -> int:
    """Read the recorded version; 0 is an empty database."""
    record = await db.migrations.find_one({"_id": "schema"})
    return 0 if record is None else int(record["version"])


async def check(db: Database) -> None:
    """Refuse a schema that this worker does not know, newer or older."""
    found = await version(db)
    if found > NEWEST:
        raise SchemaRefused(
            f"库结构是第 {found} 版，本程序只认 {OLDEST}–{NEWEST} 版，请升级程序 · "
            f"the schema is version {found}, this program knows {OLDEST} to {NEWEST}: upgrade the program"
        )
    if found < OLDEST:
        raise SchemaRefused(
            f"库结构是第 {found} 版，本程序需要 {OLDEST}–{NEWEST} 版，请运行 intake migrate · "
            f"the schema is version {found}, this program needs {OLDEST} to {NEWEST}: run `intake migrate`"
        )


async def migrate(db: Database, migrations: Sequence[Migration] = MIGRATIONS) -> list[int]:
    """Bring the schema to the newest version; return the versions that were applied here."""
    newest = migrations[-1].version
    found = await version(db)
    if found == newest:
        return []
    if found > newest:
        raise SchemaRefused(
            f"库结构是第 {found} 版，比本程序新，什么也没改 · "
            f"the schema is version {found}, newer than this program: nothing was changed"
        )
    async with _lock(db):
        return await _apply(db, migrations)


async def _apply(db: Database, migrations: Sequence[Migration]) -> list[int]:
    found = await version(db)
    due = [migration for migration in migrations if migration.version > found]
    for migration in due:
        await migration.expand(db)
        await db.migrations.update_one(
            {"_id": "schema"},
            {
                "$set": {"version": migration.version},
                "$push": {"log": {"version": migration.version, "what": migration.what}},
            },
            upsert=True,
        )
        log.info("schema migrated", action="schema_migrated", version=migration.version, what=migration.what)
    for migration in due:
        if migration.contract is not None:
            await migration.contract(db)
    return [migration.version for migration in due]


@asynccontextmanager
async def _lock(db: Database) -> AsyncIterator[None]:
    """Hold the one lock of migrations; by the database's clock, so that a dead holder is got past."""
    owner = uuid4().hex
    with suppress(DuplicateKeyError):
        await db.migrations.insert_one({"_id": "lock", "owner": None, "until": _LONG_AGO})
    for _ in range(LOCK_TRIES):
        if await _take_lock(db, owner):
            break
        await asyncio.sleep(0.1)
    else:
        raise SchemaRefused(
            "别的程序正在升级库结构，一分钟后再试 · another program is migrating the schema; try again in a minute"
        )
    try:
        yield
    finally:
        await db.migrations.update_one({"_id": "lock", "owner": owner}, {"$set": {"until": _LONG_AGO}})


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def _take_lock(db: Database, owner: str) -> bool:
    until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LOCK_SECONDS}}
    taken = await db.migrations.find_one_and_update(
        {"_id": "lock", "$expr": {"$lt": ["$until", "$$NOW"]}},
        [{"$set": {"owner": owner, "until": until}}],
    )
    return taken is not None
