"""Civic apps (Open311 GeoReport v2 服务端): /open311/<source>/…, in JSON and XML, with the errors of the standard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from aiohttp import web

from connectors.channels.open311_server import Open311ServerSettings
from connectors.receiving.contract import Refused
from intake.door import open311_forms as forms
from intake.door.desk import Desk
from intake.door.looking import Shown
from intake.door.open311_forms import (
    Definition,
    Discovery,
    Endpoint,
    Error,
    Format,
    Posted,
    Service,
    ServiceRequest,
    Token,
)
from intake.door.routes import Handle, Route, Table

LONGEST = timedelta(days=90)
YEARS = range(1900, 2200)  #: beyond them nobody can reckon 90 days on or back
MOST = 1000
MOST_IDS = 200
_TOKEN = re.compile(r"[0-9a-v]{24}(?:-[1-9][0-9]?)?")  #: what a receipt looks like
CHANGESET = "2026-11-22T00:00:00+08:00"  #: of this interface


async def discovery(request: web.Request, desk: Desk) -> web.Response:
    """Tell where the endpoint is."""
    found = Discovery(
        changeset=CHANGESET,
        contact="",
        key_service="",
        endpoints=[Endpoint(url=f"{desk.public_url}/open311/{desk.source.name}", changeset=CHANGESET)],
    )
    return forms.answer_one(_format(request), "discovery", found)


async def services(request: web.Request, desk: Desk) -> web.Response:
    """List our classes; their group is the class above."""
    _must_be_ours(request.query, desk)
    listed = [forms.service_of(each) for each in desk.tables.normalizer.classes.values()]
    return forms.answer(_format(request), "services", "service", listed)


async def service(request: web.Request, desk: Desk) -> web.Response:
    """No further questions are asked of any."""
    _must_be_ours(request.query, desk)
    code = request.match_info["code"]
    if code not in desk.tables.normalizer.classes:
        raise Refused(404, f"service_code {_shown(code)} was not found")
    return forms.answer_one(_format(request), "service_definition", Definition(service_code=code))


async def post(request: web.Request, desk: Desk) -> web.Response:
    """Take a request in; answer when it is stored."""
    pushed = await desk.read(request)
    _must_be_ours(pushed.form, desk)
    code = pushed.form.get("service_code", "").strip()
    known = desk.tables.normalizer.classes.get(code)
    if code and known is None:
        raise Refused(400, f"service_code {_shown(code)} is not one of /services")
    named = {**pushed.form, **({"service_name": known.name} if known else {})}
    (native_id,) = (await desk.take(msgspec.structs.replace(pushed, form=named))).page.offered
    receipt, account = desk.receipt(native_id), pushed.form.get("account_id", "")
    if _settings(desk).answer_with == "token":
        posted = Posted(token=receipt, account_id=account)
    else:
        posted = Posted(service_request_id=receipt, account_id=account)
    return forms.answer(_format(request), "service_requests", "request", [posted], 201)


async def token(request: web.Request, desk: Desk) -> web.Response:
    """Tell the request that a token stands for, once there is one that anybody may see.

    Whoever guesses learns nothing: a token that was never given, one whose request is not decided yet and one of a
    confidential request are answered alike.
    """
    _must_be_ours(request.query, desk)
    asked = request.match_info["id"]
    if _TOKEN.fullmatch(asked) is None:
        raise Refused(404, "token was not found")
    known = any(map(forms.is_public, await desk.look.by_ids([asked])))
    found = [Token(service_request_id=asked if known else None, token=asked)]
    return forms.answer(_format(request), "service_requests", "request", found)


async def one(request: web.Request, desk: Desk) -> web.Response:
    """Tell what is public of one request."""
    _must_be_ours(request.query, desk)
    found = [each for each in await desk.look.by_ids([request.match_info["id"]]) if forms.is_public(each)]
    if not found:
        raise Refused(404, "service_request_id was not found")
    return _listed(request, desk, found)


async def many(request: web.Request, desk: Desk) -> web.Response:
    """Tell what is public of those that are asked for: by their ids, or 90 days and 1,000 at most."""
    query = request.query
    _must_be_ours(query, desk)
    ids = _several(query, "service_request_id")
    if len(ids) > MOST_IDS:
        raise Refused(400, f"service_request_id: at most {MOST_IDS} at once")
    if ids:
        return _listed(request, desk, [each for each in await desk.look.by_ids(ids) if forms.is_public(each)])
    since, until = _span(query)
    wanted, changed = set(_several(query, "status")), _moment(query, "updated_after")
    size, page = _number(query, "page_size", MOST), _number(query, "page", 1)
    found = desk.look.posted(since, until, _several(query, "service_code"))
    skipped, shown = (page - 1) * size, list[Shown]()
    async for each in _matching(found, wanted, changed):
        if skipped:
            skipped -= 1
            continue
        shown.append(each)
        if len(shown) == size:
            break
    return _listed(request, desk, shown)


async def _matching(found: AsyncIterator[Shown], wanted: set[str], changed: datetime | None) -> AsyncIterator[Shown]:
    async for each in found:
        if not forms.is_public(each) or (wanted and each.face.status not in wanted):
            continue
        if changed is None or each.face.updated_at >= changed:
            yield each


def _listed(request: web.Request, desk: Desk, shown: list[Shown]) -> web.Response:
    rows = [forms.request_of(each, desk.tables.router.directory) for each in shown]
    return forms.answer(_format(request), "service_requests", "request", rows)


def refuse(request: web.Request, refused: Refused) -> web.Response:
    """Say no as the standard does: 403 for every fault of a key."""
    status = 403 if refused.status == 401 else refused.status  # noqa: PLR2004  the standard has no other
    return forms.errors(_format(request), Refused(status, refused.reason))


def _format(request: web.Request) -> Format:
    return "json" if request.path.endswith(".json") else "xml"


def _settings(desk: Desk) -> Open311ServerSettings:
    assert isinstance(desk.source, Open311ServerSettings)
    return desk.source


def _must_be_ours(asked: Mapping[str, str], desk: Desk) -> None:
    ours, named = _settings(desk).jurisdiction_id, asked.get("jurisdiction_id", "").strip()
    if ours and named and named != ours:
        raise Refused(404, "jurisdiction_id was not found")


def _span(query: Mapping[str, str]) -> tuple[datetime, datetime]:
    """Both ends are in it; one alone gives the other, neither the last 90 days."""
    since, until = _moment(query, "start_date"), _moment(query, "end_date")
    if since is None:
        until = until or datetime.now(UTC) + timedelta(minutes=1)
        since = until - LONGEST
    elif until is None:
        until = since + LONGEST
    if until - since > LONGEST + timedelta(days=1):
        raise Refused(400, "start_date and end_date may span at most 90 days")
    return since, until + timedelta(milliseconds=999)


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    written = query.get(name, "").strip()
    if not written:
        return None
    try:
        # A + that nobody encoded is a blank.
        moment: datetime | None = datetime.fromisoformat(written.replace(" ", "+") if "T" in written else written)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        raise Refused(400, f"{name} is no time, write 2026-11-22T00:00:00+08:00")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    written = query.get(name, "").strip()
    if not written:
        return otherwise
    if not written.isascii() or not written.isdecimal() or len(written) > 6 or not int(written):  # noqa: PLR2004
        raise Refused(400, f"{name} is no number from 1 on")
    return min(int(written), MOST) if name == "page_size" else int(written)


def _several(query: Mapping[str, str], name: str) -> list[str]:
    return [each.strip() for each in query.get(name, "").split(",") if each.strip()]


def _shown(code: str) -> str:
    """As it was sent, where it could be a code."""
    return code if code.isascii() and code.isalnum() and len(code) <= 32 else "as sent"  # noqa: PLR2004


def _both(path: str) -> tuple[str, tuple[str, ...]]:
    return f"/open311/{{source}}/{path}.json", (f"/open311/{{source}}/{path}.xml",)


_FILTERS = (
    "service_request_id", "service_code", "start_date", "end_date", "status", "updated_after",
    "page", "page_size",
)  # fmt: skip
_FORM = {"application/x-www-form-urlencoded": dict[str, str], "multipart/form-data": dict[str, str]}
_NO = {400: list[Error], 403: list[Error], 404: list[Error]}


def _route(method: str, path: str, handle: Handle, summary: str, gives: object, *query: str) -> Route:
    main, also = _both(path)
    if method == "POST":
        return Route(method, main, handle, summary, _FORM, {201: gives, **_NO}, also=also)
    return Route(method, main, handle, summary, {}, {200: gives, **_NO}, (*query, "jurisdiction_id"), also)


TABLE = Table(
    routes=(
        _route("GET", "discovery", discovery, "发现 · discovery", Discovery),
        _route("GET", "services", services, "服务清单 · list of services", list[Service]),
        _route("GET", "services/{code}", service, "服务定义 · one service", Definition),
        _route("POST", "requests", post, "提交请求 · post a request", list[Posted]),
        _route("GET", "requests", many, "查询请求 · find requests", list[ServiceRequest], *_FILTERS),
        _route("GET", "requests/{id}", one, "一条请求 · one request", list[ServiceRequest]),
        _route("GET", "tokens/{id}", token, "凭条换编号 · the id of a token", list[Token]),
    ),
    refuse=refuse,
)
