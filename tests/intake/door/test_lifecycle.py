"""The door opens with the street and closes before it; what was answered is there, whoever stops when."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import msgspec
import pytest

from connectors.raw_appeal import appeal_id
from intake.balance import balance
from intake.house import House
from intake.servers import Servers
from tests.intake.door.conftest import SETTINGS, a_house, an_open_door
from tests.intake.door.test_push_12345 import ORDER, headers, told


@pytest.fixture
async def house(mongo_server: Servers, broker_server: Servers, tmp_path: Any) -> AsyncIterator[House]:
    async with a_house(tmp_path, SETTINGS, mongo_server, broker_server) as made:
        yield made


async def push(session: aiohttp.ClientSession, url: str, order: str) -> bool:
    """Say whether it was answered with a receipt."""
    fields = ORDER | {"orderId": order}
    body = json.dumps(told("create", "2026-11-22 09:00:00", **fields)).encode()
    try:
        async with session.post(f"{url}/push/exchange", data=body, headers=headers(body)) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def test_what_was_answered_is_delivered_by_whoever_comes_next(house: House) -> None:
    """Closed in the middle of a storm of pushes, within five seconds; the next street finishes what is stored."""
    answered: set[str] = set()
    stack = AsyncExitStack()
    opened = await stack.enter_async_context(an_open_door(house))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int) -> None:
            await asyncio.sleep(number * 0.003)
            if await push(session, opened.url, f"S{number}"):
                answered.add(appeal_id("exchange", f"S{number}"))

        storm = [asyncio.create_task(one(number)) for number in range(200)]
        while len(answered) < 40:
            await asyncio.sleep(0.005)
        began = time.monotonic()
        await stack.aclose()
        assert time.monotonic() - began < 5
        await asyncio.gather(*storm)

    assert 40 <= len(answered) < 200
    stored = {each["_id"] async for each in house.db.raw.find({}, {"_id": 1})}
    assert answered <= stored
    async with an_open_door(house) as again:
        await again.settled()
        total = await balance(house.db, again.rooms.clock.now())
    assert total.adds_up
    assert total.offered == len(stored)
    assert total.totals() == {"delivered": len(stored)}


async def test_two_workers_of_a_machine_have_one_door_and_the_second_takes_it_over(house: House) -> None:
    first = AsyncExitStack()
    one = await first.enter_async_context(an_open_door(house))
    assert house.settings.door is not None
    there = msgspec.structs.replace(house.settings.door, port=one.door.port)
    both = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, door=there))

    async def close_soon() -> None:
        await asyncio.sleep(0.5)
        await first.aclose()

    closing = asyncio.create_task(close_soon())
    async with an_open_door(both) as two, aiohttp.ClientSession() as session:
        await closing
        assert two.door.port == there.port
        async with session.get(f"{two.url}/health") as answer:
            assert (answer.status, (await answer.json())["healthy"]) == (200, True)
        assert await push(session, two.url, "T1")


async def test_whoever_comes_too_often_is_told_when_to_come_again(house: House) -> None:
    slow = tuple(msgspec.structs.replace(each, requests_per_minute=60) for each in house.settings.sources)
    patient = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, sources=slow))
    async with an_open_door(patient) as opened, aiohttp.ClientSession() as session:
        assert [await push(session, opened.url, f"L{number}") for number in range(5)] == [True] * 5
        body = json.dumps(told("create", "2026-11-22 09:00:00", **ORDER)).encode()
        async with session.post(f"{opened.url}/push/exchange", data=body, headers=headers(body)) as answer:
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1


async def test_what_is_too_large_is_refused_unread(house: House) -> None:
    assert house.settings.door is not None
    small = msgspec.structs.replace(house.settings.door, largest_body=4096)
    narrow = msgspec.structs.replace(house, settings=msgspec.structs.replace(house.settings, door=small))
    async with an_open_door(narrow) as opened, aiohttp.ClientSession() as session:
        body = b"x" * 5000
        async with session.post(f"{opened.url}/push/exchange", data=body, headers=headers(body)) as answer:
            assert answer.status == 413
