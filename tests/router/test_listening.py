"""Feedback on real servers: from a department's own user over the broker, checked, taken in, answered exactly once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import pytest

from router import centre, looking
from router.cases.case import Case
from router.cases.looking import look
from router.cases.moves import State
from router.cases.work import Work
from router.dispatching.topology import FEEDBACK, credentials
from router.errors import BrokerAway
from router.flow import route_page
from router.listening import Ear, answer_strays, listen, take_all
from router.looking import look_at_due
from tests.router.city import UNITS, appeal, handed
from tests.router.conftest import Street


class Seal:
    """Sealing is tested elsewhere; what counts here is what is handed to it."""

    async def ready(self, label: str) -> None:
        self.label = label

    def seal(self, label: str, bind: bytes, plain: bytes) -> bytes:
        assert label.startswith("strays/")
        return bind + plain


@dataclass
class Letter:
    body: bytes
    user_id: str | None = "dept.ZJJ.a"
    routing_key: str | None = "ZJJ"
    message_id: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)


def masked(text: str) -> str:
    return text.replace("13800001111", "〔手机1〕")


def ear_of(street: Street) -> Ear:
    return Ear(room=street.room, seal=Seal(), mask=masked)


async def dispatched(street: Street, to: str = "ZJJ") -> dict[str, Any]:
    """One case in the department's queue; gives the data of its message."""
    await route_page(street.appeals.keep(handed(appeal(to=to))), street.room)
    ((_, body),) = await street.drain("dept.ZJJ")
    data: dict[str, Any] = json.loads(body)["data"]
    return data


def said(data: Mapping[str, Any], kind: str = "accepted", name: str = "f1", **more: Any) -> bytes:
    at = datetime.now(UTC).isoformat()
    return json.dumps(
        {"kind": kind, "id": name, "dispatch": data["dispatch"], "case": data["case"], "at": at, "handler": "李"} | more
    ).encode()


async def outcomes(street: Street, queue: str = "dept.ZJJ") -> list[dict[str, Any]]:
    found = [json.loads(body) for _, body in await street.drain(queue)]
    return [each for each in found if each["type"] == "feedback.outcome.v1"]


async def test_feedback_moves_the_work_and_is_answered_once_behind_the_order(street: Street) -> None:
    data = await dispatched(street)
    ear = ear_of(street)
    for _ in range(3):
        await take_all([Letter(said(data, note="请打13800001111"))], ear)
    (case,) = (await street.cases()).values()
    assert case.handling is not None
    assert (case.state, case.handling.work) == (State.DELIVERED, Work.SIGNED)
    (outcome,) = await outcomes(street)
    assert outcome["data"]["outcome"] == "accepted"
    assert (outcome["data"]["sequence"], outcome["data"]["state"]) == (2, "signed")
    assert "13800001111" not in str(await street.database["cases"].find_one({}))


@pytest.mark.parametrize(
    ("user", "key", "code"),
    [(None, "ZJJ", "no_user"), ("guest", "ZJJ", "no_user"), ("dept.CGJ.b", "CGJ", "not_holder")],
)
async def test_who_does_not_have_the_case_or_is_not_verified_is_parked_and_refused(
    street: Street, user: str | None, key: str, code: str
) -> None:
    data = await dispatched(street)
    body = said(data)
    for _ in range(2):
        await take_all([Letter(body, user, key)], ear_of(street))
    (case,) = (await street.cases()).values()
    assert case.handling is None
    strays = [stray async for stray in street.database["strays"].find({})]
    assert [stray["unanswered"] for stray in strays] == [False]
    (outcome,) = await outcomes(street, f"dept.{key}")
    assert (outcome["data"]["outcome"], outcome["data"]["code"], outcome["data"]["state"]) == ("refused", code, "")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"kind":"closed"}', b"[" * 100_000, b'{"kind":"accepted","id":5}', b"x" * 300_000],
)
async def test_what_cannot_be_read_is_kept_sealed_and_refused(street: Street, body: bytes) -> None:
    await take_all([Letter(body)], ear_of(street))
    (stray,) = [stray async for stray in street.database["strays"].find({})]
    assert stray["body"].endswith(body)
    (outcome,) = await outcomes(street)
    assert outcome["data"]["code"] == "bad_message"


async def test_who_died_before_answering_answers_later_under_the_same_id(street: Street) -> None:
    class Away:
        async def publish(self, page: object) -> Any:
            raise BrokerAway("gone")

    await take_all([Letter(b"{")], Ear(room=street.other(Away()), seal=Seal(), mask=masked))
    assert await outcomes(street) == []
    assert await answer_strays(street.room) == 1
    assert await answer_strays(street.room) == 0
    assert len(await outcomes(street)) == 1


async def test_a_department_writes_with_its_own_user_and_hears_back_on_its_own_queue(street: Street) -> None:
    data = await dispatched(street)
    (unit,) = [unit for unit in UNITS if unit.code == "ZJJ"]
    login = await credentials(unit, street.management)
    stop = asyncio.Event()
    listening = asyncio.create_task(listen(street.url, ear_of(street), stop))
    try:
        host = street.url.rpartition("@")[2]
        connection = await aio_pika.connect(f"amqp://{login.user}:{login.password}@{host}")
        async with connection:
            exchange = await (await connection.channel()).get_exchange(FEEDBACK, ensure=False)
            for name in ("f1", "f2", "f1"):
                letter = aio_pika.Message(said(data, name=name), user_id=login.user)
                await exchange.publish(letter, routing_key="ZJJ")
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(20):
            while len(found) < 2:
                found += await outcomes(street)
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await listening
    assert {each["data"]["feedback"] for each in found} == {"f1", "f2"}
    assert await outcomes(street) == []


async def test_a_deadline_shows_its_yellow_and_then_its_red_card_once(street: Street) -> None:
    await dispatched(street)
    assert await look_at_due(street.room) == 0
    cards = []
    for passed in (timedelta(days=3, hours=20), timedelta(days=4), timedelta(days=9)):
        street.shift = passed
        room = street.other()
        for _ in range(3):
            await look_at_due(room)
        for _, body in await street.drain("dept.ZJJ"):
            message = json.loads(body)
            assert message["type"] == "appeal.deadline.v1"
            cards.append((message["data"]["card"]["kind"], message["data"]["card"]["colour"]))
    assert len(cards) == len(set(cards))
    assert ("close", "red") in cards
    assert ("sign", "red") in cards


async def test_one_letter_that_fails_holds_up_no_other(street: Street) -> None:
    data = await dispatched(street)

    def breaks(text: str) -> str:
        if "坏" in text:
            raise RuntimeError("a fault of ours")
        return text

    ear = Ear(room=street.room, seal=Seal(), mask=breaks)
    failed = await take_all([Letter(said(data, name="f1", note="坏")), Letter(said(data, name="f2"))], ear)
    assert [type(each) for each in failed] == [RuntimeError, type(None)]
    (outcome,) = await outcomes(street)
    assert outcome["data"]["feedback"] == "f2"


async def test_a_case_that_cannot_be_looked_at_holds_up_no_other(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    await route_page(street.appeals.keep(handed(appeal("a1")), handed(appeal("a2"))), street.room)
    street.shift = timedelta(days=30)
    real = look

    def breaks(case: Case, *rest: Any) -> Case:
        if case.id == "a1":
            raise KeyError("a fault of ours")
        return real(case, *rest)

    monkeypatch.setattr(looking, "look", breaks)
    room = street.other()
    assert await look_at_due(room) == 2
    cases = await street.cases()
    assert "carded" in [event.kind for event in cases["a2"].events]
    assert await look_at_due(room) == 0, "it is looked at again later, not at once"


async def deadlines(street: Street) -> list[dict[str, Any]]:
    found = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    return [each["data"] for each in found if each["type"] == "appeal.deadline.v1"]


async def test_a_department_is_told_its_deadlines_when_its_clock_runs_again(street: Street) -> None:
    data, ear = await dispatched(street), ear_of(street)
    soon = datetime.now(UTC).isoformat()
    await take_all([Letter(said(data, "suspended", "s1", reason="等材料", until=soon))], ear)
    await centre.decide(data["case"], None, None, "王", "同意", street.room, granted=True)
    await look_at_due(street.room)
    (by_itself,) = [each for each in await deadlines(street) if "recomputed" in each]
    assert by_itself["reason"] == "挂起期满，时限继续计算"
    assert {each["kind"] for each in by_itself["deadlines"]} >= {
        each["kind"] for each in by_itself["recomputed"]["deadlines"]
    }
    await take_all([Letter(said(data, "suspended", "s2", reason="等材料"))], ear)
    await centre.decide(data["case"], None, None, "王", "同意", street.room, granted=True)
    await look_at_due(street.room)
    assert await deadlines(street) == []
    await take_all([Letter(said(data, "resumed", "s3"))], ear)
    (on_its_word,) = await deadlines(street)
    assert (on_its_word["reason"], bool(on_its_word["recomputed"]["deadlines"])) == ("已恢复办理，时限继续计算", True)
