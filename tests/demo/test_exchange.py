"""The province pushes: signed as our receiver reads it, again until it is answered, and offered only then."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from connectors.base import Item
from connectors.channels.push_12345 import Push12345, Push12345Settings
from connectors.receiving.contract import Pushed
from demo import exchange
from demo.city import build
from demo.deal import EXCHANGE
from demo.exchange import SECRET, Exchange
from demo.hotline import order_id

SETTINGS = Path(__file__).parents[2] / "demo" / "intake.toml"
NOW = datetime(2026, 11, 22, 9, 0)  # noqa: DTZ001  the wire speaks local time


class Door:
    """Ours, as far as the province can see; busy at first."""

    def __init__(self, busy: int) -> None:
        (row,) = [each for each in tomllib.loads(SETTINGS.read_text("utf-8"))["source"] if each["name"] == EXCHANGE]
        self._receiver = Push12345(msgspec.convert(row, Push12345Settings), {"DEMO_EXCHANGE_SECRET": SECRET})
        self._busy = busy
        self.items: list[Item] = []
        self.pushed = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        if self._busy:
            self._busy -= 1
            return web.Response(status=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        pushed = Pushed(headers=headers, body=await request.read(), nonce="n", at=datetime.now(UTC))
        self.items += self._receiver.receive(pushed).page.items
        self.pushed.set()
        return web.Response()


@asynccontextmanager
async def opened(door: Door) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.post(f"/push/{EXCHANGE}", door.take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_signed_order_is_taken_in_and_one_that_was_not_answered_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange, "PACE", 0.01)
    city, door = build(1), Door(busy=2)

    async with opened(door) as url:
        pushing = asyncio.create_task(Exchange(city, url).run())
        async with asyncio.timeout(20):
            while len(city.offered.listing().get(EXCHANGE, {})) < 3:
                await asyncio.sleep(0.01)
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)

    offered = list(city.offered.listing()[EXCHANGE])
    assert [item.native_id for item in door.items[: len(offered)]] == offered
    assert offered[0] == order_id(city.stories[EXCHANGE].posts[1]), "the first one too, which was refused twice"


def test_orders_are_handled_on_and_taken_back() -> None:
    city = build(1)
    province = Exchange(city, "http://127.0.0.1:9")

    told = [each for minute in range(12) for each in province.happens(NOW + timedelta(minutes=minute))]

    assert [each.event for each in told].count("create") == 12
    assert [each.post.number for each in told if each.event == "status"] == [3, 6, 9]
    assert [each.post.number for each in told if each.event == "withdraw"] == [7]
    assert all(each.post.at <= NOW + timedelta(minutes=12) for each in told), "no order from the future"
