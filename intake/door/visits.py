"""Call-backs by link (链接回访): GET shows the form and changes nothing, POST writes down the answer, once.

A link preview, a mail scanner or a second click does no harm. Nothing here rests on a cookie, so that no other page can
answer in a citizen's name; a form that another site sends is refused all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from aiohttp import web

from connectors.receiving.contract import Refused
from intake.door import visit_link, visit_page
from intake.door.forms import form_of
from intake.door.limits import Limit
from intake.door.routes import Route, Table, address_of
from intake.door.visit_link import PATH, Link
from normalizer.steps.mask import Masker
from router.cases.case import Case
from router.cases.centre import Satisfied, Solved, Visit
from router.cases.work import Work
from router.dispatch import SHANGHAI
from router.errors import MoveNotAllowed
from router.flow import Room
from router.visiting import visit_once

A_MINUTE = 600  #: requests of one address: a mobile network shows thousands of citizens as one
A_LINK = 20  #: requests a minute for one case
MOST_BYTES = 16 * 1024
CITIZEN = "诉求人（回访链接）"
_OVER = "此链接已经用过，或已过期。如仍有问题，请拨打 12345。· This link was used, or its time is over."
_UNKNOWN = "链接不完整或不正确，请核对短信里的链接。· This is no link of ours: check that it is complete."
_THANKS = "已收到，感谢您的反馈。· Thank you: your answer was taken down."
_AGAIN = "问题没有解决，已退回承办单位重新办理，办结后会再次回访。· It goes back to the department."


class Callback(NamedTuple):
    """What the handlers work with."""

    room: Room
    key: bytes
    by_address: Limit
    by_case: Limit
    behind_proxy: bool
    now: Callable[[], datetime]


async def ask(request: web.Request, desk: Callback) -> web.Response:
    """Show the form."""
    case = await _case(request, desk, _link(request, desk))
    return _html(visit_page.form(case.case_no, f"{case.opened_at.astimezone(SHANGHAI):%Y-%m-%d}"))


async def answer(request: web.Request, desk: Callback) -> web.Response:
    """Take the answer down."""
    _must_be_ours(request)
    link = _link(request, desk)
    fields = await _fields(request)
    case = await _case(request, desk, link)
    visit = _visit(fields)
    if visit is None:
        problem = "请回答“是否解决”和“是否满意”。· Please answer both."
        opened = f"{case.opened_at.astimezone(SHANGHAI):%Y-%m-%d}"
        return _html(visit_page.form(case.case_no, opened, problem), 400)
    try:
        after = await visit_once(case, link.answer, visit, CITIZEN, desk.room)
    except MoveNotAllowed as over:
        raise Refused(410, _OVER) from over
    work = after.handling.work if after.handling else None
    return _html(visit_page.said(_AGAIN if work is Work.REOPENED else _THANKS))


def refuse(_: web.Request, refused: Refused) -> web.Response:
    """Say no as a page."""
    return _html(visit_page.said(refused.reason), refused.status)


# ---------------------------------------------------------------- inside


def _link(request: web.Request, desk: Callback) -> Link:
    desk.by_address.take(address_of(request, behind_proxy=desk.behind_proxy))
    link = visit_link.opened(request.match_info["token"], desk.key)
    if link is None:
        raise Refused(404, _UNKNOWN)
    desk.by_case.take(link.case)
    if link.until < desk.now():
        raise Refused(410, _OVER)
    return link


async def _case(_: web.Request, desk: Callback, link: Link) -> Case:
    case = await desk.room.store.get(link.case)
    work = case.handling.work if case is not None and case.handling else None
    if case is None or work is not Work.CALLBACK or visit_link.answer_of(case) != link.answer:
        raise Refused(410, _OVER)
    return case


def _must_be_ours(request: web.Request) -> None:
    """Browsers say where a form comes from; who sends none is no browser, and nothing rides on a session."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = site is not None and site not in {"same-origin", "none"}
    if not foreign and site is None and origin not in {None, "null"}:
        foreign = urlsplit(origin or "").netloc != request.host
    if foreign:
        raise Refused(403, "请从短信里的链接打开后提交。· Open the link itself and answer there.")


async def _fields(request: web.Request) -> Mapping[str, str]:
    if (request.content_length or 0) > MOST_BYTES:
        raise Refused(413, "内容太长。· too long")
    body = b""
    async for part in request.content.iter_any():  # a slow telephone sends it bit by bit
        body += part
        if len(body) > MOST_BYTES:
            raise Refused(413, "内容太长。· too long")
    kind = request.headers.get("Content-Type", "")
    if kind.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Refused(415, "请用页面上的表单提交。· Use the form of the page.")
    return form_of(kind, body)[0]


def _visit(fields: Mapping[str, str]) -> Visit | None:
    """Read the answer; None where what is needed is missing. Free text is masked."""
    chosen = {name: fields.get(name) for name in visit_page.QUESTIONS}
    for name, value in chosen.items():
        known = visit_page.QUESTIONS[name][1]
        if value not in known and (name in visit_page.NEEDED or value):
            return None
    comment = _printable(fields.get("comment", "").strip())[: visit_page.MOST_COMMENT]
    return Visit(
        reached=True,
        contacted={"yes": True, "no": False}.get(chosen["contacted"] or ""),
        solved=cast("Solved", chosen["solved"]),
        satisfied=cast("Satisfied", chosen["satisfied"]),
        channel="link",
        comment=Masker().mask("comment", comment) if comment else None,
    )


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")


def _html(page: str, status: int = 200) -> web.Response:
    return web.Response(text=page, status=status, content_type="text/html", charset="utf-8", headers=visit_page.HEADERS)


TABLE = Table(
    routes=(
        Route("GET", PATH + "{token}", ask, "回访页 · the form of a call-back"),
        Route("POST", PATH + "{token}", answer, "提交回访 · take the answer down, once"),
    ),
    refuse=refuse,
)
