"""Who starts and stops the servers of a folder, and who starts them again.

Two rules: whoever starts or stops one holds the folder's lock; and the last user that leaves turns off the light,
unless `up` asked to keep them. A user that was killed does not count, so the next command takes over what it left.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import msgspec

from intake.servers import mongo as mongod
from intake.servers import rabbit
from intake.servers.addresses import Servers, host, named
from intake.servers.errors import NotWritten, ServerError
from intake.servers.processes import LOOPBACK, this_process
from intake.servers.state import Broker, Mongo, State, User, load, locked, save

#: Ctrl-C may take five seconds, flows included. The broker's management plugin alone dawdles for five, after the stores
#: are closed; what was confirmed is on disk, so killing it then loses nothing.
GRACE = 2.5
WATCH_EVERY = 0.5


class ServerStatus(msgspec.Struct, frozen=True):
    """One server as `intake servers status` shows it."""

    name: str
    origin: str
    running: bool
    address: str
    pid: int | None
    kept: bool


@asynccontextmanager
async def embedded(folder: Path, *, mongo: bool, broker: bool) -> AsyncIterator[Servers]:
    """The addresses of the servers that are wanted, for as long as this block runs."""
    given = named(os.environ)
    mongo, broker = mongo and not given.mongo_url, broker and not given.amqp_url
    if not (mongo or broker):
        yield given
        return
    folder = folder.absolute()
    user = User(this_process(), uuid4().hex)
    try:
        state = await _acquire(folder, user, mongo=mongo, broker=broker)
        yield _addresses(given, state, mongo=mongo, broker=broker)
    finally:
        await _release(folder, user)


async def up(folder: Path) -> Servers:
    """Start what the environment does not name, and keep it running between commands."""
    folder = folder.absolute()
    given = named(os.environ)
    async with locked(folder):
        state = await _ensure(folder, load(folder), mongo=not given.mongo_url, broker=not given.amqp_url)
        save(folder, msgspec.structs.replace(state, kept=True))
    return _addresses(given, state, mongo=not given.mongo_url, broker=not given.amqp_url)


async def down(folder: Path) -> list[str]:
    """Stop the servers of this folder, whoever started them; return the names of those that ran."""
    folder = folder.absolute()
    ran = [each.name for each in await status(folder) if each.running and each.origin == "own"]
    async with locked(folder):
        await _stop_all(folder, msgspec.structs.replace(load(folder), kept=False))
    return ran


async def status(folder: Path) -> list[ServerStatus]:
    """What is there now; nothing is started."""
    given = named(os.environ)
    state = load(folder.absolute())
    return [
        _named("mongod", given.mongo_url)
        if given.mongo_url
        else _own("mongod", state.mongo, runs=await mongod.running(state.mongo), kept=state.kept),
        _named("rabbitmq", given.amqp_url)
        if given.amqp_url
        else _own("rabbitmq", state.broker, runs=await rabbit.running(state.broker), kept=state.kept),
    ]


async def watch(folder: Path, tell: Callable[[str, str], None]) -> None:
    """Start again what has crashed, until cancelled; `tell(server, what happened)` is for the log.

    One that was stopped by `down` stays stopped.
    """
    folder = folder.absolute()
    while True:
        await asyncio.sleep(WATCH_EVERY)
        state = load(folder)
        crashed = [
            name
            for name, record, runs in (
                ("mongod", state.mongo, await mongod.running(state.mongo)),
                ("rabbitmq", state.broker, await rabbit.running(state.broker)),
            )
            if record is not None and not runs
        ]
        if crashed:
            await _start_again(folder, crashed, tell)


async def _start_again(folder: Path, crashed: list[str], tell: Callable[[str, str], None]) -> None:
    for name in crashed:
        tell(name, "died, starting it again")
    try:
        async with locked(folder):
            await _ensure(folder, load(folder), mongo="mongod" in crashed, broker="rabbitmq" in crashed)
    except (ServerError, OSError) as error:  # a disk that is full is mended while we go on trying
        tell(" and ".join(crashed), f"did not start, trying again: {error}")
        return
    for name in crashed:
        tell(name, "runs again")


async def _acquire(folder: Path, user: User, *, mongo: bool, broker: bool) -> State:
    async with locked(folder):
        state = save(folder, load(folder).with_user(user))
        return await _ensure(folder, state, mongo=mongo, broker=broker)


async def _release(folder: Path, user: User) -> None:
    async with locked(folder):
        state = load(folder).without(user)
        if not state.users and not state.kept:
            await _stop_all(folder, state)
        else:
            save(folder, state)


async def _ensure(folder: Path, state: State, *, mongo: bool, broker: bool) -> State:
    """Both start side by side; what came up is written down even if the other did not."""
    started = await asyncio.gather(
        _ensure_mongo(folder, state, wanted=mongo),
        _ensure_broker(folder, state, wanted=broker),
        return_exceptions=True,
    )
    failures = [each for each in started if isinstance(each, BaseException)]
    fresh = {name: value for each in started if not isinstance(each, BaseException) for name, value in each.items()}
    state = msgspec.structs.replace(state, **fresh)
    try:
        save(folder, state)
    except NotWritten:
        # Nobody would find it, and it would hold the port at which its clients look for it.
        await _end(msgspec.structs.replace(State(), **fresh))
        raise
    if failures:
        raise failures[0]
    return state


async def _ensure_mongo(folder: Path, state: State, *, wanted: bool) -> dict[str, object]:
    if not wanted or await mongod.running(state.mongo):
        return {}
    if state.mongo:
        await mongod.end(state.mongo, 0)  # a process that runs and does not answer holds the data folder
    server = await mongod.start(folder, state.mongo_port)
    return {"mongo": server, "mongo_port": server.port}


async def _ensure_broker(folder: Path, state: State, *, wanted: bool) -> dict[str, object]:
    if not wanted or await rabbit.running(state.broker):
        return {}
    if state.broker:
        await rabbit.end(state.broker, 0)
    server = await rabbit.start(folder, state.broker_ports)
    ports = (server.port, server.management_port, server.distribution_port, server.epmd_port)
    return {"broker": server, "broker_ports": ports}


async def _end(state: State) -> None:
    await asyncio.gather(
        *([mongod.end(state.mongo, GRACE)] if state.mongo else []),
        *([rabbit.end(state.broker, GRACE)] if state.broker else []),
    )


async def _stop_all(folder: Path, state: State) -> None:
    await _end(state)
    save(folder, msgspec.structs.replace(state, mongo=None, broker=None))


def _addresses(given: Servers, state: State, *, mongo: bool, broker: bool) -> Servers:
    return Servers(
        mongo_url=_mongo_url(state) if mongo else given.mongo_url,
        amqp_url=rabbit.url(state.broker) if broker and state.broker else given.amqp_url,
        management_url=rabbit.management_url(state.broker) if broker and state.broker else given.management_url,
    )


def _mongo_url(state: State) -> str:
    return mongod.url(state.mongo) if state.mongo else ""


def _named(name: str, url: str) -> ServerStatus:
    """What the environment names is somebody else's to watch; it counts as running."""
    return ServerStatus(name, "environment", running=True, address=host(url), pid=None, kept=True)


def _own(name: str, server: Mongo | Broker | None, *, runs: bool, kept: bool) -> ServerStatus:
    if server is None:
        return ServerStatus(name, "own", running=False, address="-", pid=None, kept=kept)
    address = f"{LOOPBACK}:{server.port}"
    return ServerStatus(name, "own", running=runs, address=address, pid=server.process.pid, kept=kept)
