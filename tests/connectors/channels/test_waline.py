"""Comments under articles: pages, replies, errors inside a 200."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.base import Request, Response
from connectors.channels.waline import Waline, WalineSettings, parse
from connectors.errors import AccessDenied, FormatChanged, RateLimited, SourceDown
from connectors.raw_appeal import Mode
from tests.connectors.recording import FOLDER, Recording, read

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SETTINGS = WalineSettings(
    name="news", kind="waline", channel="news_comment", mode=Mode.ROUTE, zone="Asia/Shanghai",
    url="https://news.city.example/api/comment", articles={"/a": "一", "/b": "二"}, page_size=2,
)  # fmt: skip


def answer(rows: list[Any], pages: int = 1, count: int | None = None) -> Response:
    data = {"page": 1, "totalPages": pages, "count": len(rows) if count is None else count, "data": rows}
    return response({"errno": 0, "errmsg": "", "data": data})


def response(body: object) -> Response:
    return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=NOW)


def comment(number: int) -> dict[str, Any]:
    return {"objectId": str(number), "comment": "<p>words</p>", "nick": "n", "like": number}


async def test_replies_stand_on_their_own_and_know_their_root() -> None:
    pages = await read(Recording(FOLDER / "waline" / "articles").connect())

    rows = {item.native_id: msgspec.json.decode(item.payload) for page in pages for item in page.items}
    assert rows["a2"]["pid"] == rows["a2"]["rid"] == "a1"
    assert "children" not in rows["a1"]
    assert {item.context["about"] for page in pages for item in page.items} == {"地铁试运行", "老旧小区改造名单"}


async def test_each_article_that_was_seen_whole_closes_a_sweep() -> None:
    pages = await read(Recording(FOLDER / "waline" / "articles").connect())

    sweeps = [page.sweep for page in pages if page.sweep]
    assert [(sweep.scope, set(sweep.native_ids)) for sweep in sweeps] == [
        ("/n/1.html", {"a1", "a2", "a3"}),
        ("/n/2.html", {"12", "b2"}),
    ]


async def test_a_reading_that_was_resumed_proves_no_absence_of_what_it_did_not_see() -> None:
    recording = Recording(FOLDER / "waline" / "articles")
    first = (await read(recording.connect()))[0]

    rest = await read(Recording(FOLDER / "waline" / "articles").connect(), first.cursor)

    assert [page.sweep.scope for page in rest if page.sweep] == ["/n/2.html"]


async def test_comments_that_come_or_go_meanwhile_prove_no_absence() -> None:
    counts = iter([4, 3, 1])

    async def fetch(request: Request) -> Response:
        pages = 2 if request.query["path"] == "/a" else 1
        return answer([comment(int(request.query["page"]))], pages=pages, count=next(counts))

    pages = [page async for page in Waline(SETTINGS, fetch, {}).pages(None)]

    assert [page.sweep.scope for page in pages if page.sweep] == ["/b"]


async def test_a_server_that_repeats_its_last_page_ends() -> None:
    async def fetch(request: Request) -> Response:
        return answer([comment(1)], pages=99)

    pages = [page async for page in Waline(SETTINGS, fetch, {}).pages(None)]

    assert len(pages) == 4
    assert [page.sweep for page in pages] == [None] * 4
    assert pages[-1].cursor == ""


async def test_an_article_that_left_the_settings_begins_the_reading_anew() -> None:
    async def fetch(request: Request) -> Response:
        return answer([])

    pages = [page async for page in Waline(SETTINGS, fetch, {}).pages('["/gone",7]')]

    assert [page.sweep.scope for page in pages if page.sweep] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("errno", "message", "error"),
    [
        (1, "Comment too fast!", RateLimited),
        (429, "", RateLimited),
        (401, "Unauthorized", AccessDenied),
        (1000, "Validation failed", FormatChanged),
        (500, "Internal", SourceDown),
    ],
)
def test_errors_inside_a_200_are_told_apart(errno: int, message: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="news"):
        parse(response({"errno": errno, "errmsg": message}), SETTINGS, "/a")


def test_likes_are_not_content() -> None:
    (first,) = parse(answer([comment(1)]), SETTINGS, "/a").items
    (second,) = parse(answer([comment(1) | {"like": 99, "addr": "云泽"}]), SETTINGS, "/a").items

    assert first.content == second.content
    assert first.payload != second.payload
