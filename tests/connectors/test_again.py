"""Items offered again as they stand: a revision of the same content, kept no longer than before, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.flow import Batch, Room, take_again, take_page
from connectors.keeping.pages import Entry, What
from connectors.left_behind import take_over
from connectors.raw_appeal import appeal_id
from connectors.source import Source
from tests.connectors.test_flow import OPEN, claimed, item, page, take


async def again(room: Room, source: Source, *native_ids: str) -> list[Batch]:
    ids = [appeal_id(source.name, native_id) for native_id in native_ids]
    return [batch async for batch in take_again(ids, source, room)]


async def test_it_is_a_revision_of_the_same_content_under_the_key_of_its_own_month(
    room: Room, source: Source, database: Any, now: Any
) -> None:
    claim = await claimed(room)
    first = await take_page(page(item("1")), source, claim, room)
    assert first is not None
    await room.store.pages.done(first.claim)
    now.pass_by(days=40)
    await take(room, source, claim, item("2"))

    batches = await again(room, source, "1", "2")

    assert [[entry.what for entry in batch.claim.entries] for batch in batches] == [[What.AGAIN], [What.AGAIN]]
    (raw,) = batches[0].raws
    before = first.raws[0]
    assert (raw.revision, raw.payload, raw.context) == (2, before.payload, before.context)
    assert raw.received_at == before.received_at
    stored = {row["native_id"]: row async for row in database.raw.find()}
    assert [stored[name]["key"].partition("#")[0] for name in ("1", "2")] == ["raw/board/2026-11", "raw/board/2027-01"]
    assert stored["1"]["scope"] == "a"
    for batch in batches:
        await room.store.pages.done(batch.claim)
    assert await take(room, source, claim, item("1"), item("2")) == []


async def test_what_is_taken_back_or_was_never_there_is_not_offered_again(room: Room, source: Source) -> None:
    claim = await claimed(room)
    await take(room, source, claim, item("1"), item("2"))
    await take(room, source, claim, item("1", deleted=True))
    assert [
        [entry.native_id for entry in batch.claim.entries] for batch in await again(room, source, "1", "2", "3")
    ] == [["2"]]


async def test_who_dies_before_it_is_stored_leaves_a_page_that_ends(
    room: Room, source: Source, lapse: Callable[[], Any]
) -> None:
    """Nobody will read an imported file again: what is there is there, as it was."""
    claim = await claimed(room)
    await take(room, source, claim, item("1"))
    entry = Entry(appeal_id("board", "1"), "1", 2, What.AGAIN)
    await room.store.pages.offer("board", [entry], day="2026-11-22", at=room.now(), owner="dead")
    await lapse()
    left = await take_over(room, OPEN)
    assert left is not None
    assert [(raw.native_id, raw.revision) for raw in left.raws] == [("1", 1)]
