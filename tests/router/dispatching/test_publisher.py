"""One contract, kept by the fast way (inner parts of aiormq) and by the plain one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import aiohttp
import pamqp.commands
import pamqp.frame
import pytest
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from router.dispatching.broker import Management
from router.dispatching.publish_page import (
    UNKNOWN,
    Fate,
    Message,
    Receipt,
    publish_page,
    publish_plainly,
    write_frames,
)
from router.dispatching.publisher import Publisher, PublishPage
from router.dispatching.topology import APPEALS, bring_up
from router.errors import BrokerAway, BrokerBlocks, BrokerRefuses
from tests.router.city import UNITS
from tests.router.wire import Wire, wrong_password


@pytest.fixture
async def management(amqp: Any) -> AsyncIterator[Management]:
    async with aiohttp.ClientSession() as session:
        managed = Management(session, amqp.management, amqp.vhost)
        await bring_up(UNITS, managed, settle=0)
        yield managed


@pytest.fixture(params=[publish_page, publish_plainly])
def way(request: pytest.FixtureRequest) -> PublishPage:
    found: PublishPage = request.param
    return found


def message(n: int, code: str = "ZJJ", body: bytes = b"{}") -> Message:
    return Message(f"{code}-{n}", code, f"{code}.0104.normal", body)


async def taken(url: str, queue: str) -> list[tuple[str | None, bytes]]:
    found = []
    async with await aio_pika.connect(url) as connection:
        source = await (await connection.channel()).get_queue(queue, ensure=False)
        while (each := await source.get(fail=False)) is not None:
            await each.ack()
            assert each.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
            assert each.content_type == "application/cloudevents+json"
            found.append((each.message_id, each.body))
    return found


async def until(publisher: Publisher, sent: Message, what: type) -> None:
    """Publish until the word that was just said has come through."""
    while not isinstance((await asyncio.gather(publisher.publish([sent]), return_exceptions=True))[0], what):
        await asyncio.sleep(0.01)


async def test_each_message_has_its_own_receipt_and_order_is_kept(
    amqp: Any, management: Management, way: PublishPage
) -> None:
    page = [message(n) if n % 3 else message(n, "NOBODY") for n in range(60)]
    async with Publisher(amqp.url, way=way) as publisher:
        receipts = await publisher.publish(page)
        again = await publisher.publish([message(99)])
    assert [each.fate for each in receipts] == [Fate.SENT if n % 3 else Fate.RETURNED for n in range(60)]
    assert receipts[0].reason == "NO_ROUTE"
    assert [each.fate for each in again] == [Fate.SENT]
    assert [id_ for id_, _ in await taken(amqp.url, "dept.ZJJ")] == [f"ZJJ-{n}" for n in range(60) if n % 3] + [
        "ZJJ-99"
    ]


@pytest.mark.parametrize("size", [0, 1, 131_064, 131_065, 262_128, 300_000])
async def test_a_body_larger_than_a_frame_arrives_whole(
    amqp: Any, management: Management, way: PublishPage, size: int
) -> None:
    body = bytes(n % 251 for n in range(size))
    async with Publisher(amqp.url, way=way) as publisher:
        receipts = await publisher.publish([message(1, body=body), message(2)])
    assert [each.fate for each in receipts] == [Fate.SENT, Fate.SENT]
    assert await taken(amqp.url, "dept.ZJJ") == [("ZJJ-1", body), ("ZJJ-2", b"{}")]


async def test_a_page_of_huge_bodies_goes_out_in_parts_and_in_order(
    amqp: Any, management: Management, way: PublishPage
) -> None:
    page = [message(n, body=bytes([n]) * 250_000) for n in range(40)]
    async with Publisher(amqp.url, way=way) as publisher:
        assert {each.fate for each in await publisher.publish(page)} == {Fate.SENT}
    assert [id_ for id_, _ in await taken(amqp.url, "dept.ZJJ")] == [each.id for each in page]


async def test_pages_side_by_side_keep_their_receipts_apart(
    amqp: Any, management: Management, way: PublishPage
) -> None:
    pages = [[message(p * 100 + n, "ZJJ" if (p + n) % 2 else "NOBODY") for n in range(40)] for p in range(8)]
    async with Publisher(amqp.url, way=way) as publisher:
        answers = await asyncio.gather(*map(publisher.publish, pages))
    for p, receipts in enumerate(answers):
        assert [each.fate for each in receipts] == [Fate.SENT if (p + n) % 2 else Fate.RETURNED for n in range(40)]


async def test_a_connection_that_was_cut_is_opened_again(amqp: Any, management: Management, way: PublishPage) -> None:
    async with Publisher(amqp.url, way=way, answer_within=3.0) as publisher:
        await publisher.publish([message(1)])
        await publisher.close()
        assert [each.fate for each in await publisher.publish([message(2)])] == [Fate.SENT]


# aiormq may leave a closing coroutine behind when a socket vanishes; here counts what became of the page.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("after", [0, 1, 20_000, 200_000])
async def test_a_wire_cut_under_way_leaves_unknown_and_never_a_false_confirmation(
    amqp: Any, management: Management, way: PublishPage, after: int
) -> None:
    async with Wire(amqp.url) as wire, Publisher(wire.url, way=way, answer_within=5.0) as publisher:
        wire.left = after
        page = [message(n, body=b"x" * 100) for n in range(2000)]
        receipts = await publisher.publish(page)
        assert wire.left <= 0, "the page went through before the cut"
        assert {each.fate for each in receipts} <= {Fate.SENT, Fate.UNKNOWN}
        assert Fate.UNKNOWN in {each.fate for each in receipts}
        there = {id_ for id_, _ in await taken(amqp.url, "dept.ZJJ")}
        assert {sent.id for sent, each in zip(page, receipts, strict=True) if each.fate is Fate.SENT} <= there
        wire.left = 10**9
        assert [each.fate for each in await publisher.publish([message(5000)])] == [Fate.SENT]


async def test_a_broker_that_takes_nothing_is_left_alone_on_the_same_line(
    amqp: Any, management: Management, way: PublishPage
) -> None:
    blocked, unblocked = pamqp.commands.Connection.Blocked("low on disk"), pamqp.commands.Connection.Unblocked()
    async with Wire(amqp.url) as wire, Publisher(wire.url, way=way, answer_within=0.5) as publisher:
        assert [each.fate for each in await publisher.publish([message(1)])] == [Fate.SENT]
        wire.say(pamqp.frame.marshal(blocked, 0))
        await until(publisher, message(2), BrokerBlocks)
        before = wire.left
        with pytest.raises(BrokerBlocks):
            await publisher.publish([message(3)])
        assert wire.left == before, "nothing more is pushed into it"
        wire.say(pamqp.frame.marshal(unblocked, 0))
        await until(publisher, message(4), list)
        assert wire.lines == 1
    there = {id_ for id_, _ in await taken(amqp.url, "dept.ZJJ")}
    assert {"ZJJ-1", "ZJJ-4"} <= there <= {"ZJJ-1", "ZJJ-2", "ZJJ-4"}


async def test_what_it_says_while_a_page_is_under_way_is_no_lost_line(amqp: Any, management: Management) -> None:
    """Nothing is confirmed: it is full now, not gone, and what lies in its buffers is not pushed in once more."""
    blocked = pamqp.frame.marshal(pamqp.commands.Connection.Blocked("low on memory"), 0)

    async def silent(*_: Any) -> list[Receipt]:
        wire.say(blocked)
        await asyncio.sleep(0.2)
        return [UNKNOWN]

    async with Wire(amqp.url) as wire, Publisher(wire.url, way=silent) as publisher:
        with pytest.raises(BrokerBlocks):
            await publisher.publish([message(1)])
        with pytest.raises(BrokerBlocks):
            await publisher.publish([message(1)])
        assert wire.lines == 1


async def test_no_broker_is_away_and_a_wrong_password_is_refused(amqp: Any) -> None:
    with pytest.raises(BrokerAway):
        await Publisher("amqp://guest:guest@127.0.0.1:1/", connect_within=0.3).open()
    with pytest.raises(BrokerRefuses):
        await Publisher(wrong_password(amqp.url), connect_within=2.0).open()


async def test_a_missing_exchange_says_what_to_do(amqp: Any, way: PublishPage) -> None:
    async with Publisher(amqp.url, way=way, answer_within=3.0) as publisher:
        with pytest.raises(BrokerRefuses, match="departments apply"):
            await publisher.publish([message(1)])


async def test_nothing_is_published_in_an_empty_page(amqp: Any) -> None:
    async with Publisher(amqp.url) as publisher:
        assert await publisher.publish([]) == []


@pytest.mark.parametrize("size", [0, 5, 4096 - 8, 4096 - 7, 10_000])
def test_the_frames_read_back_as_the_library_reads_them(size: int) -> None:
    out, sent = bytearray(), message(1, "局", b"x" * size)
    write_frames(out, 3, APPEALS, sent, 4096)
    data, frames = bytes(out), []
    while data:
        read, channel, frame = pamqp.frame.unmarshal(data)
        assert channel == 3
        assert read <= 4096
        frames.append(frame)
        data = data[read:]
    publish, header, *bodies = frames
    assert isinstance(publish, pamqp.commands.Basic.Publish)
    assert (publish.exchange, publish.routing_key, publish.mandatory) == (APPEALS, sent.routing_key, True)
    assert isinstance(header, ContentHeader)
    assert (header.body_size, header.properties.message_id, header.properties.delivery_mode) == (size, sent.id, 2)
    assert b"".join(body.value for body in bodies if isinstance(body, ContentBody)) == sent.body
