"""Feeds in any order, killed anywhere, with ties and sticky posts."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest

from connectors.base import Page, Request, Response
from connectors.channels.feed import Feed, FeedSettings, parse
from connectors.errors import FormatChanged
from connectors.raw_appeal import Mode
from tests.connectors.recording import FOLDER, Recording, ids_of, read

BASE = datetime(2026, 11, 1, tzinfo=UTC)
URL = "https://bbs.city.example/feed.json"
OVERLAP = 5


class Post(msgspec.Struct, frozen=True):
    id: str
    hour: int
    sticky: bool = False


class Site:
    """A forum that pages its feed, in the order that it likes."""

    def __init__(self, page_size: int, *, newest_first: bool) -> None:
        self.posts: list[Post] = []
        self.asked = 0
        self._size = page_size
        self._newest_first = newest_first

    async def fetch(self, request: Request) -> Response:
        self.asked += 1
        number = int(request.url.rpartition("=")[2]) if "=" in request.url else 1
        ordered = sorted(self.posts, key=lambda post: post.hour, reverse=self._newest_first)
        shown = [post for post in ordered if post.sticky] + [post for post in ordered if not post.sticky]
        rows = shown[(number - 1) * self._size : number * self._size]
        body: dict[str, Any] = {"version": "1.1", "title": "x", "items": [row(post) for post in rows]}
        if number * self._size < len(shown):
            body["next_url"] = f"{URL}?page={number + 1}"
        return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=BASE + timedelta(days=365))


async def test_a_post_that_slips_onto_a_page_that_was_read_is_met_by_the_next_reading() -> None:
    site = Site(3, newest_first=True)
    site.posts = [Post(str(number), number * 24) for number in range(20)]
    fetch = site.fetch

    async def take_away_behind_it(request: Request) -> Response:
        response = await fetch(request)
        if site.asked == 2:
            del site.posts[-1]
        return response

    site.fetch = take_away_behind_it  # type: ignore[method-assign]
    stored, cursor = await run(site, None, None)
    again, _ = await run(site, cursor, None)

    assert {post.id for post in site.posts} - stored, "one slipped away: else it proves nothing"
    assert {post.id for post in site.posts} <= stored | again


def row(post: Post) -> dict[str, str]:
    return {
        "id": post.id,
        "title": "words",
        "date_published": (BASE + timedelta(hours=post.hour)).isoformat(),
    }


def feed(site: Site, **kwargs: Any) -> Feed:
    told = FeedSettings(
        name="f", kind="feed", channel="forum", mode=Mode.ROUTE, zone="Asia/Shanghai", url=URL, overlap=OVERLAP * 3600,
        **kwargs,
    )  # fmt: skip
    return Feed(told, site.fetch, {})


async def run(site: Site, cursor: str | None, killed_at: int | None) -> tuple[set[str], str | None]:
    """Read, and die after so many items: the page under way is stored in part, and its position does not move."""
    stored: set[str] = set()
    async for page in feed(site).pages(cursor):
        for item in page.items:
            if killed_at is not None and len(stored) >= killed_at:
                return stored, cursor
            stored.add(item.native_id)
        cursor = page.cursor if page.cursor is not None else cursor
    return stored, cursor


async def test_a_reading_stops_behind_the_overlap() -> None:
    """Politeness: what was read yesterday is not asked for every minute."""
    site = Site(10, newest_first=True)
    site.posts = [Post(str(number), number) for number in range(200)]
    _, cursor = await run(site, None, None)
    _, cursor = await run(site, cursor, None)  # what slipped from page to page in the first reading is met by this one
    assert site.asked == 40

    site.asked = 0
    site.posts.append(Post("new", 201))
    stored, _ = await run(site, cursor, None)

    assert "new" in stored
    assert site.asked == 3


async def test_a_feed_that_can_be_enumerated_is_swept_in_its_time() -> None:
    site = Site(2, newest_first=True)
    site.posts = [Post(str(number), number) for number in range(60)]

    first = [page async for page in feed(site, sweep_every=3600.0).pages(None)]
    pages = [page async for page in feed(site, sweep_every=3600.0).pages(first[-1].cursor)]
    again = [page async for page in feed(site, sweep_every=3600.0).pages(pages[-1].cursor)]

    assert first[-1].sweep is not None
    assert first[-1].sweep.native_ids == {post.id for post in site.posts}
    assert again[-1].sweep is None
    assert len(again) < len(pages)


async def test_a_window_says_nothing_of_what_it_no_longer_shows() -> None:
    site = Site(50, newest_first=True)
    site.posts = [Post("1", 1)]

    pages = [page async for page in feed(site).pages(None)]

    assert [page.sweep for page in pages] == [None]


async def test_dates_without_a_zone_are_the_sources_local_time() -> None:
    pages = await read(Recording(FOLDER / "feed" / "rss").connect())

    published = {item.native_id: msgspec.json.decode(item.payload)["published"] for item in items(pages)}
    assert published == {
        "t-4": "2026-11-05T00:00:00+00:00",
        "t-3": "2026-11-04T23:00:00+00:00",
        "t-2": "2026-11-03T23:00:00+00:00",
        "t-1": "2026-11-03T23:00:00+00:00",
    }


async def test_an_entry_keeps_its_words_and_its_links() -> None:
    pages = await read(Recording(FOLDER / "feed" / "atom").connect())

    assert msgspec.json.decode(items(pages)[0].payload) == {
        "id": "tag:a,2",
        "title": "斑马线磨没了",
        "content": "<p>学校门口的斑马线看不见了。</p>",
        "link": "https://bbs.city.example/t/2",
        "author": "老街坊",
        "published": "2026-11-05T00:00:00+00:00",
        "updated": "2026-11-06T00:00:00+00:00",
    }


def items(pages: list[Page]) -> list[Any]:
    return [item for page in pages for item in page.items]


def test_a_feed_that_is_gone_is_told(tmp_path: Path) -> None:
    gone = Response(status=404, headers={}, body=b"", fetched_at=BASE)
    told = feed(Site(1, newest_first=True))._settings

    with pytest.raises(FormatChanged, match="the feed is gone"):
        parse(gone, told)
    assert parse(gone, told, first=False).offered == ()


async def test_a_feed_whose_last_page_leads_to_its_first_ends() -> None:
    pages = await read(Recording(FOLDER / "feed" / "json").connect())

    assert ids_of(pages) == {"j-1", "j-2", "j-3"}


async def test_a_post_dated_into_the_future_does_not_hide_the_others() -> None:
    site = Site(10, newest_first=True)
    site.posts = [Post(str(number), number) for number in range(100)] + [Post("announced", 24 * 3650)]
    _, cursor = await run(site, None, None)

    site.posts += [Post(f"new-{number}", 100 + number) for number in range(60)]
    stored, _ = await run(site, cursor, None)

    assert stored >= {f"new-{number}" for number in range(60)}


def test_a_date_that_never_ends_is_looked_at_once() -> None:
    """A post may quote the tag, and then all the blanks it likes."""
    body = b"<rss version='2.0'><channel><title>x</title><item><title>words</title><pubDate>" + b" " * 200_000
    response = Response(status=200, headers={}, body=body, fetched_at=BASE)
    start = time.monotonic()
    with suppress(FormatChanged):
        parse(response, feed(Site(1, newest_first=True))._settings)
    assert time.monotonic() - start < 5


def test_an_answer_that_is_an_address_is_not_gone_to() -> None:
    """The library fetches a text that begins with http:// by itself: past the budget, the hosts and the addresses."""
    asked: list[str] = []

    class Inside(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Inside) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for before in ("", " \n", "\ufeff"):
            body = f"{before}http://127.0.0.1:{server.server_port}/latest/meta-data".encode()
            with pytest.raises(FormatChanged, match="no feed"):
                parse(
                    Response(status=200, headers={}, body=body, fetched_at=BASE),
                    feed(Site(1, newest_first=True))._settings,
                )
        server.shutdown()

    assert asked == []


@pytest.mark.parametrize("following", ["?page=2", "/feed.xml?page=2", "feed.xml?page=2"])
async def test_a_following_page_may_be_told_relative_to_this_one(following: str) -> None:
    """Atom's links may be relative (RFC 4287, 4.2.7.1)."""
    asked: list[str] = []

    async def fetch(request: Request) -> Response:
        asked.append(request.url)
        link = f"<link rel='next' href='{following}'/>" if len(asked) == 1 else ""
        entry = f"<entry><id>{len(asked)}</id><title>x</title><updated>2026-11-01T00:00:00Z</updated></entry>"
        body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title>{link}{entry}</feed>"
        return Response(status=200, headers={}, body=body.encode(), fetched_at=BASE)

    told = msgspec.structs.replace(feed(Site(1, newest_first=True))._settings, url="https://bbs.city.example/feed.xml")
    pages = await read(Feed(told, fetch, {}))

    assert ids_of(pages) == {"1", "2"}
    assert asked[1] == "https://bbs.city.example/feed.xml?page=2"
