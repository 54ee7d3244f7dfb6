"""Answering beneath a comment and by a declared table: once, with a receipt, and each refusal to its own group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.answering.comments import Account, WalineAnswers
from connectors.answering.declared import DeclaredAnswers, receipt_of, request_of, stands, values_of
from connectors.answering.order import order_table
from connectors.answering.table import AnswerTable, not_for
from connectors.asking.http import fetch_for
from connectors.asking.session import open_session
from connectors.base import Answer, Request, Response
from connectors.channels.waline import WalineSettings
from connectors.errors import AccessDenied, FormatChanged, SourceDown, TryLater
from connectors.raw_appeal import Mode

AT = datetime(2026, 11, 22, tzinfo=UTC)
ANSWER = Answer(id="a" * 32, status="in_progress", reply="已安排维修，三日内恢复。", at=AT)


class Thread:
    """A Waline server with one article: ids are hex, replies hang on their root, markup is rendered."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.errno = 0
        self.receipts = "told"
        self.url = ""
        self.tokens: list[str | None] = []

    def add(self, name: str, comment: str, pid: str = "", rid: str = "", nick: str = "市民") -> dict[str, Any]:
        row = {"objectId": name, "comment": comment, "nick": nick, "pid": pid, "rid": rid, "time": 0}
        self.rows.append(row)
        return row

    async def show(self, request: web.Request) -> web.Response:
        roots = [row for row in self.rows if not row["rid"]]
        size, page = 1, int(request.query["page"])
        shown = [
            root | {"children": [row for row in self.rows if row["rid"] == root["objectId"]]}
            for root in roots[(page - 1) * size : page * size]
        ]
        data = {"page": page, "totalPages": len(roots), "count": len(self.rows), "data": shown}
        return web.json_response({"errno": 0, "errmsg": "", "data": data})

    async def take(self, request: web.Request) -> web.Response:
        if self.errno:
            return web.json_response({"errno": self.errno, "errmsg": "no"})
        self.tokens.append(request.headers.get("Authorization"))
        told = await request.json()
        row = self.add(f"r{len(self.rows)}", f"<p>{told['comment']}</p>", told["pid"], told["rid"], told["nick"])
        if self.receipts == "lost":
            return web.Response(status=502)  # by what stands before the server
        return web.json_response({"errno": 0, "errmsg": "", "data": row})


@pytest.fixture
async def thread() -> AsyncIterator[Thread]:
    found = Thread()
    app = web.Application()
    app.router.add_get("/api/comment", found.show)
    app.router.add_post("/api/comment", found.take)
    async with TestServer(app) as server:
        found.url = str(server.make_url("/api/comment"))
        yield found


async def replied(thread: Thread, native_id: str, answer: Answer = ANSWER) -> str | None:
    source = WalineSettings(
        name="s", kind="waline", channel="news_comment", mode=Mode.ROUTE, zone="Asia/Shanghai", url=thread.url,
        articles={"/n": "n"},
    )  # fmt: skip
    async with open_session([source]) as session:
        fetch = fetch_for(source, [thread.url], session, contact="c", now=lambda: datetime.now(UTC))
        account = Account(name="云泽市12345", mail="a@example.gov.cn", token="t")
        return (await WalineAnswers("s", thread.url, account, fetch).answer(native_id, {"path": "/n"}, answer)).id


async def test_a_reply_hangs_beneath_its_comment_and_is_written_once(thread: Thread) -> None:
    thread.add("c1", "灯坏了")
    thread.add("c2", "停水了")
    thread.add("c3", "我家也是", "c2", "c2")
    first = await replied(thread, "c3")
    assert first == await replied(thread, "c3")
    (ours,) = [row for row in thread.rows if row["nick"] == "云泽市12345"]
    assert (ours["pid"], ours["rid"], first) == ("c3", "c2", ours["objectId"])
    assert thread.tokens == ["Bearer t"]
    assert await replied(thread, "c1") != first, "the same words to somebody else are another reply"


async def test_a_reply_whose_receipt_was_lost_on_the_way_is_not_written_a_second_time(thread: Thread) -> None:
    """Everybody can read it there. Sent again, it looks first whether it stands there already."""
    thread.add("c1", "灯坏了")
    thread.receipts = "lost"
    with pytest.raises(TryLater):
        await replied(thread, "c1")
    thread.receipts = "told"

    assert await replied(thread, "c1") is not None
    assert len([row for row in thread.rows if row["nick"] == "云泽市12345"]) == 1


async def test_a_declared_answer_is_sent_once_by_each_look_of_the_outbox(thread: Thread) -> None:
    thread.receipts = "lost"
    table = AnswerTable(
        url=thread.url, json={"comment": "{reply}", "pid": "{native_id}", "rid": "", "nick": "{name}"}, name="n"
    )
    source = WalineSettings(
        name="s", kind="waline", channel="news_comment", mode=Mode.ROUTE, zone="Asia/Shanghai", url=thread.url,
        articles={"/n": "n"},
    )  # fmt: skip
    async with open_session([source]) as session:
        fetch = fetch_for(source, [thread.url], session, contact="c", now=lambda: datetime.now(UTC))
        with pytest.raises(TryLater):
            await DeclaredAnswers("s", table, fetch, {}).answer("1", {}, ANSWER)

    assert len(thread.rows) == 1


async def test_what_cannot_be_answered_says_what_to_do(thread: Thread) -> None:
    with pytest.raises(FormatChanged, match="not there any more"):
        await replied(thread, "gone")
    thread.add("c1", "灯坏了")
    for errno, group in ((401, AccessDenied), (1000, SourceDown)):
        thread.errno = errno
        with pytest.raises(group):
            await replied(thread, "c1")


def response(status: int = 200, body: bytes = b'{"success":true,"data":{"receiptId":7}}') -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=body, fetched_at=AT)


def test_an_order_platform_is_told_state_and_reply_under_one_id() -> None:
    table = order_table("https://p.example/answers", "KEY", "x-api-key")
    made = request_of(table, "2026/1", {}, ANSWER, "k")
    assert isinstance(made, Request)
    assert (made.method, made.headers["x-api-key"]) == ("POST", "k")
    assert made.body is not None
    assert ANSWER.id in made.body.decode()
    assert "办理中" in made.body.decode()
    assert receipt_of(response(), table, "s").id == "7"
    with pytest.raises(TryLater):
        receipt_of(response(body=b'{"success":false}'), table, "s")
    with pytest.raises(FormatChanged):
        receipt_of(response(404), table, "s")


def test_what_a_source_wrote_cannot_lead_an_answer_elsewhere() -> None:
    table = AnswerTable(url="https://p.example/o/{native_id}?u={context.path}", json={"r": "{reply}"})
    made = request_of(table, "../../x?y", {"path": "/a&b=c#d"}, ANSWER, "")
    assert made.url == "https://p.example/o/..%2F..%2Fx%3Fy?u=%2Fa%26b%3Dc%23d"


def test_a_receiver_without_our_ids_is_looked_at_first() -> None:
    values = values_of(AnswerTable(url="https://x", name="云泽市12345"), "5", {}, ANSWER, "")
    row = {"id": 9, "parent": 5, "text": f"<p>{ANSWER.reply}</p>", "author": "云泽市12345", "replies": []}
    assert stands({"replies": [row]}, values)
    assert not stands({"replies": [row | {"parent": 6}]}, values)
    assert not stands({"replies": [row | {"author": "别人"}]}, values)
    assert not stands({"replies": [row | {"text": "别的话"}]}, values)


@pytest.mark.parametrize(
    ("reply", "public", "confidential", "is_for_it"),
    [(None, True, False, False), ("a", True, False, True), ("a", True, True, False), ("a", False, True, True)],
)
def test_in_public_only_replies_are_shown_and_never_to_a_confidential_case(
    reply: str | None, public: bool, confidential: bool, is_for_it: bool
) -> None:
    assert (not_for(reply, public=public, confidential=confidential) is None) is is_for_it


def test_a_table_that_nobody_would_read_is_a_problem_of_the_settings() -> None:
    assert AnswerTable(url="ftp://x", json={"a": "b"}, form={"a": "b"}).problems() != []
    assert AnswerTable(url="https://x", json={"a": "{reply}"}).problems() == []
