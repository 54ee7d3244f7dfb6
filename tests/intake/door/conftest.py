"""A street with its door open, on real servers, wired as `intake run` wires it: one for all tests of this folder."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from connectors.registry import REGISTRY
from intake import migrations, topology
from intake.door.door import Door
from intake.door.media import MediaStore
from intake.house import House, open_house
from intake.servers import Servers
from intake.settings import Settings, load
from intake.street.rooms import Rooms, open_rooms
from intake.street.worker import Street

ROOT = Path(__file__).resolve().parents[3]
SECRET, KEY = "exchange-secret", "app-key"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
SETTINGS = """
city = "云泽市"
[door]
port = 0
departments = true
visits = true
[tables]
places = "{root}/demo/city/places.toml"
[[source]]
name = "exchange"
kind = "push_12345"
channel = "hotline"
mode = "route"
zone = "Asia/Shanghai"
app_key = "city"
secret_env = "EXCHANGE_SECRET"
[[source]]
name = "open311"
kind = "open311_server"
channel = "app"
mode = "route"
zone = "Asia/Shanghai"
keys_env = "CIVIC_KEYS"
jurisdiction_id = "yunze"
[[source]]
name = "tokens"
kind = "open311_server"
channel = "app"
mode = "route"
zone = "Asia/Shanghai"
keys_env = "CIVIC_KEYS"
answer_with = "token"
[[source]]
name = "app"
kind = "app_intake"
channel = "app"
mode = "route"
zone = "Asia/Shanghai"
keys_env = "CIVIC_KEYS"
most_images = 2
largest_image = 100000
"""
ENVIRONMENT = {"EXCHANGE_SECRET": SECRET, "CIVIC_KEYS": f"civic:{DIGEST} other:{hashlib.sha256(b'other').hexdigest()}"}


@dataclass
class Opened:
    """What a test of the door works with."""

    house: House
    rooms: Rooms
    street: Street
    door: Door

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.port}"

    @property
    def db(self) -> Any:
        return self.house.db

    @property
    def media(self) -> MediaStore:
        return MediaStore(self.db, self.rooms.sealer)

    async def case(self, id_: str) -> dict[str, Any]:
        """Wait until it is in a department's queue, or wherever it ends."""
        async with asyncio.timeout(20):
            while True:
                found = await self.db.cases.find_one({"_id": id_})
                if found is not None and found["state"] != "in_flight":
                    return dict(found)
                await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Wait until no page is open."""
        async with asyncio.timeout(20):
            while await self.rooms.connectors.store.pages.open_pages():
                await asyncio.sleep(0.02)


def settings_of(folder: Path, text: str, mongo: Servers, broker: Servers, name: str) -> Settings:
    (folder / "intake.toml").write_text(text.format(root=ROOT), encoding="utf-8")
    kinds = {each: kind.settings for each, kind in REGISTRY.items()}
    address = urlunsplit(urlsplit(broker.amqp_url)._replace(path=f"/{name}"))
    servers = {"MONGO_URL": mongo.mongo_url, "AMQP_URL": address, "AMQP_MANAGEMENT_URL": broker.management_url}
    read = load(folder / "intake.toml", ENVIRONMENT | servers, kinds)
    return msgspec.structs.replace(
        read,
        database=msgspec.structs.replace(read.database, name=name),
        keys=msgspec.structs.replace(read.keys, folder=folder / "keys"),
    )


@asynccontextmanager
async def a_house(folder: Path, text: str, mongo: Servers, broker: Servers) -> AsyncIterator[House]:
    name = f"door-{uuid4().hex[:12]}"
    user = urlsplit(broker.amqp_url).username or "guest"
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        await session.put(f"{broker.management_url}/api/vhosts/{name}", json={})
        await session.put(f"{broker.management_url}/api/permissions/{name}/{user}", json=everything)
    try:
        async with open_house(settings_of(folder, text, mongo, broker, name)) as house:
            await migrations.migrate(house.db)
            yield house
            await house.db.client.drop_database(name)
    finally:
        async with aiohttp.ClientSession() as session:
            await session.delete(f"{broker.management_url}/api/vhosts/{name}")


@asynccontextmanager
async def an_open_door(house: House) -> AsyncIterator[Opened]:
    async with open_rooms(house, f"door-{uuid4().hex[:6]}") as rooms:
        assert house.settings.door is not None
        await topology.ensure_topology(house, rooms.tables.router.directory.units.values())
        await rooms.connectors.store.sources.ensure(source.name for source in house.settings.sources)
        street = Street(rooms, [])
        door = Door(house.settings.door, house, rooms, street)
        street.open_beside(door.run)
        running = asyncio.create_task(street.run())
        try:
            async with asyncio.timeout(20):
                while not door.port:
                    await asyncio.sleep(0.01)
            yield Opened(house, rooms, street, door)
        finally:
            street.stopping.set()
            await running


@pytest.fixture(scope="session")
async def opened(
    mongo_server: Servers, broker_server: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Opened]:
    folder = tmp_path_factory.mktemp("door")
    async with a_house(folder, SETTINGS, mongo_server, broker_server) as house, an_open_door(house) as made:
        yield made


@pytest.fixture(scope="session")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made
