"""A process beside the worker that normalizes large pages: the other core's share of one worker.

`normalize` is pure and the dearest part of the street, and Python runs one thread at a time. So a page of a backlog
goes through a pipe to a process of our own while the worker reads, stores and publishes the pages around it. Small
pages, which is what comes on a quiet day, are done here: nothing is started for them. Whatever is wrong with that
process (killed, stopped, of other tables), the page is done here too: it makes a worker faster, nothing rests on it.

It lives as long as the pipe: when the worker is gone, however that came, it ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

import msgspec
import structlog

from connectors.raw_appeal import RawAppeal
from intake.street import normalizing
from intake.street.normalizing import LENGTH, Begin
from normalizer.finished import Failed, Finished
from normalizer.flow import finish_in_turns
from normalizer.tables import Tables

log = structlog.get_logger()

LARGE = 100  #: items; a smaller page is done here before it could be sent
PATIENCE = 20.0  #: seconds for a page; a process that was stopped must not hold one longer than its lease
AGAIN_AFTER = 30.0  #: seconds after a failure before another process is tried
_ROOM = 16 * 1024 * 1024  #: bytes that the pipe's reader takes before it lets the process wait


class Lost(Exception):
    """The process does not do what it is there for."""


class Beside:
    """Normalizes pages, the large ones in a process of its own."""

    def __init__(self, begin: Begin, tables: Tables) -> None:
        self._begin = begin
        self._tables = tables
        self._process: Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._not_before = 0.0 if len(os.sched_getaffinity(0)) > 1 else float("inf")  # one core has no other share

    async def finish(self, raws: Sequence[RawAppeal]) -> list[Finished | Failed]:
        """Normalize a page, wherever that is quicker."""
        if len(raws) >= LARGE and self._is_ready():
            async with self._turn:
                try:
                    return await self._ask(raws)
                except Lost as error:
                    log.warning("normalizing here", action="beside_lost", reason=str(error))
        return await finish_in_turns(raws, self._tables, self._begin.ref_key)

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return None if self._process is None else self._process.pid

    async def ready(self) -> None:
        """Wait until the process is there, or cannot be had: for whoever knows that large pages come."""
        self._is_ready()
        if self._starting is not None:
            await self._starting

    async def close(self) -> None:
        """End the process."""
        if self._starting is not None:
            await self._starting
        await self._drop()

    def _is_ready(self) -> bool:
        """Say whether it is there; if not, have it started, and do not wait for it."""
        if self._process is not None:
            return True
        if self._starting is None and time.monotonic() >= self._not_before:
            self._starting = asyncio.create_task(self._start(), name="beside")
        return False

    async def _start(self) -> None:
        self._not_before = time.monotonic() + AGAIN_AFTER
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", normalizing.__name__, stdin=PIPE, stdout=PIPE, limit=_ROOM
            )
            async with asyncio.timeout(PATIENCE):
                await _send(process, msgspec.msgpack.encode(self._begin))
                self._must_know(msgspec.msgpack.decode(await _receive(process), type=dict[str, str]))
            self._process = process
        except (OSError, TimeoutError, Lost) as error:
            log.warning("normalizing here", action="beside_lost", reason=str(error) or type(error).__name__)
            await _end(process)
        finally:
            self._starting = None

    def _must_know(self, versions: dict[str, str]) -> None:
        if versions != self._tables.versions:
            raise Lost("the tables' files were changed since this worker read them; restart it to use them")

    async def _ask(self, raws: Sequence[RawAppeal]) -> list[Finished | Failed]:
        process = self._process
        if process is None:
            raise Lost("it was lost a moment ago")
        try:
            async with asyncio.timeout(PATIENCE):
                await _send(process, _ENCODE(raws))
                return _DECODE(await _receive(process))
        except (OSError, TimeoutError, Lost) as error:
            raise Lost(str(error) or type(error).__name__) from error
        finally:
            if sys.exception() is not None:  # cancelled too: the next page must not read this one's answer
                await self._drop()

    async def _drop(self) -> None:
        process, self._process = self._process, None
        await _end(process)


async def _send(process: Process, frame: bytes) -> None:
    assert process.stdin is not None
    process.stdin.writelines((LENGTH.pack(len(frame)), frame))
    await process.stdin.drain()


async def _receive(process: Process) -> bytes:
    assert process.stdout is not None
    try:
        (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        return await process.stdout.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise Lost("the process beside the worker ended") from error


async def _end(process: Process | None) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()  # it holds nothing but what we have too
        await process.wait()


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[Finished | Failed]).decode
