"""Killed at every item index: ties, reverse order, sticky posts, late posts. The union of the runs is the source set.

The mass of schedules runs on a shelf that keeps the store's contract (items one by one, the position last); a part of
them runs through the whole flow on a real MongoDB that dies at every single write.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Connector, Request, Response
from connectors.channels.feed import Feed, FeedSettings
from connectors.channels.hotline_12345 import Hotline12345, HotlineSettings
from connectors.channels.http_json.connector import HttpJson
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.flow import Room, read_source
from connectors.keeping.store import open_store
from connectors.left_behind import take_over
from tests.connectors.test_flow import OPEN, Broken, Dying

BASE = datetime(2026, 11, 1, tzinfo=UTC)
NOW = BASE + timedelta(days=300)
URL = "https://bbs.city.example/list"
OVERLAP = 5  #: hours
STICKY = 3


class Post(NamedTuple):
    hour: int
    id: str
    sticky: bool


class Plan(NamedTuple):
    """What happens: for each step the posts that come, how late each is, and whether it is pinned."""

    kind: str
    steps: list[list[tuple[int, bool]]]
    page_size: int
    newest_first: bool
    known: bool  #: the source was read before, and its order is known

    def history(self) -> list[Post]:
        return [Post(hour - 24, f"old-{hour:02d}", sticky=False) for hour in range(7)] if self.known else []

    def posts(self, step: int) -> list[Post]:
        before = sum(map(len, self.steps[:step]))
        pins = sum(sticky for news in self.steps[:step] for _, sticky in news)
        made = []
        for number, (late, sticky) in enumerate(self.steps[step], start=before):
            pins += sticky
            made.append(Post(step * 24 - late, f"{number:03d}", sticky and pins <= STICKY))
        return made


class Site:
    """One source, in the shape that its connector reads."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.posts: list[Post] = []

    async def fetch(self, request: Request) -> Response:
        body = SHAPES[self.plan.kind](self, request)
        return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=NOW)

    def page(self, number: int) -> tuple[list[Post], bool]:
        ordered = sorted(self.posts, key=lambda post: post.hour, reverse=self.plan.newest_first)
        shown = [post for post in ordered if post.sticky] + [post for post in ordered if not post.sticky]
        size = self.plan.page_size
        return shown[(number - 1) * size : number * size], number * size < len(shown)

    def behind(self, key: tuple[str, str]) -> tuple[list[Post], bool]:
        rest = [post for post in sorted(self.posts) if (written(post), post.id) > key]
        return rest[: self.plan.page_size], len(rest) > self.plan.page_size


def written(post: Post) -> str:
    return f"{BASE + timedelta(hours=post.hour):%Y-%m-%d %H:%M:%S}"


def as_feed(site: Site, request: Request) -> Any:
    number = int(request.url.rpartition("=")[2]) if "=" in request.url else 1
    posts, more = site.page(number)
    rows = [{"id": post.id, "title": "words", "date_published": f"{written(post)}Z"} for post in posts]
    return {"version": "1.1", "title": "x", "items": rows} | ({"next_url": f"{URL}?p={number + 1}"} if more else {})


def as_pages(site: Site, request: Request) -> Any:
    posts, _ = site.page(int(request.query["page"]))
    return [{"id": post.id, "text": "words", "at": written(post)} for post in posts]


def as_orders(site: Site, request: Request) -> Any:
    time, _, id_ = request.query.get("after", "").partition("|")
    posts, more = site.behind((time, id_))
    rows = [{"orderId": each.id, "majorContent": "words", "updateTime": written(each)} for each in posts]
    last = f"{written(posts[-1])}|{posts[-1].id}" if more else None
    return {"success": True, "data": {"rows": rows, "next": last}}


SHAPES: dict[str, Callable[[Site, Request], Any]] = {"feed": as_feed, "http_json": as_pages, "hotline_12345": as_orders}
COMMON = {"name": "s", "channel": "forum", "mode": "route", "zone": "UTC", "url": URL, "overlap": OVERLAP * 3600}
PAGES = {
    "reading": "newest_first",
    "list": {"query": {"page": "{page}"}, "rows": "", "paging": {"kind": "page", "sticky": STICKY}},
    "fields": {"native_id": "id", "text": "text", "posted_at": "at"},
}


def settings_of(plan: Plan) -> Any:
    told = COMMON | {"kind": plan.kind}
    match plan.kind:
        case "feed":
            return msgspec.convert(told, FeedSettings)
        case "http_json":
            return msgspec.convert(told | PAGES, HttpJsonSettings)
        case _:
            return msgspec.convert(told | {"key_env": "K", "page_size": plan.page_size}, HotlineSettings)


def connect(site: Site, own: Any) -> Connector:
    match site.plan.kind:
        case "feed":
            return Feed(own, site.fetch, {})
        case "http_json":
            return HttpJson(own, site.fetch, {}, lambda: NOW)
        case _:
            return Hotline12345(own, site.fetch, {"K": "k"})


class Shelf:
    """A store's contract in memory: what was put there stays, the position moves behind a page that is whole."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.cursor: str | None = None
        self.reached = 0

    async def run(self, connector: Connector, killed_at: int | None = None) -> None:
        """Read; die before the item of this index."""
        index = 0
        async for page in connector.pages(self.cursor):
            for item in page.items:
                if index == killed_at:
                    return
                self.ids.add(item.native_id)
                index += 1
                self.reached = max(self.reached, index)
            self.cursor = page.cursor if page.cursor is not None else self.cursor


async def before(plan: Plan, own: Any) -> Shelf:
    """Read what there was before the first step, until nothing more is learned of it."""
    site, shelf = Site(plan), Shelf()
    site.posts += plan.history()
    for _ in range(2 if plan.known else 0):
        await shelf.run(connect(site, own))
    return shelf


async def union_of_runs(plan: Plan, own: Any, known: Shelf, killed_at: int) -> tuple[set[str], set[str], int]:
    """Every run but the last dies at this index; what the runs stored, what the source ever had, how far one came."""
    site, shelf = Site(plan), Shelf()
    site.posts += plan.history()
    shelf.ids, shelf.cursor = set(known.ids), known.cursor
    for step in range(len(plan.steps)):
        site.posts += plan.posts(step)
        await shelf.run(connect(site, own), killed_at)
    await shelf.run(connect(site, own))
    return shelf.ids, {post.id for post in site.posts}, shelf.reached


plans = st.builds(
    Plan,
    kind=st.sampled_from(sorted(SHAPES)),
    steps=st.lists(
        st.lists(st.tuples(st.integers(0, OVERLAP), st.sampled_from([False, False, False, True])), max_size=4),
        min_size=1,
        max_size=3,
    ),
    page_size=st.integers(1, 5),
    newest_first=st.booleans(),
    known=st.booleans(),
)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans)
def test_killed_at_every_item_index_the_union_of_the_runs_is_the_source_set(
    monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    monkeypatch.setattr("connectors.channels.feed.STICKY", STICKY)
    if plan.kind == "hotline_12345":  # its key is the time of the last change, and that only grows
        plan = plan._replace(steps=[[(0, False) for _ in news] for news in plan.steps])
    if plan.kind == "http_json":  # its settings say that it shows the newest first
        plan = plan._replace(newest_first=True)
    own = settings_of(plan)

    async def play() -> None:
        known = await before(plan, own)
        killed_at = reached = 0
        while killed_at <= reached:
            stored, source, reached = await union_of_runs(plan, own, known, killed_at)
            assert stored == source, f"killed at item {killed_at}"
            killed_at += 1

    asyncio.run(play())


@pytest.mark.parametrize("kind", sorted(SHAPES))
async def test_killed_at_every_write_of_a_real_store_it_holds_the_source_set(
    kind: str, room: Room, database: Any, lapse: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the crash a successor reads on and takes over what was left; each item is offered, and whole."""
    monkeypatch.setattr("connectors.channels.feed.STICKY", STICKY)
    chance = random.Random(kind)
    late = 0 if kind == "hotline_12345" else OVERLAP
    steps = [[(chance.randint(0, late), late > 0 and chance.random() < 0.2) for _ in range(5)] for _ in range(2)]
    plan = Plan(kind, steps, page_size=3, newest_first=True, known=False)
    own: Any = settings_of(plan)
    seal: Any = room.store.raw._seal
    writes = 0
    while True:
        for name in ("raw", "raw_revisions", "pages", "sources"):
            await database[name].delete_many({})
        await room.store.sources.ensure([own.name])
        site, died = Site(plan), False
        for step in range(len(steps)):
            site.posts += plan.posts(step)
            dying: Any = Dying(database, [writes])
            try:
                await drain(Room(open_store(dying, seal), room.now, "worker-0"), site, own, lapse)
            except Broken:
                died = True
                await lapse()
        await drain(room, site, own, lapse)

        stored = {document["native_id"] async for document in database.raw.find({}, {"native_id": 1})}
        offered = {id_ async for document in database.pages.find() for id_ in document["native_ids"]}
        assert stored == offered == {post.id for post in site.posts}, f"killed at write {writes}"
        assert {document["revision"] async for document in database.raw.find()} == {1}
        assert await database.pages.count_documents({"stage": {"$ne": "done"}}) == 0
        if not died:
            break
        writes += 1
    assert writes > 5


async def drain(room: Room, site: Site, own: Any, lapse: Callable[[], Any]) -> None:
    """A worker's whole work: read to the end, then what is left in the store."""
    claim = await room.store.sources.claim(own.name, room.owner)
    assert claim is not None
    async for batch in read_source(connect(site, own), own, claim, room):
        assert await room.store.pages.done(batch.claim)
    await lapse()
    while (left := await take_over(room, OPEN)) is not None:
        assert await room.store.pages.done(left.claim)
