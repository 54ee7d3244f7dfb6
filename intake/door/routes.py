"""Routes as tables (接口表): a file a caller, each with its routes and its own way of saying no.

Whoever adds a caller writes a `Table` and its line in door.py; what all share is here: time, size, limits, and that
nothing of a push ever stands in a log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, NamedTuple

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from connectors.receiving.contract import Pushed, Refused
from intake.door.forms import form_of
from intake.door.limits import TooMany
from intake.street.patience import fault, is_away

log = structlog.get_logger()

Handle = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


class Route(NamedTuple):
    """One thing that a caller may do. The last four are for the OpenAPI document."""

    method: str
    path: str  #: as aiohttp writes it; {source} is a source's name
    handle: Handle  #: the request, and what `find` gave
    summary: str  #: Chinese · English
    takes: Mapping[str, Any] = {}  #: media type -> type
    gives: Mapping[int, Any] = {}  #: status -> type
    query: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  #: further paths that are the same


class Table(NamedTuple):
    """What one kind of caller may do."""

    routes: tuple[Route, ...]
    refuse: Callable[[web.Request, Refused], web.Response]


class Terms(NamedTuple):
    """What holds for every request."""

    seconds: float
    behind_proxy: bool
    by_address: Callable[[str], None]  #: counts a request of this address, or refuses it


def add(app: web.Application, table: Table, find: Callable[[web.Request], Any], terms: Terms) -> None:
    """Put a table into the door; `find` gives what its handlers work with, or refuses."""
    for route in table.routes:
        for path in (route.path, *route.also):
            app.router.add_route(route.method, path, _guarded(route.handle, table, find, terms))


def _guarded(
    handle: Handle, table: Table, find: Callable[[web.Request], Any], terms: Terms
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            terms.by_address(address_of(request, behind_proxy=terms.behind_proxy))
            _must_fit(request)
            async with asyncio.timeout(terms.seconds):
                return await handle(request, find(request))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller is answered in its own way
            refused = _refused(error)
        response = table.refuse(request, refused)
        if isinstance(refused, TooMany):
            response.headers["Retry-After"] = str(refused.seconds)
        return response

    return guarded


def _must_fit(request: web.Request) -> None:
    """Believe a caller that says how much it brings: nothing of too much is read."""
    length = request.content_length or 0
    if length > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size, length)


def _refused(error: Exception) -> Refused:
    """Every end of a request as a status and a reason; a fault of ours is named in the log by its place alone."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Refused(413, "请求太大 · the request is too large")
    if isinstance(error, TimeoutError):
        return TooMany(2, 503, "没有及时收完或存好，请重发 · not in time, send it again")
    if is_away(error):
        return TooMany(2, 503, "服务暂时不可用，请稍后再试 · try again in a moment")
    if isinstance(error, web.RequestPayloadError | ConnectionError):
        return Refused(400, "请求体没有收全，或压缩不对 · the body is cut off, or its encoding is wrong")
    log.error("request failed", action="door_failed", error=fault(error))
    return Refused(500, "程序出错，已记录 · a fault of ours, noted")


def address_of(request: web.Request, *, behind_proxy: bool) -> str:
    """Who calls: the last address that our own proxy wrote down, or the other end of the line."""
    lines = request.headers.getall("X-Forwarded-For", []) if behind_proxy else []
    # Of several lines the last: what stands before our proxy's is the caller's own.
    told = lines[-1].rpartition(",")[2].strip() if lines else ""
    return told or request.remote or "-"


class _Told(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, HttpProcessingError):
            log.error("request failed", action="door_failed", error=fault(error))


def server_logger() -> logging.Logger:
    """Give what the HTTP server itself logs to: it quotes whatever came, a letter whose length was counted wrong too.

    Who speaks no HTTP was answered, and is nobody's news; a fault of ours is named by its place.
    """
    logger = logging.getLogger("intake.door")
    logger.propagate, logger.handlers = False, [_Told(logging.ERROR)]
    return logger


def head_of(request: web.Request) -> Pushed:
    """Read what stands before the body."""
    return Pushed(
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query),
        nonce=token_hex(12),
        at=datetime.now(UTC),
    )


async def pushed_of(request: web.Request) -> Pushed:
    """Read a request whole, in memory."""
    body = await request.read()
    fields, files = form_of(request.headers.get("Content-Type", ""), body)
    return msgspec.structs.replace(head_of(request), body=body, form=fields, files=files)


def json_answer(value: object, status: int = 200) -> web.Response:
    """Answer a value as JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
