"""Pages that shift while they are read: rows are taken away, moved and added between any two requests."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.base import Page, Request, Response
from connectors.channels.http_json.connector import HttpJson
from connectors.channels.http_json.settings import HttpJsonSettings
from tests.connectors.recording import ids_of, position, read

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SIZE = 3
BUSY = 40  #: requests during which things happen
BASE = {
    "name": "api", "kind": "http_json", "channel": "hotline", "mode": "route", "zone": "Asia/Shanghai",
    "url": "https://api.city.example", "fields": {"native_id": "id", "text": "text", "posted_at": "at"},
}  # fmt: skip
PAGE = {"query": {"page": "{page}"}, "rows": "rows", "paging": {"kind": "page", "sticky": 0}}
OFFSET = {"query": {"offset": "{offset}"}, "rows": "rows", "paging": {"kind": "offset", "first": 0}}
TOLD = {"query": {"page": "{page}"}, "rows": "rows", "paging": {"kind": "page", "total": "total"}}
WAYS: dict[str, dict[str, Any]] = {
    "newest first, by page": {"reading": "newest_first", "list": PAGE},
    "newest first, by offset": {"reading": "newest_first", "list": OFFSET},
    "newest first, the total is told": {"reading": "newest_first", "list": TOLD},
    "oldest first, by page": {
        "reading": "oldest_first",
        "list": PAGE | {"query": {"page": "{page}", "since": "{since}"}},
        "times": {"format": "iso"},
    },
    "oldest first, the total is told": {
        "reading": "oldest_first",
        "list": TOLD | {"query": {"page": "{page}", "since": "{since}"}},
        "times": {"format": "iso"},
    },
    "in windows": {
        "reading": "windows",
        "window": {"seconds": 86400 * 10, "start": "2026-11-01T00:00:00Z"},
        "list": PAGE | {"query": {"page": "{page}", "since": "{since}", "until": "{until}"}},
        "times": {"format": "iso"},
    },
}


class Shifting:
    """A list from which something is taken, or in which something is changed, after some of its answers."""

    def __init__(self, own: dict[str, Any], happens: Callable[[Shifting, int], None]) -> None:
        self.settings = msgspec.convert(BASE | own, HttpJsonSettings)
        assert self.settings.problems() == []
        self.rows = {str(number): NOW - timedelta(hours=30 + number) for number in range(14)}
        self.asked = 0
        self._happens = happens

    async def fetch(self, request: Request) -> Response:
        assert self.asked < 200, "the reading does not end"
        query = request.query
        since, until = (datetime.fromisoformat(query[name]) if name in query else None for name in ("since", "until"))
        kept = [(at, id_) for id_, at in self.rows.items() if (not since or at >= since) and (not until or at < until)]
        kept.sort(reverse=self.settings.reading != "oldest_first")
        start = int(query["offset"]) if "offset" in query else (int(query["page"]) - 1) * SIZE
        rows = [
            {"id": id_, "text": "words", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"} for at, id_ in kept[start : start + SIZE]
        ]
        body = msgspec.json.encode({"rows": rows, "total": len(kept)})
        self.asked += 1
        self._happens(self, self.asked)
        return Response(status=200, headers={}, body=body, fetched_at=NOW)

    async def read(self, cursor: str | None = None) -> list[Page]:
        return await read(HttpJson(self.settings, self.fetch, {}, lambda: NOW), cursor)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("after", range(1, 6))
async def test_a_row_that_slips_onto_a_page_that_was_read_is_met_all_the_same(way: str, after: int) -> None:
    """The first of a page is taken away; what stood behind it moves up by one."""

    def take_away(site: Shifting, asked: int) -> None:
        if asked == after:
            del site.rows[sorted(site.rows, key=lambda id_: site.rows[id_])[0 if "oldest" in way else -1]]

    site = Shifting(WAYS[way], take_away)

    got = ids_of(await site.read())

    assert site.rows.keys() <= got


@pytest.mark.parametrize("way", [name for name in WAYS if "oldest" in name])
async def test_a_row_that_is_changed_and_moves_to_the_end_takes_nobody_with_it(way: str) -> None:
    """Sorted by the last change: the number of rows stays, and yet the rows behind it move up."""

    def change(site: Shifting, asked: int) -> None:
        if asked == 1:
            site.rows["13"] = NOW - timedelta(minutes=1)

    site = Shifting(WAYS[way], change)

    assert ids_of(await site.read()) == set(site.rows)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(25))
async def test_whatever_happens_between_the_requests_the_readings_together_miss_nothing(way: str, seed: int) -> None:
    chance = random.Random(seed)

    def live(site: Shifting, asked: int) -> None:
        fate = chance.random()
        if fate < 0.2 and asked < BUSY:
            del site.rows[chance.choice(list(site.rows))]
        elif fate < 0.4 and asked < BUSY:
            site.rows[f"new-{asked}"] = NOW - timedelta(seconds=100 - asked)

    site = Shifting(WAYS[way], live)
    got, cursor = set[str](), None
    while site.asked < BUSY:
        pages = await site.read(cursor)
        got |= ids_of(pages)
        cursor = position(pages) or cursor
    got |= ids_of(await site.read(cursor))

    assert site.rows.keys() <= got


@pytest.mark.parametrize("way", ["newest first, by page", "oldest first, by page"])
async def test_a_list_that_is_read_every_minute_is_gone_through_once(way: str) -> None:
    """Politeness: what slips away there lies within the overlap of the next reading."""
    site = Shifting(WAYS[way], lambda site, asked: None)
    pages = await site.read()
    first, site.asked = site.asked, 0
    site.rows["new"] = NOW - timedelta(hours=29, minutes=30)

    again = await site.read(position(pages))

    assert first > 8, "the first reading is gone through twice"
    assert "new" in ids_of(again)
    assert site.asked <= 3
