"""A 12345 platform pushes work orders: signed, once, late, twice, in the wrong order, or not for us at all."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any

import aiohttp

from connectors.raw_appeal import appeal_id
from intake.balance import balance
from tests.intake.door.conftest import SECRET, Opened

ORDER = {
    "orderId": "YZ1", "callTime": "2026-11-22 08:50:11", "callerName": "孙玉兰", "callerPhone": "13800001234",
    "callerType": "投诉", "address": "望湖区柳荫街道", "title": "小区垃圾三天没人清运",
    "majorContent": "柳荫社区门口的垃圾桶已经三天没人清运，臭味很大，请尽快处理。",
}  # fmt: skip


def headers(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    moment = str(int(time.time() if at is None else at))
    text = f"city\n{moment}\nn1\n".encode() + body
    sign = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return {"X-App-Key": "city", "X-Timestamp": moment, "X-Nonce": "n1", "X-Sign": sign}


async def push(session: aiohttp.ClientSession, opened: Opened, body: Any, **how: Any) -> tuple[int, Any]:
    written = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    url = f"{opened.url}/push/exchange"
    async with session.post(url, data=written, headers=headers(written, **how)) as answer:
        return answer.status, await answer.json()


def told(event: str, at: str, **fields: Any) -> dict[str, Any]:
    return {"event": event, "time": at, "data": fields}


async def test_a_pushed_order_is_in_a_departments_queue(opened: Opened, session: aiohttp.ClientSession) -> None:
    status, answer = await push(session, opened, told("create", "2026-11-22 08:55:00", **ORDER))

    assert (status, answer["success"]) == (200, True)
    receipt = answer["data"]["receipts"][0]
    assert receipt == {"id": "YZ1", "receipt": appeal_id("exchange", "YZ1"), "parked": False}
    case = await opened.case(receipt["receipt"])
    assert case["state"] == "delivered"
    appeal = await opened.db.appeals.find_one({"_id": receipt["receipt"]})
    assert appeal["transport"] == "push"
    assert "13800001234" not in json.dumps(appeal, default=str, ensure_ascii=False)


async def test_pushed_twice_it_is_one_order_and_gets_the_same_receipt(
    opened: Opened, session: aiohttp.ClientSession
) -> None:
    body = told("create", "2026-11-22 09:00:00", **ORDER | {"orderId": "YZ2"})
    first = await push(session, opened, body)
    await opened.settled()
    pages = await opened.db.pages.count_documents({})

    assert await push(session, opened, body) == first
    assert await asyncio.gather(*(push(session, opened, body) for _ in range(5))) == [first] * 5

    assert await opened.db.pages.count_documents({}) == pages


async def test_an_older_word_never_overwrites_a_newer_one(opened: Opened, session: aiohttp.ClientSession) -> None:
    order = ORDER | {"orderId": "YZ3"}
    await push(session, opened, told("status", "2026-11-22 10:00:00", orderId="YZ3", handleResult="已清运完毕。"))
    await push(session, opened, told("create", "2026-11-22 09:00:00", **order))
    await push(session, opened, told("update", "2026-11-22 09:30:00", orderId="YZ3", title="垃圾还是没人清运"))
    await push(session, opened, told("update", "2026-11-22 09:10:00", orderId="YZ3", title="旧标题"))
    await opened.settled()

    appeal = await opened.db.appeals.find_one({"_id": appeal_id("exchange", "YZ3")})
    assert appeal["title"] == "垃圾还是没人清运"
    assert appeal["official_reply"]["text"] == "已清运完毕。"


async def test_a_push_without_a_time_that_is_sent_once_more_says_nothing_new(
    opened: Opened, session: aiohttp.ClientSession
) -> None:
    """Whoever heard it on its way, or a proxy that asks twice, may send it within the window of its signature."""
    now = time.time()
    order = {"event": "create", "data": ORDER | {"orderId": "YZ7"}}
    edit = {"event": "update", "data": {"orderId": "YZ7", "title": "垃圾还是没人清运"}}
    await push(session, opened, order, at=now - 60)
    await push(session, opened, edit, at=now - 10)
    await opened.settled()

    assert (await push(session, opened, order, at=now - 60))[0] == 200
    await opened.settled()

    appeal = await opened.db.appeals.find_one({"_id": appeal_id("exchange", "YZ7")})
    assert (appeal["title"], appeal["revision"]) == ("垃圾还是没人清运", 2)


async def test_a_status_moves_in_place_and_an_edit_is_a_revision(
    opened: Opened, session: aiohttp.ClientSession
) -> None:
    id_ = appeal_id("exchange", "YZ4")
    await push(session, opened, told("create", "2026-11-22 09:00:00", **ORDER | {"orderId": "YZ4"}))
    await opened.case(id_)

    await push(session, opened, told("status", "2026-11-22 09:10:00", orderId="YZ4", orderState="办理中"))
    assert (await opened.db.raw.find_one({"_id": id_}))["revision"] == 1
    await push(session, opened, told("update", "2026-11-22 09:20:00", orderId="YZ4", majorContent="又多了两桶垃圾。"))
    assert (await opened.db.raw.find_one({"_id": id_}))["revision"] == 2
    await push(session, opened, told("withdraw", "2026-11-22 09:30:00", orderId="YZ4"))
    await opened.settled()

    assert (await opened.db.cases.find_one({"_id": id_}))["state"] == "withdrawn"


async def test_a_bad_signature_is_refused_and_nothing_of_it_is_stored(
    opened: Opened, session: aiohttp.ClientSession
) -> None:
    body = told("create", "2026-11-22 09:00:00", **ORDER | {"orderId": "YZ-forged"})

    for how in ({"secret": "guessed"}, {"at": time.time() - 3600}, {"at": time.time() + 3600}):
        status, answer = await push(session, opened, body, **how)
        assert (status, answer["success"], answer["code"]) == (401, False, 401)
        assert answer["message"]

    assert await opened.db.raw.find_one({"native_id": "YZ-forged"}) is None


async def test_what_is_authentic_and_unreadable_is_parked_and_acknowledged(
    opened: Opened, session: aiohttp.ClientSession
) -> None:
    status, answer = await push(session, opened, b"orderId=1&\xb2\xbb")

    assert (status, answer["data"]["receipts"][0]["parked"]) == (200, True)
    raw = await opened.db.raw.find_one({"_id": answer["data"]["receipts"][0]["receipt"]})
    assert raw["parked"]["reason"]


async def test_the_balance_counts_what_was_pushed_as_offered(opened: Opened, session: aiohttp.ClientSession) -> None:
    await push(session, opened, told("create", "2026-11-22 09:00:00", **ORDER | {"orderId": "YZ5"}))
    await opened.settled()

    total = await balance(opened.db, opened.rooms.clock.now())

    assert total.adds_up
    assert total.offered == await opened.db.raw.count_documents({})
    assert total.sources["exchange"]["parked"] >= 1


async def test_a_source_that_is_not_pushed_here_is_unknown(opened: Opened, session: aiohttp.ClientSession) -> None:
    for path in ("/push/nobody", "/push/app"):
        async with session.post(f"{opened.url}{path}", data=b"{}") as answer:
            assert answer.status == 404


async def test_whoever_is_paused_is_asked_to_come_again(opened: Opened, session: aiohttp.ClientSession) -> None:
    await opened.rooms.connectors.store.sources.pause("exchange", "test")
    body = told("create", "2026-11-22 09:00:00", **ORDER | {"orderId": "YZ6"})
    async with asyncio.timeout(20):
        while (await push(session, opened, body))[0] != 503:
            await asyncio.sleep(0.2)
    await opened.rooms.connectors.store.sources.resume("exchange")
    async with asyncio.timeout(20):
        while (await push(session, opened, body))[0] != 200:
            await asyncio.sleep(0.2)


async def test_what_is_turned_away_is_counted_beside_the_source(opened: Opened, session: aiohttp.ClientSession) -> None:
    before = await refused_of(opened, at_least=0)

    answers = [await push(session, opened, told("create", "2026-11-22 08:55:00", **ORDER), secret=no) for no in "ab"]

    assert [status for status, _ in answers] == [401, 401]
    found = await refused_of(opened, at_least=before["count"] + 2)
    assert found["reason"] == answers[0][1]["message"]


async def refused_of(opened: Opened, at_least: int) -> dict[str, Any]:
    """What a look of the sentinel will find; it is written every two seconds."""
    async with asyncio.timeout(20):
        while True:
            document = await opened.db.sources.find_one({"_id": "exchange"}, {"refused": 1})
            found: dict[str, Any] = (document or {}).get("refused") or {"count": 0, "reason": ""}
            if found["count"] >= at_least:
                return found
            await asyncio.sleep(0.1)
