"""The flow on a real MongoDB: what repeats, what changes, what a crash leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import msgspec
import pytest

from connectors.base import BadItem, Item, Page, Sweep
from connectors.errors import AccessDenied, ClaimLapsed, SourceDown
from connectors.flow import Batch, Room, parts, read_source, retry_parked, take_page
from connectors.keeping.pages import Entry, Stage, What
from connectors.keeping.sources import SourceClaim
from connectors.keeping.store import open_store
from connectors.left_behind import take_over
from connectors.raw_appeal import appeal_id
from connectors.source import Source

OPEN = (Stage.OFFERED, Stage.STORED, Stage.NORMALIZED)


def item(native_id: str, text: str = "路灯坏了", likes: int = 0, *, scope: str = "a", deleted: bool = False) -> Item:
    return Item(
        native_id=native_id,
        payload=f'{{"text":"{text}","likes":{likes}}}'.encode(),
        content=(text,),
        context={"about": "/news/1"},
        scope=scope,
        deleted=deleted,
    )


def page(*items: Item, bad: Iterable[BadItem] = (), cursor: str | None = None, sweep: Sweep | None = None) -> Page:
    unread = tuple(bad)
    offered = tuple(each.native_id for each in items) + tuple(each.native_id for each in unread)
    return Page(offered=offered, items=items, bad=unread, cursor=cursor, sweep=sweep)


async def claimed(room: Room, name: str = "board") -> SourceClaim:
    await room.store.sources.ensure([name])
    claim = await room.store.sources.claim(name, room.owner)
    assert claim is not None
    return claim


async def take(room: Room, source: Source, claim: SourceClaim, *items: Item, **kwargs: Any) -> list[tuple[str, What]]:
    """What the page turned out to be, by native id; the batch is done at once."""
    batch = await take_page(page(*items, **kwargs), source, claim, room)
    if batch is None:
        return []
    assert await room.store.pages.done(batch.claim)
    return [(entry.native_id, entry.what) for entry in batch.claim.entries]


async def test_a_new_page_is_offered_stored_and_claimed_and_the_position_moves(
    room: Room, source: Source, database: Any
) -> None:
    claim = await claimed(room)

    batch = await take_page(page(item("1"), item("2"), cursor="2"), source, claim, room)

    assert batch is not None
    assert [raw.native_id for raw in batch.raws] == ["1", "2"]
    document = await database.pages.find_one()
    assert (document["stage"], document["owner"], document["whats"]) == ("stored", "worker-1", ["new", "new"])
    assert document["ids"] == [appeal_id("board", "1"), appeal_id("board", "2")]
    assert document["day"] == "2026-11-22"
    raw = await database.raw.find_one({"_id": appeal_id("board", "1")})
    assert "路灯".encode() not in bytes(raw["payload"])
    assert (await database.sources.find_one())["cursor"] == "2"


async def test_what_is_handed_on_in_memory_is_what_the_store_gives_back(
    room: Room, source: Source, lapse: Callable[[], Any]
) -> None:
    claim = await claimed(room)
    batch = await take_page(page(item("1"), item("2")), source, claim, room)
    await lapse()

    again = await take_over(room, OPEN)

    assert batch is not None
    assert again is not None
    assert again.raws == batch.raws
    assert again.claim.fence != batch.claim.fence


async def test_an_item_too_large_for_a_document_is_parked_and_the_others_go_on(
    room: Room, source: Source, database: Any
) -> None:
    claim = await claimed(room)
    rows = [item("1"), item("huge", text="楼" * 6_000_000), item("2")]

    batch = await take_page(page(*rows, cursor="2"), source, claim, room)

    assert batch is not None
    assert [raw.native_id for raw in batch.raws] == ["1", "2"]
    [parked] = [each async for each in room.store.raw.parked()]
    assert parked.native_id == "huge"
    assert "larger than" in parked.reason
    assert await take(room, source, claim, *rows) == []


async def test_a_page_that_repeats_writes_nothing(room: Room, source: Source, database: Any) -> None:
    claim = await claimed(room)
    await take(room, source, claim, item("1"), item("2"))

    assert await take(room, source, claim, item("1"), item("2")) == []

    assert await database.pages.count_documents({}) == 1


async def test_likes_refresh_in_place_and_words_make_a_revision(
    room: Room, source: Source, database: Any, now: Any
) -> None:
    claim = await claimed(room)
    await take(room, source, claim, item("1"))
    now.pass_by(minutes=1)

    assert await take(room, source, claim, item("1", likes=7)) == [("1", What.REFRESHED)]
    assert await database.raw_revisions.count_documents({}) == 0
    assert await take(room, source, claim, item("1", text="路灯又坏了", likes=7)) == [("1", What.CHANGED)]

    raw = await database.raw.find_one()
    kept = await database.raw_revisions.find_one()
    assert raw["revision"] == 2
    assert kept["_id"] == f"{raw['_id']}-1"
    assert kept["received_at"] < raw["received_at"]
    assert kept["day"] == raw["day"]


async def test_a_refreshed_item_keeps_its_time_and_says_that_it_is_refreshed(
    room: Room, source: Source, now: Any, lapse: Callable[[], Any]
) -> None:
    claim = await claimed(room)
    first = await take_page(page(item("1")), source, claim, room)
    now.pass_by(minutes=1)

    second = await take_page(page(item("1", likes=3)), source, claim, room)

    assert first is not None
    assert second is not None
    assert second.raws[0].refreshed
    assert second.raws[0].received_at == first.raws[0].received_at
    await room.store.pages.done(first.claim)
    await lapse()
    again = await take_over(room, OPEN)
    assert again is not None
    assert again.raws == second.raws


async def test_a_deletion_mark_withdraws_and_is_not_final(room: Room, source: Source, database: Any) -> None:
    claim = await claimed(room)
    await take(room, source, claim, item("1"))

    assert await take(room, source, claim, item("1", deleted=True)) == [("1", What.WITHDRAWN)]
    assert await take(room, source, claim, item("1", deleted=True)) == []
    assert (await database.raw.find_one())["withdrawn"] is True
    assert await take(room, source, claim, item("1")) == [("1", What.CHANGED)]

    raw = await database.raw.find_one()
    assert (raw["withdrawn"], raw["revision"]) == (False, 3)


async def test_what_was_taken_back_before_we_saw_it_is_kept_and_not_handed_on(
    room: Room, source: Source, lapse: Callable[[], Any]
) -> None:
    claim = await claimed(room)

    batch = await take_page(page(item("1", deleted=True), item("2")), source, claim, room)

    assert batch is not None
    assert [raw.native_id for raw in batch.raws] == ["2"]
    assert [entry.what for entry in batch.claim.entries] == [What.WITHDRAWN, What.NEW]
    await lapse()
    again = await take_over(room, OPEN)
    assert again is not None
    assert again.raws == batch.raws


async def test_absence_from_two_complete_enumerations_withdraws(room: Room, source: Source, database: Any) -> None:
    claim = await claimed(room)
    await take(room, source, claim, item("1"), item("2"), item("3", scope="b"))
    without_two = Sweep(scope="a", native_ids=frozenset({"1"}))

    assert await take(room, source, claim, sweep=without_two) == []
    batch = await take_page(page(sweep=without_two), source, claim, room)

    assert batch is not None
    assert [(raw.native_id, raw.withdrawn, raw.revision) for raw in batch.raws] == [("2", True, 2)]
    assert batch.raws[0].payload == item("2").payload
    assert await database.raw.count_documents({"withdrawn": True}) == 1


async def test_a_board_of_more_items_than_a_query_holds_is_swept_whole(
    room: Room, source: Source, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.keeping.raw.ASKED_AT_ONCE", 2)
    claim = await claimed(room)
    await take(room, source, claim, *(item(str(number)) for number in range(5)))

    await take(room, source, claim, sweep=Sweep(scope="a", native_ids=frozenset()))

    assert await database.raw.count_documents({"absent": 1}) == 5


async def test_an_item_that_comes_back_between_two_enumerations_stays(room: Room, source: Source) -> None:
    claim = await claimed(room)
    await take(room, source, claim, item("1"), item("2"))
    without = Sweep(scope="a", native_ids=frozenset({"1"}))
    whole = Sweep(scope="a", native_ids=frozenset({"1", "2"}))

    for sweep in (without, whole, without):
        assert await take(room, source, claim, sweep=sweep) == []


async def test_a_bad_row_is_parked_with_its_reason_and_the_others_go_on(
    room: Room, source: Source, database: Any
) -> None:
    claim = await claimed(room)
    bad = BadItem(native_id="9", payload=b'{"text":', reason="not JSON")

    batch = await take_page(page(item("1"), bad=[bad]), source, claim, room)

    assert batch is not None
    assert [raw.native_id for raw in batch.raws] == ["1"]
    assert await take(room, source, claim, item("1"), bad=[bad]) == []
    parked = [each async for each in room.store.raw.parked()]
    assert [(each.native_id, each.reason) for each in parked] == [("9", "not JSON")]
    shown = await room.store.raw.parked_payload(parked[0].id)
    assert shown is not None
    assert shown.payload == b'{"text":'


class Mended:
    def reread(self, native_id: str, payload: bytes, context: Any) -> Item | BadItem:
        return item(native_id, payload.decode())


async def test_a_parked_row_is_read_again_and_goes_its_way(room: Room, source: Source) -> None:
    claim = await claimed(room)
    await take(room, source, claim, bad=[BadItem(native_id="9", payload=b"words", reason="no such column")])
    id_ = appeal_id("board", "9")

    batch = await retry_parked(id_, Mended(), source, room)

    assert isinstance(batch, Batch)
    assert [(raw.native_id, raw.revision) for raw in batch.raws] == [("9", 2)]
    assert [each async for each in room.store.raw.parked()] == []
    assert await retry_parked(id_, Mended(), source, room) is None


async def test_a_discarded_row_stays_parked_and_is_no_longer_listed(room: Room, source: Source, now: Any) -> None:
    claim = await claimed(room)
    await take(room, source, claim, bad=[BadItem(native_id="9", payload=b"", reason="empty")])
    id_ = appeal_id("board", "9")

    assert await room.store.raw.discard(id_, actor="li", reason="advertising", at=now())

    assert not await room.store.raw.discard(id_, actor="li", reason="advertising", at=now())
    assert [each async for each in room.store.raw.parked()] == []
    (parked,) = [each async for each in room.store.raw.parked(discarded=True)]
    assert parked.discarded == "li: advertising"


async def test_a_stopped_reader_that_wakes_up_changes_nothing(
    room: Room, source: Source, database: Any, lapse: Callable[[], Any]
) -> None:
    """Its page is older than what its successor read: neither item nor position may go back."""
    stopped = await claimed(room)
    await take(room, source, stopped, item("1", text="old"), cursor="1")
    await lapse()
    successor = await claimed(replace(room, owner="worker-2"))
    await take(room, source, successor, item("1", text="new"), cursor="2")
    before = await dump(database)

    with pytest.raises(ClaimLapsed):
        await take_page(page(item("1", text="old"), cursor="1b"), source, stopped, room)

    assert await dump(database) == before


async def test_a_stopped_reader_does_not_move_the_position(
    room: Room, source: Source, database: Any, lapse: Callable[[], Any]
) -> None:
    stopped = await claimed(room)
    await lapse()
    successor = await claimed(replace(room, owner="worker-2"))
    await take(room, source, successor, item("1"), cursor="2")

    with pytest.raises(ClaimLapsed):
        await take_page(page(item("0"), cursor="1"), source, stopped, room)

    assert (await database.sources.find_one())["cursor"] == "2"
    assert await database.raw.count_documents({}) == 2


async def test_two_workers_that_store_the_same_page_at_once_lose_nothing(
    room: Room, source: Source, database: Any
) -> None:
    """A push and a poll may bring the same items in the same moment."""
    claim = await claimed(room)
    between: Any = Between(room.store.raw, source, room)
    slow = Room(store=room.store._replace(raw=between), now=room.now, owner="worker-2")

    batch = await take_page(page(item("1", text="mine"), item("2")), source, claim, slow)

    assert batch is not None
    assert {raw.native_id: raw.revision for raw in batch.raws} == {"1": 2, "2": 1}
    assert await database.raw.count_documents({}) == 2
    assert await database.raw_revisions.count_documents({}) == 1


class Between:
    """A raw store into which another worker writes between our look and our write."""

    def __init__(self, raw: Any, source: Source, room: Room) -> None:
        self._raw, self._source, self._room, self._done = raw, source, room, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    async def heads(self, ids: Iterable[str]) -> Any:
        found = await self._raw.heads(ids)
        if not self._done:
            self._done = True
            await take_page(page(item("1", text="theirs"), item("2")), self._source, None, self._room)
        return found


async def test_a_page_that_was_taken_away_while_it_was_stored_is_offered_anew(
    room: Room, source: Source, database: Any, lapse: Callable[[], Any]
) -> None:
    """Who took it may have found it as whole as it would become, and be done with it already."""
    claim = await claimed(room)
    raw, pages, sources = room.store.raw, room.store.pages, room.store.sources

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(raw, name)

        async def add(self, *args: Any, **kwargs: Any) -> Any:
            await lapse()
            reading = await sources.claim("board", "worker-2")
            assert reading is not None
            await sources.read_to_end(reading, room.now() + timedelta(seconds=1))
            taken = await take_over(room, OPEN)
            assert taken is not None
            assert taken.raws == ()
            assert await pages.done(taken.claim)
            return await raw.add(*args, **kwargs)

    slow: Any = Slow()
    batch = await take_page(page(item("1")), source, claim, replace(room, store=room.store._replace(raw=slow)))

    assert batch is not None
    assert [each.native_id for each in batch.raws] == ["1"]
    assert await pages.done(batch.claim)


async def test_an_offered_page_waits_until_its_source_was_read_again(
    room: Room, source: Source, database: Any, lapse: Callable[[], Any]
) -> None:
    """Its items are not in the store: only the source can bring them."""
    claim = await claimed(room)
    entry = Entry(appeal_id("board", "1"), "1", 1, What.NEW)
    await room.store.pages.offer("board", [entry], day="2026-11-22", at=room.now(), owner="dead")
    await lapse()
    assert await take_over(room, OPEN) is None
    assert await take_over(room, OPEN) is None  # and is not looked at again and again

    await lapse()
    claim = await claimed(room)
    await take(room, source, claim, item("1"))

    left = await take_over(room, OPEN)

    assert left is not None
    assert [each.native_id for each in left.raws] == ["1"]


async def test_an_item_that_joins_an_enumeration_later_is_swept_with_it(room: Room, source: Source) -> None:
    """An operator turned `sweep_every` on."""
    claim = await claimed(room)
    await take(room, source, claim, item("1", scope=""))
    assert await take(room, source, claim, item("1", scope="a")) == [("1", What.REFRESHED)]

    nothing = Sweep(scope="a", native_ids=frozenset())
    assert await take(room, source, claim, sweep=nothing) == []
    assert await take(room, source, claim, sweep=nothing) == [("1", What.WITHDRAWN)]


async def test_a_row_that_comes_twice_in_a_page_counts_as_it_came_last(room: Room, source: Source) -> None:
    claim = await claimed(room)

    batch = await take_page(page(item("1", "first"), item("1", "last")), source, claim, room)

    assert batch is not None
    assert [raw.payload for raw in batch.raws] == [item("1", "last").payload]


async def test_a_row_that_becomes_readable_or_unreadable_is_a_revision(
    room: Room, source: Source, database: Any
) -> None:
    claim = await claimed(room)
    bad = BadItem(native_id="1", payload=b"{", reason="not JSON", scope="a")
    await take(room, source, claim, bad=[bad])

    assert await take(room, source, claim, item("1")) == [("1", What.CHANGED)]
    assert await take(room, source, claim, bad=[bad]) == [("1", What.BAD)]

    raw = await database.raw.find_one()
    assert (raw["revision"], raw["parked"]["stage"]) == (3, "parse")
    assert await database.raw_revisions.count_documents({}) == 2


async def test_a_deletion_without_a_word_keeps_what_was_written(room: Room, source: Source) -> None:
    claim = await claimed(room)
    await take(room, source, claim, item("1"))
    gone = Item(native_id="1", payload=b"", content=(), scope="a", deleted=True)

    batch = await take_page(page(gone), source, claim, room)

    assert batch is not None
    assert [(raw.payload, raw.withdrawn) for raw in batch.raws] == [(item("1").payload, True)]
    assert dict(batch.raws[0].context) == {"about": "/news/1"}


class Broken(Exception):
    """The power went."""


class Dying:
    """A database that dies after so many calls that write."""

    def __init__(self, inner: Any, left: list[int]) -> None:
        self._inner, self._left = inner, left

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        if name in {"raw", "raw_revisions", "pages", "sources", "counters"}:
            return Dying(inner, self._left)
        if name not in {"insert_one", "insert_many", "update_one", "update_many", "bulk_write", "aggregate"}:
            return inner

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._left[0] == 0:
                raise Broken
            self._left[0] -= 1
            return inner(*args, **kwargs)

        return call


class Recorded:
    """A connector that plays pages; the cursor is the number of the next one."""

    def __init__(self, *pages: Page) -> None:
        self._pages = pages

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        for number in range(int(cursor or 0), len(self._pages)):
            yield replace_cursor(self._pages[number], str(number + 1))


def replace_cursor(read: Page, cursor: str) -> Page:
    return Page(offered=read.offered, items=read.items, bad=read.bad, cursor=cursor, sweep=read.sweep)


HISTORY = (
    page(item("1"), item("2"), item("3"), bad=[BadItem(native_id="9", payload=b"{", reason="not JSON")]),
    page(item("1", text="changed"), item("2", likes=4), item("4")),
    page(item("3", deleted=True), item("5"), sweep=Sweep(scope="a", native_ids=frozenset({"1", "2", "3", "5", "9"}))),
    page(item("6"), sweep=Sweep(scope="a", native_ids=frozenset({"1", "2", "3", "5", "6", "9"}))),
)


async def drain(room: Room, source: Source, lapse: Callable[[], Any]) -> None:
    """A worker's whole work: read to the end, then what is left in the store."""
    claim = await claimed(room)
    async for batch in read_source(Recorded(*HISTORY), source, claim, room):
        assert await room.store.pages.done(batch.claim)
    await lapse()
    while (left := await take_over(room, OPEN)) is not None:
        assert await room.store.pages.done(left.claim)


async def dump(database: Any) -> dict[str, Any]:
    """The end state without what a repeat may change: sealed bytes, fences, page ids."""
    fields = ("revision", "content", "digest", "withdrawn", "absent", "parked", "scope", "native_id", "mode")
    raw = {document["_id"]: [document[name] for name in fields] async for document in database.raw.find()}
    kept = {
        document["_id"]: [document[name] for name in fields if name != "absent"]
        async for document in database.raw_revisions.find()
    }
    cursor = (await database.sources.find_one())["cursor"]
    return {"raw": raw, "kept": kept, "cursor": cursor}


async def offers(database: Any) -> dict[tuple[str, int], set[str]]:
    told: dict[tuple[str, int], set[str]] = {}
    async for document in database.pages.find():
        assert document["stage"] == "done"
        for id_, revision, what in zip(document["ids"], document["revisions"], document["whats"], strict=True):
            told.setdefault((id_, revision), set()).add(what)
    return told


async def test_a_crash_at_any_write_repeats_a_page_and_loses_none(
    room: Room, source: Source, database: Any, lapse: Callable[[], Any]
) -> None:
    seal: Any = room.store.raw._seal
    await drain(room, source, lapse)
    expected, told = await dump(database), await offers(database)
    crashes = 0
    while True:
        for name in ("raw", "raw_revisions", "pages", "sources"):
            await database[name].delete_many({})
        claim_first = Room(store=room.store, now=room.now, owner="worker-0")
        await claim_first.store.sources.ensure(["board"])
        dying = Dying(database, [crashes])
        broken = Room(store=open_store(dying, seal), now=room.now, owner="worker-0")
        try:
            await drain(broken, source, lapse)
        except Broken:
            await lapse()
            await drain(room, source, lapse)
        else:
            break
        assert await dump(database) == expected, f"killed at write {crashes}"
        assert (await offers(database)).keys() == told.keys(), f"killed at write {crashes}"
        crashes += 1
    assert crashes > 20


async def test_workers_whose_claims_lapse_all_the_time_end_where_one_worker_ends(
    room: Room, source: Source, database: Any, lapse: Callable[[], Any]
) -> None:
    """Each is slower than its lease in any step, so that all of them write what is no longer theirs to write."""
    await drain(room, source, lapse)
    expected, told = await dump(database), await offers(database)
    for name in ("raw", "raw_revisions", "pages", "sources"):
        await database[name].delete_many({})
    await room.store.sources.ensure(["board"])
    ended = asyncio.Event()

    async def work(number: int) -> None:
        seal = cast("Any", room.store.raw._seal)
        own = Room(store=open_store(database, seal), now=room.now, owner=f"worker-{number}")
        while not ended.is_set():
            reading = await own.store.sources.claim("board", own.owner)
            if reading is not None:
                with suppress(ClaimLapsed):
                    async for batch in read_source(Recorded(*HISTORY), source, reading, own):
                        await own.store.pages.done(batch.claim)
            if (left := await take_over(own, OPEN)) is not None:
                await own.store.pages.done(left.claim)
            await asyncio.sleep(0)

    async def spoil() -> None:
        for _ in range(60):
            await lapse()
        ended.set()

    await asyncio.gather(spoil(), *(work(number) for number in range(4)))
    await lapse()
    await drain(room, source, lapse)

    assert await dump(database) == expected
    assert (await offers(database)).keys() >= told.keys()


async def test_what_comes_at_once_is_taken_in_pages_of_bearable_size(room: Room, source: Source, database: Any) -> None:
    """A root with a thousand replies is one answer."""
    claim = await claimed(room)
    bad = [BadItem(native_id=f"b{number}", payload=b"{", reason="not JSON") for number in range(3)]
    large = page(*(item(str(number)) for number in range(1200)), bad=bad)

    batches = [batch async for batch in read_source(Recorded(large), source, claim, room)]

    assert [len(batch.claim.entries) for batch in batches] == [500, 500, 203]
    assert claim.cursor == "1"
    assert await database.raw.count_documents({}) == 1203


def test_an_empty_page_is_one_part_with_its_sweep_and_position() -> None:
    empty = page(cursor="1", sweep=Sweep(scope="a", native_ids=frozenset()))

    assert list(parts(empty)) == [empty]


async def test_what_goes_wrong_is_written_beside_the_source(room: Room, source: Source, now: Any) -> None:
    claim = await claimed(room)

    class Down:
        async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
            yield page(item("1"), cursor="1")
            raise SourceDown("no answer from the board; it is asked again later")

    with pytest.raises(SourceDown):
        [batch async for batch in read_source(Down(), source, claim, room)]

    (state,) = await room.store.sources.states()
    assert (state.cursor, state.failures) == ("1", 1)
    assert state.waiting_until is not None
    assert state.waiting_until > now()
    assert state.reason == "no answer from the board; it is asked again later"
    assert state.read_to_end_at is None


async def test_a_refused_key_stops_the_source_until_an_operator_resumes_it(room: Room, source: Source) -> None:
    claim = await claimed(room)

    class Refused:
        async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
            raise AccessDenied("the board refuses the key; renew it")
            yield page()

    with pytest.raises(AccessDenied):
        [batch async for batch in read_source(Refused(), source, claim, room)]

    assert await room.store.sources.claim("board", "worker-2") is None
    assert await room.store.sources.resume("board")
    assert await room.store.sources.claim("board", "worker-2") is not None


async def test_a_row_of_which_only_the_beginning_was_kept_says_so_when_it_is_tried_again(
    room: Room, source: Source, database: Any
) -> None:
    cut = BadItem(native_id="large", payload=b'{"text": "cut of', reason="the item is too large")
    await take_page(Page(offered=("large",), items=(), bad=(cut,), cursor=None), source, None, room)

    class Reads:
        def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
            return Item(native_id=native_id, payload=payload, content=(msgspec.json.decode(payload)["text"],))

    again = await retry_parked(appeal_id(source.name, "large"), Reads(), source, room)

    assert isinstance(again, BadItem)
    assert "only the beginning" in again.reason
    assert await database.raw.count_documents({"parked.stage": "parse"}) == 1
