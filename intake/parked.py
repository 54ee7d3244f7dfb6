"""What is parked in any room, as one list: unreadable rows, unmappable items, dispatches, and messages of no case.

What is tried again, or put right by hand, stands in retrying.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from intake.house import Database
from intake.rights.accesses import Seen, note
from intake.street.rooms import Rooms
from normalizer.appeal import message_of
from router import desk
from router.store import CaseStore


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is set aside."""

    id: str
    stage: str  #: parse, normalize, route, stray, answer
    source: str | None
    native_id: str | None
    reason: str
    at: datetime | None
    message: str | None = None  #: of a dispatch
    department: str | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """One of them with its raw payload, for somebody who gave a name and a reason."""

    parked: Parked
    payload: str  #: empty where it was destroyed


async def listed(
    db: Database,
    *,
    stage: str | None = None,
    source: str | None = None,
    only: Sequence[str] = (),
    limit: int = 1_000_000,
) -> list[Parked]:
    """List what is parked, stage by stage; `only` names ids."""
    found: list[Parked] = []
    for name, rows in (
        ("parse", _parse),
        ("normalize", _normalize),
        ("route", _route),
        ("stray", _stray),
        ("answer", _answer),
    ):
        if stage not in {None, name}:
            continue
        async for row in rows(db, source, only):
            if len(found) >= limit:
                return found
            found.append(row)
    return found


async def counted(db: Database) -> dict[str, int]:
    """Count what waits for somebody, stage by stage; what was given up stands in the balance alone."""
    return {
        "parse": await db.raw.count_documents({"parked.stage": {"$exists": True}, "parked.discarded": None}),
        "normalize": await db.unmapped.count_documents({"discarded": None}),
        "route": await db.cases.count_documents({"state": "parked"}),
        "strays": await db.strays.count_documents({"discarded": None}),
        "answer": await db.cases.count_documents({"handling.answers_parked": {"$gt": 0}}),
    }


def _query(source: str | None, only: Sequence[str]) -> dict[str, Any]:
    return ({"source": source} if source else {}) | ({"_id": {"$in": list(only)}} if only else {})


async def _parse(db: Database, source: str | None, only: Sequence[str]) -> AsyncIterator[Parked]:
    query = {"parked.stage": {"$exists": True}, "parked.discarded": None} | _query(source, only)
    async for row in db.raw.find(query, {"source": 1, "native_id": 1, "parked": 1}).sort("parked.at", 1):
        parked = row["parked"]
        yield Parked(
            id=row["_id"],
            stage="parse",
            source=row["source"],
            native_id=row["native_id"],
            reason=parked["reason"],
            at=parked["at"],
        )


async def _normalize(db: Database, source: str | None, only: Sequence[str]) -> AsyncIterator[Parked]:
    async for row in db.unmapped.find(_query(source, only) | {"discarded": None}).sort("at", 1):
        yield Parked(
            id=row["_id"],
            stage="normalize",
            source=row["source"],
            native_id=row["native_id"],
            reason=row["reason"],
            at=row["at"],
        )


async def _route(db: Database, source: str | None, only: Sequence[str]) -> AsyncIterator[Parked]:
    store = CaseStore(db)
    cases = list((await store.load(only)).values()) if only else await store.lists.parked(1_000_000)
    for case, message, reason in desk.parked_rows(cases):
        if source is not None and case.source != source:
            continue
        row = next((row for row in case.dispatches if row.id == message), None)
        yield Parked(
            id=case.id,
            stage="route",
            source=case.source,
            native_id=case.native_id,
            reason=reason,
            at=case.since if row is None else row.parked_at,
            message=message,
            department=None if row is None else row.department,
        )


async def _stray(db: Database, source: str | None, only: Sequence[str]) -> AsyncIterator[Parked]:
    if source is not None:
        return
    async for row in db.strays.find(_query(None, only) | {"discarded": None}, {"body": 0}).sort("at", 1):
        yield Parked(
            id=row["_id"],
            stage="stray",
            source=None,
            native_id=row.get("message_id"),
            reason=row["reason"],
            at=row["at"],
            department=row.get("queue"),
        )


async def _answer(db: Database, source: str | None, only: Sequence[str]) -> AsyncIterator[Parked]:
    """What could not be told to the source that a case came from (回写)."""
    for case in await CaseStore(db).lists.answers_parked(1_000_000):
        if (only and case.id not in only) or source not in {None, case.source} or case.handling is None:
            continue
        for row in case.handling.answers:
            if row.state == "parked":
                yield Parked(
                    id=case.id,
                    stage="answer",
                    source=case.source,
                    native_id=case.native_id,
                    reason=row.reason or "",
                    at=row.at,
                    message=row.id,
                )


async def opened(db: Database, rooms: Rooms, id_: str, *, actor: str, reason: str, at: datetime) -> Opened | None:
    """Open the raw payload of one; that somebody looked is written down first (promise 9)."""
    rows = await listed(db, only=[id_])
    if not rows:
        return None
    await note(db, [id_], Seen.RAW, actor=actor, reason=reason, at=at)
    parked = rows[0]
    if parked.stage == "stray":
        row = await db.strays.find_one({"_id": id_})
        # What was erased, or whose time was over, stands here without its body.
        gone = row.get("destroyed") is not None
        payload = b"" if gone else await rooms.sealer.open(row["key"], f"strays/{id_}".encode(), row["body"])
    else:
        payload = await rooms.connectors.store.raw.payload(message_of(id_))
    return Opened(parked=parked, payload=payload.decode("utf-8", "backslashreplace"))


# ---------------------------------------------------------------- give up


async def discard(
    db: Database, rooms: Rooms, rows: Sequence[Parked], *, actor: str, reason: str, at: datetime
) -> list[str]:
    """Give up what is parked, with who and why; it stays in the balance as parked. Give the ids that were given up."""
    done: list[str] = []
    mark = {"$set": {"discarded": {"actor": actor, "reason": reason, "at": at}}}
    for row in rows:
        if row.stage == "parse":
            taken = await rooms.connectors.store.raw.discard(row.id, actor=actor, reason=reason, at=at)
        elif row.stage == "route":
            taken = bool(await desk.discard_parked([row.id], actor, reason, rooms.router))
        elif row.stage == "answer":
            taken = bool(await desk.discard_answers([row.id], f"{actor}：{reason}", rooms.router))
        else:
            collection = db.unmapped if row.stage == "normalize" else db.strays
            taken = bool((await collection.update_one({"_id": row.id, "discarded": None}, mark)).modified_count)
        if taken and row.id not in done:
            done.append(row.id)
    return done
