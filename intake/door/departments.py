"""Departments that cannot speak AMQP (网闸): the same queue, the same ids, over HTTP.

GET  /departments/<code>/messages                         lends messages
POST /departments/<code>/ack, …/reject                    gives them back
POST /departments/<code>/feedback                         says something of a case
POST /departments/<code>/cases/<case>/contact, …/matter   shows what a message leaves out, with a reason
GET  /departments/<code>/cases/<case>/text, …/attachments/<id>
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from connectors.receiving.contract import Refused
from intake.door.limits import Limit
from intake.door.logins import Logins
from intake.door.media import MediaStore
from intake.door.routes import Route, Table, address_of, json_answer
from intake.rights.accesses import Seen, note
from intake.rights.contact import NotShown, Shown, show
from intake.rights.custody import Custody
from normalizer.appeal import Appeal, RequestType, message_of
from normalizer.vault import Part
from router.cases.case import Case, holders
from router.dispatching.directory import CODE, Directory
from router.dispatching.leasing import LEASE, MOST_LENT, Login, Settled
from router.dispatching.topology import queue_of, urgent_queue_of
from router.errors import BrokerRefuses
from router.feedback import Feedback
from router.listening import MOST_BYTES

MOST = 100  #: messages in one answer
A_MINUTE = 3_000.0  #: requests of one login
TRIES_A_MINUTE = 30.0  #: logins of one name from one address
_LANES: Mapping[str, Callable[[str], str]] = {"": queue_of, "urgent": urgent_queue_of}

Body = TypeVar("Body")

_FEEDBACK: msgspec.json.Decoder[Feedback] = msgspec.json.Decoder(Feedback)


@dataclass(frozen=True)
class Counter:
    """What a handler is handed."""

    logins: Logins
    directory: Callable[[], Directory]  #: the one in force now
    custody: Custody
    media: MediaStore
    load_appeals: Callable[[Sequence[tuple[str, int]]], Awaitable[Mapping[tuple[str, int], Appeal]]]
    limit: Limit  #: of a login
    tries: Limit  #: of a name at an address
    behind_proxy: bool


class _Caller(NamedTuple):
    code: str
    login: Login


class Lent(Struct, frozen=True, kw_only=True):
    """取到的消息: each as `intake schema dispatch` says; acknowledge it within the lease, or it comes again."""

    messages: list[msgspec.Raw]
    lease_seconds: int


class Ids(Struct, frozen=True, kw_only=True):
    """消息编号."""

    ids: Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(max_length=MOST_LENT)]


class Said(Struct, frozen=True, kw_only=True):
    """已送达: what becomes of it is told by `feedback.outcome.v1` in the department's queue."""

    id: str


class Asked(Struct, frozen=True, kw_only=True):
    """查看联系方式或事项信息: who looks, and why; both are kept."""

    handler: Annotated[str, Meta(min_length=1, max_length=100)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class WholeText(Struct, frozen=True, kw_only=True):
    """全文, masked: of a message whose text was cut."""

    case: str
    revision: int
    title: str
    text: str


class Refusal(Struct, frozen=True, kw_only=True):
    """出错."""

    error: str
    message: str


# ---------------------------------------------------------------- messages


async def messages(request: web.Request, counter: Counter) -> web.Response:
    """Lend what lies in the department's queue."""
    most = request.query.get("max", str(MOST))
    lane = _LANES.get(request.query.get("lane", ""))
    if not re.fullmatch(r"[1-9][0-9]{0,5}", most) or lane is None:
        raise Refused(400, "max 是正整数，lane 只有 urgent · max is a number from 1, lane is urgent or nothing")
    caller = await _caller(request, counter)
    if caller.login.lent >= MOST_LENT:
        raise Refused(409, "取走未确认的太多，请先确认 · too many on loan: acknowledge first")
    try:
        bodies = await caller.login.pull(lane(caller.code), min(int(most), MOST))
    except BrokerRefuses as refused:
        raise Refused(404, "没有这个队列，请联系热线中心 · there is no such queue: ask the centre") from refused
    return json_answer(Lent(messages=[msgspec.Raw(body) for body in bodies], lease_seconds=round(LEASE)))


async def acknowledge(request: web.Request, counter: Counter) -> web.Response:
    """Take them off the queue: they are stored at the department."""
    return await _settle(request, counter, well=True)


async def reject(request: web.Request, counter: Counter) -> web.Response:
    """Send back what the department's program cannot read; the centre sees it."""
    return await _settle(request, counter, well=False)


async def _settle(request: web.Request, counter: Counter, *, well: bool) -> web.Response:
    caller = await _caller(request, counter)
    ids = _read(await request.read(), Ids).ids
    return json_answer(await caller.login.settle(ids, well=well))


async def say(request: web.Request, counter: Counter) -> web.Response:
    """Send feedback on under the department's own name; answered once the broker has stored it."""
    caller = await _caller(request, counter)
    body = await request.read()
    if len(body) > MOST_BYTES:
        raise Refused(413, "反馈不超过 256 KiB · feedback has at most 256 KiB")
    try:
        said = _FEEDBACK.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Refused(400, f"看不懂，见 intake schema feedback · not understood: {wrong}") from wrong
    await caller.login.say(caller.code, body)
    return json_answer(Said(id=said.id), 202)


# ---------------------------------------------------------------- of one case


async def contact(request: web.Request, counter: Counter) -> web.Response:
    """Show the caller's contact to the lead; never of a 举报."""
    return await _shown(request, counter, Part.CONTACT)


async def matter(request: web.Request, counter: Counter) -> web.Response:
    """Show the matter's data that the directory grants."""
    return await _shown(request, counter, Part.MATTER)


async def _shown(request: web.Request, counter: Counter, part: Part) -> web.Response:
    caller = await _caller(request, counter)
    asked = _read(await request.read(), Asked)
    case = await _case(request, caller, counter)
    actor = f"{caller.login.user}（{asked.handler}）"
    try:
        shown = await show(
            case, part, caller.code, counter.directory(), counter.custody, actor=actor, reason=asked.reason
        )
    except NotShown as refused:
        raise Refused(403, str(refused)) from refused
    return json_answer(shown)


async def text(request: web.Request, counter: Counter) -> web.Response:
    """Give the whole masked text of what was sent last."""
    caller = await _caller(request, counter)
    case = await _case(request, caller, counter)
    appeal = await _sent(case, caller, counter)
    await _note(case, Seen.TEXT, caller, counter)
    return json_answer(WholeText(case=case.id, revision=appeal.revision, title=appeal.title, text=appeal.text))


async def attachment(request: web.Request, counter: Counter) -> web.StreamResponse:
    """Give a picture that we keep; who fetched it is written down first."""
    caller = await _caller(request, counter)
    case = await _case(request, caller, counter)
    appeal = await _sent(case, caller, counter)
    secret = appeal.citizen.confidential or appeal.request_type is RequestType.REPORT
    found = next((each for each in appeal.attachments if each.id == request.match_info["attachment"]), None)
    if found is None or found.sha256 is None or (secret and (found.media_type or "").startswith("audio")):
        raise Refused(404, "没有这个附件 · no such attachment")
    await _note(case, Seen.ATTACHMENT, caller, counter)
    medium = await counter.media.open(message_of(case.id), found.sha256)
    if medium is None:
        raise Refused(404, "附件未保存或已到期销毁 · it was not kept, or its time is over")
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return web.Response(body=medium.body, content_type=medium.media_type, headers=headers)


async def _note(case: Case, what: Seen, caller: _Caller, counter: Counter) -> None:
    actor, at = caller.login.user, counter.custody.now()
    await note(counter.custody.db, [case.id], what, actor=actor, reason="办理", at=at, department=caller.code)


async def _case(request: web.Request, caller: _Caller, counter: Counter) -> Case:
    """Find a case that this department has; of others it is not even told that they are there."""
    case = await counter.custody.cases.get(request.match_info["case"])
    if case is None or caller.code not in holders(case):
        raise Refused(404, "本单位没有这件工单 · this department does not have such a case")
    return case


async def _sent(case: Case, caller: _Caller, counter: Counter) -> Appeal:
    revision = max(row.revision for row in case.dispatches if row.department == caller.code)
    appeals = await counter.load_appeals([(case.id, revision)])
    if (case.id, revision) not in appeals:
        raise Refused(404, "内容已到期销毁 · its time is over")
    return appeals[case.id, revision]


# ---------------------------------------------------------------- who calls


async def _caller(request: web.Request, counter: Counter) -> _Caller:
    """Know the department by its own login at the broker; it reaches its own code alone."""
    code = request.match_info["code"]
    try:
        user, password = _basic(request.headers.get("Authorization", ""))
    except ValueError as wrong:
        raise Refused(401, "请用本单位队列账号（HTTP Basic）· log in with the department's own login") from wrong
    if not CODE.fullmatch(code) or user not in {f"dept.{code}.a", f"dept.{code}.b"}:
        raise Refused(403, "只能用本单位账号取本单位的件 · only a department's own login reaches it")
    address = address_of(request, behind_proxy=counter.behind_proxy)
    try:
        login = await counter.logins.of(user, password, lambda: counter.tries.take(f"{address} {user}"))
    except BrokerRefuses as refused:
        raise Refused(401, "账号或密码不对 · wrong user or password") from refused
    counter.limit.take(user)
    return _Caller(code, login)


def _basic(header: str) -> tuple[str, str]:
    """User and password of HTTP Basic (RFC 7617); ValueError where there are none."""
    scheme, _, shown = header.partition(" ")
    user, colon, password = base64.b64decode(shown.strip(), validate=True).decode().partition(":")
    if scheme.lower() != "basic" or not colon or not f"{user}{password}".isprintable():
        raise ValueError(scheme)
    return user, password


def _read(body: bytes, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise Refused(400, f"看不懂，见 intake schema door · not understood: {wrong}") from wrong


def refuse(_: web.Request, refused: Refused) -> web.Response:
    """Say no as JSON."""
    answer = json_answer(Refusal(error=str(refused.status), message=refused.reason), refused.status)
    if refused.status == 401:  # noqa: PLR2004 - programs ask without a login first
        answer.headers["WWW-Authenticate"] = 'Basic realm="intake", charset="UTF-8"'
    return answer


_NO = dict.fromkeys((400, 401, 403, 429, 503), Refusal)
_HERE = "/departments/{code}"
_CASE = _HERE + "/cases/{case}"
_JSON = "application/json"

TABLE = Table(
    routes=(
        Route(
            "GET",
            f"{_HERE}/messages",
            messages,
            "取消息，限时确认 · messages on loan",
            gives={200: Lent, 404: Refusal, 409: Refusal, **_NO},
            query=("max", "lane"),
        ),
        Route(
            "POST",
            f"{_HERE}/ack",
            acknowledge,
            "确认：已存好 · stored: take them off the queue",
            takes={_JSON: Ids},
            gives={200: Settled, **_NO},
        ),
        Route(
            "POST",
            f"{_HERE}/reject",
            reject,
            "看不懂，退回 · cannot be read",
            takes={_JSON: Ids},
            gives={200: Settled, **_NO},
        ),
        Route(
            "POST",
            f"{_HERE}/feedback",
            say,
            "反馈：签收、办理、退单、答复… · feedback",
            takes={_JSON: Feedback},
            gives={202: Said, 413: Refusal, **_NO},
        ),
        Route(
            "POST",
            f"{_CASE}/contact",
            contact,
            "查看诉求人联系方式，留痕 · the caller's contact, recorded",
            takes={_JSON: Asked},
            gives={200: Shown, 404: Refusal, **_NO},
        ),
        Route(
            "POST",
            f"{_CASE}/matter",
            matter,
            "查看事项信息，留痕 · which flat, which car, recorded",
            takes={_JSON: Asked},
            gives={200: Shown, 404: Refusal, **_NO},
        ),
        Route(
            "GET", f"{_CASE}/text", text, "全文，已脱敏 · the whole text", gives={200: WholeText, 404: Refusal, **_NO}
        ),
        Route(
            "GET",
            _CASE + "/attachments/{attachment}",
            attachment,
            "附件，留痕 · an attachment, recorded",
            gives={404: Refusal, **_NO},
        ),
    ),
    refuse=refuse,
)
