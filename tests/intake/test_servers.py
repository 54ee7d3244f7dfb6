"""Servers of our own: found, started, shared, stopped, and started again after a kill."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
import psutil
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from intake.servers import NotWritten, ServerMissing, Servers, down, embedded, mongo, rabbit, status, up, watch
from intake.servers.addresses import management_beside, named
from intake.servers.processes import Process, alive, free_port, this_process
from intake.servers.state import State, User, load, save
from tests.house import give_back

#: RabbitMQ 3.10 forgets a quorum queue, and what was confirmed in it, when it is killed within a second of the
#: queue's declaration: the file that names the queue's log is written late. Measured with kills after 0 to 5 s.
SETTLED = 2.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="servers of our own are found and kept on Linux only")


@pytest.fixture(autouse=True)
def no_servers_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of this file are its own, whatever the session uses."""
    for name in ("MONGO_URL", "AMQP_URL", "AMQP_MANAGEMENT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    yield tmp_path / ".intake"
    await down(tmp_path / ".intake")
    give_back(tmp_path / ".intake")


def test_the_environment_names_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = named({"MONGO_URL": "mongodb://db/", "AMQP_URL": "amqp://me:secret@broker:5673/"})

    assert servers.management_url == "http://me:secret@broker:15672"
    assert "secret" not in repr(servers)


def test_the_management_address_may_be_named_apart() -> None:
    assert named({"AMQP_URL": "amqp://b/", "AMQP_MANAGEMENT_URL": "https://b:1"}).management_url == "https://b:1"
    assert management_beside("amqps://b/") == "https://b:15672"
    assert management_beside("") == ""


async def test_a_named_server_is_neither_started_nor_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", "mongodb://elsewhere/")
    monkeypatch.setenv("AMQP_URL", "amqp://elsewhere/")

    async with embedded(folder, mongo=True, broker=True) as servers:
        assert servers == Servers("mongodb://elsewhere/", "amqp://elsewhere/", "http://elsewhere:15672")

    assert {each.origin for each in await status(folder)} == {"environment"}


async def test_without_any_mongod_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(mongo, "_from_wheel", lambda: None)

    with pytest.raises(ServerMissing, match="MONGO_URL"):
        mongo.program()


async def test_without_any_broker_one_sentence_says_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(rabbit, "DEBIAN", Path("/nowhere"))

    with pytest.raises(ServerMissing, match="apt-get install rabbitmq-server"):
        async with embedded(folder, mongo=False, broker=True):
            pass


async def test_mongod_takes_majority_writes_and_leaves_with_its_last_user(folder: Path) -> None:
    async with embedded(folder, mongo=True, broker=False) as servers:
        async with embedded(folder, mongo=True, broker=False) as same:
            assert same == servers
            await write(servers, "first")
        await write(servers, "second")  # the first user is still there, and so is the server
        process = mongod(folder)
        assert os.getsid(process.pid) == process.pid  # a Ctrl-C in the terminal does not reach it
        assert addresses_of(process) == {"127.0.0.1"}

    assert not alive(process)
    assert [each.running for each in await status(folder)] == [False, False]


async def test_what_was_acknowledged_survives_a_kill_of_mongod(folder: Path) -> None:
    async with embedded(folder, mongo=True, broker=False) as servers:
        await write(servers, "kept")
        os.kill(mongod(folder).pid, signal.SIGKILL)

    async with embedded(folder, mongo=True, broker=False) as again:
        assert again.mongo_url == servers.mongo_url
        assert await count(again, "kept") == 1


async def test_a_taken_port_is_no_reason_to_fail(folder: Path) -> None:
    async with embedded(folder, mongo=True, broker=False) as servers:
        await write(servers, "kept")
    squatter = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", load(folder).mongo_port)
    async with squatter, embedded(folder, mongo=True, broker=False) as elsewhere:
        assert elsewhere.mongo_url != servers.mongo_url
        await write(elsewhere, "kept")
        assert await count(elsewhere, "kept") == 2


async def test_a_port_that_somebody_takes_meanwhile_is_no_reason_to_fail(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    squatter = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    drawn = [squatter.sockets[0].getsockname()[1]]
    monkeypatch.setattr(mongo, "free_port", lambda wanted: drawn.pop() if drawn else free_port(wanted))

    async with squatter, embedded(folder, mongo=True, broker=False) as servers:
        await write(servers, "kept")


def test_no_port_is_drawn_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [20_001, 20_002, 20_002, 20_003, 20_004, 20_005, 20_006, 20_007]
    monkeypatch.setattr(rabbit, "free_port", lambda _: drawn.pop(0))

    assert rabbit._ports((0, 0, 0, 0)) == (20_004, 20_005, 20_006, 20_007)


async def test_up_keeps_it_between_commands_and_down_stops_it(folder: Path) -> None:
    async with embedded(folder, mongo=True, broker=False):
        save(folder, with_kept(load(folder)))  # as `up` leaves it, without the wait for a broker
    process = mongod(folder)
    assert alive(process)

    assert await down(folder) == ["mongod"]

    assert not alive(process)
    assert await down(folder) == []


async def test_a_server_that_a_killed_command_left_is_taken_over(folder: Path) -> None:
    async with embedded(folder, mongo=True, broker=False):
        process = mongod(folder)
        dead = User(Process(this_process().pid, born=1, group=1), "killed")
        save(folder, State(mongo=load(folder).mongo, users=(dead,)))

        async with embedded(folder, mongo=True, broker=False):
            assert mongod(folder) == process
        assert not alive(process)


async def test_a_command_killed_while_its_server_came_up_blocks_nobody(folder: Path) -> None:
    async with embedded(folder, mongo=True, broker=False):
        orphan = mongod(folder)
        save(folder, State())  # it never wrote down what it started

        async with embedded(folder, mongo=True, broker=False) as servers:
            assert not alive(orphan)
            await write(servers, "first")


async def test_the_broker_is_ours_alone_and_survives_a_kill(folder: Path) -> None:
    """One start for several promises: a broker takes seconds to come up."""
    told: list[tuple[str, str]] = []
    async with embedded(folder, mongo=False, broker=True) as servers:
        broker = load(folder).broker
        assert broker is not None
        assert addresses_of(broker.process) == {"127.0.0.1"}
        assert addresses_of(broker.epmd) <= {"127.0.0.1", "::1"}
        assert await is_refused(servers)
        assert stat.S_IMODE((folder / "servers.json").stat().st_mode) == 0o600
        assert servers.amqp_url.split("@")[0] not in repr(await status(folder))
        await publish(servers)
        await asyncio.sleep(SETTLED)

        watching = asyncio.create_task(watch(folder, lambda *words: told.append(words)))
        os.kill(broker.process.pid, signal.SIGKILL)
        while ("rabbitmq", "runs again") not in told:
            await asyncio.sleep(0.1)
        watching.cancel()

        assert await take(servers) == b"kept"
        after = load(folder).broker
        assert after is not None
        assert after.process != broker.process
    assert not alive(after.process)
    assert not alive(after.epmd)


async def test_what_died_is_started_again_and_what_was_stopped_is_not(folder: Path) -> None:
    told: list[tuple[str, str]] = []
    async with embedded(folder, mongo=True, broker=False) as servers:
        watching = asyncio.create_task(watch(folder, lambda *words: told.append(words)))
        os.kill(mongod(folder).pid, signal.SIGKILL)
        while ("mongod", "runs again") not in told:
            await asyncio.sleep(0.05)
        await write(servers, "after")

        await down(folder)
        del told[:]
        await asyncio.sleep(0)
        assert [each.running for each in await status(folder)] == [False, False]
        assert told == []
        watching.cancel()


async def test_what_cannot_be_written_down_is_tried_again(folder: Path) -> None:
    """As on a full disk: the watch goes on, and says so."""
    told: list[tuple[str, str]] = []
    async with embedded(folder, mongo=True, broker=False) as servers:
        in_the_way = folder / "servers.json.new"
        in_the_way.mkdir()
        watching = asyncio.create_task(watch(folder, lambda *words: told.append(words)))
        os.kill(mongod(folder).pid, signal.SIGKILL)
        while not any("写不了" in what for _, what in told):
            await asyncio.sleep(0.05)
        in_the_way.rmdir()
        while ("mongod", "runs again") not in told:
            await asyncio.sleep(0.05)
        watching.cancel()
        await write(servers, "after")


def test_a_full_disk_leaves_what_was_written_down_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, State(mongo_port=20_001))
    monkeypatch.setattr("intake.servers.errors.SCARCE", 10**18)
    really = os.open

    with monkeypatch.context() as full:
        full.setattr("intake.servers.state.os.open", lambda *_: really("/dev/full", os.O_WRONLY))
        with pytest.raises(NotWritten, match="No space left on device") as raised:
            save(tmp_path, State(mongo_port=20_002))

    said = str(raised.value)
    assert said.startswith("盘快满了")
    assert f"写不了 {tmp_path / 'servers.json'}" in said
    assert load(tmp_path) == State(mongo_port=20_001)


async def test_up_starts_both_at_once(folder: Path) -> None:
    servers = await up(folder)

    shown = await status(folder)

    assert [(each.name, each.running, each.kept) for each in shown] == [
        ("mongod", True, True),
        ("rabbitmq", True, True),
    ]
    assert all((servers.mongo_url, servers.amqp_url, servers.management_url))


def mongod(folder: Path) -> Process:
    server = load(folder).mongo
    assert server is not None
    return server.process


def with_kept(state: State) -> State:
    return State(mongo=state.mongo, mongo_port=state.mongo_port, kept=True, users=state.users)


def addresses_of(process: Process) -> set[str]:
    listening = psutil.Process(process.pid).net_connections("inet")
    return {each.laddr.ip for each in listening if each.status == psutil.CONN_LISTEN}


async def write(servers: Servers, name: str) -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(servers.mongo_url)
    majority = WriteConcern("majority", j=True)
    await client.get_database("demo", write_concern=majority).notes.insert_one({"name": name})
    client.close()


async def count(servers: Servers, name: str) -> int:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(servers.mongo_url)
    found = await client.demo.notes.count_documents({"name": name})
    client.close()
    return found


async def is_refused(servers: Servers) -> bool:
    """The password that everybody knows opens nothing."""
    address = servers.management_url.rpartition("@")[2]
    guest = {"Authorization": aiohttp.encode_basic_auth("guest", "guest")}
    async with aiohttp.ClientSession(headers=guest) as session, session.get(f"http://{address}/api/whoami") as answer:
        return answer.status == 401


async def publish(servers: Servers) -> None:
    async with await aio_pika.connect(servers.amqp_url) as connection, connection.channel() as channel:
        await channel.declare_queue("dept.TEST", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "dept.TEST")


async def take(servers: Servers) -> bytes:
    async with await aio_pika.connect(servers.amqp_url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue("dept.TEST", durable=True, arguments={"x-queue-type": "quorum"})
        message = await queue.get(timeout=10)
        await message.ack()
        return message.body
