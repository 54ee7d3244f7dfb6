"""What opens sealed data for people: a database, its keys, its stores. Every use of it is written down first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from connectors.keeping.raw import RawStore
from intake.house import Database, House, keys_for
from intake.keys import Keys
from intake.sealing import Sealer
from normalizer.appeal import appeal_of, message_of
from normalizer.vault import Contents, Part, bound
from router.store import CaseStore


class Custody(NamedTuple):
    """What the commands of this folder, and the sweep of retention, are handed."""

    db: Database
    sealer: Sealer
    ref_key: bytes
    raw: RawStore
    cases: CaseStore
    now: Callable[[], datetime]


def custody(db: Database, sealer: Sealer, keys: Keys, now: Callable[[], datetime]) -> Custody:
    """Put one together."""
    raw = RawStore(db.raw, db.raw_revisions, sealer)
    return Custody(db, sealer, keys.ref_key, raw, CaseStore(db, keys.stamper), now)


@asynccontextmanager
async def open_custody(house: House) -> AsyncIterator[Custody]:
    """Open the keys of this installation."""
    keys = await keys_for(house.db, house.settings)
    sealer = Sealer(house.db, keys, cipher=house.settings.keys.cipher)
    try:
        yield custody(house.db, sealer, keys, lambda: datetime.now(UTC))
    finally:
        await sealer.close()


async def open_part(custody: Custody, id_: str, part: Part) -> Contents | None:
    """Open one part of the vault; empty where there never was anything, None where it was destroyed.

    The parts of a message with several requests have a document each, sealed with the message's key; the rounds of one
    share it.
    """
    id_, message = appeal_of(id_), message_of(id_)
    kept = await custody.db.vault.find_one({"_id": id_})
    if kept is None:
        raw = await custody.db.raw.find_one({"_id": message}, {"destroyed": 1})
        return None if raw is not None and raw.get("destroyed") else Contents()
    if part.value not in kept:
        return Contents()
    bind = bound(id_, kept["revision"], part)
    opened = await custody.sealer.open_item(kept["key"], message, bind, kept[part.value])
    return None if opened is None else msgspec.json.decode(opened, type=Contents)
