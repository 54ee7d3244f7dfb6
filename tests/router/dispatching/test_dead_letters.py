"""What a department's queue gives up is read back, written down, and only then acknowledged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import pytest

from intake.sealing import Sealer
from router.cases.moves import Kind, Sent, State
from router.dispatching import strays
from router.dispatching.dead_letters import Readback, consume_dead_letters, take_back, why
from router.dispatching.topology import APPEALS
from router.errors import BrokerAway, BrokerRefuses
from router.flow import route_page
from tests.router.city import appeal, handed
from tests.router.conftest import Street


@dataclass
class Letter:
    message_id: str | None
    routing_key: str | None = "ZJJ.0104.normal"
    headers: dict[str, Any] = field(default_factory=dict)
    body: bytes = b"{}"


def dead(message_id: str | None, queue: str = "dept.ZJJ", body: bytes = b"{}") -> strays.Letter:
    return Letter(
        message_id, headers={"x-death": [{"queue": queue, "reason": "delivery_limit", "count": 1}]}, body=body
    )


async def reject_all(street: Street, queue: str) -> None:
    async with await aio_pika.connect(street.url) as connection:
        source = await (await connection.channel()).get_queue(queue, ensure=False)
        while (message := await source.get(fail=False)) is not None:
            await message.reject(requeue=False)


async def test_what_a_department_rejects_parks_its_dispatch_with_the_reason(street: Street, seal: Sealer) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ")), handed(appeal("b", "CGJ"))), street.room)
    await reject_all(street, "dept.ZJJ")
    stop = asyncio.Event()
    readback = Readback(store=street.store, seal=seal, now=street.now)
    reading = asyncio.ensure_future(consume_dead_letters(street.url, readback, stop))
    async with asyncio.timeout(20):
        while (case := (await street.cases())["a"]).state is not State.PARKED:
            await asyncio.sleep(0.02)
    stop.set()
    assert await reading >= 1
    assert case.dispatches[0].parked == "dead-lettered from dept.ZJJ: rejected, 1 times"
    assert case.events[-1].kind is Kind.DEAD_LETTERED
    assert (await street.cases())["b"].state is State.DELIVERED
    assert await street.drain("intake.dead") == []


async def test_the_same_dead_letter_twice_is_one_event(street: Street, seal: Sealer) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    readback = Readback(store=street.store, seal=seal, now=street.now)
    letter = dead((await street.cases())["a"].dispatches[0].id, body=b'{"subject":"a"}')
    first = await take_back(letter, readback)
    assert await take_back(letter, readback) == first
    assert first is not None
    assert first.dispatches[0].state is Sent.PARKED


async def test_what_belongs_to_no_case_is_kept_sealed(street: Street, seal: Sealer) -> None:
    readback = Readback(store=street.store, seal=seal, now=street.now)
    letter = dead("nobody", body="电话〔手机1〕".encode())
    assert await take_back(letter, readback) is None
    await take_back(letter, readback)
    strays = [stray async for stray in street.database["strays"].find({})]
    assert len(strays) == 1
    stray = strays[0]
    assert letter.body not in stray["body"]
    assert stray["key"].startswith("strays/20")
    assert await seal.open(stray["key"], f"strays/{stray['_id']}".encode(), stray["body"]) == letter.body


async def test_a_letter_from_the_wrong_queue_parks_nothing(street: Street, seal: Sealer) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    readback = Readback(store=street.store, seal=seal, now=street.now)
    assert (
        await take_back(dead((await street.cases())["a"].dispatches[0].id, "dept.CGJ", b'{"subject":"a"}'), readback)
        is None
    )
    assert (await street.cases())["a"].state is State.DELIVERED


async def test_without_the_dead_letter_queue_it_says_so(street: Street, amqp: Any, seal: Sealer) -> None:
    readback = Readback(store=street.store, seal=seal, now=street.now)
    with pytest.raises(BrokerRefuses, match="departments apply"):
        await consume_dead_letters(street.url, readback, asyncio.Event(), queue="not.there")
    with pytest.raises(BrokerAway):
        await consume_dead_letters("amqp://guest:guest@127.0.0.1:1/", readback, asyncio.Event())


@pytest.mark.parametrize("headers", [{}, {"x-death": []}, {"x-death": "?"}, {"x-death": [{}]}])
def test_a_letter_without_a_death_has_a_reason_too(headers: dict[str, Any]) -> None:
    assert why(Letter("x", headers=headers))[1].startswith("dead-lettered from an unknown queue")


async def test_a_message_that_nobody_of_ours_sent_is_a_stray(street: Street, seal: Sealer) -> None:
    async with await aio_pika.connect(street.url) as connection:
        exchange = await (await connection.channel()).get_exchange(APPEALS, ensure=False)
        await exchange.publish(aio_pika.Message(b"?"), "ZJJ.x.y")
    await reject_all(street, "dept.ZJJ")
    stop = asyncio.Event()
    readback = Readback(store=street.store, seal=seal, now=street.now)
    reading = asyncio.ensure_future(consume_dead_letters(street.url, readback, stop))
    async with asyncio.timeout(20):
        while not await street.database["strays"].count_documents({}):
            await asyncio.sleep(0.02)
    stop.set()
    await reading


async def test_a_dead_letter_queue_that_somebody_deletes_is_noticed(street: Street, seal: Sealer) -> None:
    """Deleted and made anew it looks as before, and nobody would read it."""
    readback = Readback(store=street.store, seal=seal, now=street.now)
    reading = asyncio.ensure_future(consume_dead_letters(street.url, readback, asyncio.Event()))
    await reads(street, "intake.dead")
    await street.management._ask("DELETE", f"queues/{street.management._here}/intake.dead")
    with pytest.raises(BrokerAway):
        await asyncio.wait_for(reading, 10)


async def reads(street: Street, queue: str) -> None:
    async with asyncio.timeout(20), await aio_pika.connect(street.url) as connection:
        channel = await connection.channel()
        while not (await channel.declare_queue(queue, passive=True)).declaration_result.consumer_count:
            await asyncio.sleep(0.05)
