"""Interfaces that one logs in to, and what they say when a session has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from connectors.asking.http import fetch_for
from connectors.base import Response
from connectors.channels.http_json.connector import HttpJson
from connectors.channels.http_json.sessions import cookies_in
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.errors import AccessDenied
from tests.connectors.recording import ids_of, position, read

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LOG_IN = '<html><form action="/login"><input name="user"><input type="password" name="p"></form></html>'
ENVIRONMENT = {"CITY_USER": "clerk", "CITY_PASSWORD": "s-1"}


class Platform:
    """A 12345 platform as some cities run it: a log-in by form, JSON as text/html, an ended session is HTTP 200."""

    def __init__(self) -> None:
        self.url = ""
        self.sessions: set[str] = set()
        self.made = 0
        self.lists = 0
        self.ends_at: set[int] = set()
        self.password = "s-1"

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if form.get("user") != "clerk" or form.get("password") != self.password:
            return web.Response(text=LOG_IN, content_type="text/html")
        self.made += 1
        self.sessions.add(f"s{self.made}")
        answer = web.Response(status=302, headers={"Location": "/home"})
        answer.set_cookie("PHPSESSID", f"s{self.made}", path="/")
        answer.set_cookie("lang", "zh", path="/")
        return answer

    async def home(self, request: web.Request) -> web.StreamResponse:
        """It hands everybody a new session who comes without one."""
        answer = web.Response(text="<html>home</html>", content_type="text/html")
        if request.method != "GET" or "PHPSESSID" not in request.cookies:
            answer.set_cookie("PHPSESSID", "nobody", path="/")
        return answer

    async def orders(self, request: web.Request) -> web.StreamResponse:
        self.lists += 1
        if self.lists in self.ends_at:
            self.sessions.clear()
        if request.cookies.get("PHPSESSID") not in self.sessions:
            return web.Response(text=LOG_IN, content_type="text/html")
        page = int(request.query["page"])
        rows = [{"id": f"{page}{each}", "t": "words"} for each in "ab"] if page < 4 else []
        return web.Response(body=msgspec.json.encode({"res": rows}), content_type="text/html")

    async def token(self, request: web.Request) -> web.StreamResponse:
        assert "Authorization" not in request.headers, "a token that has ended is not shown to the log-in"
        told = await request.json()
        if told != {"account": "clerk", "password": self.password}:
            return web.json_response({"code": 500, "data": None})
        self.made += 1
        self.sessions.add(f"t{self.made}")
        return web.json_response({"code": 0, "data": {"token": f"t{self.made}"}})

    async def tokened(self, request: web.Request) -> web.StreamResponse:
        self.lists += 1
        if self.lists in self.ends_at:
            self.sessions.clear()
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.sessions:
            return web.json_response({"code": 401, "data": None})
        page = int(request.query["page"])
        return web.json_response({"code": 0, "data": [{"id": str(page), "t": "words"}] if page < 4 else []})


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    one = Platform()
    app = web.Application()
    app.router.add_post("/login", one.log_in)
    app.router.add_get("/home", one.home)
    app.router.add_post("/orders", one.orders)
    app.router.add_post("/token", one.token)
    app.router.add_get("/tokened", one.tokened)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


BY_COOKIE: dict[str, Any] = {
    "login": [{"path": "/login", "method": "POST", "form": {"user": "{user}", "password": "{password}"}}],
    "list": {
        "path": "/orders", "method": "POST", "query": {"page": "{page}"}, "rows": "res", "paging": {"kind": "page"},
    },
}  # fmt: skip
BY_TOKEN: dict[str, Any] = {
    "login": [
        {
            "path": "/token", "method": "POST", "json": {"account": "{user}", "password": "{password}"},
            "take": {"token": "data.token"},
        }
    ],
    "headers": {"Authorization": "Bearer {token}"},
    "errors": [{"path": "code", "ok": [0], "denied": [401, 500]}],
    "list": {"path": "/tokened", "query": {"page": "{page}"}, "rows": "data", "paging": {"kind": "page"}},
}  # fmt: skip


def declared(url: str, own: dict[str, Any]) -> HttpJsonSettings:
    base: dict[str, Any] = {
        "name": "city",
        "kind": "http_json",
        "channel": "hotline",
        "mode": "route",
        "zone": "Asia/Shanghai",
    }
    base |= {"url": url, "user_env": "CITY_USER", "password_env": "CITY_PASSWORD", "requests_per_minute": 600_000}
    told = msgspec.convert({**base, "fields": {"native_id": "id", "text": "t"}, **own}, HttpJsonSettings)
    assert told.problems() == []
    return told


@asynccontextmanager
async def connected(platform: Platform, own: dict[str, Any]) -> AsyncIterator[HttpJson]:
    told = declared(platform.url, own)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        fetch = fetch_for(told, [platform.url], session, contact="x", now=lambda: NOW)
        yield HttpJson(told, fetch, ENVIRONMENT, lambda: NOW)


@pytest.mark.parametrize(("own", "ids"), [(BY_COOKIE, 6), (BY_TOKEN, 3)], ids=["cookie", "token"])
async def test_one_log_in_serves_many_readings(platform: Platform, own: dict[str, Any], ids: int) -> None:
    async with connected(platform, own) as connector:
        first = await read(connector)
        await read(connector, position(first))

    assert len(ids_of(first)) == ids
    assert platform.made == 1


@pytest.mark.parametrize(("own", "ids"), [(BY_COOKIE, 6), (BY_TOKEN, 3)], ids=["cookie", "token"])
@pytest.mark.parametrize("number", [2, 3, 4])
async def test_a_session_that_ends_at_any_request_is_opened_again(
    platform: Platform, own: dict[str, Any], ids: int, number: int
) -> None:
    platform.ends_at = {number}

    async with connected(platform, own) as connector:
        pages = await read(connector)

    assert len(ids_of(pages)) == ids
    assert platform.made == 2


@pytest.mark.parametrize("own", [BY_COOKIE, BY_TOKEN], ids=["cookie", "token"])
async def test_a_password_that_was_changed_stops_the_source_after_one_try(
    platform: Platform, own: dict[str, Any]
) -> None:
    platform.password = "other"

    async with connected(platform, own) as connector:
        with pytest.raises(AccessDenied):
            await read(connector)

    assert platform.made == 0
    assert platform.lists <= 1


async def test_a_source_that_ends_every_session_at_once_is_not_asked_for_ever(platform: Platform) -> None:
    platform.ends_at = set(range(1, 100))

    async with connected(platform, BY_COOKIE) as connector:
        with pytest.raises(AccessDenied):
            await read(connector)

    assert platform.made <= 2


async def test_what_a_log_in_page_hands_out_is_sent_with_the_log_in(platform: Platform) -> None:
    """A page with a hidden field, as many programs guard their forms."""
    seen: list[dict[str, Any]] = []

    async def form(request: web.Request) -> web.StreamResponse:
        del request
        answer = web.Response(
            text='<form><input type="hidden" name="formhash" value="h-7"><input type="password"></form>',
            content_type="text/html",
        )
        answer.set_cookie("salt", "x-1")
        return answer

    async def enter(request: web.Request) -> web.StreamResponse:
        seen.append({**request.cookies, **{name: str(value) for name, value in (await request.post()).items()}})
        return web.json_response({"id": 1})

    app = web.Application()
    app.router.add_get("/form", form)
    app.router.add_post("/enter", enter)
    app.router.add_get("/rows", _rows)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    platform.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    steps = [
        {
            "path": "/form",
            "shape": "html",
            "page": {"hash": "input[name=formhash]@value"},
            "take": {"formhash": "hash"},
        },
        {"path": "/enter", "method": "POST", "form": {"formhash": "{formhash}", "user": "{user}"}},
    ]

    async with connected(platform, {"login": steps, "list": {"path": "/rows", "rows": ""}}) as connector:
        pages = await read(connector)
    await runner.cleanup()

    assert seen == [{"salt": "x-1", "formhash": "h-7", "user": "clerk"}]
    assert ids_of(pages) == {"1"}


async def _rows(request: web.Request) -> web.StreamResponse:
    assert request.cookies == {"salt": "x-1"}
    return web.json_response([{"id": 1, "t": "words"}])


def test_a_log_in_that_asks_for_what_nobody_hands_out_is_a_problem() -> None:
    wrong = {**BY_COOKIE, "login": [{"path": "/login", "json": {"a": 1}}]}
    told = msgspec.convert(
        {
            "name": "c", "kind": "http_json", "channel": "hotline", "mode": "route", "zone": "Asia/Shanghai",
            "url": "https://x.example", "fields": {"native_id": "id", "text": "t"}, **wrong,
        },
        HttpJsonSettings,
    )  # fmt: skip
    assert any("login[0]" in problem for problem in told.problems())


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("sid=abc; Path=/; Secure; HttpOnly; SameSite=None; Partitioned", {"sid": "abc"}),
        ("sid=a=b==; Priority=High", {"sid": "a=b=="}),
        ("user=1; Path=/\nsid=abc\nuser=2", {"user": "1", "sid": "abc"}),
        ('sid="a b"; Path=/', {"sid": '"a b"'}),
        ("sid=; Max-Age=0", {}),
        ("nonsense", {}),
    ],
)
def test_a_cookie_is_what_stands_before_its_terms(told: str, kept: dict[str, str]) -> None:
    """RFC 6265, 5.2, whatever terms a server adds."""
    answer = Response(status=200, headers={"set-cookie": told}, body=b"", fetched_at=NOW)

    assert cookies_in(answer) == kept
