"""The operator's tables of all rooms, read together, so that every mistake in any of them is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import normalizer.tables
import router.dispatching.tables
from intake.settings import Settings, TableFiles
from normalizer.errors import TableError
from router.dispatching.directory import Places
from router.dispatching.sheet import BadTables, Written

Texts = Mapping[str, Sequence[Written]]  #: whole tables that stand for files: of `rules` and `directory`, as released


class BadTableFiles(Exception):
    """Some table can't be used; `problems` has them all, each with its file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Tables(NamedTuple):
    """What `normalize` and `decide` look up."""

    normalizer: normalizer.tables.Tables
    router: router.dispatching.tables.Tables


def load(settings: Settings, ref_key: bytes = b"", texts: Texts | None = None) -> Tables:
    """Read the tables that the settings name; each that is left out is the packaged one."""
    return load_files(settings.tables, city=settings.city, ref_key=ref_key, texts=texts)


def load_files(files: TableFiles, *, city: str = "", ref_key: bytes = b"", texts: Texts | None = None) -> Tables:
    """Read tables; `ref_key` derives a citizen's reference for each department."""
    try:
        reading = normalizer.tables.load_tables(files.taxonomy, files.places, city or None, files.words)
    except TableError as error:
        raise BadTableFiles([*error.problems, *_router_problems(files, city, texts)]) from error
    return Tables(reading, load_router(files, reading, city=city, ref_key=ref_key, texts=texts))


def load_router(
    files: TableFiles,
    reading: normalizer.tables.Tables,
    *,
    city: str = "",
    ref_key: bytes = b"",
    texts: Texts | None = None,
) -> router.dispatching.tables.Tables:
    """Read the router's tables alone, and check them with what the normalizer reads."""
    try:
        return router.dispatching.tables.load_tables(
            taxonomy_version=reading.versions["taxonomy"],
            directory=files.directory,
            rules=files.rules,
            texts=texts,
            holidays=files.holidays,
            deadlines=files.deadlines,
            claims=files.claims,
            categories=frozenset(reading.classes),
            places=_streets(reading),
            city=city,
            ref_key=ref_key,
        )
    except BadTables as error:
        raise BadTableFiles(list(error.problems)) from error


def _router_problems(files: TableFiles, city: str, texts: Texts | None) -> list[str]:
    try:
        router.dispatching.tables.load_tables(
            taxonomy_version="",
            directory=files.directory,
            rules=files.rules,
            texts=texts,
            holidays=files.holidays,
            deadlines=files.deadlines,
            claims=files.claims,
            city=city,
        )
    except BadTables as error:
        return list(error.problems)
    return []


def _streets(reading: normalizer.tables.Tables) -> Places | None:
    """The streets of each district, to check the directory's areas with; None where the city has no table of places."""
    streets: dict[str, set[str]] = {}
    for spot in (spot for spots in reading.places.spots for spot in spots):
        named = streets.setdefault(spot.district, set())
        if spot.street is not None:
            named.add(spot.street)
    return streets or None
