"""The four boards as feeds."""

import xml.etree.ElementTree as ET
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from demo.deal import ATOM, GBK, JSONFEED, RSS
from tests.demo.conftest import Served

ATOM_NS = "{http://www.w3.org/2005/Atom}"
PATHS = {
    RSS: "/forum/rss.xml",
    ATOM: "/forum/atom.xml",
    JSONFEED: "/forum/feed.json",
    GBK: "/forum/rss-gbk.xml",
}


def tree(body: bytes) -> ET.Element:
    """Parse XML; expat knows no GBK, so the declaration is followed by hand."""
    declared = body[:50].partition(b'encoding="')[2].partition(b'"')[0].decode()
    return ET.fromstring(body.decode(declared).partition("?>")[2])


async def feed(served: Served, source: str, page: int = 1) -> ET.Element:
    _, _, body = await served.get(f"{PATHS[source]}?page={page}")
    return tree(body)


async def ids(served: Served, source: str) -> list[str]:
    """Read a board to its end, and say every id in order."""
    found: list[str] = []
    address: str | None = PATHS[source]
    while address:
        if source == JSONFEED:
            body = await served.json(address)
            found += [item["id"] for item in body["items"]]
            following = body.get("next_url")
        else:
            root = tree((await served.get(address))[2])
            names = root.iter(f"{ATOM_NS}id") if source == ATOM else root.iter("guid")
            found += [str(name.text) for name in names]
            links = [link.get("href") for link in root.iter(f"{ATOM_NS}link") if link.get("rel") == "next"]
            following = links[0] if links else None
        address = following.removeprefix(served.url) if following else None
    return [each for each in found if each != f"tag:bbs.yunze.example,2026:{source}"]  # the feed's own id


async def test_the_first_page_holds_the_newest_thirty_and_leads_to_the_rest(served: Served) -> None:
    root = await feed(served, RSS)
    times = [parsedate_to_datetime(str(item.findtext("pubDate"))) for item in root.iter("item")]
    assert len(times) == 30
    assert times == sorted(times, reverse=True)
    assert all(str(moment.utcoffset()) == "8:00:00" for moment in times)
    links = {link.get("rel"): link.get("href") for link in root.iter(f"{ATOM_NS}link")}
    assert links["next"] == f"{served.url}/forum/rss.xml?page=2"


@pytest.mark.parametrize("source", PATHS)
async def test_a_board_read_to_its_end_is_the_offered_list(served: Served, source: str) -> None:
    told = await ids(served, source)
    assert len(set(told)) == len(told) > 30
    assert set(await served.offered(source)) == set(told)


@pytest.mark.parametrize("source", PATHS)
async def test_the_second_phase_brings_late_posts_and_takes_some_back(served: Served, source: str) -> None:
    first = set(await ids(served, source))
    second = set(await ids(served, source))
    offered = await served.offered(source)
    assert len(second - first) == 3
    assert len(first - second) == 3
    assert {each for each, row in offered.items() if row["state"] == "withdrawn"} == first - second


async def test_html_stands_in_the_content(served: Served) -> None:
    root = await feed(served, RSS)
    contents = [str(element.text) for element in root.iter("{http://purl.org/rss/1.0/modules/content/}encoded")]
    assert all(content.startswith(("<p>", "<div>")) for content in contents)
    assert any("&nbsp;" in content or "<br />" in content for content in contents)


async def test_the_gbk_board_is_gbk_and_says_so_in_its_declaration_alone(served: Served) -> None:
    _, headers, body = await served.get(PATHS[GBK])
    assert body.startswith(b'<?xml version="1.0" encoding="gbk"?>')
    assert headers["content-type"] == "text/xml"
    assert "云溪乡音" in body.decode("gbk")


@pytest.mark.parametrize("source", PATHS)
async def test_an_unchanged_feed_answers_304_and_offers_nothing(served: Served, source: str) -> None:
    await served.post("/demo/phase")
    _, headers, _ = await served.get(PATHS[source])
    before = await served.offered(source)
    by_tag = await served.get(PATHS[source], **{"If-None-Match": headers["etag"]})
    by_time = await served.get(PATHS[source], **{"If-Modified-Since": headers["last-modified"]})
    assert (by_tag[0], by_time[0]) == (304, 304)
    assert await served.offered(source) == before


async def test_a_new_post_changes_the_tag(served: Served) -> None:
    await served.post("/demo/phase")
    _, before, _ = await served.get(PATHS[RSS])
    added = await served.post(f"/demo/submit?source={RSS}")
    status, _, body = await served.get(PATHS[RSS], **{"If-None-Match": before["etag"]})
    assert status == 200
    assert tree(body).findtext(".//guid") == added["native_id"]


async def test_json_and_atom_tell_when_a_post_was_edited(served: Served) -> None:
    await ids(served, JSONFEED)
    body: dict[str, Any] = await served.json(PATHS[JSONFEED])
    edited = [item for item in body["items"] if "date_modified" in item]
    assert edited
    for item in edited:
        assert datetime.fromisoformat(item["date_modified"]) > datetime.fromisoformat(item["date_published"])


async def test_a_post_that_was_taken_back_is_gone_by_its_address(served: Served) -> None:
    await ids(served, RSS)
    offered = await served.offered(RSS)
    gone = next(each for each, row in offered.items() if row["state"] == "withdrawn")
    there = next(each for each, row in offered.items() if row["state"] == "live")
    assert (await served.get(f"/forum/forum/{gone.rpartition('-')[2]}.html"))[0] == 410
    assert (await served.get(f"/forum/forum/{there.rpartition('-')[2]}.html"))[0] == 200
