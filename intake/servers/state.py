"""What this folder's servers are, in one small file that every command reads under a lock."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from intake.servers.errors import NotWritten
from intake.servers.processes import Process, alive


class Mongo(msgspec.Struct, frozen=True):
    """A mongod of our own."""

    process: Process
    port: int


class Broker(msgspec.Struct, frozen=True):
    """A RabbitMQ node of our own and the port mapper that its runtime needs."""

    process: Process
    epmd: Process
    port: int
    management_port: int
    distribution_port: int
    epmd_port: int
    user: str
    password: str


class User(msgspec.Struct, frozen=True):
    """A command that uses the servers; a process may use them more than once."""

    process: Process
    token: str


class State(msgspec.Struct, frozen=True):
    """None: never started, or stopped on purpose. A record whose process is dead: it crashed."""

    mongo: Mongo | None = None
    broker: Broker | None = None
    mongo_port: int = 0
    broker_ports: tuple[int, int, int, int] = (0, 0, 0, 0)
    kept: bool = False
    users: tuple[User, ...] = ()

    def with_user(self, user: User) -> "State":
        return msgspec.structs.replace(self, users=(*self.living(), user))

    def without(self, user: User) -> "State":
        return msgspec.structs.replace(self, users=tuple(each for each in self.living() if each.token != user.token))

    def living(self) -> tuple[User, ...]:
        return tuple(each for each in self.users if alive(each.process))


def load(folder: Path) -> State:
    """The state as it was written last; an unreadable file is as good as none."""
    try:
        return msgspec.json.decode((folder / "servers.json").read_bytes(), type=State)
    except (FileNotFoundError, msgspec.DecodeError):
        return State()


def save(folder: Path, state: State) -> State:
    """Write it whole or not at all, for our own eyes only. Raises NotWritten."""
    fresh = folder / "servers.json.new"
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(state)))
        fresh.replace(folder / "servers.json")
    except OSError as error:
        raise NotWritten(folder / "servers.json", error) from error
    return state


@asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[None]:
    """One command at a time starts and stops this folder's servers."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "servers.lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.05)
        yield  # closing the file gives the lock back, also when this process is killed
