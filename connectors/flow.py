"""START HERE. A page of a source becomes stored raw items and a claimed page of work.

The order is the promise. What a page offered is written down before anything is stored (promise 1), and the position
moves last (promise 3). A crash between any two writes repeats a page and never loses one; a page that repeats changes
nothing (promise 4).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from connectors.base import BadItem, Connector, Item, Page, Rereads, Sweep
from connectors.errors import ClaimLapsed, Resting, SourceDown, StopSource, TryLater
from connectors.keeping.compare import Change, Head, Row, absent, again, compare, rows_of
from connectors.keeping.pages import PageClaim
from connectors.keeping.raw_documents import SHANGHAI
from connectors.keeping.sources import SourceClaim
from connectors.keeping.store import Store
from connectors.raw_appeal import RawAppeal
from connectors.source import Source
from connectors.watching.watch import Watch

LARGEST = 500  #: items of a page
GONE = "it was offered, its worker died before it was stored, and its source shows it no more; look there by hand"
CUT_OFF = "only the beginning of this row was kept, since it was too large; have its source send it again, in parts"
ROUNDS = 5  #: of two workers that write the same item at once, one wins a round
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)

#: What is stored of an item, what was pushed of it -> the item (connectors/receiving/contract.py, Merges).
Merge = Callable[[bytes, bytes], Item]


@dataclass(frozen=True)
class Room:
    """What this room needs from outside."""

    store: Store
    now: Callable[[], datetime]
    owner: str  #: this worker's name, for people
    pushed: frozenset[str] = frozenset()  #: sources that are pushed to us: nobody reads them again
    sources: Mapping[str, Source] = field(default_factory=dict)  #: those of the settings, to park what is gone of one


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed page: what to normalize, and the claim to do it under."""

    claim: PageClaim
    raws: tuple[RawAppeal, ...]


async def read_source(
    connector: Connector, source: Source, claim: SourceClaim, room: Room, watch: Watch | None = None
) -> AsyncIterator[Batch]:
    """Yield what is new, page by page, to the end.

    What goes wrong is written down beside the source (it waits, or stands still) and raised again; what has changed
    about it is for its watch to say.
    """
    if watch is not None:
        await watch.begins(claim)
    try:
        async for page in connector.pages(claim.cursor):
            fresh = 0
            for part in parts(page):
                batch = await take_page(part, source, claim, room)
                if batch is not None:
                    fresh += len(batch.claim.entries)
                    yield batch
            if watch is not None:
                await watch.took(page, fresh)
    except (TryLater, StopSource) as error:
        if watch is not None:
            await watch.broke(error)
        await _stands(claim, error, room)
        raise
    if watch is not None:
        await watch.ended()
    _must_hold(await room.store.sources.read_to_end(claim, this_moment(room)), claim)


async def _stands(claim: SourceClaim, error: TryLater | StopSource, room: Room) -> None:
    """Why it is not read on, for whoever looks."""
    if isinstance(error, TryLater):
        await room.store.sources.wait(claim, room.now() + patience(error, claim.failures), str(error))
    else:
        await room.store.sources.stop(claim, room.now(), str(error))


async def take_page(page: Page, source: Source, claim: SourceClaim | None, room: Room) -> Batch | None:
    """Take in one page; None when nothing in it was new. Without a claim (a push, a retry) no position moves."""
    reader = claim.fence if claim else None
    changes = await _changes(rows_of(source.name, page), reader, page.sweep, source, room)
    batch = await _store(changes, source, reader, None, room) if changes else None
    if claim is not None and page.cursor is not None and page.cursor != claim.cursor:
        _must_hold(await room.store.sources.move(claim, page.cursor, this_moment(room)), claim)
    return batch


async def take_pushed(page: Page, source: Source, room: Room, merge: Merge | None = None) -> Batch | None:
    """Take in what was pushed to us, whole before it returns: its caller hears of a receipt only then.

    With `merge` a push tells parts of an item, and is laid over what is stored (Merges).
    """
    rows = rows_of(source.name, page)
    heads = await room.store.raw.heads(rows)
    changes = compare(await _whole(rows.values(), heads, merge, source, room), heads)
    return await _store(changes, source, None, merge, room) if changes else None


async def take_again(ids: Collection[str], source: Source, room: Room) -> AsyncIterator[Batch]:
    """Offer items of a source again as they stand: a new revision of the same content, to be normalized anew.

    Each is sealed under the key of the month in which it was received, so that its time of keeping stays what it was.
    """
    raw = room.store.raw
    changes = again(await raw.heads(ids), await raw.scopes(ids))
    for at in dict.fromkeys(_month_of(change) for change in changes):
        some = [change for change in changes if _month_of(change) == at]
        yield await _store(some, source, None, None, room, sealed_at=at)


def _month_of(change: Change) -> datetime:
    assert change.before is not None
    return change.before.received_at.astimezone(SHANGHAI).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def retry_parked(id_: str, connector: Rereads, source: Source, room: Room) -> Batch | BadItem | None:
    """Read a parked row once more; None if it is not parked (any more), the row itself if it still cannot be read."""
    parked = await room.store.raw.parked_payload(id_)
    if parked is None or parked.payload is None:
        return None
    return await take_row(parked.native_id, parked.payload, parked.context, connector, source, room)


async def take_row(  # noqa: PLR0917 - a row, and who reads it
    native_id: str, payload: bytes, context: Mapping[str, str], connector: Rereads, source: Source, room: Room
) -> Batch | BadItem | None:
    """Take in one row that a connector can read; the row itself if it cannot, and then nothing is changed."""
    read = read_row(native_id, payload, context, connector)
    if isinstance(read, BadItem):
        return read
    page = Page(offered=(read.native_id,), items=(read,), cursor=None)
    return await take_page(page, source, None, room)


def read_row(native_id: str, payload: bytes, context: Mapping[str, str], connector: Rereads) -> Item | BadItem:
    """Read one row again."""
    try:
        return connector.reread(native_id, payload, context)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return BadItem(native_id=native_id, payload=payload, reason=CUT_OFF if payload else GONE, context=context)


def parts(page: Page) -> Iterator[Page]:
    """Cut what a source sent at once into pages of bearable size; the position and the sweep come with the last."""
    rows: list[Item | BadItem] = [*page.items, *page.bad]
    if len(rows) <= LARGEST:
        yield page
        return
    for start in range(0, len(rows), LARGEST):
        some = rows[start : start + LARGEST]
        last = start + LARGEST >= len(rows)
        yield Page(
            offered=tuple(row.native_id for row in some),
            items=tuple(row for row in some if isinstance(row, Item)),
            bad=tuple(row for row in some if isinstance(row, BadItem)),
            cursor=page.cursor if last else None,
            sweep=page.sweep if last else None,
        )


def patience(error: TryLater, failures: int) -> timedelta:
    """How long to leave a source alone: as it asks, or twice as long after each failure."""
    if isinstance(error, Resting):
        return timedelta(seconds=error.seconds)
    return min(FIRST_WAIT * (1 << min(failures, 10)), LONGEST_WAIT)


async def _changes(
    rows: dict[str, Row], reader: int | None, sweep: Sweep | None, source: Source, room: Room
) -> list[Change]:
    """What this page changes, and what its enumeration no longer held."""
    raw = room.store.raw
    heads = await raw.heads(rows) if rows else {}
    _must_be_newest(heads.values(), reader, source)
    changes = compare(rows.values(), heads)
    if sweep is not None and reader is not None:
        gone = await raw.sweep(source.name, sweep.scope, sweep.native_ids, reader=reader)
        missing = [absent(head, sweep.scope) for head in gone if head.id not in rows]
        changes += compare(missing, {head.id: head for head in gone})
    return changes


async def _whole(
    rows: Iterable[Row], heads: dict[str, Head], merge: Merge | None, source: Source, room: Room
) -> list[Row]:
    """Lay rows that tell only a part over what is stored of their items."""
    every = list(rows)
    known = {row.id: False for row in every if row.bad is None and row.id in heads and not heads[row.id].parked}
    if merge is None or not known:
        return every
    stored = {raw.id: raw.payload for raw in await room.store.raw.load(known)}
    made = {
        row.id: merge(stored[row.id], row.payload) for row in every if stored.get(row.id) and row.payload is not None
    }
    merged = rows_of(source.name, Page(offered=(), items=tuple(made.values()), cursor=None))
    return [merged.get(row.id, row) for row in every]


async def _store(
    changes: list[Change],
    source: Source,
    reader: int | None,
    merge: Merge | None,
    room: Room,
    *,
    sealed_at: datetime | None = None,
) -> Batch:
    """Offered, stored, claimed."""
    at = this_moment(room)
    pages = room.store.pages
    day = f"{at.astimezone(SHANGHAI):%Y-%m-%d}"
    entries = [change.entry for change in changes]
    claim = await pages.offer(source.name, entries, day=day, at=at, owner=room.owner)
    stored = await _store_raw(changes, source, room, reader=reader, at=sealed_at or at, merge=merge)
    entries = [change.entry for change, _ in stored.values()]
    while not await pages.stored(claim, entries):
        # The claim lapsed while we stored. Whoever took the page may have looked before all was there: offer it anew.
        claim = await pages.offer(source.name, entries or list(claim.entries), day=day, at=at, owner=room.owner)
    return Batch(claim=claim, raws=tuple(raw for _, raw in stored.values() if raw is not None))


async def _store_raw(
    changes: list[Change], source: Source, room: Room, *, reader: int | None, at: datetime, merge: Merge | None
) -> dict[str, tuple[Change, RawAppeal | None]]:
    """Store, and where another worker was faster, compare with what it wrote and store again."""
    raw = room.store.raw
    stored: dict[str, tuple[Change, RawAppeal | None]] = {}
    for _ in range(ROUNDS):
        raws, took = await raw.add(changes, source, reader=reader, at=at)
        stored |= {change.row.id: (change, made) for change, made in zip(changes, raws, strict=True)}
        if took:
            return stored
        heads = await raw.heads([change.row.id for change in changes])
        _must_be_newest(heads.values(), reader, source)
        lost = [change for change in changes if not change.is_in(heads)]
        for change in lost:
            del stored[change.row.id]
        rows = [change.row for change in lost if not change.row.absent]
        changes = compare(await _whole(rows, heads, merge, source, room), heads)
        if not changes:
            return stored
    raise SourceDown(f"source {source.name}: another worker keeps writing the same items; the page is read again")


def _must_be_newest(heads: Iterable[Head], reader: int | None, source: Source) -> None:
    """What we read is older than what a later reader of this source stored: drop it."""
    if reader is not None and any(head.reader > reader for head in heads):
        raise ClaimLapsed(f"source {source.name} was taken over; this worker drops the page that it holds")


def _must_hold(took: bool, claim: SourceClaim) -> None:
    if not took:
        raise ClaimLapsed(f"source {claim.name} was taken over; its position stays where the other worker put it")


def this_moment(room: Room) -> datetime:
    """Now, as exact as MongoDB keeps it: what is handed on in memory equals what is found in the store."""
    now = room.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
