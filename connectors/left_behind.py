"""What a crash left behind (遗留): pages that were offered or stored and are not done, taken over by another worker."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from connectors.base import BadItem, Page
from connectors.flow import GONE, Batch, Room, this_moment
from connectors.keeping.compare import Head, compare, rows_of
from connectors.keeping.pages import Entry, PageClaim, Stage, What


async def take_over(room: Room, stages: Collection[Stage], source: str | None = None) -> Batch | None:
    """Take the oldest page that a crash left behind, or that another process handed over."""
    pages = room.store.pages
    while (claim := await pages.claim_next(stages, room.owner, source)) is not None:
        if claim.stage is Stage.OFFERED and claim.source in room.pushed:
            held = await _held(claim, room)
            if not await pages.reduce(claim, held) or not held:
                continue
            claim = msgspec.structs.replace(claim, stage=Stage.STORED, entries=held)
        elif claim.stage is Stage.OFFERED:
            if not await _is_stored(claim, room):
                continue  # its source will be read again; this claim lapses, and a later look finds it stored
            await _park_gone(claim, room)
            if not await pages.stored(claim, claim.entries):
                continue
        wanted = {entry.id: entry.what is What.REFRESHED for entry in claim.entries if entry.what is not What.BAD}
        return Batch(claim=claim, raws=tuple(await room.store.raw.load(wanted)))
    return None


async def _held(claim: PageClaim, room: Room) -> tuple[Entry, ...]:
    """What is in `raw` of a page that was pushed. The rest has no receipt: its caller was not answered, and asks again.

    Whoever left the page may still be at work; then it offers what it stored anew, and gives its receipt after that.
    """
    heads = await room.store.raw.heads(entry.id for entry in claim.entries)
    return tuple(entry for entry in claim.entries if entry.id in heads and heads[entry.id].revision >= entry.revision)


async def _park_gone(claim: PageClaim, room: Room) -> None:
    """What a dead worker had offered, and its source no longer shows: it cannot be had any more, and says so.

    A backfill that goes on, or a source that shows it again, brings it after all.
    """
    source = room.sources.get(claim.source)
    heads = await room.store.raw.heads(entry.id for entry in claim.entries)
    gone = [entry.native_id for entry in claim.entries if entry.id not in heads]
    if source is None or not gone:
        return
    bad = tuple(BadItem(native_id=native_id, payload=b"", reason=GONE) for native_id in gone)
    changes = compare(rows_of(source.name, Page(offered=tuple(gone), items=(), bad=bad, cursor=None)).values(), heads)
    await room.store.raw.add(changes, source, reader=None, at=this_moment(room))


async def _is_stored(claim: PageClaim, room: Room) -> bool:
    """An offered page is whole in `raw`, or as whole as it will become: its source was read to the end since."""
    heads = await room.store.raw.heads(entry.id for entry in claim.entries)
    if all(entry.id in heads and _is_there(entry, heads[entry.id]) for entry in claim.entries):
        return True
    read_to_end_at = await room.store.sources.read_to_end_at(claim.source)
    return read_to_end_at is not None and read_to_end_at > claim.at


def _is_there(entry: Entry, head: Head) -> bool:
    """What was only to be normalized again is there, if not as often as it was meant to."""
    return head.revision >= entry.revision or entry.what is What.AGAIN
