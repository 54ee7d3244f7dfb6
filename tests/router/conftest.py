"""A room of this department on real servers: `street`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import aiohttp
import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from router.cases.case import Case
from router.dispatching import topology
from router.dispatching.backpressure import Backpressure
from router.dispatching.broker import Management
from router.dispatching.publisher import Publisher
from router.flow import Outgoing, Room
from router.store import CaseStore
from router.store_indexes import ensure_indexes
from tests.router.city import STAMPER, UNITS, Appeals, decide, fences, tables

Database = AsyncIOMotorDatabase[dict[str, Any]]


@dataclass(kw_only=True)
class Street:
    """Everything of a test: its servers, its room, and ways to look at both from outside."""

    database: Database
    url: str
    management: Management
    store: CaseStore
    publisher: Publisher
    appeals: Appeals
    room: Room
    shift: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def other(self, publisher: Outgoing | None = None, lease: timedelta = timedelta(seconds=30)) -> Room:
        """Another worker, or one whose publisher fails; it numbers its claims from elsewhere."""
        fence = fences()
        return Room(
            store=self.store,
            publisher=publisher or self.publisher,
            tables=self.room.tables,
            load_appeals=self.appeals.load,
            now=self.now,
            fence=lambda: 1_000_000 + fence(),
            decide=decide,
            lease=lease,
        )

    async def cases(self) -> dict[str, Case]:
        ids = [document["_id"] async for document in self.database["cases"].find({}, {"_id": 1})]
        return await self.store.load(ids)

    async def lapse(self) -> None:
        """Let every claim lapse, as time would."""
        await self.database["cases"].update_many(
            {"unsent": {"$gt": 0}}, {"$set": {"until": datetime(2000, 1, 1, tzinfo=UTC)}}
        )

    async def drain(self, queue: str) -> list[tuple[str, bytes]]:
        """Empty a queue from outside: message ids and bodies."""
        taken = []
        connection = await aio_pika.connect(self.url)
        async with connection:
            source = await (await connection.channel()).get_queue(queue, ensure=False)
            while (message := await source.get(fail=False)) is not None:
                await message.ack()
                taken.append((message.message_id or "", message.body))
        return taken


@pytest.fixture
async def street(mongo: Database, amqp: Any) -> AsyncIterator[Street]:
    store = CaseStore(mongo, STAMPER)
    await ensure_indexes(mongo)
    appeals = Appeals()
    async with aiohttp.ClientSession() as session:
        management = Management(session, amqp.management, amqp.vhost)
        await topology.bring_up(UNITS, management, settle=0)
        async with Publisher(amqp.url, answer_within=5.0, connect_within=1.0) as publisher:
            room = Room(
                store=store,
                publisher=publisher,
                tables=tables(),
                load_appeals=appeals.load,
                now=lambda: datetime.now(UTC),
                fence=fences(),
                decide=decide,
                backpressure=Backpressure(first=timedelta(milliseconds=50)),
            )
            yield Street(
                database=mongo,
                url=amqp.url,
                management=management,
                store=store,
                publisher=publisher,
                appeals=appeals,
                room=room,
            )
