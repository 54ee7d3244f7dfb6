"""`strays`: what departments sent that belongs to no case (router/dispatching/strays.py), and who is to be told so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

Database = AsyncIOMotorDatabase[dict[str, Any]]


class StrayStore:
    """`strays`."""

    def __init__(self, database: Database) -> None:
        self._strays = database["strays"]

    async def add(self, stray: Mapping[str, Any]) -> None:
        """Keep a message that belongs to no case, sealed; the same one again is one document."""
        try:
            await self._strays.insert_one(dict(stray))
        except DuplicateKeyError:
            return

    async def unanswered(self, limit: int = 100) -> list[dict[str, Any]]:
        """Give strays that their sender is still to be told of, without their bodies."""
        found = self._strays.find({"unanswered": True}, {"body": 0}, sort=[("at", ASCENDING)], limit=limit)
        return [document async for document in found]

    async def answered(self, strays: Sequence[str]) -> None:
        """Note that their sender was told, or has no queue to be told through."""
        if strays:
            await self._strays.update_many({"_id": {"$in": list(strays)}}, {"$set": {"unanswered": False}})
