"""Making a decision again with the versions of its day (复现), to see that the same one comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace as with_fields
from typing import Literal

import msgspec

from intake.house import Database
from intake.rules.versions import VersionNotKept, name_of, texts_of
from intake.settings import Settings
from normalizer.appeal import Appeal, DecidedBy, Versions
from router.cases.case import Case, Decided
from router.dispatch import Decision
from router.dispatching.decide import decide
from router.dispatching.lessons import NOTHING, Lessons, lessons_of
from router.dispatching.tables import Tables, load_tables
from router.flow import Room

Verdict = Literal["same", "differs", "by_person", "not_kept"]


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of a case, made again."""

    number: int  #: from 1, in the order in which they were made
    revision: int
    verdict: Verdict
    lead: str | None
    rule: str | None
    versions: Versions
    why: str | None = None  #: what is missing, or which parts differ: as it was, and as it came out


class Workshop:
    """Reads each version once."""

    def __init__(self, db: Database, settings: Settings, room: Room) -> None:
        self._db = db
        self._settings = settings
        self._room = room
        self._made: dict[Versions, Tables] = {}

    async def again(self, case: Case) -> list[Again]:
        """Make every decision of a case again."""
        decisions = [*case.past_decisions, *([case.decision] if case.decision else [])]
        appeals = await self._room.load_appeals([(case.id, each.revision) for each in decisions])
        return [
            await self._one(number, each, appeals.get((case.id, each.revision)))
            for number, each in enumerate(decisions, 1)
        ]

    async def _one(self, number: int, was: Decided, appeal: Appeal | None) -> Again:
        said = Again(
            number=number,
            revision=was.revision,
            verdict="same",
            lead=was.routing.lead,
            rule=was.routing.rule,
            versions=was.routing.versions,
        )
        if was.routing.decided_by in {DecidedBy.PERSON, DecidedBy.FALLBACK}:
            return msgspec.structs.replace(said, verdict="by_person")
        if appeal is None:
            why = "这一版内容没有留存 · this revision is not kept"
            return msgspec.structs.replace(said, verdict="not_kept", why=why)
        try:
            tables = await self._tables(was.routing.versions)
        except VersionNotKept as error:
            return msgspec.structs.replace(said, verdict="not_kept", why=str(error))
        differing = list(_differing(was, decide(appeal, was.context, tables)))
        if not differing:
            return said
        return msgspec.structs.replace(said, verdict="differs", why="；".join(differing))

    async def _tables(self, versions: Versions) -> Tables:
        made = self._made.get(versions)
        if made is None:
            texts = {
                "rules": await texts_of(self._db, name_of("rules", versions.rules)),
                "directory": await texts_of(self._db, name_of("directory", versions.directory)),
            }
            lessons = await self._lessons(versions.model)
            read = await asyncio.to_thread(
                load_tables, taxonomy_version=versions.taxonomy, texts=texts, city=self._settings.city
            )
            made = self._made[versions] = with_fields(read, lessons=lessons)
        return made

    async def _lessons(self, name: str | None) -> Lessons:
        """Read what was learned up to a version, by the name that decisions bear: the log keeps every entry."""
        if name is None or self._room.lessons is None:
            return NOTHING
        number = name.rpartition("-")[2]
        return lessons_of(await self._room.lessons.after(0, int(number) if number.isdigit() else None))


def _differing(was: Decided, came: Decision) -> Sequence[str]:
    old = {"outcome": was.outcome, "code": was.code, "sentence": was.sentence} | msgspec.structs.asdict(was.routing)
    new = {"outcome": came.outcome, "code": came.code, "sentence": came.sentence} | msgspec.structs.asdict(came.routing)
    return [f"{name}: {_short(value)} → {_short(new[name])}" for name, value in old.items() if value != new[name]]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"  # noqa: PLR2004 - a line of a table
