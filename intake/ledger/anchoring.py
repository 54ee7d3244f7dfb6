"""The daily anchor (锚定): where every ledger ends that has grown since the last one, chained to that one.

Stamps show what was changed within a ledger; that its end, or all of it, is gone shows only to whoever knows where it
had ended. An anchor's digest is short enough to be printed and signed, and binds all anchors before it.

`anchors` has a document for each, `anchor_parts` the ends of its ledgers, some thousands a document.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import msgspec
import structlog

from intake import daily
from intake.house import Database
from intake.rights import accesses
from router.cases.stamps import BEGIN, Stamper, split
from router.dispatch import SHANGHAI
from router.store import CaseStore

log = structlog.get_logger()

TURN = "anchor"
LEASE = timedelta(hours=1)
#: An event's moment is a little before its write; what an anchor sees twice does no harm.
MARGIN = timedelta(hours=1)
PART = 5_000  #: ends in one document
LATE_AT_ONCE = 500


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """One anchor, as it is printed."""

    number: int
    at: datetime
    cases: int  #: that there were
    ends: int  #: of ledgers that it holds
    late: int  #: ledgers that were stamped for it as they stood
    accesses: int  #: lines of who saw what
    digest: str


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """Where some ledgers ended: after how many events, with which stamp."""

    cases: list[str]
    events: list[int]
    stamps: list[bytes]


async def once_a_day(db: Database, store: CaseStore, stamper: Stamper, now: Callable[[], datetime], owner: str) -> bool:
    """Do it, if nobody has done so today; never says that there is more."""
    at = now()
    today = f"{at.astimezone(SHANGHAI):%Y-%m-%d}"
    if await daily.claim(db, TURN, today, owner, LEASE):
        try:
            await _anchor(db, store, stamper, at)
            await daily.remember(db, TURN, {"day": today})
        finally:
            await daily.hand_back(db, TURN)
    return False


async def by_hand(db: Database, store: CaseStore, stamper: Stamper, at: datetime, owner: str) -> Anchor | None:
    """Do it now; None while another is at it."""
    if not await daily.claim(db, TURN, f"by hand {uuid4().hex}", owner, LEASE):
        return None
    try:
        return await _anchor(db, store, stamper, at)
    finally:
        await daily.hand_back(db, TURN)


async def all_anchors(db: Database) -> list[dict[str, Any]]:
    """Give the documents, the oldest first."""
    return [each async for each in db.anchors.find({}).sort("_id", 1)]


async def parts_of(db: Database, number: int) -> AsyncIterator[Ends]:
    """Give the ends that an anchor holds."""
    async for part in db.anchor_parts.find(_of(number)).sort("_id", 1):
        yield Ends(cases=part["cases"], events=part["events"], stamps=split(part["stamps"]))


def shown(document: Mapping[str, Any]) -> Anchor:
    """Give an anchor as it is printed."""
    return msgspec.convert({**document, "number": document["_id"]}, Anchor)


class Digest:
    """The digest of an anchor, as anybody can reckon it again: SHA-256 over the one before and what it holds."""

    def __init__(self, before: str) -> None:
        self._hash = sha256(before.encode())

    def add(self, ends: Ends) -> None:
        for case, events, stamp in zip(ends.cases, ends.events, ends.stamps, strict=True):
            self._hash.update(f"\n{case} {events} {stamp.hex()}".encode())

    def end(self, document: Mapping[str, Any]) -> str:
        at = int(document["at"].timestamp() * 1000)
        head = (document["_id"], at, document["cases"], document["accesses"], document["accesses_hash"])
        self._hash.update(("\n" + " ".join(map(str, head))).encode())
        return self._hash.hexdigest()


def stamp_of(stamper: Stamper, digest: str, before: bytes) -> bytes:
    """Only who has the key makes an anchor."""
    return stamper.stamp("anchors", bytes.fromhex(digest), before)


# ---------------------------------------------------------------- inside


async def _anchor(db: Database, store: CaseStore, stamper: Stamper, at: datetime) -> Anchor:
    last = await db.anchors.find_one({}, sort=[("_id", -1)]) or {"_id": 0, "digest": "", "stamp": BEGIN, "at": None}
    number = last["_id"] + 1
    await db.anchor_parts.delete_many(_of(number))  # of one who died at it
    late = await _stamp_what_stands(db, store)
    digest, ends = Digest(last["digest"]), 0
    async for part in _grown(db, last["at"]):
        await db.anchor_parts.insert_one(
            {
                "_id": f"{number:08}/{ends:09}",
                "cases": part.cases,
                "events": part.events,
                "stamps": b"".join(part.stamps),
            }
        )
        digest.add(part)
        ends += len(part.cases)
    line = await accesses.last_line(db)
    document = {
        "_id": number,
        "at": at,
        "cases": await db.cases.estimated_document_count(),
        "ends": ends,
        "late": late,
        "accesses": line.number,
        "accesses_hash": line.hash,
        "before": last["digest"],
    }
    document["digest"] = digest.end(document)
    document["stamp"] = stamp_of(stamper, document["digest"], last["stamp"])
    await db.anchors.insert_one(document)
    log.info("Anchored the ledgers", action="ledgers_anchored", anchor=number, ends=ends, digest=document["digest"])
    return shown(document)


def _of(number: int) -> dict[str, Any]:
    """Ask for the parts of one anchor, by the index that there is."""
    return {"_id": {"$gte": f"{number:08}/", "$lt": f"{number:08}0"}}  # 0 is what follows / in the table of characters


async def _stamp_what_stands(db: Database, store: CaseStore) -> int:
    """Stamp the ledgers that an earlier version wrote, as they stand."""
    count, ids = 0, list[str]()
    unstamped = {"$expr": {"$lt": [{"$size": {"$ifNull": ["$stamps", []]}}, {"$size": "$events"}]}}
    async for case in db.cases.find(unstamped, {"_id": 1}):
        ids.append(case["_id"])
        if len(ids) == LATE_AT_ONCE:
            count += await store.stamp_late(ids)
            ids = []
    return count + await store.stamp_late(ids)


async def _grown(db: Database, since: datetime | None) -> AsyncIterator[Ends]:
    """Give where the ledgers end that have grown since then."""
    found: list[Any] = []
    wanted = [] if since is None else [{"$match": {"at": {"$gte": since - MARGIN}}}]
    ends = {"at": {"$last": "$events.at"}, "n": {"$size": "$events"}, "stamp": {"$last": "$stamps"}}
    async for case in db.cases.aggregate([{"$project": ends}, *wanted]):
        found.append(case)
        if len(found) == PART:
            yield _ends(found)
            found = []
    if found:
        yield _ends(found)


def _ends(found: Sequence[Mapping[str, Any]]) -> Ends:
    return Ends(
        cases=[case["_id"] for case in found],
        events=[case["n"] for case in found],
        stamps=[bytes(case["stamp"]) for case in found],
    )
