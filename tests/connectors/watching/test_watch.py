"""A source changes while it is read: it is flagged, its pages are kept, and once mended they are read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.base import BadItem, Fetch, Item, Page, Request, Response
from connectors.errors import AccessDenied, FormatChanged
from connectors.flow import Batch, Room, read_source, take_pushed
from connectors.keeping.sources import SourceClaim
from connectors.keeping.store import Store, open_offers
from connectors.source import Source
from connectors.watching.causes import Cause
from connectors.watching.reading import Reading
from connectors.watching.rhythm import DayKind
from connectors.watching.sentinel import judge_reading
from connectors.watching.watch import Pushed, Watch
from intake.street.reread import Again, accept

ADDRESS = Request(url="https://city.example/list")


def workday(_: object) -> DayKind:
    return "workday"


class Rows:
    """A connector of a plain list; `name` is what its mapping calls the text."""

    def __init__(self, fetch: Fetch, name: str = "text") -> None:
        self._fetch = fetch
        self._name = name

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        del cursor
        response = await self._fetch(ADDRESS)
        if response.body.startswith(b"<"):
            raise AccessDenied("the source answered with a log-in page")
        rows = msgspec.json.decode(response.body)["rows"]
        read = [self._row(row) for row in rows]
        yield Page(
            offered=tuple(each.native_id for each in read),
            items=tuple(each for each in read if isinstance(each, Item)),
            bad=tuple(each for each in read if isinstance(each, BadItem)),
            cursor=None,
        )

    def _row(self, row: dict[str, Any]) -> Item | BadItem:
        payload = msgspec.json.encode(row)
        if self._name not in row:
            return BadItem(native_id=str(row["id"]), payload=payload, reason="no text")
        return Item(native_id=str(row["id"]), payload=payload, content=(row[self._name],))


class Site:
    """What the source shows: a window of five letters, and a new one at every look."""

    def __init__(self, now: Any) -> None:
        self.now = now
        self.looks = 0
        self.name = "text"
        self.page: bytes | None = None

    async def fetch(self, request: Request) -> Response:
        assert request == ADDRESS
        self.looks += 1
        rows = [{"id": n, self.name: f"letter number {n}"} for n in range(self.looks, self.looks + 5)]
        body = self.page or msgspec.json.encode({"rows": rows})
        return Response(status=200, headers={"content-type": "application/json"}, body=body, fetched_at=self.now.moment)


class Reader:
    """The loop of one source, without the waiting."""

    def __init__(self, site: Site, source: Source, room: Room) -> None:
        self.site, self.source, self.room = site, source, room
        self.name = "text"
        self.watch = Watch(source, room.store.watches, now=room.now, day_kind=workday)

    async def read(self, times: int = 1) -> list[Batch]:
        batches: list[Batch] = []
        for _ in range(times):
            claim = await self.room.store.sources.claim(self.source.name, self.room.owner)
            assert claim is not None
            connector = Rows(self.watch.over(self.site.fetch), self.name)
            reading = read_source(connector, self.source, claim, self.room, self.watch)
            batches += [batch async for batch in reading]
            await self.room.store.sources.release(claim)
            self.site.now.pass_by(minutes=45)
        return batches


@pytest.fixture
async def reader(room: Room, source: Source, now: Any) -> Reader:
    await room.store.sources.ensure([source.name])
    """It was read for sixty hours already, without a database to make it slow."""
    made = Reader(Site(now), source, room)
    learned, edition = await room.store.watches.load(source.name)
    for _ in range(80):
        reading = Reading(source.zone)
        connector = Rows(overheard(made.site.fetch, reading))
        async for page in connector.pages(None):
            reading.read(page)
        verdict = judge_reading(learned, reading, fresh=1, now=now.moment, day_kind=workday)
        assert verdict.learned
        now.pass_by(minutes=45)
    await room.store.watches.save(source.name, learned, edition=edition, fence=0, at=now.moment)
    return made


def overheard(fetch: Fetch, reading: Reading) -> Fetch:
    async def heard(request: Request) -> Response:
        response = await fetch(request)
        reading.heard(request, response)
        return response

    return heard


async def state_of(store: Store) -> Any:
    (state,) = await store.sources.states()
    return state


async def kept_of(store: Store, source: Source) -> int:
    return (await store.watches.count_kept()).get(source.name, 0)


async def test_a_source_that_does_not_change_is_not_flagged(reader: Reader, store: Store, source: Source) -> None:
    await reader.read(5)

    assert (await state_of(store)).drift is None
    assert await kept_of(store, source) == 0


async def test_a_renamed_field_is_named_within_two_readings_and_its_pages_are_kept(
    reader: Reader, store: Store, source: Source
) -> None:
    reader.site.name = "content"

    await reader.read(2)

    drift = (await state_of(store)).drift
    assert [(cause["cause"], cause["field"], cause["other"]) for cause in drift.causes][:1] == [
        (Cause.RENAMED, "rows[].text", "rows[].content")
    ]
    assert "改名" in drift.says
    assert await kept_of(store, source) == 2


async def test_what_was_kept_is_sealed(reader: Reader, database: Any) -> None:
    reader.site.name = "content"

    await reader.read(2)

    async for document in database.kept.find():
        assert b"letter number" not in document["sealed"]
        assert document["expires"] > document["at"]


async def test_kept_pages_are_read_again_once_the_mapping_is_mended(
    reader: Reader, store: Store, source: Source, room: Room, database: Any
) -> None:
    reader.site.name = "content"
    await reader.read(2)
    assert await database.raw.count_documents({"parked.stage": "parse"}) > 0
    taken: list[Batch] = []

    async def put(batch: Batch) -> None:
        taken.append(batch)

    again = Again(source, lambda fetch: Rows(fetch, "content"), room, put)
    done = await again.reread()

    assert (done.readings, done.failed) == (2, [])
    assert done.changed == len({id_ for batch in taken for id_ in [entry.id for entry in batch.claim.entries]})
    assert await database.raw.count_documents({"parked.stage": "parse"}) == 0
    assert (await state_of(store)).drift is None
    assert (await again.reread()).readings == 0


async def test_once_mended_the_new_shape_is_learned_and_not_flagged_again(
    reader: Reader, store: Store, source: Source, room: Room
) -> None:
    reader.site.name = reader.name = "content"
    await reader.read(2)
    assert (await state_of(store)).drift is not None

    await accept(source.name, store.watches, room.now())
    await reader.read(30)

    assert (await state_of(store)).drift is None


async def test_what_was_read_since_is_newer_than_what_was_kept(
    reader: Reader, source: Source, room: Room, database: Any, now: Any
) -> None:
    reader.site.name = "content"
    await reader.read(2)
    now.pass_by(minutes=1)
    newest = reader.site.looks
    reader.site.page = msgspec.json.encode({"rows": [{"id": newest, "content": "written anew"}]})
    reader.name = "content"
    await reader.read()

    before = await database.raw.find_one({"native_id": str(newest)})

    async def put(batch: Batch) -> None:
        del batch

    await Again(source, lambda fetch: Rows(fetch, "content"), room, put).reread()

    after = await database.raw.find_one({"native_id": str(newest)})
    assert after["revision"] == before["revision"]
    (raw,) = await room.store.raw.load({after["_id"]: False})
    assert msgspec.json.decode(raw.payload) == {"id": newest, "content": "written anew"}


async def test_a_log_in_page_is_named_at_once_and_stays_named_until_somebody_has_looked(
    reader: Reader, store: Store
) -> None:
    reader.site.page = b"<html><form><input type='password'></form></html>"

    with pytest.raises(AccessDenied):
        await reader.read()

    assert [cause["cause"] for cause in (await state_of(store)).drift.causes] == [Cause.LOG_IN]
    reader.site.page = None
    await store.sources.resume(reader.source.name)
    await reader.read(3)
    drift = (await state_of(store)).drift
    assert drift.well_since is not None


async def test_one_strange_page_is_suspected_and_forgotten(reader: Reader, store: Store, source: Source) -> None:
    reader.site.name = "content"
    await reader.read()
    assert await kept_of(store, source) == 1
    reader.site.name = "text"

    await reader.read(2)

    assert (await state_of(store)).drift is None
    assert await kept_of(store, source) == 0


async def test_another_worker_goes_on_from_what_was_learned(
    reader: Reader, store: Store, source: Source, room: Room
) -> None:
    other = Reader(reader.site, source, room)
    reader.site.name = "content"

    await reader.read()
    await other.read()

    assert (await state_of(store)).drift is not None


async def test_a_mapping_that_is_still_wrong_leaves_the_flag(
    reader: Reader, store: Store, source: Source, room: Room
) -> None:
    reader.site.name = "content"
    await reader.read(2)

    class Refuses(Rows):
        async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
            async for _ in super().pages(cursor):
                raise FormatChanged("still not what it was")
            yield Page(offered=(), items=(), cursor=None)

    async def put(batch: Batch) -> None:
        del batch

    done = await Again(source, Refuses, room, put).reread()

    assert len(done.failed) == 2
    assert (await state_of(store)).drift is not None


async def test_a_lapsed_reader_writes_nothing_of_what_it_learned(store: Store, now: Any) -> None:
    learned, edition = await store.watches.load("board")
    assert await store.watches.save("board", learned, edition=edition, fence=7, at=now.moment)

    assert not await store.watches.save("board", learned, edition=edition, fence=6, at=now.moment)
    await store.watches.replace("board", learned, edition + 1)
    assert not await store.watches.save("board", learned, edition=edition, fence=8, at=now.moment + timedelta(hours=1))


class Pushes:
    """What was pushed to us, as a look would find it."""

    def __init__(self) -> None:
        self.name = "text"
        self.silent = False
        self.looks = 0

    async def since(self, source: str, last: str) -> Pushed:
        del source
        self.looks += 1
        assert last == ("" if self.looks == 1 else str(self.looks - 1))
        if self.silent:
            return Pushed((), 0, str(self.looks))
        rows = [{"id": f"{self.looks}-{n}", self.name: f"letter {self.looks} {n}"} for n in range(6)]
        items = tuple(Item(native_id=str(row["id"]), payload=msgspec.json.encode(row), content=()) for row in rows)
        page = Page(offered=tuple(item.native_id for item in items), items=items, cursor=None)
        return Pushed((page,), len(items), str(self.looks))


@pytest.fixture
async def pushes(room: Room, source: Source, now: Any) -> tuple[Watch, Pushes]:
    """A source that pushes six letters an hour, looked at for eighty hours."""
    await room.store.sources.ensure([source.name])
    watch, pushed = Watch(source, room.store.watches, now=room.now, day_kind=workday), Pushes()
    await look(watch, pushed, room, now, times=130)
    assert await room.store.watches.flagged(source.name) is None
    return watch, pushed


async def look(watch: Watch, pushed: Pushes, room: Room, now: Any, times: int = 1) -> None:
    for _ in range(times):
        claim = SourceClaim(
            name="board", fence=1, cursor=None, waiting_until=None, failures=0, read_to_end_at=now.moment
        )
        await watch.looks(claim, pushed)
        now.pass_by(hours=1)


async def test_what_is_pushed_to_us_is_watched_too(
    pushes: tuple[Watch, Pushes], room: Room, now: Any, source: Source
) -> None:
    watch, pushed = pushes
    pushed.name = "content"

    await look(watch, pushed, room, now, times=2)

    flagged = await room.store.watches.flagged(source.name)
    assert flagged is not None
    assert [drift.cause for drift in flagged] == [Cause.RENAMED]


async def test_a_caller_that_falls_silent_is_noticed(
    pushes: tuple[Watch, Pushes], room: Room, now: Any, source: Source
) -> None:
    watch, pushed = pushes
    pushed.silent = True

    await look(watch, pushed, room, now, times=4)

    flagged = await room.store.watches.flagged(source.name)
    assert flagged is not None
    assert [drift.cause for drift in flagged] == [Cause.SILENT]


async def test_pushed_pages_are_found_once_whoever_took_them_in(room: Room, source: Source, database: Any) -> None:
    rows = tuple(Item(native_id=str(n), payload=b'{"text": "a letter"}', content=("a letter",)) for n in range(3))
    bad = BadItem(native_id="bad", payload=b"?", reason="broken")
    offers = open_offers(database, room.store, lambda: datetime.now(UTC))
    page = Page(offered=(*(row.native_id for row in rows), "bad"), items=rows, bad=(bad,), cursor=None)
    await take_pushed(page, source, room)

    pushed = await offers.since(source.name, "")
    again = await offers.since(source.name, pushed.last)

    (found,) = pushed.pages
    assert (pushed.fresh, set(found.offered)) == (4, {"0", "1", "2", "bad"})
    assert [item.payload for item in found.items] == [b'{"text": "a letter"}'] * 3
    assert [row.native_id for row in found.bad] == ["bad"]
    assert (again.pages, again.fresh, again.last, again.refused) == ((), 0, pushed.last, {})


async def test_what_was_turned_away_is_told_once_whoever_looks(room: Room, source: Source, database: Any) -> None:
    await room.store.sources.ensure([source.name])
    offers = open_offers(database, room.store, lambda: datetime.now(UTC))
    before = await offers.since(source.name, "")
    await room.store.sources.heard(source.name, None, {"not signed": 1})
    await room.store.sources.heard(source.name, None, {"no text": 3, "not signed": 1})

    pushed = await offers.since(source.name, before.last)
    again = await offers.since(source.name, pushed.last)

    assert (before.refused, pushed.refused, again.refused) == ({}, {"no text": 5}, {})
