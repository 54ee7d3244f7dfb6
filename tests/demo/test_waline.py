"""News comments by Waline's API."""

from typing import Any
from urllib.parse import quote

from demo.articles import ARTICLES
from demo.city import build
from demo.deal import WALINE
from tests.demo.conftest import Served

API = "/waline/api/comment"


async def page(served: Served, path: str, number: int = 1, size: int = 10, order: str = "insertedAt_desc") -> Any:
    body = await served.json(f"{API}?path={quote(path)}&page={number}&pageSize={size}&sortBy={order}")
    assert (body["errno"], body["errmsg"]) == (0, "")
    return body["data"]


async def under(served: Served, path: str, size: int = 10) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    number = 1
    while True:
        data = await page(served, path, number, size)
        rows += data["data"]
        if number >= data["totalPages"]:
            return rows
        number += 1


async def read_all(served: Served) -> dict[str, dict[str, Any]]:
    roots = [row for article in ARTICLES for row in await under(served, article.path)]
    return {row["objectId"]: row for root in roots for row in (root, *root["children"])}


async def test_everything_under_all_articles_is_the_offered_list(served: Served) -> None:
    comments = await read_all(served)
    assert len(ARTICLES) == 8
    assert len(comments) >= 100
    assert set(comments) == set(await served.offered(WALINE))


async def test_count_counts_replies_and_pages_count_roots(served: Served) -> None:
    path = ARTICLES[0].path
    data = await page(served, path, size=3)
    roots = await under(served, path, 3)
    assert data["totalPages"] == -(-len(roots) // 3)
    assert data["count"] == len(roots) + sum(len(root["children"]) for root in roots)


async def test_times_are_milliseconds_and_replies_name_their_root(served: Served) -> None:
    for row in (await read_all(served)).values():
        assert 1_790_000_000_000 < row["time"] < 1_800_000_000_000
        for child in row.get("children", ()):
            assert child["pid"] == child["rid"] == row["objectId"]


async def test_sticky_comments_come_first_whatever_the_order(served: Served) -> None:
    sticky = 0
    for article in ARTICLES:
        for order in ("insertedAt_desc", "insertedAt_asc", "like_desc"):
            rows = (await page(served, article.path, size=100, order=order))["data"]
            marks = [row["sticky"] for row in rows]
            assert marks == sorted(marks, reverse=True)
            sticky += sum(marks)
    assert sticky == 2 * 3


async def test_pages_are_cut_at_a_hundred(served: Served) -> None:
    assert (await page(served, ARTICLES[0].path, size=5000))["pageSize"] == 100


async def test_errors_come_with_http_200(served: Served) -> None:
    status, _, _ = await served.get(API)
    body = await served.json(API)
    assert status == 200
    assert body["errno"] != 0
    assert (await served.json(f"{API}?type=list"))["errno"] == 401


async def test_recent_comments_are_at_most_fifty(served: Served) -> None:
    rows = (await served.json(f"{API}?type=recent&count=500"))["data"]
    times = [row["time"] // 1000 for row in rows]
    assert len(rows) == 50
    assert times == sorted(times, reverse=True)


async def test_the_second_phase_begins_when_all_articles_were_read(served: Served) -> None:
    first = await read_all(served)
    second = await read_all(served)
    assert len(set(second) - set(first)) == 3
    gone = set(first) - set(second)
    assert len(gone) == 3
    assert {each for each, row in (await served.offered(WALINE)).items() if row["state"] == "withdrawn"} == gone


async def test_most_comments_are_chatter_and_some_are_appeals() -> None:
    posts = build(1).stories[WALINE].posts.values()
    appeals = sum(bool(post.text.category) for post in posts)
    assert 30 <= appeals < len(posts) / 2
