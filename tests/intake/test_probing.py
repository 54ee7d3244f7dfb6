"""`intake check` against real servers that each do one thing wrong: a sentence says what, and what to change."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.asking import http
from connectors.asking.budget import LocalBudget
from connectors.asking.http import fetch_for
from connectors.registry import REGISTRY
from intake.checking import CheckedSource, check_source
from intake.probing import Probe
from intake.settings import TableFiles
from intake.tables import load_files

NOW = datetime.now(UTC)
KEY = "right-key"
TABLES = load_files(TableFiles())


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "TRIES", 1)


class City:
    """A small 12345 API that can be wrong in every way that an operator meets."""

    def __init__(self) -> None:
        self.total = 30
        self.most = 100  #: rows a page, whatever is asked
        self.looks_at_keys = True
        self.ends = True  #: a page behind the last is empty
        self.obeys_after = True
        self.robots = ""
        self.words = "路灯不亮"
        self.posted = NOW - timedelta(hours=3)
        self.answer: Callable[[web.Request], web.Response] | None = None
        self.url = ""

    async def tickets(self, request: web.Request) -> web.Response:
        if self.answer is not None:
            return self.answer(request)
        if self.looks_at_keys and request.headers.get("x-api-key") != KEY:
            return web.Response(status=401)
        page, size = int(request.query["page"]), min(int(request.query["limit"]), self.most)
        rows = [self.row(n) for n in range((page - 1) * size, min(page * size, self.total))]
        if not rows and not self.ends:
            rows = [self.row(n) for n in range(size)]
        return web.json_response({"success": True, "message": "", "data": rows})

    async def orders(self, request: web.Request) -> web.Response:
        after = request.query["after"]
        shown = not self.obeys_after or after < "2099"
        rows = [self.order(n) for n in range(5)] if shown else []
        return web.json_response({"success": True, "data": {"rows": rows, "next": None}})

    async def robots_txt(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.robots else 404, text=self.robots)

    def row(self, number: int) -> dict[str, Any]:
        local = self.posted.astimezone(UTC) + timedelta(hours=8, seconds=number - self.total)
        return {
            "id": f"T{number:06}",
            "appealSubject": self.words,
            "appealContent": f"{self.words}，请派人看看",
            "createdAt": f"{local:%Y-%m-%d %H:%M:%S}",
        }

    def order(self, number: int) -> dict[str, Any]:
        local = f"{NOW - timedelta(hours=-5 + number):%Y-%m-%d %H:%M:%S}"
        return {"orderId": f"D{number:06}", "majorContent": self.words, "callTime": local, "updateTime": local}


@pytest.fixture
async def city() -> AsyncIterator[City]:
    made = City()
    app = web.Application()
    app.router.add_get("/api/hotlineTickets", made.tickets)
    app.router.add_get("/api/orders", made.orders)
    app.router.add_get("/robots.txt", made.robots_txt)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def checked(url: str, key: str = KEY, **told: Any) -> CheckedSource:
    """What `intake check` says of a source of ours."""
    settings: Mapping[str, Any] = {
        "name": "city", "kind": "http_json", "preset": "plain_12345", "channel": "hotline", "mode": "route",
        "zone": "Asia/Shanghai", "url": url, "key_env": "CITY_KEY", "requests_per_minute": 60_000, **told,
    }  # fmt: skip
    source = msgspec.convert(
        {name: value for name, value in settings.items() if value is not None}, REGISTRY[settings["kind"]].settings
    )
    async with aiohttp.ClientSession() as session:
        budget = LocalBudget(60_000)
        fetch = fetch_for(source, [url], session, contact="tests", now=lambda: datetime.now(UTC), budget=budget)
        return await check_source(Probe(source, fetch, {"CITY_KEY": key}), TABLES, NOW)


def page_of(body: bytes, content_type: str) -> Callable[[web.Request], web.Response]:
    return lambda _: web.Response(body=body, headers={"Content-Type": content_type})


async def test_a_source_with_which_nothing_is_wrong_answers_well(city: City) -> None:
    found = await checked(city.url)

    assert (found.well, found.says) == (True, "正常 · answers")
    assert found.offered == city.total
    assert found.items[0].appeal is not None


async def test_a_refused_key_is_told(city: City) -> None:
    found = await checked(city.url, key="old")

    assert not found.well
    assert "换一个有效的密钥" in found.says


async def test_a_key_that_makes_no_difference_is_told(city: City) -> None:
    city.looks_at_keys = False

    found = await checked(city.url)

    assert not found.well
    assert "换一个错的密钥，读到的完全一样" in found.says


async def test_a_filter_that_is_silently_ignored_is_told(city: City) -> None:
    told: dict[str, Any] = {"kind": "hotline_12345", "preset": None, "url": f"{city.url}/api/orders"}
    heeds = await checked(**told)
    city.obeys_after = False

    ignores = await checked(**told)

    assert "时间条件被忽略" not in heeds.says
    assert "时间条件被忽略" in ignores.says
    assert not ignores.well


async def test_a_time_in_the_future_is_a_zone_that_is_missing_or_wrong(city: City) -> None:
    city.posted = NOW

    found = await checked(city.url, zone="UTC")

    assert not found.well
    assert "未来 8.0 小时" in found.says


async def test_a_newest_item_of_just_eight_hours_ago_is_worth_a_look(city: City) -> None:
    city.posted = NOW - timedelta(hours=8, seconds=1)

    found = await checked(city.url)

    assert found.well
    assert "差了 8 小时" in found.says


async def test_damaged_text_is_told_with_what_was_declared(city: City) -> None:
    city.words = "路灯不亮三天了".encode().decode("gb18030", "replace")

    found = await checked(city.url)

    assert not found.well
    assert "乱码" in found.says
    assert "application/json" in found.says


async def test_no_rows_are_told_and_may_be_right(city: City) -> None:
    city.total = 0

    found = await checked(city.url)

    assert found.well
    assert "一条也没有" in found.says


async def test_a_log_in_page_is_told(city: City) -> None:
    city.answer = page_of(b"<html><form><input type='password'></form></html>", "text/html")

    found = await checked(city.url)

    assert not found.well
    assert "登录页" in found.says


async def test_a_page_of_html_is_told(city: City) -> None:
    city.answer = page_of(b"<html><body>busy</body></html>", "text/html")

    assert "返回的是网页" in (await checked(city.url)).says


async def test_rows_that_nobody_can_read_are_told(city: City) -> None:
    city.answer = page_of(b'{"success": true, "data": [{"orderNo": 1}, {"orderNo": 2}]}', "application/json")

    found = await checked(city.url)

    assert not found.well
    assert "2 行全都读不懂" in found.says


async def test_robots_txt_that_closes_the_address_is_told(city: City) -> None:
    city.robots = "User-agent: *\nDisallow: /"

    found = await checked(city.url, key_env=None, headers={})

    assert not found.well
    assert "robots_exempt" in found.says


async def test_a_host_that_has_no_address_is_told() -> None:
    found = await checked("http://no-such-host.invalid")

    assert not found.well
    assert "域名查不到" in found.says


async def test_a_port_where_nobody_listens_is_told() -> None:
    assert "连不上" in (await checked("http://127.0.0.1:9")).says


async def test_a_certificate_that_nobody_trusts_is_told(tmp_path: Path) -> None:
    async with distrusted(tmp_path) as url:
        found = await checked(url)

    assert not found.well
    assert "TLS 证书" in found.says


async def test_a_page_past_the_end_that_answers_page_one_is_worth_a_look(city: City) -> None:
    city.ends = False

    found = await checked(city.url)

    assert found.well
    assert "超出末页仍返回第一页" in found.says


async def test_a_limit_that_is_silently_cut_is_told(city: City) -> None:
    city.most = 10

    found = await checked(city.url)

    assert not found.well
    assert "对方只给 10 条" in found.says


async def test_what_is_shown_of_people_is_masked(city: City) -> None:
    city.words = "请回电 13800138000 谢谢"

    found = await checked(city.url)

    assert "13800138000" not in msgspec.json.encode(found).decode()


@asynccontextmanager
async def distrusted(folder: Path) -> AsyncIterator[str]:
    """Serve with a certificate of our own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "own.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
