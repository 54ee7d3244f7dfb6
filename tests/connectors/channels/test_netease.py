"""Comments under news, newest chains first, read whole or back to a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base import Page, Request, Response
from connectors.channels.netease import Netease, NeteaseSettings
from connectors.raw_appeal import Mode
from tests.connectors.recording import ids_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ARTICLES = {"A1": "停电", "B2": "修路"}


class Site:
    """Forty comments under each article, an hour apart; every tenth answers one that is a day older than itself."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, request: Request) -> Response:
        docid, offset, limit = request.url.split("/")[-3], int(request.query["offset"]), int(request.query["limit"])
        self.asked.append(docid)
        shown = list(range(40))[offset : offset + limit]
        chains = [f"{docid}{hour + 24},{docid}{hour}" if hour % 10 == 0 else f"{docid}{hour}" for hour in shown]
        ids = {each for chain in chains for each in chain.split(",")}
        comments = {each: self._row(int(each[2:])) for each in ids}
        body = {"commentIds": chains, "comments": comments, "newListSize": 40}
        return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=NOW)

    def _row(self, hours_ago: int) -> dict[str, Any]:
        written = (NOW + timedelta(hours=8) - timedelta(hours=hours_ago)).strftime("%Y-%m-%d %H:%M:%S")
        return {"content": "路灯不亮", "createTime": written, "user": {}}


def netease(site: Site) -> Netease:
    settings = NeteaseSettings(
        name="news", kind="netease", channel="news_comment", mode=Mode.ROUTE, zone="Asia/Shanghai",
        url="https://comment.city.example/threads", articles=ARTICLES, page_size=5,
    )  # fmt: skip
    return Netease(settings, site.fetch, {})


async def read(site: Site, cursor: str | None) -> list[Page]:
    return [page async for page in netease(site).pages(cursor)]


async def test_the_past_is_read_down_to_a_moment_under_each_article() -> None:
    site = Site()

    pages = await read(site, netease(site).position_at(NOW - timedelta(hours=12)))

    wanted = {f"{docid}{hour}" for docid in ARTICLES for hour in range(13)}
    assert wanted <= ids_of(pages)
    assert [site.asked.count(docid) for docid in ARTICLES] == [5, 5], "three pages to the moment, and two behind it"
    assert all(page.sweep is None for page in pages)


async def test_after_that_everything_is_enumerated_again() -> None:
    site = Site()
    cursor = (await read(site, netease(site).position_at(NOW)))[-1].cursor

    pages = await read(site, cursor)

    assert {page.sweep.scope for page in pages if page.sweep is not None} == set(ARTICLES)
    assert all(page.cursor is None for page in pages), "nothing to remember: each reading is whole"
