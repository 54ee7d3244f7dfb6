"""What lies in a department's queue reaches its address: at least once, in order, signed, whatever the address does."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import aio_pika
import msgspec
import pytest
from aiohttp import web

from intake.pushing.judging import Next, Verdict
from intake.pushing.lane import Lane, Pace
from intake.pushing.posting import open_poster, ping
from intake.pushing.pushing import ping_once
from intake.pushing.standing import Standing, StandingStore
from router.dispatching.topology import queue_of, urgent_queue_of
from tests.intake.door.conftest import Opened
from tests.intake.pushing.conftest import (
    BROKEN_OFF,
    KEYS,
    QUICK,
    Department,
    an_event,
    in_order,
    left,
    listening,
    publish,
    pushing_to,
    running,
    until,
)


async def standing(opened: Opened, code: str) -> Standing:
    (found,) = [each for each in await StandingStore(opened.db).all() if each.department == code]
    return found


async def test_whatever_an_address_does_each_message_comes_and_those_of_a_case_in_order(opened: Opened) -> None:
    chance = random.Random(7)

    async def moody(_: dict[str, Any]) -> web.Response:
        match chance.randrange(12):
            case 0:
                return web.Response(status=500)
            case 1:
                return web.Response(status=429, headers={"Retry-After": "0"})
            case 2:
                return web.Response(status=503)
            case 3:
                return web.Response(status=302, headers={"Location": "/elsewhere"})
            case 4:
                return BROKEN_OFF
            case 5:
                await asyncio.sleep(0.05)
        return web.Response(status=204)

    events = [an_event(f"case{number}", sequence) for sequence in range(1, 9) for number in range(8)]
    await publish(opened, [queue_of("ZJJ")], events)
    department = Department("ZJJ", moody)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(department))
        async with running(pushing_to(opened, department.push())):
            await until(lambda: len(department.ids) > 20)
        # Another worker goes on where that one was stopped in the middle.
        await stack.enter_async_context(running(pushing_to(opened, department.push())))
        await until(lambda: len(department.ids) == len(events))
        await until(_empty(opened, "ZJJ"))
    assert in_order(department)
    assert (department.elsewhere, department.forged) == (0, 0), "nobody is led elsewhere, and every signature fits"


async def test_a_department_that_named_a_strange_case_gets_its_refusal_and_all_else(opened: Opened) -> None:
    """An answer repeats what their feedback called its case: no request holds that in a header as it is."""
    strange = ["a\r\nce-type: forged", "井盖 一号", "%41"]
    refusals = [an_event(name, 1, "feedback.outcome.v1") | {"id": f"no-{at}"} for at, name in enumerate(strange)]
    await publish(opened, [queue_of("ZJJ")], [*refusals, an_event("ordinary", 1)])
    department = Department("ZJJ")
    async with listening(department), running(pushing_to(opened, department.push())):
        await until(lambda: "ordinary-1" in department.ids and len(department.ids) == 4, 15)
        await until(_empty(opened, "ZJJ"))
    assert [each["subject"] for each in department.taken if each["id"].startswith("no-")] == strange


async def test_an_address_that_is_away_gets_everything_when_it_is_back(opened: Opened) -> None:
    """Meanwhile nothing is parked, and messages are not taken up again and again: there the broker would give up."""
    events = [an_event(f"case{number}", 1) for number in range(40)]
    department = Department("GAJ")
    async with listening(department):
        pass
    await publish(opened, [queue_of("GAJ")], events)
    async with running(pushing_to(opened, department.push())):
        await until(lambda: _is_resting(opened, "GAJ"))
        await until(_all_back(opened, "GAJ", len(events)))
        await asyncio.sleep(1.0)  # thirty rests long
        assert await left(opened, "GAJ") == len(events), "nothing is held while it rests"
        async with listening(department):
            await until(lambda: len(department.ids) == len(events))
            await until(_empty(opened, "GAJ"))
        assert in_order(department)
    await until(lambda: _counted(opened, "GAJ", taken=len(events), parked=0))


async def test_a_department_that_answers_nothing_holds_up_no_other(opened: Opened) -> None:
    release = asyncio.Event()

    async def hangs(_: dict[str, Any]) -> web.Response:
        await release.wait()
        return web.Response(status=204)

    slow, quick = Department("CGJ", hangs), Department("JTJ")
    events = [an_event(f"case{number}", 1) for number in range(20)]
    await publish(opened, [queue_of("CGJ"), queue_of("JTJ")], events)
    async with listening(slow), listening(quick), running(pushing_to(opened, slow.push(), quick.push())):
        await until(lambda: len(quick.ids) == len(events))
        assert slow.ids == []
        release.set()
        await until(lambda: len(slow.ids) == len(events))


async def test_what_a_department_refuses_is_parked_with_its_answer_and_the_rest_of_its_case_goes_on(
    opened: Opened,
) -> None:
    async def picky(event: dict[str, Any]) -> web.Response:
        return web.Response(status=422 if event["id"] == "case0-2" else 204)

    department = Department("SCJ", picky)
    await publish(
        opened, [queue_of("SCJ")], [b"\xff none of ours", *(an_event("case0", number) for number in (1, 2, 3))]
    )
    async with listening(department), running(pushing_to(opened, department.push())):
        await until(lambda: len(department.taken) == 2)
        await until(_empty(opened, "SCJ"))
        await until(lambda: _strays(opened, "SCJ", 2))
    assert department.ids == ["case0-1", "case0-3"]
    assert [each["id"] for each in department.asked].count("case0-2") == QUICK.refusals
    stray = await opened.db.strays.find_one({"message_id": "case0-2"})
    assert stray is not None
    assert "HTTP 422, 3 times" in stray["reason"]


async def test_one_message_that_breaks_their_program_is_parked_and_the_others_are_not(opened: Opened) -> None:
    async def brittle(event: dict[str, Any]) -> web.Response:
        await asyncio.sleep(0.005)
        return web.Response(status=500 if event["id"] == "bad-1" else 204)

    department = Department("ZRZY", brittle)
    events = [an_event("bad", 1), *(an_event(f"case{number}", 1) for number in range(200))]
    async with listening(department), running(pushing_to(opened, department.push())):
        await publish(opened, [queue_of("ZRZY")], events)
        await until(lambda: len(department.ids) == 200)
        await publish(opened, [queue_of("ZRZY")], [an_event(f"more{number}", 1) for number in range(100)])
        await until(lambda: len(department.ids) == 300)
        await until(lambda: _strays(opened, "ZRZY", 1))
    stray = await opened.db.strays.find_one({"queue": queue_of("ZRZY")})
    assert stray is not None
    assert stray["message_id"] == "bad-1"


@pytest.mark.parametrize("status", [401, 404, 307])
async def test_while_an_address_is_wrong_nothing_is_parked(opened: Opened, status: int) -> None:
    async def wrong(_: dict[str, Any]) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    department = Department("RSJ", wrong)
    await publish(opened, [queue_of("RSJ")], [an_event(f"case{status}", 1)])
    async with listening(department), running(pushing_to(opened, department.push())):
        await until(lambda: len(department.asked) >= 3)
        assert not await _strays(opened, "RSJ", 1)
        from_now_on = Department("RSJ")
        department.answer = from_now_on.answer
        await until(lambda: f"case{status}-1" in department.ids)
    assert department.elsewhere == 0


async def test_whoever_asks_for_a_long_rest_is_left_alone_with_nothing_in_hand(opened: Opened) -> None:
    async def busy(_: dict[str, Any]) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "3600"})

    department = Department("WJW", busy)
    await publish(opened, [queue_of("WJW")], [an_event("case0", 1)])
    async with listening(department), running(pushing_to(opened, department.push())):
        await until(lambda: _is_resting(opened, "WJW"))
        await until(_all_back(opened, "WJW", 1))
        found = await standing(opened, "WJW")
        assert (found.pushing, found.state, found.reason, len(department.asked)) == (True, "resting", "HTTP 503", 1)
        assert found.rests_until is not None
        assert 3500 < (found.rests_until - opened.rooms.clock.now()).total_seconds() <= 3600
    assert not (await standing(opened, "WJW")).pushing, "whoever stops lets go of it"


async def test_a_redirect_that_asks_for_a_long_rest_is_left_alone_so_long(opened: Opened) -> None:
    async def moving(_: dict[str, Any]) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere", "Retry-After": "3600"})

    department = Department("SWJ", moving)
    await publish(opened, [queue_of("SWJ")], [an_event("case0", 1)])
    async with listening(department), running(pushing_to(opened, department.push())):
        await until(lambda: _is_resting(opened, "SWJ"))
        found = await standing(opened, "SWJ")
        assert found.rests_until is not None
        assert 3500 < (found.rests_until - opened.rooms.clock.now()).total_seconds() <= 3600
        assert (found.reason, len(department.asked)) == ("HTTP 307", 1)


async def test_one_worker_at_a_time_pushes_to_a_department(opened: Opened) -> None:
    department = Department("JYJ")
    store = StandingStore(opened.db)
    assert await store.claim("JYJ", "a dead worker")
    assert not await store.claim("JYJ", "w2")
    assert not await store.renew("JYJ", "w2")
    assert await store.renew("JYJ", "a dead worker")
    await publish(opened, [queue_of("JYJ")], [an_event("case0", 1)])
    async with listening(department), running(replace(pushing_to(opened, department.push()), look_every=0.05)):
        await asyncio.sleep(0.3)
        assert department.asked == [], "the other one has it"
        await opened.db.pushes.update_one({"_id": "JYJ"}, {"$set": {"until": opened.rooms.clock.now()}})
        await until(lambda: department.ids == ["case0-1"])
        assert not await store.renew("JYJ", "a dead worker")


async def test_the_urgent_lane_is_read_too_and_a_message_in_both_comes_once(opened: Opened) -> None:
    unit = msgspec.structs.replace(opened.rooms.tables.router.directory.units["YJJ"], urgent_lane=True)
    connection = await aio_pika.connect(opened.house.broker_url)
    async with connection:
        channel = await connection.channel()
        await channel.declare_queue(urgent_queue_of("YJJ"), durable=True, arguments={"x-queue-type": "quorum"})
    department = Department("YJJ")
    await publish(opened, [queue_of("YJJ")], [an_event("calm", 1)])
    await publish(opened, [queue_of("YJJ"), urgent_queue_of("YJJ")], [an_event("fire", 1)])
    async with (
        listening(department),
        running(replace(pushing_to(opened, department.push()), units={"YJJ": unit})),
    ):
        await until(lambda: len(department.taken) >= 2)
        await until(_empty(opened, "YJJ"))
        await publish(opened, [urgent_queue_of("YJJ")], [an_event("flood", 1)])
        await until(lambda: "flood-1" in department.ids)
        # Sent again (补发), twice: its address has lost what it took.
        for _ in range(2):
            await publish(opened, [queue_of("YJJ"), urgent_queue_of("YJJ")], [an_event("fire", 1)])
        await until(_empty(opened, "YJJ"))
        await until(lambda: len(department.taken) >= 5)
    assert sorted(each["id"] for each in department.taken) == ["calm-1", *["fire-1"] * 3, "flood-1"]


async def test_a_name_that_leads_inside_is_not_followed_unless_the_settings_say_so(opened: Opened) -> None:
    department = Department("MZJ")
    async with listening(department):
        url = f"http://localhost:{department.port}/appeals"
        now = opened.rooms.clock.now
        refused = await ping_once(department.push(url=url, private=False), KEYS, now)
        allowed = await ping_once(department.push(url=url), KEYS, now)
    assert (refused.next, allowed.next) == (Next.WRONG, Next.DONE)
    assert department.pings == 1


async def test_with_the_wrong_key_nothing_is_believed(opened: Opened) -> None:
    department = Department("MZJ")
    async with listening(department), open_poster(department.push(), (b"x" * 32,), opened.rooms.clock.now) as poster:
        assert (await poster.post(ping("MZJ", opened.rooms.clock.now()))).next is Next.WRONG
    assert department.forged == 1


def _empty(opened: Opened, code: str) -> Any:
    return _all_back(opened, code, 0)


def _all_back(opened: Opened, code: str, count: int) -> Any:
    async def look() -> bool:
        return await left(opened, code) == count

    return look


async def _is_resting(opened: Opened, code: str) -> bool:
    return any(each.state == "resting" for each in await StandingStore(opened.db).all() if each.department == code)


async def _strays(opened: Opened, code: str, count: int) -> bool:
    return int(await opened.db.strays.count_documents({"queue": queue_of(code)})) >= count


async def _counted(opened: Opened, code: str, **counts: int) -> bool:
    found = await standing(opened, code)
    return all(getattr(found, name) == count for name, count in counts.items())


async def test_of_two_that_ask_for_patience_the_longer_one_is_obeyed() -> None:
    async def nobody(_: object) -> Verdict:
        raise AssertionError

    lane = Lane(["dept.ZJJ"], nobody, nobody, Pace())
    longer = asyncio.create_task(lane._leave_alone(Verdict(Next.REST, "HTTP 429", 5.0)))
    await asyncio.sleep(0)
    await lane._leave_alone(Verdict(Next.REST, "HTTP 503", 0.0))
    assert not lane._calm.is_set(), "nothing is posted before the longer one is over"
    longer.cancel()
    await asyncio.wait({longer})
    assert lane._calm.is_set()
