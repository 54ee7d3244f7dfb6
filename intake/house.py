"""The clients of the house, opened once and handed in: a database, the broker's addresses, the servers behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from motor.motor_asyncio import AsyncIOMotorClient

from intake.keys import Keys, load_keys, make_keys
from intake.servers import Servers, embedded
from intake.servers.addresses import management_beside
from intake.settings import Settings

Database = Any  # motor ships no types

#: Data, keys and logs of the servers of our own; beside where the command runs.
FOLDER = Path(".intake")
#: How long one call waits for a primary: the loops wait longer by asking again.
PATIENCE_MS = 5_000


def keys_folder(settings: Settings) -> Path:
    """Say where the key files of this installation are."""
    return settings.keys.folder or FOLDER / "keys"


async def keys_for(db: Database, settings: Settings) -> Keys:
    """Make the keys of a new installation; one that has sealed something must have them already."""
    folder = keys_folder(settings)
    if await db.data_keys.find_one({}, {"_id": 1}) is None:
        return make_keys(folder)
    return load_keys(folder)


class House(msgspec.Struct, frozen=True, kw_only=True):
    """What commands and loops are handed."""

    settings: Settings
    db: Database
    mongo_url: str
    broker_url: str
    management_url: str
    own_servers: bool  #: some server is ours: watch it and start it again when it dies

    def __repr__(self) -> str:
        """Show no address: it may hold a password."""
        return f"House({self.settings})"


@asynccontextmanager
async def open_house(settings: Settings, *, mongo: bool = True, broker: bool = True) -> AsyncIterator[House]:
    """Open what is asked for; servers of our own are started on demand and stop with their last user."""
    wants_mongo = mongo and not settings.database.url
    wants_broker = broker and not settings.broker.url
    async with embedded(FOLDER, mongo=wants_mongo, broker=wants_broker) as servers:
        mongo_url = settings.database.url or servers.mongo_url
        client = _client(mongo_url) if mongo else None
        try:
            yield House(
                settings=settings,
                db=None if client is None else client[settings.database.name],
                mongo_url=mongo_url,
                broker_url=_broker_url(settings, servers),
                management_url=settings.broker.management_url or servers.management_url or _beside(settings),
                own_servers=wants_mongo or wants_broker,
            )
        finally:
            if client is not None:
                client.close()


def _client(url: str) -> Any:  # noqa: ANN401 - motor ships no types
    """Majority and journal: what is said to be stored survives a kill."""
    return AsyncIOMotorClient(
        url, tz_aware=True, w="majority", journal=True, serverSelectionTimeoutMS=PATIENCE_MS, appname="intake"
    )


def _beside(settings: Settings) -> str:
    """Where the management API usually is when the settings name the broker alone."""
    return management_beside(settings.broker.url) if settings.broker.url else ""


def _broker_url(settings: Settings, servers: Servers) -> str:
    """The broker's address with the virtual host of the settings."""
    url = settings.broker.url or servers.amqp_url
    if not url or settings.broker.vhost == "/":
        return url
    head, _, tail = url.partition("://")
    login_and_host = tail.split("/", 1)[0]
    return f"{head}://{login_and_host}/{settings.broker.vhost.replace('/', '%2F')}"
