"""What is parked is tried again, or put right by hand first: the same flows once more, with the same ids."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import connectors.flow
from connectors.base import BadItem, Rereads
from connectors.flow import Batch, read_row
from connectors.keeping.pages import Entry, What
from connectors.registry import REGISTRY
from connectors.source import Source
from intake.house import Database, House
from intake.parked import Parked
from intake.rights.accesses import Seen, note
from intake.screen import SHANGHAI
from intake.street.rooms import Rooms, open_connectors
from normalizer.store import AppealStore
from router import desk


async def retry(house: House, rooms: Rooms, rows: Sequence[Parked], actor: str) -> None:
    """Run the same flows again on what is parked; what still fails stays parked with its new reason."""
    await _retry_parse(house, rooms, [row for row in rows if row.stage == "parse"])
    await _retry_normalize(house.db, rooms, [row.id for row in rows if row.stage == "normalize"])
    cases = list(dict.fromkeys(row.id for row in rows if row.stage == "route"))
    for start in range(0, len(cases), 500):
        await desk.retry_parked(cases[start : start + 500], actor, rooms.router)
    await desk.retry_answers([row.id for row in rows if row.stage == "answer"], rooms.router)


async def edit(house: House, rooms: Rooms, row: Parked, payload: bytes, *, actor: str, reason: str) -> str | None:
    """Put a raw item right by hand and run the same flows on it; gives why it still cannot be read.

    What cannot be read changes nothing. Else it is a new revision, sealed; what its source had sent is kept beside it
    and is not taken in again, though its source goes on sending it.
    """
    store = rooms.connectors.store
    found = await store.raw.whole(row.id)
    async with _readers(house, rooms, {row.source or ""}) as readers:
        if found is None or (row.source or "") not in readers:
            return f"source {row.source} is not in the settings, or its kind cannot read one row again"
        source, connector = readers[row.source or ""]
        native_id, _, context = found
        if isinstance(bad := read_row(native_id, payload, context, connector), BadItem):
            return bad.reason
        at = rooms.clock.now()
        await note(house.db, [row.id], Seen.MENDED, actor=actor, reason=reason, at=at)
        await store.raw.mark_mended(row.id, actor=actor, reason=reason, at=at)
        batch = await connectors.flow.take_row(native_id, payload, context, connector, source, rooms.connectors)
    await AppealStore(house.db).resolve([row.id])
    if isinstance(batch, Batch):
        await _through(batch, rooms)
    return None


@asynccontextmanager
async def _readers(
    house: House, rooms: Rooms, named: Collection[str | None]
) -> AsyncIterator[dict[str, tuple[Source, Rereads]]]:
    """Give the sources that can read one row again, with what reads it."""
    sources = [source for source in house.settings.sources if source.name in named]
    pulled = [source for source in sources if _is_pulled(source)]
    books = rooms.connectors.store.budgets
    async with open_connectors(pulled, house.settings, rooms.clock, books) as opened:
        readers: list[tuple[Source, object]] = list(opened)
        environment = house.settings.environment
        readers += [(each, _row_reader(each, environment)) for each in sources if not _is_pulled(each)]
        yield {
            source.name: (source, cast("Rereads", reader)) for source, reader in readers if hasattr(reader, "reread")
        }


async def _retry_parse(house: House, rooms: Rooms, rows: Sequence[Parked]) -> None:
    async with _readers(house, rooms, {row.source for row in rows}) as readers:
        for row in rows:
            if row.source in readers:
                source, connector = readers[row.source]
                batch = await connectors.flow.retry_parked(row.id, connector, source, rooms.connectors)
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
        raws = await rooms.connectors.store.raw.load(dict.fromkeys(part, False))
        if not raws:
            continue
        at = rooms.clock.now()
        by_source: dict[str, list[Any]] = {}
        for raw in raws:
            by_source.setdefault(raw.source, []).append(raw)
        for source, some in by_source.items():
            entries = [Entry(raw.id, raw.native_id, raw.revision, What.NEW) for raw in some]
            # Today's, as of every page: retention has looked through the day of their first offer already.
            day = f"{at.astimezone(SHANGHAI):%Y-%m-%d}"
            pages = rooms.connectors.store.pages
            claim = await pages.offer(source, entries, day=day, at=at, owner=rooms.connectors.owner)
            await pages.stored(claim, entries)
            await AppealStore(db).resolve([raw.id for raw in some])
            await _through(Batch(claim=claim, raws=tuple(some)), rooms)


async def _through(batch: Batch, rooms: Rooms) -> None:
    """Bring one page to its end."""
    handed = await rooms.normalize(batch)
    await rooms.route(handed)
    await rooms.connectors.store.pages.done(batch.claim)
