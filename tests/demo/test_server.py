"""What holds for all sources: seeds, faults, phases, live submissions, the command."""

import asyncio
import json
import signal
import sys
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import aiohttp
import msgspec
import pytest

from demo.city import build
from demo.deal import HOTLINE, SOURCES
from demo.faults import PERIOD, fault_plan
from demo.hotline import KEY
from demo.server import native_id, serve
from tests.demo.conftest import Served, Serving


def told(seed: int) -> bytes:
    city = build(seed)
    for source in SOURCES:
        city.stories[source].advance()
        city.submit(source)
    return msgspec.json.encode({name: list(story.posts.values()) for name, story in city.stories.items()})


def test_a_seed_makes_the_whole_city() -> None:
    assert told(7) == told(7)
    assert told(7) != told(8)


@pytest.mark.parametrize("seed", range(20))
def test_any_seed_makes_a_whole_city(seed: int) -> None:
    for story in build(seed).stories.values():
        first = len(story.live())
        assert story.advance()
        assert not story.advance()
        assert len(story.live()) == first + 3 - 3
        answered = {post.parent for post in story.live()} - {None}
        assert answered <= {post.number for post in story.live()}


def test_no_text_is_told_twice() -> None:
    city = build(3)
    bodies = Counter(post.text.body for story in city.stories.values() for post in story.posts.values())
    assert bodies.most_common(1)[0][1] == 1
    assert sum(bool(post.text.category) for story in city.stories.values() for post in story.posts.values()) >= 400


def test_each_source_is_given_each_kind_of_fault_and_never_on_its_first_request() -> None:
    for source in SOURCES:
        plan = fault_plan(1, source)
        assert sorted(plan.values()) == ["broken", "busy", "cut"]
        assert min(plan) > 1
        assert max(plan) < PERIOD


async def test_faults_come_by_request_count_and_offer_nothing(serving: Serving) -> None:
    async with serving(build(1, stall=0.05)) as served:
        statuses = []
        for _ in range(14):
            try:
                statuses.append((await served.get("/hotline/api/orders?limit=1", **{"x-api-key": KEY}))[0])
            except aiohttp.ClientError:
                statuses.append(0)
        assert Counter(statuses) == {200: 11, 500: 1, 429: 1, 0: 1}
        rows = await served.offered(HOTLINE)
        assert sum(row["sent"] for row in rows.values()) == 11


async def test_a_429_says_how_long(serving: Serving) -> None:
    async with serving(build(1, stall=0.05)) as served:
        place = next(place for place, fault in fault_plan(1, "demo-discuz").items() if fault == "busy")
        headers: dict[str, str] = {}
        for _ in range(place):
            try:
                _, headers, _ = await served.get("/discuz/api/mobile/index.php?module=forumdisplay&fid=2")
            except aiohttp.ClientError:
                continue
        assert headers["retry-after"] in ("1", "2")


async def test_phases_can_be_begun_by_hand_one_source_or_all(served: Served) -> None:
    assert await served.post(f"/demo/phase?source={HOTLINE}") == {"advanced": [HOTLINE]}
    assert set((await served.post("/demo/phase"))["advanced"]) == set(SOURCES) - {HOTLINE}
    assert await served.post("/demo/phase") == {"advanced": []}


async def test_phase_after_nought_waits_for_a_hand(serving: Serving) -> None:
    async with serving(build(1, faults=False, phase_after=0)) as served:
        await served.get("/forum/rss.xml?page=3")
        assert served.city.stories["demo-forum"].phase == 1


@pytest.mark.parametrize("source", SOURCES)
async def test_somebody_writes_live_and_comes_behind_everybody_else(served: Served, source: str) -> None:
    story = served.city.stories[source]
    before = story.newest()
    added = await served.post(f"/demo/submit?source={source}")
    newest = max(story.posts.values(), key=lambda post: post.number)
    assert newest.changed_at > before
    assert added == {"source": source, "native_id": native_id(source, newest)}


def test_a_live_city_never_falls_silent_and_never_repeats_itself() -> None:
    city = build(1)
    posts = [city.submit(HOTLINE, datetime(2026, 11, 25, 9, 0, 0)) for _ in range(300)]  # noqa: DTZ001 - local
    assert len({post.body for post in posts}) > 295
    assert all(one.at < other.at for one, other in pairwise(posts))


async def test_in_a_live_city_somebody_writes_now_and_then() -> None:
    city = build(1)
    before = sum(len(story.posts) for story in city.stories.values())
    async with serve(city, pace=0.01), asyncio.timeout(10):
        while sum(len(story.posts) for story in city.stories.values()) < before + 5:
            await asyncio.sleep(0.01)


async def test_the_command_says_where_it_listens_and_ends_when_told(tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    arguments = ["-m", "demo.server", "--port", "0", "--seed", "5", "--log", str(log)]
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    ready = json.loads(await child.stdout.readline())
    async with aiohttp.ClientSession() as session, session.get(f"{ready['url']}/demo/offered") as answer:
        listing = await answer.json()
    child.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(child.wait(), 5) == 0
    assert set(listing["sources"]) == set(SOURCES)
    assert "200 GET /demo/offered" in log.read_text("utf-8")
