"""A desk with everything behind it: items go in as a source would bring them, cases stand with their departments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from bson import json_util
from motor.motor_asyncio import AsyncIOMotorDatabase

import connectors.flow
import normalizer.flow
from connectors.base import BadItem, Item, Page
from connectors.keeping.store import open_store
from connectors.raw_appeal import Mode, appeal_id
from connectors.source import Source
from intake.keys import Keys
from intake.rights.custody import Custody, custody
from intake.sealing import Sealer
from normalizer.appeal import Appeal
from normalizer.store import AppealStore
from normalizer.tables import load_tables
from router.cases.deciding import open_case
from router.cases.delivery import confirm
from router.dispatch import Context
from tests.router.city import decide

Database = AsyncIOMotorDatabase[dict[str, Any]]
KEY = b"0123456789abcdef" * 2
SOURCE = Source(name="hotline", kind="table", channel="hotline", mode=Mode.ROUTE, zone="Asia/Shanghai")
PHONE = "13800138000"


@dataclass
class Desk:
    """What a test asks."""

    db: Database
    sealer: Sealer
    custody: Custody
    reading: connectors.flow.Room
    mapping: normalizer.flow.Room
    moment: datetime = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, **time: float) -> None:
        self.moment += timedelta(**time)

    async def take(self, *rows: Mapping[str, Any], bad: tuple[BadItem, ...] = (), source: Source = SOURCE) -> list[str]:
        """Bring these rows as one page, as far as the normalizer; their ids."""
        items = tuple(_item(row) for row in rows)
        offered = (*(row.native_id for row in items), *(row.native_id for row in bad))
        page = Page(offered=offered, items=items, bad=bad, cursor=None)
        batch = await connectors.flow.take_page(page, source, None, self.reading)
        if batch is not None:
            await normalizer.flow.normalize_page(batch.raws, self.mapping)
            await self.reading.store.pages.done(batch.claim)
        return [appeal_id(source.name, str(row["native_id"])) for row in rows]

    async def appeal(self, id_: str) -> Appeal:
        found = await self.mapping.store.get(id_)
        assert found is not None
        return found

    async def open_case(self, id_: str, to: str = "ZJJ") -> None:
        """Give it to a department, and let the broker take it."""
        first = await self.appeal(id_)
        fated = msgspec.structs.replace(first, signals=msgspec.structs.replace(first.signals, subject_entity=to))
        context = Context(mode=Mode.ROUTE)
        case = open_case(first, Mode.ROUTE, decide(fated, context), context, self.moment)
        await self.custody.cases.insert([confirm(case, [row.id for row in case.dispatches], self.moment)])

    async def dump(self) -> str:
        """Everything in the database, as text."""
        names = await self.db.list_collection_names()
        return "\n".join([json_util.dumps(await self.db[name].find().to_list(None)) for name in sorted(names)])

    async def keys_left(self, id_: str) -> int:
        return await self.db.item_keys.count_documents({f"salts.{id_}": {"$exists": True}})


def _item(row: Mapping[str, Any]) -> Item:
    content = tuple(str(row.get(name, "")) for name in ("title", "text", "author", "phone", "address"))
    return Item(native_id=str(row["native_id"]), payload=msgspec.json.encode(row), content=content)


@pytest.fixture
async def desk(mongo: Database, seal: Sealer) -> AsyncIterator[Desk]:
    made: list[Desk] = []

    def now() -> datetime:
        return made[0].now()

    mapping = normalizer.flow.Room(tables=load_tables(), ref_key=KEY, store=AppealStore(mongo), seal=seal, now=now)
    made.append(
        Desk(
            db=mongo,
            sealer=seal,
            custody=custody(mongo, seal, Keys({}, {1: KEY}), now),
            reading=connectors.flow.Room(store=open_store(mongo, seal), now=now, owner="w"),
            mapping=mapping,
        )
    )
    yield made[0]
    await seal.close()


__all__ = ["KEY", "PHONE", "SOURCE", "Desk"]
