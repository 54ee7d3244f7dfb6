"""Programs in a session of their own, known again by number and birth, so that a reused number is never killed."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

LOOPBACK = "127.0.0.1"
#: A log larger than this is put aside at the next start; one older one is kept.
LOG_LIMIT = 20_000_000
#: Below those that Linux lends to outgoing connections, so that one is still free when its server comes back.
PORTS = range(20_000, 32_000)


class Process(msgspec.Struct, frozen=True):
    """One process: its number, its birth in clock ticks since the machine's start, and the group to end with it."""

    pid: int
    born: int
    group: int


def this_process() -> Process:
    """The process that runs this code."""
    return Process(os.getpid(), _born(os.getpid()) or 0, os.getpgrp())


async def spawn(command: Sequence[str], environment: Mapping[str, str], log: Path, note: Path) -> Process:
    """Start a program that outlives us if need be; what it prints goes to the log.

    The note names it from the first moment: a command that is killed while its server comes up leaves a process that
    nobody has written down, and the next start must end it, since it holds the data folder.
    """
    await _end_noted(note)
    output = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)]
    pid = os.posix_spawn(command[0], [*command], environment, file_actions=actions, setsid=True)
    process = Process(pid, _born(pid) or 0, pid)
    try:
        note.write_bytes(msgspec.json.encode(process))
    except OSError:  # the disk is full, as a rule
        kill_group(process)
        raise
    return process


def known(pid: int, group: int) -> Process | None:
    """A running process by its number, as a program's pid file names it."""
    born = _born(pid)
    return None if born is None else Process(pid, born, group)


def alive(process: Process | None) -> bool:
    """Whether it still runs; one that ended and was not collected counts as ended."""
    return process is not None and _born(process.pid) == process.born


async def stop(process: Process, grace: float) -> None:
    """Ask it to end, and end its whole group if it has not within the grace."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    loop = asyncio.get_running_loop()
    patience = loop.time() + grace
    while alive(process) and loop.time() < patience:
        await asyncio.sleep(0.02)
    kill_group(process)
    while alive(process):
        await asyncio.sleep(0.02)


def kill_group(process: Process) -> None:
    """End what is left of the group, at once."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.group, signal.SIGKILL)
    _collect(process.group)


def free_port(wanted: int = 0) -> int:
    """The wanted port if it can be bound on loopback, else another one."""
    port = wanted or secrets.choice(PORTS)
    while not _can_bind(port):
        port = secrets.choice(PORTS)
    return port


def is_taken(ports: Iterable[int]) -> bool:
    """Whether somebody has one of them now: between looking for a free one and opening it, others look too."""
    return not all(_can_bind(port) for port in ports)


async def answers(port: int) -> bool:
    """Whether something listens on this port of the loopback."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), 2)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


def put_aside(log: Path) -> Path:
    """The log to write to; what has grown too large is kept once under `.1`."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log


async def _end_noted(note: Path) -> None:
    try:
        process = msgspec.json.decode(note.read_bytes(), type=Process)
    except (FileNotFoundError, msgspec.DecodeError):
        return
    if alive(process):
        await stop(process, 0)


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _born(pid: int) -> int | None:
    _collect(pid)
    try:
        # The command's name may hold spaces and brackets: fields are counted after the last bracket.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    # A killed server's first thread is a zombie while its others still hold its files and ports.
    ended, threads, born = fields[0] in "ZX", int(fields[17]), int(fields[19])
    return None if ended and threads <= 1 else born


def _collect(pid: int) -> None:
    """Take leave of a child that ended; others' children are none of our business."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
