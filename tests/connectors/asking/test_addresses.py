"""No name leads us into a private network."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from connectors.asking import addresses, http
from connectors.asking.addresses import GuardedResolver, is_private
from connectors.asking.session import addresses_of, open_session
from connectors.base import Request
from connectors.channels.feed import FeedSettings
from connectors.errors import FormatChanged
from connectors.raw_appeal import Mode


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1",
     "fe80::1%1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
     "224.0.0.1", "255.255.255.255", "nonsense"],
)  # fmt: skip
def test_what_only_our_own_network_knows_is_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "114.114.114.114", "2400:3200::1", "::ffff:1.1.1.1"])
def test_the_public_internet_is_not(address: str) -> None:
    assert not is_private(address)


class Lying(AbstractResolver):
    """A foreign DNS that says that its name is one of our machines."""

    def __init__(self) -> None:
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.fixture
async def inner() -> AsyncIterator[tuple[int, list[str]]]:
    """A service of our own network, and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=b"secret")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1], asked
    await runner.cleanup()


def feed(url: str, *hosts: str) -> FeedSettings:
    return FeedSettings(
        name="board", kind="feed", channel="forum", mode=Mode.ROUTE, zone="Asia/Shanghai", url=url, hosts=hosts,
        requests_per_minute=60_000,
    )  # fmt: skip


async def test_a_name_that_leads_inside_is_not_asked(
    inner: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, asked = inner
    monkeypatch.setattr(addresses, "ThreadedResolver", Lying)
    source = feed(f"http://bbs.example.cn:{port}/feed")
    async with open_session([source]) as session:
        fetch = http.fetch_for(source, addresses_of(source), session, contact="x", now=lambda: datetime.now(UTC))
        with pytest.raises(FormatChanged, match="private address"):
            await fetch(Request(url=source.url))

    assert asked == []


async def test_a_name_that_the_settings_call_ours_is_asked(
    inner: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, asked = inner
    monkeypatch.setattr(addresses, "ThreadedResolver", Lying)
    source = feed(f"http://hotline.city.lan:{port}/feed", f"hotline.city.lan:{port}")
    async with open_session([source]) as session:
        fetch = http.fetch_for(source, addresses_of(source), session, contact="x", now=lambda: datetime.now(UTC))
        assert (await fetch(Request(url=source.url))).body == b"secret"

    assert asked == ["/robots.txt", "/feed"]


async def test_an_address_that_stands_in_the_settings_is_asked(inner: tuple[int, list[str]]) -> None:
    port, _ = inner
    for url in (f"http://127.0.0.1:{port}/feed", f"http://localhost:{port}/feed"):
        source = feed(url)
        async with open_session([source]) as session:
            fetch = http.fetch_for(source, addresses_of(source), session, contact="x", now=lambda: datetime.now(UTC))
            assert (await fetch(Request(url=source.url))).status == 200


async def test_a_guard_hands_back_what_it_looked_at() -> None:
    """What is connected to is what was judged: there is no second look-up."""
    lying = Lying()
    found = await GuardedResolver(["a.example"], lying).resolve("a.example", 80)
    assert [each["host"] for each in found] == ["127.0.0.1"]
    assert lying.asked == 1
    with pytest.raises(addresses.PrivateAddressError):
        await GuardedResolver(["b.example"], lying).resolve("a.example", 80)
