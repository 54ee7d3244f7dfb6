"""A mini-program sends appeals with pictures and asks later how they stand."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import aiohttp
import pytest

from intake.rights.accesses import who_saw
from tests.connectors.push_recording import PNG
from tests.intake.door.conftest import KEY, Opened

APPEAL = {
    "title": "路面塌陷", "text": "石桥区文昌路中间塌了一个坑，电动车已经摔了两个人，请尽快修。", "openid": "oYz-77",
    "name": "周建国", "phone": "13900005678", "address": "石桥区文昌路", "location": {"lng": 120.31, "lat": 31.4},
}  # fmt: skip


async def send(
    session: aiohttp.ClientSession, opened: Opened, body: Any, *, key: str = KEY, **headers: str
) -> tuple[int, Any]:
    data = body if isinstance(body, bytes | aiohttp.FormData) else json.dumps(body).encode()
    named = {"Authorization": f"Bearer {key}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with session.post(f"{opened.url}/app/app/appeals", data=data, headers=named) as answer:
        return answer.status, await answer.json()


async def standing(session: aiohttp.ClientSession, opened: Opened, number: str, key: str = KEY) -> tuple[int, Any]:
    url = f"{opened.url}/app/app/appeals/{number}"
    async with session.get(url, headers={"X-Api-Key": key}) as answer:
        return answer.status, await answer.json()


async def test_an_appeal_gets_a_number_and_later_its_standing(opened: Opened, session: aiohttp.ClientSession) -> None:
    status, taken = await send(session, opened, APPEAL)

    assert status == 201
    assert taken["status_url"].endswith(taken["number"])
    assert (await opened.case(taken["number"]))["state"] == "delivered"
    status, told = await standing(session, opened, taken["number"])
    assert (status, told["status"], told["state"], told["state_name"]) == (200, "open", "assigned", "已派单")
    assert told["case_no"]
    appeal = await opened.db.appeals.find_one({"_id": taken["number"]})
    assert (appeal["channel"], appeal["channel_detail"]) == ("app", "miniprogram")
    assert appeal["citizen"]["has_contact"]
    assert appeal["posted_at"] == appeal["received_at"]
    assert [sight.what for sight in await who_saw(opened.db, taken["number"]) if sight.who == "civic"] == [
        "可查进度、已审核的答复"
    ]


async def test_another_apps_number_is_unknown(opened: Opened, session: aiohttp.ClientSession) -> None:
    _, taken = await send(session, opened, APPEAL)

    assert (await standing(session, opened, taken["number"], key="other"))[0] == 404
    assert (await standing(session, opened, taken["number"], key="guessed"))[0] == 403
    assert (await standing(session, opened, "0123456789abcdefghijklmn"))[0] == 404


async def test_sent_again_with_its_key_it_is_one_appeal(opened: Opened, session: aiohttp.ClientSession) -> None:
    first = await send(session, opened, APPEAL, Idempotency_Key="tap-7")
    await opened.settled()
    pages = await opened.db.pages.count_documents({})

    assert await send(session, opened, APPEAL, Idempotency_Key="tap-7") == first
    assert await opened.db.pages.count_documents({}) == pages
    assert (await send(session, opened, APPEAL, Idempotency_Key="tap-8"))[1] != first[1]


async def test_the_same_citizen_has_the_same_reference(opened: Opened, session: aiohttp.ClientSession) -> None:
    """And another app's citizen of that name has another: the openid is kept one-way only."""
    numbers = [(await send(session, opened, APPEAL | {"phone": "", "name": ""}))[1]["number"] for _ in range(2)]
    other = (await send(session, opened, APPEAL | {"phone": "", "name": "", "openid": "oYz-78"}))[1]["number"]
    await opened.settled()

    refs = [(await opened.db.appeals.find_one({"_id": each}))["citizen"]["ref"] for each in [*numbers, other]]
    assert refs[0] == refs[1] != refs[2]
    assert "oYz-77" not in json.dumps(await opened.db.appeals.find_one({"_id": numbers[0]}), default=str)


async def test_pictures_come_in_json_or_in_a_form(opened: Opened, session: aiohttp.ClientSession) -> None:
    images = [{"name": "坑.png", "data": b64encode(PNG).decode()}]
    _, inside = await send(session, opened, APPEAL | {"images": images})
    form = aiohttp.FormData({"appeal": json.dumps(APPEAL)})
    form.add_field("photo", PNG, filename="坑.png", content_type="application/octet-stream")
    status, beside = await send(session, opened, form)
    assert status == 201
    await opened.settled()

    found = [await opened.db.appeals.find_one({"_id": each["number"]}) for each in (inside, beside)]
    assert [len(each["attachments"]) for each in found] == [1, 1]
    assert found[0]["attachments"] == found[1]["attachments"]
    assert found[0]["attachments"][0]["sha256"] == found[0]["attachments"][0]["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        ({"text": "  "}, 400),
        ({"text": 17}, 400),
        (APPEAL | {"location": {"lng": 200, "lat": 0}}, 400),
        (APPEAL | {"images": [{"data": "***"}]}, 400),
        (APPEAL | {"images": [{"data": b64encode(b"<svg onload=alert(1)>").decode()}]}, 415),
        (APPEAL | {"images": [{"data": b64encode(PNG).decode()}] * 3}, 413),
        (APPEAL | {"images": [{"data": b64encode(PNG + bytes(100_001)).decode()}]}, 413),
    ],
)
async def test_what_cannot_be_taken_is_refused_and_not_stored(
    opened: Opened, session: aiohttp.ClientSession, body: Any, status: int
) -> None:
    before = await opened.db.raw.count_documents({})
    found, told = await send(session, opened, body)
    assert (found, bool(told["message"])) == (status, True)
    assert await opened.db.raw.count_documents({}) == before


async def test_without_its_key_nothing_is_taken(opened: Opened, session: aiohttp.ClientSession) -> None:
    assert (await send(session, opened, APPEAL, key=""))[0] == 401
    assert (await send(session, opened, APPEAL, key="guessed"))[0] == 403
