"""Departments that cannot speak AMQP fetch, acknowledge and answer over HTTP: one queue underneath, the same ids."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from itertools import count
from typing import Any, NamedTuple

import aio_pika
import aiohttp
import pytest

from intake.rights.accesses import who_saw
from intake.topology import address_of, management
from router.dispatching.leasing import Login
from router.dispatching.topology import Credentials, credentials, queue_of
from tests.connectors.push_recording import PNG
from tests.intake.door.conftest import Opened
from tests.intake.door.test_app import APPEAL, send

NUMBERS = count(1000)  #: another citizen each time: who writes again gets no second order

GIVEN: dict[str, Credentials] = {}  #: each department's password


class Here(NamedTuple):
    """One department's program, which has a case."""

    opened: Opened
    session: aiohttp.ClientSession
    given: Credentials
    code: str
    case: dict[str, Any]
    phone: str

    async def ask(
        self, method: str, path: str, body: Any = None, *, password: str | None = None, user: str | None = None
    ) -> tuple[int, Any]:
        shown = f"{user or self.given.user}:{password or self.given.password}"
        headers = {"Authorization": f"Basic {b64encode(shown.encode()).decode()}"}
        url = path if path.startswith("http") else f"{self.opened.url}/departments/{self.code}/{path}"
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        async with self.session.request(method, url, data=data, headers=headers) as answer:
            read = await answer.read()
            return answer.status, json.loads(read) if answer.content_type == "application/json" else read

    async def pull(self, query: str = "") -> list[dict[str, Any]]:
        status, told = await self.ask("GET", f"messages{query}")
        assert status == 200, told
        return list(told["messages"])

    async def drained(self) -> None:
        while ids := [each["id"] for each in await self.pull()]:
            await self.ask("POST", "ack", {"ids": ids})

    def said(self, name: str, **fields: Any) -> dict[str, Any]:
        order = self.case["dispatches"][0]["id"]
        about = {"id": name, "case": self.case["_id"], "dispatch": order, "handler": "王工"}
        return about | {"kind": "accepted", "at": "2026-11-22T09:00:00+08:00"} | fields


@pytest.fixture
async def here(opened: Opened, session: aiohttp.ClientSession) -> AsyncIterator[Here]:
    """A fresh case, and nothing left on loan."""
    number = next(NUMBERS)
    somebody = {"openid": f"oDept-{number}", "name": f"甲{number}", "phone": f"1390123{number}"}
    picture = {"images": [{"name": "坑.png", "data": b64encode(PNG).decode()}]}
    _, taken = await send(session, opened, APPEAL | somebody | picture)
    case = await opened.case(taken["number"])
    code = case["holder"]
    given = GIVEN.get(code) or await new_password(opened, code)
    made = Here(opened, session, given, code, case, somebody["phone"])
    yield made
    await made._replace(given=GIVEN[code]).drained()


async def new_password(opened: Opened, code: str) -> Credentials:
    unit = opened.rooms.tables.router.directory.units[code]
    async with aiohttp.ClientSession() as asking:
        GIVEN[code] = given = await credentials(unit, management(opened.house, asking))
    return given


async def test_what_is_not_acknowledged_stays_the_departments(here: Here) -> None:
    pulled = await here.pull()

    mine = next(each for each in pulled if each["subject"] == here.case["_id"])
    assert (mine["type"], mine["id"]) == ("appeal.dispatched.v1", here.case["dispatches"][0]["id"])
    assert await here.pull() == [], "lent to one that asks twice, it is not given twice"
    ids = [each["id"] for each in pulled]
    assert await here.ask("POST", "ack", {"ids": [*ids, "gone"]}) == (200, {"done": ids, "unknown": ["gone"]})
    assert await here.ask("POST", "ack", {"ids": ids[:1]}) == (200, {"done": [], "unknown": ids[:1]})


async def test_a_loan_that_is_over_lies_in_the_same_queue_again(here: Here) -> None:
    await here.drained()
    async with Publishing(here) as publish:
        await publish({"id": "m-1", "text": "一"})
    now = 0.0
    login = await Login.open(address_of(here.given, here.opened.house.broker_url), here.given.user, lambda: now)
    try:
        lent = await login.pull(queue_of(here.code), 10, lease=5.0)
        assert [json.loads(body)["id"] for body in lent] == ["m-1"]
        now = 4.9
        assert (await login.let_go(), await here.pull()) == (0, [])
        now = 5.0
        assert (await login.let_go(), login.lent) == (1, 0)
        assert [each["id"] for each in await _until_there(here)] == ["m-1"]
    finally:
        await login.close()


async def test_what_a_worker_that_stops_had_lent_lies_there_again(here: Here) -> None:
    await here.drained()
    async with Publishing(here) as publish:
        await publish({"id": "m-2"})
    login = await Login.open(address_of(here.given, here.opened.house.broker_url), here.given.user, lambda: 0.0)
    assert len(await login.pull(queue_of(here.code), 10)) == 1
    await login.close()
    assert not login.alive

    assert [each["id"] for each in await _until_there(here)] == ["m-2"]


async def test_what_cannot_be_read_goes_to_the_centre_on_either_side(here: Here) -> None:
    await here.drained()
    async with Publishing(here) as publish:
        await publish(b"\xff not json")
        await publish({"id": "m-3"})
    pulled = await here.pull()

    assert [each["id"] for each in pulled] == ["m-3"]
    assert await here.ask("POST", "reject", {"ids": ["m-3"]}) == (200, {"done": ["m-3"], "unknown": []})
    async with asyncio.timeout(20):
        while await here.opened.db.strays.count_documents({"queue": queue_of(here.code)}) < 2:
            await asyncio.sleep(0.05)


async def test_feedback_goes_out_in_the_departments_own_name(here: Here) -> None:
    await here.drained()
    assert await here.ask("POST", "feedback", here.said("f-1")) == (202, {"id": "f-1"})

    outcome = (await _until_there(here))[0]
    assert (outcome["type"], outcome["data"]["feedback"], outcome["data"]["outcome"]) == (
        "feedback.outcome.v1",
        "f-1",
        "accepted",
    )
    case = await here.opened.db.cases.find_one({"_id": here.case["_id"]})
    assert case["handling"]["tracks"][here.code]["state"] == "signed"


@pytest.mark.parametrize("body", [b"{", {"kind": "applause"}, {"kind": "accepted", "id": ""}])
async def test_feedback_that_is_none_is_refused_at_once(here: Here, body: Any) -> None:
    status, told = await here.ask("POST", "feedback", body)
    assert (status, "intake schema feedback" in told["message"]) == (400, True)


async def test_feedback_has_a_size(here: Here) -> None:
    body = json.dumps(here.said("f-2", note="长" * 90_000)).encode()
    assert (await here.ask("POST", "feedback", body + b" " * 262_144))[0] == 413


async def test_the_contact_is_shown_with_a_reason_and_written_down(here: Here) -> None:
    path = f"cases/{here.case['_id']}/contact"
    assert (await here.ask("POST", path, {"handler": "王工"}))[0] == 400
    status, told = await here.ask("POST", path, {"handler": "王工", "reason": "约时间上门"})

    assert (status, told["contact"]["mobile"]) == (200, here.phone)
    line = await here.opened.db.accesses.find_one({"item": here.case["_id"], "what": "联系方式"})
    assert (line["actor"], line["reason"]) == (f"{here.given.user}（王工）", "约时间上门")
    granted = here.opened.rooms.tables.router.directory.units[here.code].may_see
    status, told = await here.ask("POST", f"cases/{here.case['_id']}/matter", {"handler": "王工", "reason": "查"})
    assert status == (200 if granted else 403), told


async def test_text_and_pictures_are_fetched_and_both_are_written_down(here: Here) -> None:
    status, told = await here.ask("GET", f"cases/{here.case['_id']}/text")
    assert (status, here.phone in told["text"], "石桥区文昌路" in told["text"]) == (200, False, True)
    (mine,) = [each for each in await here.pull() if each["subject"] == here.case["_id"]]
    (picture,) = mine["data"]["attachments"]
    status, body = await here.ask("GET", f"cases/{here.case['_id']}/attachments/{picture['id']}")
    assert (status, body[:4]) == (200, PNG[:4])
    assert await here.opened.db.accesses.count_documents({"item": here.case["_id"], "what": "附件"}) == 1
    assert (await here.ask("GET", f"cases/{here.case['_id']}/attachments/none"))[0] == 404
    seen = await who_saw(here.opened.db, here.case["_id"])
    told = [(sight.what, sight.who) for sight in seen if sight.who == here.given.user]
    assert told == [("查看正文（脱敏）", here.given.user), ("查看附件", here.given.user)]
    assert any(sight.who == f"dept.{here.code}" and sight.what.startswith("收到消息") for sight in seen)


async def test_a_department_reaches_its_own_code_alone(here: Here) -> None:
    told_of_it = {row["department"] for row in here.case["dispatches"]}
    other = next(code for code in here.opened.rooms.tables.router.directory.units if code not in told_of_it)
    base = f"{here.opened.url}/departments/{other}"
    assert (await here.ask("GET", f"{base}/messages"))[0] == 403
    assert (await here.ask("POST", f"{base}/cases/{here.case['_id']}/contact", {}))[0] == 403
    assert (await here.ask("GET", "messages", user="guest", password="guest"))[0] == 403
    assert (await here.ask("GET", "messages", password="guessed"))[0] == 401
    theirs = await new_password(here.opened, other)
    status, told = await here.ask(
        "GET", f"{base}/cases/{here.case['_id']}/text", user=theirs.user, password=theirs.password
    )
    assert (status, here.code in told["message"]) == (404, False)
    # What is another's is answered as what is not there.
    asked = {"handler": "王工", "reason": "核实"}
    for method, path, body in (
        ("GET", "text", None),
        ("GET", "attachments/a", None),
        ("POST", "contact", asked),
        ("POST", "matter", asked),
    ):
        heard = [
            await here.ask(method, f"{base}/cases/{case}/{path}", body, user=theirs.user, password=theirs.password)
            for case in (here.case["_id"], "0" * 24)
        ]
        assert heard[0] == heard[1], path
        assert heard[0][0] == 404


async def test_without_a_login_one_is_asked_for(here: Here) -> None:
    async with here.session.get(f"{here.opened.url}/departments/{here.code}/messages") as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"].partition(" ")[0]) == (401, "Basic")


async def test_a_new_password_counts_and_guesses_are_counted(here: Here) -> None:
    assert (await here.ask("GET", "messages"))[0] == 200
    given = await new_password(here.opened, here.code)
    assert (await here.ask("GET", "messages", password=given.password))[0] == 200
    assert (await here.ask("GET", "messages"))[0] == 401, "the old one is not remembered"
    for _ in range(30):
        status, _told = await here.ask("GET", "messages", password="guessed", user=f"dept.{here.code}.b")
        if status == 429:
            break
        assert status == 401
    else:
        pytest.fail("one may guess without end")
    assert (await here.ask("GET", "messages", password=given.password))[0] == 200, "others are not held up by it"


@pytest.mark.parametrize("query", ["?max=0", "?max=-1", "?max=x", "?lane=fast"])
async def test_questions_that_make_no_sense_are_refused(here: Here, query: str) -> None:
    assert (await here.ask("GET", f"messages{query}"))[0] == 400


async def test_no_more_is_given_than_was_asked_for(here: Here) -> None:
    await here.drained()
    async with Publishing(here) as publish:
        for number in range(3):
            await publish({"id": f"n-{number}"})
    assert [each["id"] for each in await here.pull("?max=2")] == ["n-0", "n-1"]
    assert [each["id"] for each in await here.pull("?max=2")] == ["n-2"]


async def _until_there(here: Here) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while not (found := await here.pull()):
            await asyncio.sleep(0.02)
    return found


class Publishing:
    """Put messages into the department's queue as the router would."""

    def __init__(self, here: Here) -> None:
        self._here = here

    async def __aenter__(self) -> Any:
        self._connection = await aio_pika.connect(self._here.opened.house.broker_url)
        channel = await self._connection.channel()

        async def publish(body: Any) -> None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            await channel.default_exchange.publish(aio_pika.Message(raw), queue_of(self._here.code))

        return publish

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()
