"""What is parked in any room, as one list: unreadable rows, unmappable items, dispatches, and messages of no case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import msgspec

import connectors.flow
from connectors.base import Rereads
from connectors.flow import Batch
from connectors.keeping.pages import Entry, What
from connectors.registry import REGISTRY
from connectors.source import Source
from intake.house import Database, House
from intake.rights.accesses import Seen, note
from intake.street.rooms import Rooms, open_connectors
from normalizer.store import AppealStore
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
    cases = list((await store.load(only)).values()) if only else await store.parked(1_000_000)
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
    for case in await CaseStore(db).answers_parked(1_000_000):
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
        payload = await rooms.sealer.open(row["key"], f"strays/{id_}".encode(), row["body"])
    else:
        payload = await rooms.connectors.store.raw.payload(id_)
    return Opened(parked=parked, payload=payload.decode("utf-8", "backslashreplace"))


# ---------------------------------------------------------------- try again


async def retry(house: House, rooms: Rooms, rows: Sequence[Parked], actor: str) -> None:
    """Run the same flows again on what is parked; what still fails stays parked with its new reason."""
    await _retry_parse(house, rooms, [row for row in rows if row.stage == "parse"])
    await _retry_normalize(house.db, rooms, [row.id for row in rows if row.stage == "normalize"])
    cases = list(dict.fromkeys(row.id for row in rows if row.stage == "route"))
    for start in range(0, len(cases), 500):
        await desk.retry_parked(cases[start : start + 500], actor, rooms.router)
    await desk.retry_answers([row.id for row in rows if row.stage == "answer"], rooms.router)


async def _retry_parse(house: House, rooms: Rooms, rows: Sequence[Parked]) -> None:
    named = {row.source for row in rows}
    sources = [source for source in house.settings.sources if source.name in named]
    async with open_connectors(
        (source for source in sources if _is_pulled(source)),
        house.settings,
        rooms.clock,
        rooms.connectors.store.budgets,
    ) as opened_:
        readers: dict[str, tuple[Source, object]] = {source.name: (source, reader) for source, reader in opened_}
        environment = house.settings.environment
        readers |= {each.name: (each, _row_reader(each, environment)) for each in sources if not _is_pulled(each)}
        for row in rows:
            if row.source in readers:
                await _reread(row.id, *readers[row.source], rooms)


async def _reread(id_: str, source: Source, connector: object, rooms: Rooms) -> None:
    if not hasattr(connector, "reread"):
        return
    batch = await connectors.flow.retry_parked(id_, cast("Rereads", connector), source, rooms.connectors)
    if isinstance(batch, Batch):
        await _through(batch, rooms)


def _is_pulled(source: Source) -> bool:
    return REGISTRY[source.kind].open is not None


def _row_reader(source: Source, environment: Mapping[str, str]) -> object:
    """Read rows again by their source's mapping; no file is opened for that, and nobody pushes."""
    kind = REGISTRY[source.kind]
    if kind.receive is not None:
        return kind.receive(source, environment)
    assert kind.open_file is not None
    return kind.open_file(source, Path())


async def _retry_normalize(db: Database, rooms: Rooms, ids: Sequence[str]) -> None:
    """A page of their own for them, so that a crash in the middle is found like any other."""
    for start in range(0, len(ids), 500):
        part = list(ids[start : start + 500])
        heads = {row["_id"]: row async for row in db.raw.find({"_id": {"$in": part}}, _HEAD)}
        raws = await rooms.connectors.store.raw.load(dict.fromkeys(part, False))
        if not raws:
            continue
        at = rooms.clock.now()
        by_source: dict[str, list[Any]] = {}
        for raw in raws:
            by_source.setdefault(raw.source, []).append(raw)
        for source, some in by_source.items():
            entries = [Entry(raw.id, raw.native_id, raw.revision, What.NEW) for raw in some]
            day = heads[some[0].id]["day"]
            pages = rooms.connectors.store.pages
            claim = await pages.offer(source, entries, day=day, at=at, owner=rooms.connectors.owner)
            await pages.stored(claim, entries)
            await AppealStore(db).resolve([raw.id for raw in some])
            await _through(Batch(claim=claim, raws=tuple(some)), rooms)


_HEAD = {"day": 1}


async def _through(batch: Batch, rooms: Rooms) -> None:
    """Bring one page to its end."""
    handed = await rooms.normalize(batch)
    await rooms.route(handed)
    await rooms.connectors.store.pages.done(batch.claim)


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
