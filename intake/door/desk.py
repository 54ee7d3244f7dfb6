"""One source's desk behind the door: who may come how often, where pushes go, and what may be told of them."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.raw_appeal import appeal_id
from connectors.receiving.contract import Pushed, Received, Receiver, Refused
from connectors.source import Source
from intake.door.inbox import Inbox
from intake.door.limits import Limit
from intake.door.looking import Look
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

    async def take(self, pushed: Pushed) -> Received:
        """Read a push and store it; its receipts are the ids of its items."""
        try:
            received = self.receiver.receive(pushed)
        except Refused as refused:
            self.inbox.turned_away(refused.reason)
            raise
        self.limit.take(received.client)
        await self.inbox.put(received)
        return received

    def receipt(self, native_id: str) -> str:
        return appeal_id(self.source.name, native_id)
