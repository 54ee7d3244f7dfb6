"""A wire to the broker that a test can cut."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit


def wrong_password(url: str) -> str:
    """Give the same address with a password that is not the right one."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:wrong@{parts.hostname}:{parts.port}"))


class Wire:
    """A wire to the broker that can be cut after so many bytes."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self.left = 10**9
        self.url = ""
        self._ours: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._plug, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        netloc = f"{self._parts.username}:{self._parts.password}@127.0.0.1:{port}"
        self.url = urlunsplit(self._parts._replace(netloc=netloc))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        gc.collect()  # what the cut left behind is told in the test that cut, not in a later one

    @property
    def lines(self) -> int:
        """How often somebody has connected."""
        return len(self._ours)

    def say(self, frame: bytes) -> None:
        """Say something in the broker's name, between two of its own frames: nothing is under way."""
        for line in self._ours:
            line.write(frame)

    async def _plug(self, ours: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._ours.append(back)
        theirs, forth = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        ways = [
            asyncio.ensure_future(self._pass(ours, forth, back)),
            asyncio.ensure_future(self._pass(theirs, back, None)),
        ]
        self._tasks.update(ways)
        await asyncio.wait(ways)
        for end in (forth, back):
            end.close()

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, cut: asyncio.StreamWriter | None
    ) -> None:
        with suppress(OSError):
            while data := await source.read(4096):
                if cut is not None:
                    self.left -= len(data)
                    if self.left <= 0:
                        cut.transport.abort()
                        break
                target.write(data)
                await target.drain()
        target.close()
