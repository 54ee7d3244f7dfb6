"""The facts of every case, read out of the store page after page: the one ledger (一本账), and all its figures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from intake.house import Database
from intake.settings import Settings
from intake.tables import Tables
from normalizer.appeal import Appeal, appeal_of, from_document
from normalizer.store import AppealStore
from router.cases.asked import Span
from router.cases.case import Case
from router.cases.clock import Clock
from router.cases.echoes import Echo, echoes, of_cases
from router.cases.facts import Fact, fact_of, unreadable
from router.cases.figures import concerns
from router.list_store import CaseLists

BATCH = 500


class Reader(NamedTuple):
    """What facts are read with."""

    db: Database
    settings: Settings
    tables: Tables
    now: datetime
    tell: Callable[[int], object]  #: hears of how many cases more were read


async def facts(reader: Reader) -> AsyncIterator[Fact]:
    """Give the facts of every case, about in the order in which they began; then what could not be read."""
    said = await _echoes(reader.db)
    people: dict[str, int] = {}
    batch: list[Case] = []
    async for case in CaseLists(reader.db).all():
        batch.append(case)
        if len(batch) == BATCH:
            for fact in await _read(batch, reader, said, people):
                yield fact
            batch = []
    for fact in await _read(batch, reader, said, people):
        yield fact
    async for fact in _unreadable(reader):
        yield fact


async def within(reader: Reader, *spans: Span) -> list[list[Fact]]:
    """Read all cases once; only what some figure of a span asks about is held in memory, for each of them."""
    found: list[list[Fact]] = [[] for _ in spans]
    async for fact in facts(reader):
        for span, mine in zip(spans, found, strict=True):
            if concerns(fact, span):
                mine.append(fact)
    return found


async def _read(cases: Sequence[Case], reader: Reader, said: Mapping[str, Echo], people: dict[str, int]) -> list[Fact]:
    appeals = await _appeals(reader.db, cases)
    reader.tell(len(cases))
    tables = reader.tables.router
    found = []
    for case in cases:
        appeal = appeals.get(case.id)
        clock = None
        if appeal is not None:
            clock = Clock(appeal.deadline_class, appeal.request_type, tables.deadlines, tables.calendar)
        ref = appeal.citizen.ref if appeal else None
        echo = said.get(case.id, Echo())
        found.append(
            fact_of(
                case,
                clock,
                reader.now,
                appeal=appeal,
                person=None if ref is None else people.setdefault(ref, len(people) + 1),
                repeats=echo.repeats,
                said_before=echo.before,
                said_again=echo.again,
            )
        )
    return found


async def _appeals(db: Database, cases: Sequence[Case]) -> dict[str, Appeal]:
    """The appeals of these cases as they stand; the one that a case was decided on may be an older one."""
    named = {case.id: appeal_of(case.id) for case in cases}
    standing = await AppealStore(db).standing(list(dict.fromkeys(named.values())))
    found = {case: standing[id_].appeal for case, id_ in named.items() if id_ in standing}
    older = {case.id: case.revision for case in cases if case.id in found and found[case.id].revision != case.revision}
    if older:
        wanted = {(named[case], revision): case for case, revision in older.items()}
        async for row in db.appeal_revisions.find({"id": {"$in": list({id_ for id_, _ in wanted})}}):
            if (row["id"], row["revision"]) in wanted:
                found[wanted[row["id"], row["revision"]]] = from_document(row)
    return found


async def _echoes(db: Database) -> dict[str, Echo]:
    """Who said the same again: few did, so that all of it fits into memory."""
    shown = {"links.same_person": 1, "posted_at": 1}
    repeats: dict[str, Sequence[str]] = {}
    said: dict[str, datetime] = {}
    async for row in db.appeals.find({"links.same_person.0": {"$exists": True}}, shown).batch_size(BATCH):
        repeats[row["_id"]] = row["links"]["same_person"]
        if row["posted_at"] is not None:
            said[row["_id"]] = row["posted_at"]
    rounds: dict[str, list[str]] = {}
    async for row in db.cases.find({"repeat_of": {"$exists": True}}, {"opened_at": 1}).sort("opened_at", 1):
        rounds.setdefault(appeal_of(row["_id"]), []).append(row["_id"])
        said[row["_id"]] = row["opened_at"]
    await _as_closed(db, list(rounds), repeats, said)
    unknown = list({*repeats, *rounds, *(earlier for each in repeats.values() for earlier in each)} - set(said))
    for start in range(0, len(unknown), BATCH):
        part = unknown[start : start + BATCH]
        opened = {row["_id"]: row["opened_at"] async for row in db.cases.find({"_id": {"$in": part}}, {"opened_at": 1})}
        posted = db.appeals.find({"_id": {"$in": part}, "posted_at": {"$type": "date"}}, {"posted_at": 1})
        said |= opened | {row["_id"]: row["posted_at"] async for row in posted}
    return echoes(of_cases(repeats, said, rounds), said)


async def _as_closed(
    db: Database, ids: Sequence[str], repeats: dict[str, Sequence[str]], said: dict[str, datetime]
) -> None:
    """Take of appeals that were said again what their first case was about: a later text changes nothing of it."""
    shown = {"id": 1, "revision": 1, "links.same_person": 1, "posted_at": 1}
    for start in range(0, len(ids), BATCH):
        part = list(ids[start : start + BATCH])
        decided = {row["_id"]: row["revision"] async for row in db.cases.find({"_id": {"$in": part}}, {"revision": 1})}
        async for row in db.appeal_revisions.find({"id": {"$in": part}}, shown):
            if decided.get(row["id"]) == row["revision"]:
                repeats[row["id"]] = row["links"]["same_person"]
                if row["posted_at"] is not None:
                    said[row["id"]] = row["posted_at"]


async def _unreadable(reader: Reader) -> AsyncIterator[Fact]:
    """What was offered and could not be read or mapped, given up or not."""
    channels = {source.name: source.channel for source in reader.settings.sources}
    shown = {"source": 1, "parked.at": 1, "at": 1}
    for rows in (
        reader.db.raw.find({"parked.stage": {"$exists": True}}, shown).sort("_id", 1),
        reader.db.unmapped.find({}, shown).sort("_id", 1),
    ):
        async for row in rows:
            at: datetime = row["parked"]["at"] if "parked" in row else row["at"]
            yield unreadable(row["_id"], row["source"], channels.get(row["source"], "other"), at, reader.now)
