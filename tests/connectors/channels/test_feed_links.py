"""Entries without ids that share a link are several items, and each keeps its name however it is met again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import BadItem, Item, Page, Request, Response
from connectors.channels.feed import Feed, FeedSettings, parse
from connectors.raw_appeal import Mode

URL, LINK = "https://bbs.city.example/feed.json", "https://bbs.city.example/board"
FETCHED = datetime(2026, 11, 22, tzinfo=UTC)
TOLD = FeedSettings(name="board", kind="feed", channel="forum", mode=Mode.ROUTE, zone="Asia/Shanghai", url=URL)


def entry(title: str, day: int, content: str = "", link: str = LINK) -> dict[str, Any]:
    return {"title": title, "url": link, "content_text": content or title, "date_published": f"2026-11-{day:02}"}


def answer(rows: Sequence[dict[str, Any]], following: str | None = None) -> Response:
    body = {"version": "1.1", "title": "x", "items": rows, "next_url": following}
    return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=FETCHED)


async def reading(cursor: str | None, *pages: Sequence[dict[str, Any]]) -> list[Page]:
    async def fetch(request: Request) -> Response:
        number = int(request.url.rpartition("=")[2]) if "=" in request.url else 0
        following = f"{URL}?page={number + 1}" if number + 1 < len(pages) else None
        return answer(pages[number], following)

    return [page async for page in Feed(TOLD, fetch, {}).pages(cursor)]


def named(pages: Sequence[Page]) -> dict[str, str]:
    """What each entry is called, by its title."""
    items = [item for page in pages for item in page.items]
    return {msgspec.json.decode(item.payload)["title"]: item.native_id for item in items}


OLD, NEW, THIRD = entry("old", 1), entry("new", 2), entry("third", 3)


async def test_an_entry_alone_on_its_link_is_called_by_it_also_when_it_is_edited() -> None:
    first = await reading(None, [OLD, entry("other", 1, link="https://bbs.city.example/2")])
    assert named(first) == {"old": LINK, "other": "https://bbs.city.example/2"}
    again = await reading(first[-1].cursor, [OLD | {"title": "old, edited"}])
    assert named(again) == {"old, edited": LINK}


async def test_entries_that_share_a_link_are_told_apart_and_keep_their_names_when_read_alone() -> None:
    first = await reading(None, [NEW, OLD])
    names = named(first)
    assert names["old"] == LINK
    assert names["new"].startswith(f"{LINK}#")
    for seen in ([NEW], [OLD], [THIRD, NEW], [THIRD]):
        again = named(await reading(first[-1].cursor, seen))
        assert all(again[title] == names[title] for title in again.keys() & names.keys())
        assert LINK not in {again[title] for title in again.keys() - {"old"}}


async def test_who_was_there_alone_keeps_the_link_when_another_one_comes() -> None:
    alone = await reading(None, [OLD])
    both = await reading(alone[-1].cursor, [NEW, OLD])
    assert named(alone)["old"] == named(both)["old"] == LINK
    assert len(set(named(both).values())) == 2


async def test_they_are_told_apart_on_different_pages_of_a_reading() -> None:
    first = await reading(None, [NEW], [OLD])
    assert named(first)["new"] == LINK, "it was met first, and is stored"
    assert named(first)["old"] != LINK
    assert named(await reading(first[-1].cursor, [NEW, OLD])) == named(first)


@given(st.permutations([OLD, NEW, THIRD]), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_names_do_not_depend_on_the_order_of_a_page(rows: list[dict[str, Any]], many: int) -> None:
    names = {each.native_id for each in parse(answer(rows[:many]), TOLD).items}
    assert all(
        {each.native_id for each in parse(answer(other), TOLD).items} == names for other in permutations(rows[:many])
    )
    assert len(names) == many


async def test_what_title_and_time_do_not_tell_apart_is_parked_and_not_lost() -> None:
    one, two = entry("same", 1, "first words"), entry("same", 1, "other words")
    first = await reading(None, [one, two])
    (page,) = first
    assert len({item.native_id for item in page.items}) == len({bad.native_id for bad in page.bad}) == 1
    bad = page.bad[0]
    assert bad.reason.startswith("the entry has link, title and time of another one")
    kept = {item.payload for item in page.items}
    for seen in ([one], [two], [two, one]):
        (again,) = await reading(page.cursor, seen)
        assert {item.payload for item in again.items} <= kept, "read alone, it does not overwrite the other"
        assert {each.native_id for each in again.bad} <= {bad.native_id}
    feed = Feed(TOLD, lambda _: reading(None, []), {})  # type: ignore[arg-type, return-value]
    read = feed.reread(bad.native_id, bad.payload, {})
    assert isinstance(read, Item)
    assert read.native_id == bad.native_id


async def test_the_same_entry_shown_twice_is_one() -> None:
    (page,) = await reading(None, [OLD, NEW, OLD])
    assert len({item.native_id for item in page.items}) == 2
    assert page.bad == ()


def rss(*items: str) -> Response:
    body = f"<rss version='2.0'><channel><title>t</title><link>{LINK}</link>{''.join(items)}</channel></rss>"
    return Response(status=200, headers={}, body=body.encode(), fetched_at=FETCHED + timedelta(hours=1))


def test_rss_without_guids_is_told_apart_and_with_guids_believed() -> None:
    def item(title: str, guid: str = "") -> str:
        return f"<item><title>{title}</title><link>{LINK}</link><description>{title}</description>{guid}</item>"

    without = parse(rss(item("one"), item("two"), item("three")), TOLD)
    assert len(set(without.offered)) == 3
    guid = f"<guid>{LINK}</guid>"
    assert set(parse(rss(item("one", guid), item("one, edited", guid)), TOLD).offered) == {LINK}


def test_links_that_are_no_text_do_no_harm() -> None:
    rows = [{"title": "x", "url": strange} for strange in (5, ["a"], {"a": 1}, True, 0)]
    found = parse(answer(rows), TOLD)
    assert len(found.offered) == len(rows)
    assert not [each for each in found.bad if not isinstance(each, BadItem)]


async def test_a_position_of_an_earlier_version_is_read() -> None:
    (page,) = await reading('{"at":"2026-11-01T00:00:00Z","newest_first":true}', [NEW, OLD])
    assert len(set(page.offered)) == 2
