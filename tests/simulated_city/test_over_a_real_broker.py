"""A few weeks of the simulated city over real servers: departments answer what they find in their own queues."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import aio_pika
import aiohttp
import msgspec
import pytest

from normalizer.appeal import Change, Handed, Mode
from router import centre, desk
from router.cases.case import Case
from router.cases.moves import State
from router.cases.returns import MOST_LEADS, is_arbitrated, path
from router.cases.work import Ask
from router.dispatching import topology
from router.dispatching.broker import Management
from router.dispatching.publisher import Publisher
from router.feedback import Feedback
from router.flow import Room, deliver, route_page
from router.lesson_store import LessonStore
from router.listening import Ear, take_said
from router.store import CaseStore
from router.store_indexes import ensure_indexes
from tests.router.city import STAMPER, Appeals, fences
from tests.router.test_listening import Seal, masked
from tests.simulated_city import people
from tests.simulated_city.season import Season, make

CASES = 90


@dataclass
class City:
    season: Season
    room: Room
    appeals: Appeals
    url: str


@pytest.fixture
async def city(mongo: Any, amqp: Any) -> AsyncIterator[City]:
    season, appeals, store = make(4, CASES), Appeals(), CaseStore(mongo, STAMPER)
    await ensure_indexes(mongo)
    units = [unit for unit in season.tables.router.directory.units.values() if topology.receives(unit)]
    async with aiohttp.ClientSession() as session:
        await topology.bring_up(units, Management(session, amqp.management, amqp.vhost), settle=2)
        async with Publisher(amqp.url, answer_within=20.0, connect_within=20.0) as publisher:
            room = Room(
                store=store,
                publisher=publisher,
                tables=season.tables.router,
                load_appeals=appeals.load,
                now=lambda: datetime.now(UTC),
                fence=fences(),
                lessons=LessonStore(mongo),
            )
            yield City(season, room, appeals, amqp.url)


async def play(city: City, number: int, room: Room, arm: str) -> Case:
    """Bring one case to whoever takes it on."""
    told = city.season.cases[number]
    appeal = msgspec.structs.replace(told.appeal, id=f"{arm}-{number}")
    await route_page(city.appeals.keep(Handed(appeal=appeal, mode=Mode.ROUTE, change=Change.NEW)), room)
    await sent(appeal.id, room)
    owner, ear = city.season.duties.owner(told.matter), Ear(room=room, seal=Seal(), mask=masked, automatic=True)
    for turn in range(12):
        case = await room.store.get(appeal.id)
        assert case is not None
        dice = Random(f"{number}/{turn}")
        near = city.season.near[told.matter.category]
        if case.state is State.TRIAGE:
            to = owner if is_arbitrated(case) else people.settles(owner, near, path(case), dice)
            await desk.assign(case.id, to, "值班长", "研判", room)
            await sent(case.id, room)
            continue
        lead = case.holder or ""
        order = await _order(city.url, lead, case.id)
        kind = "accepted" if lead == owner else "return_requested"
        fields: dict[str, Any] = {
            "kind": kind,
            "id": f"f{turn}",
            "dispatch": order,
            "case": case.id,
            "handler": "办公室",
        }
        if kind == "return_requested":
            fields |= {"code": "R2", "clause": "三定规定", "evidence": "不属本单位职责"}
        said: Feedback = msgspec.convert(fields | {"at": datetime.now(UTC).isoformat(), "handler": "办公室"}, Feedback)
        heard = await take_said(said, lead, ear)
        assert heard is not None
        if lead == owner:
            return heard
        if heard.handling is not None and Ask.RETURN in getattr(heard.handling.tracks.get(lead), "asks", {}):
            await centre.decide(case.id, lead, Ask.RETURN, "审核员", "成立", room, granted=True)
            await sent(case.id, room)
    raise AssertionError(f"case {appeal.id} found no owner")


async def sent(case: str, room: Room) -> None:
    """On a slow machine the broker may not answer in time: then it is sent again, as the street's sweep does."""
    async with asyncio.timeout(120):
        while (await deliver([case], room)).waiting:
            await asyncio.sleep(0.1)


async def _order(url: str, department: str, case: str) -> str:
    """Read the order in the department's own queue; what else lies there is read too."""
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue(f"dept.{department}", ensure=False)
        found = ""
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            said = json.loads(message.body)
            if said["type"] == "appeal.dispatched.v1" and said["subject"] == case:
                found = said["data"]["dispatch"]
    assert found, f"no order for {case} in the queue of {department}"
    return found


@pytest.mark.live
async def test_departments_that_read_their_queues_are_spared_hops_too(city: City) -> None:
    hops = {}
    for arm, room in (("rules", replace(city.room, lessons=None)), ("lessons", city.room)):
        cases = [await play(city, number, room, arm) for number in range(CASES)]
        hops[arm] = sum(len(path(case)) - 1 for case in cases)
        assert max(len(path(case)) for case in cases) <= MOST_LEADS
    assert hops["lessons"] <= 0.8 * hops["rules"], hops
