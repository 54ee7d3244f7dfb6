"""One source's desk behind the door: who may come how often, where pushes go, and what may be told of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from connectors.raw_appeal import appeal_id
from connectors.receiving.contract import Pushed, Received, Receiver, Refused
from connectors.source import Source
from intake.door.inbox import Inbox
from intake.door.limits import Limit
from intake.door.looking import Look
from intake.door.routes import head_of, pushed_of
from intake.tables import Tables


@dataclass(frozen=True)
class Desk:
    """What a handler is handed."""

    source: Source
    receiver: Receiver
    inbox: Inbox
    limit: Limit  #: of a client that showed its key
    look: Look
    tables: Tables
    public_url: str

    async def read(self, request: web.Request) -> Pushed:
        """Read a push whole, once its head shows that it may come."""
        with self._turning_away():
            self.receiver.admit(head_of(request))
        return await pushed_of(request)

    async def take(self, pushed: Pushed) -> Received:
        """Read a push and store it; its receipts are the ids of its items."""
        with self._turning_away():
            received = self.receiver.receive(pushed)
        self.limit.take(received.client)
        await self.inbox.put(received)
        return received

    @contextmanager
    def _turning_away(self) -> Iterator[None]:
        try:
            yield
        except Refused as refused:
            self.inbox.turned_away(refused.reason)
            raise

    def receipt(self, native_id: str) -> str:
        return appeal_id(self.source.name, native_id)
