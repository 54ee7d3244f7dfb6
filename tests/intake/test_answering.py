"""Write-back on a real database and over real HTTP: once, in order, again under the same id, parked when it must be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from connectors.channels.hotline_12345 import HotlineSettings
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.channels.waline import WalineSettings
from connectors.keeping.compare import Change as Comparison
from connectors.keeping.compare import Row
from connectors.keeping.pages import What
from connectors.keeping.store import Store, open_store
from connectors.raw_appeal import Mode
from connectors.source import Source
from intake.keys import make_keys
from intake.parked import listed
from intake.rights.accesses import who_saw
from intake.sealing import Sealer
from intake.street.answering import Answering, answer_due, spans
from intake.street.clock import Clock
from normalizer.appeal import Appeal, Change, Citizen, RequestType
from router.cases.answering import LEASE, again
from router.cases.case import Case
from router.cases.centre import Visit, review, visit
from router.cases.clock import Limits
from router.cases.deciding import amend, decide_again, open_case
from router.cases.hearing import hear
from router.cases.public import public_face
from router.desk import discard_answers, write
from router.dispatch import Context
from router.feedback import Feedback
from router.flow import Room
from router.store import CaseStore
from router.store_indexes import ensure_indexes
from tests.conftest import Database
from tests.router.cases.test_hearing import delivered, said
from tests.router.city import STAMPER, appeal, decide, revised, tables

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


@dataclass
class Platform:
    """A source that is told things: what it was told, and how it answers."""

    told: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)  #: {context.path}
    status: int = 200
    body: Any = field(default_factory=lambda: {"success": True, "data": {"receiptId": "R1"}})
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.asked.append(request.query.get("uri"))
        self.told.append(told | {"_key": request.headers.get("x-api-key")})
        return web.json_response(self.body, status=self.status, headers=self.headers)

    @property
    def ids(self) -> list[str]:
        return [each["answerId"] for each in self.told]


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    found = Platform()
    app = web.Application()
    app.router.add_post("/answers", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/answers"))
        yield found


@dataclass
class Street:
    database: Database
    source: Source
    appeal: Appeal
    reading: Store
    shift: timedelta = timedelta(0)

    def now(self) -> datetime:
        return NOW + self.shift

    @property
    def store(self) -> CaseStore:
        return CaseStore(self.database, STAMPER)

    @property
    def room(self) -> Room:
        async def load(keys: Any) -> dict[Any, Appeal]:
            return dict.fromkeys(keys, self.appeal)

        fields: dict[str, Any] = {"publisher": None, "fence": lambda: 1, "answering": spans([self.source])}
        return Room(store=self.store, tables=tables(), load_appeals=load, now=self.now, **fields)

    async def look(self) -> int:
        settings = SimpleNamespace(sources=(self.source,), contact="", environment={"KEY": "k", "TOKEN": "t"})
        clock = await Clock.of(self.database)
        house = cast("Any", SimpleNamespace(db=self.database, settings=settings))
        told = Answering(house=house, cases=self.store, room=self.room, reading=self.reading, clock=clock)
        return await answer_due(told)

    async def looks(self) -> None:
        """Until there is nothing to send."""
        while await self.look():
            pass

    async def case(self) -> Case:
        (document,) = [each async for each in self.database["cases"].find({})]
        found = await self.store.get(document["_id"])
        assert found is not None
        return found

    async def states(self) -> list[str]:
        handling = (await self.case()).handling
        return [row.state for row in handling.answers] if handling else []

    async def hears(self, *kinds: str) -> None:
        for minute, kind in enumerate(kinds, 1):
            case = await self.case()
            await write(case, partial(_heard, each=said(case, kind, minute)), self.room)


def _heard(case: Case, each: Feedback) -> Case:
    return hear(case, "ZJJ", each, NOW, Limits())


def hotline(platform: Platform, **more: Any) -> HotlineSettings:
    return HotlineSettings(
        name="s", kind="hotline_12345", channel="hotline", mode=Mode.ROUTE, zone="Asia/Shanghai",
        requests_per_minute=6000, url=platform.url, key_env="KEY", answer_url=platform.url, **more,
    )  # fmt: skip


async def opened(database: Database, source: Source, of: Appeal | None = None, **context: str) -> Street:
    with TemporaryDirectory() as folder:
        reading = open_store(database, Sealer(database, make_keys(Path(folder) / "keys")))
    street = Street(database, source, of or appeal(), reading)
    await ensure_indexes(database)
    await street.store.insert([delivered("ZJJ")])
    await database["sources"].insert_one({"_id": source.name})
    row = Row(id="a1", native_id="n-a1", payload=b"{}", content=b"c", digest=b"d", context=context, scope="")
    await reading.raw.add([Comparison(what=What.NEW, row=row, revision=1, before=None)], source, reader=None, at=NOW)
    return street


async def test_status_and_reviewed_reply_reach_the_platform_in_order_and_once(
    mongo: Database, platform: Platform
) -> None:
    street = await opened(mongo, hotline(platform))
    await street.hears("received")
    assert await street.look() == 0, "a mere receipt is nobody's news"
    await street.hears("accepted", "contacted", "replied", "resolved")
    for _ in range(6):
        await street.look()
    assert [(each["orderState"], each.get("replyContent")) for each in platform.told] == [
        ("已签收", None),
        ("办理中", None),
    ]
    assert {each["orderId"] for each in platform.told} == {"n-a1"}
    assert {each["_key"] for each in platform.told} == {"k"}

    case = await street.case()
    assert public_face(case).reply is None, "nobody reviewed it"
    case = await write(case, lambda now: review(now, "王", "已修好", NOW), street.room)
    await write(case, lambda now: visit(now, Visit(reached=True, solved="yes"), "李", NOW), street.room)
    for _ in range(6):
        await street.look()
    assert [(each["orderState"], each.get("replyContent")) for each in platform.told[2:]] == [
        ("办理中", "已修好"),
        ("已办结", None),
    ]
    assert len(set(platform.ids)) == 4
    handling = (await street.case()).handling
    assert handling is not None
    assert {(row.state, row.receipt) for row in handling.answers} == {("sent", "R1")}
    answered = [sight.what for sight in await who_saw(mongo, case.id) if sight.who == "s"]
    assert answered == [f"收到回写 {row.status}" for row in handling.answers]


async def test_of_several_requests_all_is_told_done_only_when_all_of_it_is(mongo: Database, platform: Platform) -> None:
    street = await opened(mongo, hotline(platform))
    for id_, other in (("a1", "a1-2"), ("a1-2", "a1")):
        await mongo["cases"].delete_one({"_id": id_})
        await street.store.insert([replace(delivered("ZJJ"), id=id_, parts=[other])])

    async def closes(id_: str) -> None:
        case = await street.store.get(id_)
        assert case is not None
        for minute, kind in enumerate(("accepted", "replied", "resolved"), 1):
            case = await write(case, partial(_heard, each=said(case, kind, minute)), street.room)
        case = await write(case, lambda now: review(now, "王", f"修好{id_}", NOW), street.room)
        await write(case, lambda now: visit(now, Visit(reached=True, solved="yes"), "李", NOW), street.room)
        for _ in range(8):
            await street.look()

    await closes("a1")
    assert [each["orderState"] for each in platform.told][-1] == "办理中", "the other request is open"
    await closes("a1-2")
    assert [each["orderState"] for each in platform.told][-1] == "已办结"
    assert "已签收" not in [each["orderState"] for each in platform.told][1:], "it was further already"
    replies = [each["replyContent"] for each in platform.told if each.get("replyContent")]
    assert replies == ["（第1项）修好a1", "（第2项）修好a1-2"]
    assert {each["orderId"] for each in platform.told} == {"n-a1"}


async def parts(street: Street, *cases: Case) -> None:
    """Stand for the requests of one message."""
    await street.database["cases"].delete_one({"_id": "a1"})
    ids = [case.id for case in cases]
    await street.store.insert([replace(case, parts=[id_ for id_ in ids if id_ != case.id]) for case in cases])


def waiting(id_: str) -> Case:
    """One that a person must decide."""
    of, context = appeal(id_, "triage"), Context(mode=Mode.ROUTE)
    return replace(open_case(of, Mode.ROUTE, decide(of, context), context, NOW), native_id="n-a1")


async def ends_at_the_desk(street: Street, id_: str, fate: str = "informed") -> None:
    case = await street.store.get(id_)
    assert case is not None
    context = Context(mode=Mode.ROUTE)
    decision = decide(appeal(id_, fate), context)
    await write(case, lambda now: decide_again(now, decision, context, NOW), street.room)
    await street.looks()


async def closes(street: Street, id_: str) -> None:
    case = await street.store.get(id_)
    assert case is not None
    for minute, kind in enumerate(("accepted", "resolved"), 1):
        case = await write(case, partial(_heard, each=said(case, kind, minute)), street.room)
    await write(case, lambda now: visit(now, Visit(reached=True, solved="yes"), "李", NOW), street.room)
    await street.looks()


async def test_that_all_is_done_is_told_also_where_the_last_request_ends_at_the_desk(
    mongo: Database, platform: Platform
) -> None:
    street = await opened(mongo, hotline(platform))
    await parts(street, delivered("ZJJ"), waiting("a1-2"), waiting("a1-3"))
    await closes(street, "a1")
    assert platform.told[-1]["orderState"] == "办理中"
    before = len(platform.told)
    await ends_at_the_desk(street, "a1-2")
    assert len(platform.told) == before, "the third is open"
    await ends_at_the_desk(street, "a1-3")
    assert [(each["orderId"], each["orderState"]) for each in platform.told[before:]] == [("n-a1", "已办结")]
    assert not await listed(mongo)


async def test_a_request_that_ended_at_the_desk_before_holds_up_nobody_and_is_told_by_the_last(
    mongo: Database, platform: Platform
) -> None:
    street = await opened(mongo, hotline(platform))
    await parts(street, delivered("ZJJ"), waiting("a1-2"))
    await ends_at_the_desk(street, "a1-2")
    assert platform.told == []
    await closes(street, "a1")
    assert [each["orderState"] for each in platform.told] == ["已签收", "办理中", "已办结"]


async def is_taken_back(street: Street, id_: str) -> None:
    case = await street.store.get(id_)
    assert case is not None
    await write(case, lambda now: amend(now, revised(appeal(id_)), Change.WITHDRAWN, NOW), street.room)
    await street.looks()


async def test_the_author_s_taking_back_of_the_last_request_ends_all_of_it_and_of_everything_is_no_news(
    mongo: Database, platform: Platform
) -> None:
    street = await opened(mongo, hotline(platform))
    await parts(street, delivered("ZJJ"), waiting("a1-2"))
    await closes(street, "a1")
    before = len(platform.told)
    await is_taken_back(street, "a1-2")
    assert [each["orderState"] for each in platform.told[before:]] == ["已办结"]

    await mongo["cases"].delete_many({})
    await street.store.insert([delivered("ZJJ")])
    await parts(street, delivered("ZJJ"), waiting("a1-2"))
    case = await street.store.get("a1")
    assert case is not None
    await write(case, partial(_heard, each=said(case, "accepted", 1)), street.room)
    await street.looks()
    before = len(platform.told)
    await is_taken_back(street, "a1-2")
    await is_taken_back(street, "a1")
    assert platform.told[before:] == []


async def test_where_no_department_ever_had_any_of_it_the_platform_is_told_nothing(
    mongo: Database, platform: Platform
) -> None:
    street = await opened(mongo, hotline(platform))
    await parts(street, waiting("a1"), waiting("a1-2"))
    await ends_at_the_desk(street, "a1")
    await ends_at_the_desk(street, "a1-2")
    assert platform.told == []


async def test_an_order_that_was_signed_and_then_ends_at_the_desk_is_told_to_be_over(
    mongo: Database, platform: Platform
) -> None:
    street = await opened(mongo, hotline(platform))
    await street.hears("accepted")
    await street.looks()
    await ends_at_the_desk(street, "a1")
    assert [each["orderState"] for each in platform.told] == ["已签收", "已办结"]


async def test_who_dies_between_sending_and_marking_sends_it_again_under_the_same_id(
    mongo: Database, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = await opened(mongo, hotline(platform))
    await street.hears("accepted")
    with monkeypatch.context() as killed:

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        killed.setattr("intake.street.answering.answering.sent", die)
        with pytest.raises(KeyboardInterrupt):
            await street.look()
    assert await street.look() == 0, "somebody may still be at it"
    street.shift = LEASE + timedelta(seconds=1)
    assert await street.look() == 1
    assert len(platform.ids) == 2
    assert len(set(platform.ids)) == 1
    assert await street.states() == ["sent"]


async def test_a_platform_that_is_down_is_asked_again_ever_later_and_parked_at_its_deadline(
    mongo: Database, platform: Platform
) -> None:
    platform.status = 503
    street = await opened(mongo, hotline(platform))
    await street.hears("accepted")
    for minutes in (0, 2, 5, 10, 30, 90, 200, 400, 800, 1300, 1430, 1500):
        street.shift = timedelta(minutes=minutes)
        await street.look()
    assert await street.states() == ["parked"]
    assert (await street.store.lists.answers_parked())[0].id == "a1"
    assert len(set(platform.ids)) == 1
    platform.status = 200
    await mongo["sources"].update_one({}, {"$unset": {"budget": 1}})  # the breaker would leave it alone a while longer
    case = await street.case()
    await street.store.change(case, lambda now: again(now, street.room.moment(), timedelta(hours=1)))
    await street.look()
    assert await street.states() == ["sent"]
    assert len(set(platform.ids)) == 1


async def test_a_key_that_is_refused_parks_at_once(mongo: Database, platform: Platform) -> None:
    platform.status = 403
    street = await opened(mongo, hotline(platform))
    await street.hears("accepted")
    await street.look()
    assert await street.states() == ["parked"]
    assert len(platform.told) == 1
    (row,) = await listed(mongo, stage="answer")
    assert (row.id, row.source, row.message) == ("a1", "s", platform.ids[0])
    assert "403" in row.reason or "key" in row.reason
    assert await listed(mongo, stage="answer", source="another") == []
    assert await discard_answers(["a1"], "王：平台停用", street.room)
    assert await listed(mongo, stage="answer") == []


async def test_two_workers_send_it_once(mongo: Database, platform: Platform) -> None:
    street = await opened(mongo, hotline(platform))
    await street.hears("accepted")
    await asyncio.gather(*(street.look() for _ in range(5)))
    assert len(platform.told) == 1


async def test_a_declared_table_answers_any_interface(mongo: Database, platform: Platform) -> None:
    source = msgspec.convert(
        {
            "name": "s", "kind": "http_json", "channel": "news_comment", "mode": "route", "zone": "Asia/Shanghai",
            "requests_per_minute": 6000, "url": platform.url,
            "write_back": {
                "url": platform.url + "?uri={context.path}",
                "public": True,
                "json": {"answerId": "{id}", "parent": "{native_id}", "text": "{reply}", "author": "云泽市12345"},
            },
        },
        HttpJsonSettings,
    )  # fmt: skip
    street = await opened(mongo, source, path="/news/1.html")
    await street.hears("accepted", "replied")
    await write(await street.case(), lambda now: review(now, "王", "已修好〔门牌1〕", NOW), street.room)
    for _ in range(4):
        await street.look()
    (told,) = platform.told
    assert (told["parent"], told["text"]) == ("n-a1", "已修好〔门牌1〕")
    assert platform.asked == ["/news/1.html"], "what the page knew of the item is sealed with it"
    assert await street.states() == ["discarded", "discarded", "sent"]


@pytest.mark.parametrize(
    "of",
    [
        msgspec.structs.replace(appeal(), request_type=RequestType.REPORT),
        msgspec.structs.replace(appeal(), citizen=Citizen(ref="r", confidential=True)),
    ],
)
async def test_a_confidential_case_is_never_answered_in_public(mongo: Database, platform: Platform, of: Appeal) -> None:
    source = WalineSettings(
        name="s", kind="waline", channel="news_comment", mode=Mode.ROUTE, zone="Asia/Shanghai", url=platform.url,
        articles={"/n": "n"}, answer_as="云泽市12345",
    )  # fmt: skip
    street = await opened(mongo, source, of, path="/n")
    await street.hears("accepted", "replied")
    await write(await street.case(), lambda now: review(now, "王", "已修好", NOW), street.room)
    for _ in range(4):
        await street.look()
    assert platform.told == []
    assert set(await street.states()) == {"discarded"}
