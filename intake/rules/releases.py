"""What is in force (发布): a release names the versions of rules and directory that every worker decides with.

Releases are numbered and never changed; going back is a release too. Before the first one the files of the settings
are in force, and of a table that was never released they stay so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace as dataclass_replace
from datetime import datetime

import msgspec
import structlog
from pymongo.errors import DuplicateKeyError

from intake import tables
from intake.house import Database, House
from intake.rules.versions import name_of, texts_of
from intake.settings import Settings
from intake.tables import BadTableFiles, Tables
from normalizer.tables import Tables as Reading
from router.dispatching.directory import Directory
from router.dispatching.sheet import Written
from router.flow import Room

log = structlog.get_logger()

KINDS = ("rules", "directory")


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One release: who put which versions in force, when and why."""

    n: int = msgspec.field(name="_id")
    at: datetime
    by: str
    reason: str
    versions: dict[str, str]  #: of what was released: rules, directory
    before: dict[str, str]  #: what was in force until then
    tests: int = 0  #: how many tests stood beside the rules
    forced: list[str] = []  #: what spoke against it, where it was forced
    back: bool = False  #: it puts the versions before in force again


class Superseded(Exception):
    """Somebody else released something since this was rehearsed: rehearse again."""


async def newest(db: Database) -> Release | None:
    """Give the release that is in force; None: the files are."""
    row = await db.releases.find_one({}, sort=[("_id", -1)])
    return None if row is None else msgspec.convert(row, Release)


async def history(db: Database, limit: int = 50) -> list[Release]:
    """Give the releases, the newest first."""
    return [msgspec.convert(row, Release) async for row in db.releases.find({}, sort=[("_id", -1)], limit=limit)]


async def release(db: Database, wanted: Release) -> None:
    """Put it in force; whoever releases under the same number is too late.

    Raises:
        Superseded: somebody was faster.
    """
    try:
        await db.releases.insert_one(msgspec.to_builtins(wanted, builtin_types=(datetime,)))
    except DuplicateKeyError:
        raise Superseded(
            f"第 {wanted.n} 次发布已由别人做了，请重新预演 · somebody else made release {wanted.n}: rehearse again"
        ) from None


async def released_texts(db: Database, found: Release | None) -> dict[str, tuple[Written, ...]]:
    """Read the texts that a release puts in place of the files."""
    versions = {} if found is None else found.versions
    return {kind: await texts_of(db, name_of(kind, version)) for kind, version in versions.items()}


async def in_force(db: Database, settings: Settings, ref_key: bytes = b"") -> Tables:
    """Read the tables that are in force: what was released, over the files of the settings."""
    found = await newest(db)
    texts = await released_texts(db, found)
    try:
        return await asyncio.to_thread(tables.load, settings, ref_key, texts)
    except BadTableFiles as error:
        if found is None:
            raise
        told = (
            f"第 {found.n} 次发布的规则与现在的表合不上：请恢复 [tables] 里改过的分类、地名 · "
            f"release {found.n} does not fit: restore the taxonomy or the places that were changed in [tables]"
        )
        raise BadTableFiles([told, *error.problems]) from error


async def released_over(house: House, files: Tables) -> Tables:
    """Lay what was released over the tables of the files: whoever asks who a department is, asks this."""
    found = await newest(house.db)
    if found is None:
        return files
    settings, texts = house.settings, await released_texts(house.db, found)
    key = files.router.ref_key
    made = await asyncio.to_thread(
        tables.load_router, settings.tables, files.normalizer, city=settings.city, ref_key=key, texts=texts
    )
    return files._replace(router=made)


class Following:
    """A worker takes what is released while it runs."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        reading: Reading,
        room: Room,
        prepare: Callable[[Directory], Awaitable[None]],
    ) -> None:
        """`prepare` makes the queues of units that are new, before anything is sent to them."""
        self._db = db
        self._settings = settings
        self._reading = reading
        self._room = room
        self._prepare = prepare
        self._refused: int | None = None

    async def look(self) -> bool:
        """Take the newest release, if it is not in force here."""
        found = await newest(self._db)
        if found is None or found.n == self._refused or self._has(found.versions):
            return False
        texts = await released_texts(self._db, found)
        try:
            fresh = await asyncio.to_thread(
                tables.load_router,
                self._settings.tables,
                self._reading,
                city=self._settings.city,
                ref_key=self._room.tables.ref_key,
                texts=texts,
            )
        except BadTableFiles as error:
            self._refused = found.n
            told = {"release": found.n, "problems": error.problems[:5]}
            log.error("a release cannot be used here", action="release_refused", **told)  # noqa: TRY400
            return False
        if fresh.directory.version != self._room.tables.directory.version:
            await self._prepare(fresh.directory)
        # In one step: what was learned meanwhile stays.
        self._room.tables = dataclass_replace(fresh, lessons=self._room.tables.lessons)
        log.info(
            "took a release",
            action="release_taken",
            release=found.n,
            rules=fresh.rules.version,
            directory=fresh.directory.version,
        )
        return False

    def _has(self, versions: Mapping[str, str]) -> bool:
        here = self._room.tables.versions
        return all(getattr(here, kind) == version for kind, version in versions.items())
