"""The way to the network, against a server that misbehaves; judged from the server's own log."""

from __future__ import annotations

import gzip
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from multidict import CIMultiDict
from yarl import URL

from connectors.asking import http, judging
from connectors.asking.budget import LocalBudget, Verdict
from connectors.asking.http import fetch_for
from connectors.base import Fetch, Request, Response
from connectors.errors import AccessDenied, FormatChanged, RateLimited, SourceDown
from connectors.raw_appeal import Mode
from connectors.source import Source

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Answers as it is told, one answer a request, the last one for ever; keeps its own log."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.log: list[tuple[float, web.Request]] = []
        self.robots = ""
        self.robots_log: list[web.Request] = []
        self.answers: list[Answer] = []

    def will(self, *answers: Answer) -> None:
        self.answers = list(answers)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/robots.txt":
            self.robots_log.append(request)
            return web.Response(status=200 if self.robots else 404, text=self.robots)
        self.log.append((time.monotonic(), request))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server("")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as one:
        yield one


@pytest.fixture
async def fetch(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fetch]:
    monkeypatch.setattr(http, "_backing_off", lambda state: 0.01)
    async with aiohttp.ClientSession() as session:
        yield fetch_for(source(), [server.url], session, contact="ops@city.example", now=lambda: datetime.now(UTC))


def source(**kwargs: Any) -> Source:
    told: dict[str, Any] = {"requests_per_minute": 60_000.0} | kwargs
    return Source(name="board", kind="feed", channel="forum", mode=Mode.ROUTE, zone="Asia/Shanghai", **told)


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


async def test_it_says_who_asks_and_whom_to_call(server: Server, fetch: Fetch) -> None:
    server.will(says(200, b"{}", X_Page="1"))

    response = await fetch(Request(url=f"{server.url}/list", query={"page": "1"}, headers={"x-api-key": "k"}))

    _, asked = server.log[0]
    assert asked.headers["User-Agent"] == "intake/1 (citizens' appeals; contact: ops@city.example)"
    assert (asked.path_qs, asked.headers["x-api-key"]) == ("/list?page=1", "k")
    assert (response.status, response.body, response.headers["x-page"]) == (200, b"{}", "1")


@pytest.mark.parametrize("status", [404, 410])
async def test_what_is_gone_is_an_answer(server: Server, fetch: Fetch, status: int) -> None:
    server.will(says(status))

    assert (await fetch(Request(url=server.url))).status == status


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_is_not_tried_again(server: Server, fetch: Fetch, status: int) -> None:
    server.will(says(status))

    with pytest.raises(AccessDenied, match="resume the source"):
        await fetch(Request(url=server.url))

    assert len(server.log) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_short_trouble_is_waited_out(server: Server, fetch: Fetch, status: int) -> None:
    server.will(says(status), says(status), says(200, b"ok"))

    assert (await fetch(Request(url=server.url))).body == b"ok"


async def test_a_long_trouble_ends_the_reading(server: Server, fetch: Fetch) -> None:
    server.will(says(500))

    with pytest.raises(SourceDown, match="answered 500"):
        await fetch(Request(url=server.url))

    assert len(server.log) == http.TRIES


async def test_nothing_is_asked_before_a_short_retry_after_has_passed(server: Server, fetch: Fetch) -> None:
    server.will(says(429, Retry_After="1"), says(200, b"ok"))

    assert (await fetch(Request(url=server.url))).body == b"ok"

    (first, _), (second, _) = server.log
    assert second - first >= 1.0


@pytest.mark.parametrize("status", [429, 503])
async def test_a_long_retry_after_ends_the_reading_with_its_seconds(server: Server, fetch: Fetch, status: int) -> None:
    server.will(says(status, Retry_After="120"))

    with pytest.raises(RateLimited) as limited:
        await fetch(Request(url=server.url))

    assert limited.value.seconds == 120
    assert len(server.log) == 1


async def test_a_retry_after_may_be_a_date(server: Server, fetch: Fetch) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    server.will(says(429, Retry_After=format_datetime(moment, usegmt=True)))

    with pytest.raises(RateLimited) as limited:
        await fetch(Request(url=server.url))

    assert 85 < limited.value.seconds <= 90


@pytest.mark.parametrize(("written", "seconds"), [("inf", 30), ("soon", 30), ("", 30), ("9" * 400, 86400)])
async def test_a_strange_retry_after_is_not_believed(
    server: Server, fetch: Fetch, written: str, seconds: float
) -> None:
    server.will(says(429, Retry_After=written))

    with pytest.raises(RateLimited) as limited:
        await fetch(Request(url=server.url))

    assert limited.value.seconds == seconds


async def test_a_page_that_did_not_change_is_answered_from_memory(server: Server, fetch: Fetch) -> None:
    """A crash may have lost what the first answer held: the connector must see it again."""
    server.will(says(200, b"page", ETag='"1"', Last_Modified="Fri, 20 Nov 2026 08:00:00 GMT"), says(304))

    first = await fetch(Request(url=server.url))
    second = await fetch(Request(url=server.url))

    _, asked = server.log[1]
    assert asked.headers["If-None-Match"] == '"1"'
    assert asked.headers["If-Modified-Since"] == "Fri, 20 Nov 2026 08:00:00 GMT"
    assert (second.status, second.body) == (first.status, first.body) == (200, b"page")


async def test_the_memory_for_conditional_requests_is_bounded(server: Server, fetch: Fetch) -> None:
    server.will(says(200, b"page", ETag='"1"'))
    for number in range(judging.REMEMBERED + 1):
        await fetch(Request(url=server.url, query={"page": str(number)}))

    await fetch(Request(url=server.url, query={"page": "0"}))

    assert "If-None-Match" not in server.log[-1][1].headers


async def test_an_answer_without_end_is_cut_off(server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST", 100_000)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    server.will(endless)

    with pytest.raises(FormatChanged, match="larger than"):
        await fetch(Request(url=server.url))


async def test_silence_and_broken_lines_are_a_source_that_is_down(
    server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LONGEST", 0.2)

    async def hangs_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def drips(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    for answer in (hangs_up, drips):
        server.log.clear()
        server.will(answer)
        with pytest.raises(SourceDown, match="asked again"):
            await fetch(Request(url=server.url))
        assert len(server.log) >= http.TRIES


async def test_redirects_stay_inside_the_sources_hosts(server: Server, fetch: Fetch) -> None:
    """A feed's link or a captive portal must not lead us to an inner service (SSRF)."""
    server.will(says(302, Location="/moved"), says(200, b"moved"))
    assert (await fetch(Request(url=server.url))).body == b"moved"

    for elsewhere in ("http://169.254.169.254/latest", "http://localhost:1/", "file:///etc/passwd", "//other.example/"):
        server.log.clear()
        server.will(says(302, Location=elsewhere), says(200, b"never"))
        with pytest.raises(FormatChanged, match="none of its hosts"):
            await fetch(Request(url=server.url))
        assert len(server.log) == 1


async def test_a_key_is_shown_to_nobody_but_its_own_host(server: Server) -> None:
    key = {"x-api-key": "k"}
    async with serving() as other, aiohttp.ClientSession() as session:
        fetch = fetch_for(source(), [server.url, other.url], session, contact="c", now=lambda: datetime.now(UTC))
        server.will(says(302, Location="/moved"), says(302, Location=f"{other.url}/elsewhere"))
        other.will(says(200, b"{}"))

        await fetch(Request(url=server.url, headers=key))

    assert [asked.headers.get("x-api-key") for _, asked in [*server.log, *other.log]] == ["k", "k", None]


async def test_a_redirect_from_a_safe_line_to_an_open_one_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host is the same, and so its answer would be believed and its key be sent for all to read."""
    asked: list[str] = []

    async def answer(_way: object, _method: str, url: URL, *_: object) -> tuple[int, dict[str, str], bytes]:
        asked.append(str(url))
        return 302, {"location": "http://12345.city.example/orders"}, b""

    monkeypatch.setattr(http._Way, "_ask", answer)
    told = source(robots_exempt="agreed")
    async with aiohttp.ClientSession() as session:
        url = "https://12345.city.example/orders"
        fetch = fetch_for(told, [url], session, contact="c", now=lambda: datetime.now(UTC))
        with pytest.raises(FormatChanged, match="not encrypted"):
            await fetch(Request(url=url, headers={"x-api-key": "k"}))
    assert asked == ["https://12345.city.example/orders"]


@pytest.mark.parametrize("nowhere", ["http://[", "http://a:99999/", "//"])
async def test_a_redirect_to_no_address_is_told(server: Server, fetch: Fetch, nowhere: str) -> None:
    server.will(says(302, Location=nowhere))
    with pytest.raises(FormatChanged):
        await fetch(Request(url=server.url))


async def test_a_link_of_a_page_to_another_host_is_not_asked(server: Server, fetch: Fetch) -> None:
    with pytest.raises(FormatChanged, match="none of its hosts"):
        await fetch(Request(url="http://127.0.0.1:9/inner"))


async def test_redirects_in_a_circle_end(server: Server, fetch: Fetch) -> None:
    server.will(says(302, Location="/again"))

    with pytest.raises(FormatChanged, match="redirects"):
        await fetch(Request(url=server.url))


async def test_no_message_holds_a_query(server: Server, fetch: Fetch) -> None:
    """A key may stand in it."""
    server.will(says(403))

    with pytest.raises(AccessDenied) as denied:
        await fetch(Request(url=server.url, query={"key": "secret"}))

    assert "secret" not in str(denied.value)


async def test_a_budget_is_kept_over_any_window() -> None:
    budget = LocalBudget(requests_per_minute=1200)
    sent = []
    for _ in range(12):
        await budget.spend()
        sent.append(time.monotonic())

    assert all(later - earlier >= 0.045 for earlier, later in pairwise(sent))


async def test_what_the_server_counts_is_what_the_budget_spent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redirects, our own repeats, and those that the library makes when a kept connection was closed."""
    monkeypatch.setattr(http, "_backing_off", lambda state: 0.01)
    spent = 0

    class Counting:
        async def spend(self) -> str:
            nonlocal spent
            spent += 1
            return ""

        async def ended(self, place: str, verdict: Verdict, rest: float = 0.0) -> None:
            pass

        def slow_down(self, seconds: float) -> None:
            pass

    async def hangs_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.will(says(200), says(302, Location="/moved"), says(500), says(200), hangs_up)
    async with aiohttp.ClientSession() as session:
        fetch = fetch_for(
            source(), [server.url], session, contact="x", now=lambda: datetime.now(UTC), budget=Counting()
        )
        await fetch(Request(url=server.url))
        await fetch(Request(url=server.url))
        with pytest.raises(SourceDown):
            await fetch(Request(url=server.url))

    assert spent == len(server.log) + len(server.robots_log) > 4 + http.TRIES


async def test_a_certificate_that_nobody_signed_is_not_accepted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_backing_off", lambda state: 0.01)
    async with own_certificate(tmp_path) as url, aiohttp.ClientSession() as session:
        fetch = fetch_for(source(), [url], session, contact="x", now=lambda: datetime.now(UTC))
        with pytest.raises(SourceDown, match="no safe connection"):
            await fetch(Request(url=url))


@asynccontextmanager
async def own_certificate(folder: Any) -> AsyncIterator[str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "own.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    app = web.Application()
    app.router.add_get("/", says(200))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


def test_a_response_is_a_value() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)

    assert Response(status=200, headers={}, body=b"", fetched_at=moment) == Response(
        status=200, headers={}, body=b"", fetched_at=moment
    )


CLOSED = "User-agent: *\nDisallow: /closed\n"


async def test_what_robots_txt_closes_is_not_asked_also_by_a_detour(server: Server, fetch: Fetch) -> None:
    server.robots = CLOSED
    server.will(says(302, Location="/closed/list"))

    for path in ("/closed", "/open"):
        with pytest.raises(AccessDenied, match="robots_exempt"):
            await fetch(Request(url=f"{server.url}{path}"))

    assert [asked.path for _, asked in server.log] == ["/open"]
    assert len(server.robots_log) == 1, "it is read once a day"
    assert "intake/1" in server.robots_log[0].headers["User-Agent"]


class Keyed(Source, frozen=True, kw_only=True):
    key_env: str = "KEY"


@pytest.mark.parametrize("kind", [{}, {"robots_exempt": "agreed in writing"}])
async def test_a_source_that_let_us_in_is_not_asked_for_robots_txt(server: Server, kind: dict[str, str]) -> None:
    server.robots = CLOSED
    server.will(says(200, b"ok"))
    told: Source = source(**kind) if kind else Keyed(**msgspec.structs.asdict(source()))
    async with aiohttp.ClientSession() as session:
        fetch = fetch_for(told, [server.url], session, contact="x", now=lambda: datetime.now(UTC))
        assert (await fetch(Request(url=f"{server.url}/closed"))).body == b"ok"

    assert server.robots_log == []


async def test_a_small_answer_that_unfolds_without_end_is_cut_off(
    server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip bomb: what counts is the size after decompression."""
    monkeypatch.setattr(http, "LARGEST", 1_000_000)
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    server.will(says(200, bomb, Content_Encoding="gzip"))

    with pytest.raises(FormatChanged, match="larger than"):
        await fetch(Request(url=server.url))


async def test_links_told_in_several_headers_are_one_list(server: Server, fetch: Fetch) -> None:
    """RFC 9110, 5.3: the next page must not be lost since another link came after it."""

    async def answer(request: web.Request) -> web.Response:
        told = CIMultiDict([("Link", '</?page=2>; rel="next"'), ("Link", '</?page=9>; rel="last"')])
        return web.Response(body=b"[]", headers=told)

    server.will(answer)
    response = await fetch(Request(url=server.url))

    assert response.headers["link"] == '</?page=2>; rel="next", </?page=9>; rel="last"'


@pytest.mark.parametrize(
    "address", ["http://[half", "http://x:99999/", "http://x:y/", "//", "news/1.html", "mailto:a@b"]
)
async def test_what_is_no_address_is_told_as_such(fetch: Fetch, address: str) -> None:
    """A row of a list may lead anywhere."""
    with pytest.raises(FormatChanged):
        await fetch(Request(url=address))


@pytest.mark.parametrize("status", [403, 408, 429, 500, 502, 503, 504])
async def test_whoever_says_how_long_to_wait_is_believed(server: Server, fetch: Fetch, status: int) -> None:
    server.will(says(status, Retry_After="300"))

    with pytest.raises(RateLimited) as told:
        await fetch(Request(url=server.url))

    assert told.value.seconds == 300
    assert len(server.log) == 1


class Free:
    """A budget that waits for nothing and keeps what it is told."""

    def __init__(self) -> None:
        self.rests: list[float] = []

    async def spend(self) -> str:
        return ""

    async def ended(self, place: str, verdict: Verdict, rest: float = 0.0) -> None:
        self.rests.append(rest)

    def slow_down(self, seconds: float) -> None:
        del seconds


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_that_says_how_long_to_wait_is_followed_after_that(server: Server, status: int) -> None:
    budget = Free()
    server.will(says(status, Location="/moved", Retry_After="300"), says(200, b"moved"))
    async with aiohttp.ClientSession() as session:
        fetch = fetch_for(source(), [server.url], session, contact="c", now=lambda: datetime.now(UTC), budget=budget)
        with pytest.raises(RateLimited) as told:
            await fetch(Request(url=f"{server.url}/list"))
        assert (told.value.seconds, len(server.log), max(budget.rests)) == (300, 1, 300)
        assert (await fetch(Request(url=f"{server.url}/list"))).body == b"moved"
        assert [request.path for _, request in server.log] == ["/list", "/moved"], "it is not sent away once more"
        await fetch(Request(url=f"{server.url}/list"))
    assert server.log[-1][1].path == "/list"


@pytest.mark.parametrize(("status", "method"), [(303, "GET"), (307, "POST")])
async def test_a_form_that_is_led_elsewhere_after_a_while_gets_there(server: Server, status: int, method: str) -> None:
    server.will(says(status, Location="/moved", Retry_After="300"), says(200, b"1"), says(200, b"2"))
    async with aiohttp.ClientSession() as session:
        fetch = fetch_for(source(), [server.url], session, contact="c", now=lambda: datetime.now(UTC), budget=Free())
        second, first = (Request(url=f"{server.url}/list", method="POST", body=f"page={n}".encode()) for n in (2, 1))
        with pytest.raises(RateLimited):
            await fetch(second)
        await fetch(first)
        await fetch(second)
    assert [request.path for _, request in server.log] == ["/list", "/list", "/moved"], "another form is another one"
    assert server.log[-1][1].method == method


async def test_a_short_patience_before_a_redirect_is_waited_out(server: Server, fetch: Fetch) -> None:
    server.will(says(302, Location="/moved", Retry_After="1"), says(200, b"moved"))

    assert (await fetch(Request(url=f"{server.url}/list"))).body == b"moved"

    (first, _), (second, _) = server.log
    assert second - first >= 1


@pytest.mark.parametrize(
    ("written", "seconds"), [("120.5", 120.5), (" 7 ", 7.0), ("-5", 30.0), ("nan", 30.0), ("soon", 30.0)]
)
def test_a_number_of_seconds_may_have_a_fraction(written: str, seconds: float) -> None:
    assert judging.retry_after({"retry-after": written}, datetime.now(UTC)) == seconds
