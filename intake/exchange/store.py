"""What was exchanged (交换台账): a document a bundle in `exchanges`, and in it whatever a lost disc needs again.

Messages of a bundle that is out have left the queue and lie here, sealed, until the department's receipt: they are
counted as out, and exporting again gives the same bytes. With the receipt they go.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec
from pymongo.errors import DuplicateKeyError

from intake.exchange.bundle import Bundle, Manifest, Receipt, Way, name_of
from intake.house import Database
from router.dispatch import SHANGHAI


class Seal(Protocol):
    """What is needed of intake/sealing.py."""

    async def ready(self, label: str) -> None: ...
    def seal(self, label: str, bind: bytes, plain: bytes) -> bytes: ...
    async def open(self, label: str, bind: bytes, sealed: bytes) -> bytes: ...


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """交换情况 of one department, as `intake status` shows it."""

    department: str
    out: int  #: bundles without a receipt
    messages: int  #: in them
    oldest: datetime | None
    last_out: int
    last_in: int


class ExchangeStore:
    """The collection."""

    def __init__(self, db: Database, seal: Seal) -> None:
        self._exchanges = db.exchanges
        self._seal = seal

    async def last(self, department: str, way: Way) -> Receipt | None:
        """Give the newest bundle of one way."""
        row = await self._exchanges.find_one({"department": department, "way": way.value}, sort=[("number", -1)])
        return None if row is None else Receipt(number=row["number"], sha256=row["sha256"])

    async def digest(self, department: str, way: Way, number: int) -> str | None:
        """Give the digest of a bundle's manifest."""
        row = await self._exchanges.find_one({"_id": name_of(department, way, number)}, {"sha256": 1})
        return None if row is None else str(row["sha256"])

    async def keep(self, bundle: Bundle, at: datetime) -> bool:
        """Write one down that goes out, before its messages leave the queue; False: another one took its number."""
        label = f"strays/{at.astimezone(SHANGHAI):%Y-%m}"
        await self._seal.ready(label)
        sealed = self._seal.seal(label, f"exchanges/{bundle.name}".encode(), bundle.content)
        return await self._insert(
            bundle, at, state="out", written=bundle.written, signature=bundle.signature, body=sealed, key=label
        )

    async def taken_in(self, bundle: Bundle, at: datetime, **counts: int) -> None:
        """Write one down that was read in."""
        await self._insert(bundle, at, state="read", **counts)

    async def _insert(self, bundle: Bundle, at: datetime, **more: Any) -> bool:  # noqa: ANN401 - a document's fields
        manifest = bundle.manifest
        document = {
            "_id": bundle.name,
            "department": manifest.department,
            "way": manifest.way.value,
            "number": manifest.number,
            "sha256": bundle.digest,
            "count": manifest.count,
            "at": at,
            **more,
        }
        try:
            await self._exchanges.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def out(self, department: str) -> list[Bundle]:
        """Give every bundle without a receipt, as it was."""
        rows = self._exchanges.find({"department": department, "way": Way.OUT.value, "state": "out"}).sort("number", 1)
        return [await self._opened(row) async for row in rows]

    async def items(self, department: str) -> set[tuple[str, str]]:
        """Give id and digest of each line in the newest bundle, while it is out.

        A killed export may have left them in the queue. Once the department has the bundle, the same lines are sent
        again because somebody asked for it (补发).
        """
        row = await self._exchanges.find_one(
            {"department": department, "way": Way.OUT.value}, {"written": 1, "state": 1}, sort=[("number", -1)]
        )
        if row is None or row.get("state") != "out":
            return set()
        return {(item.id, item.sha256) for item in msgspec.json.decode(row["written"], type=Manifest).items}

    async def received(self, department: str, up_to: int, at: datetime) -> int:
        """Let go of what the department has; says how many bundles that are."""
        done = await self._exchanges.update_many(
            {"department": department, "way": Way.OUT.value, "state": "out", "number": {"$lte": up_to}},
            {"$set": {"state": "received", "received_at": at}, "$unset": {"body": "", "key": "", "signature": ""}},
        )
        return int(done.modified_count)

    async def _opened(self, row: dict[str, Any]) -> Bundle:
        body = await self._seal.open(row["key"], f"exchanges/{row['_id']}".encode(), bytes(row["body"]))
        written = bytes(row["written"])
        return Bundle(msgspec.json.decode(written, type=Manifest), written, bytes(row["signature"]), body)


async def standings(db: Database) -> list[Standing]:
    """Give how it stands with each department."""
    is_out = {"$eq": ["$state", "out"]}
    rows = db.exchanges.aggregate(
        [
            {
                "$group": {
                    "_id": "$department",
                    "out": {"$sum": {"$cond": [is_out, 1, 0]}},
                    "messages": {"$sum": {"$cond": [is_out, "$count", 0]}},
                    "oldest": {"$min": {"$cond": [is_out, "$at", None]}},
                    "last_out": {"$max": {"$cond": [{"$eq": ["$way", "out"]}, "$number", 0]}},
                    "last_in": {"$max": {"$cond": [{"$eq": ["$way", "in"]}, "$number", 0]}},
                }
            },
            {"$sort": {"_id": 1}},
        ]
    )
    return [msgspec.convert({"department": row.pop("_id"), **row}, Standing) async for row in rows]
