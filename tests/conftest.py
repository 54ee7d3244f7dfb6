"""Real servers for every test that asks: `mongo`, `amqp`, `seal`.

Those named by MONGO_URL, AMQP_URL and AMQP_MANAGEMENT_URL are used; otherwise a session starts its own in a folder that
goes with it. A test that asks for none starts none.
"""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
import pytest
from hypothesis import settings
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import WriteConcern

from intake.compiled import advice, outdated
from intake.keys import make_keys
from intake.sealing import Sealer
from intake.servers import Servers, embedded

Database = AsyncIOMotorDatabase[dict[str, Any]]

# How long an example takes says more of the machine than of the code; and what fails here fails for everybody:
# `--hypothesis-profile=default` searches further.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

#: Files that take longest, begun first, so that two processes end together.
FIRST = (
    "tests/test_street.py",
    "tests/chaos/",
    "tests/docs/",
    "tests/intake/test_import.py",
    "tests/bench/",
    "tests/connectors/test_killed_anywhere.py",
    "tests/connectors/asking/",
    "tests/intake/",
    "tests/connectors/test_mutations.py",
)


#: Bytes free for two processes, each with servers of its session and of a house: twice what they took, measured.
NEEDED = 5_000_000_000


def pytest_sessionstart(session: pytest.Session) -> None:
    """One sentence before the whole suite instead of a hundred errors in it."""
    if names := outdated():
        pytest.exit(advice(names), returncode=pytest.ExitCode.USAGE_ERROR)
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if session.config.getoption("numprocesses", None) and free < NEEDED:
        there, wanted = f"{free / 1e9:.1f} GB", f"{NEEDED / 1e9:.0f} GB"
        pytest.exit(
            f"{folder} 的盘只剩 {there}，跑测试要 {wanted}：先腾出空间，或用 TMPDIR 换个地方 · "
            f"{there} free in {folder}, the tests want {wanted}: make room, or name another place by TMPDIR",
            returncode=pytest.ExitCode.USAGE_ERROR,
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return next((n for n, path in enumerate(FIRST) if item.nodeid.startswith(path)), len(FIRST))

    items.sort(key=turn)


@dataclass(frozen=True)
class Amqp:
    """A virtual host of one test. `management` is the API's base address with credentials, without a path."""

    url: str
    management: str
    vhost: str


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="intake-tests-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
async def mongo_server(servers_folder: Path) -> AsyncIterator[Servers]:
    async with embedded(servers_folder / "mongo", mongo=True, broker=False) as servers:
        yield servers


@pytest.fixture(scope="session")
async def broker_server(servers_folder: Path) -> AsyncIterator[Servers]:
    async with embedded(servers_folder / "broker", mongo=False, broker=True) as servers:
        yield servers


@pytest.fixture(scope="session")
async def mongo_client(mongo_server: Servers) -> AsyncIterator[AsyncIOMotorClient[dict[str, Any]]]:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo_server.mongo_url, tz_aware=True)
    yield client
    client.close()


@pytest.fixture
async def mongo(mongo_client: AsyncIOMotorClient[dict[str, Any]]) -> AsyncIterator[Database]:
    name = f"test_{uuid4().hex}"
    yield mongo_client.get_database(name, write_concern=WriteConcern("majority", j=True))
    await mongo_client.drop_database(name)


@pytest.fixture
async def amqp(broker_server: Servers) -> AsyncIterator[Amqp]:
    vhost = f"test-{uuid4().hex}"
    management = broker_server.management_url
    user = urlsplit(broker_server.amqp_url).username or "guest"
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        await session.put(f"{management}/api/vhosts/{vhost}", json={})
        await session.put(f"{management}/api/permissions/{vhost}/{user}", json=everything)
    yield Amqp(_on(broker_server.amqp_url, vhost), management, vhost)
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        await session.delete(f"{management}/api/vhosts/{vhost}")


@pytest.fixture
def seal(mongo: Database, tmp_path: Path) -> Sealer:
    return Sealer(mongo, make_keys(tmp_path / "keys"))


def _on(amqp_url: str, vhost: str) -> str:
    return urlunsplit(urlsplit(amqp_url)._replace(path=f"/{vhost}"))
