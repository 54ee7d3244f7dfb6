"""A 12345 work-order API whose orders keep coming, are edited and taken back while the test goes on.

It keeps its own list of what it offered: the outside proof of our balance.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from demo.library import Text, load

KEY = "a-key"
EDITED, TAKEN_BACK = 0.15, 0.03  #: shares of what happens; the rest are new orders


@dataclass
class Order:
    """One order as the source has it now."""

    number: int
    text: Text
    draft: int = 1  #: counts its versions; it stands in the text, so that a lost update shows
    state: str = "待办"
    updated: str = ""

    @property
    def id(self) -> str:
        return f"O{self.number:07d}"

    @property
    def words(self) -> str:
        return f"{self.text.body}（本件第{self.number}号，第{self.draft}稿）"

    def row(self) -> dict[str, Any]:
        return {
            "orderId": self.id,
            "orderNum": f"2026{self.number:08d}",
            "callTime": self.updated,
            "updateTime": self.updated,
            "callerName": "来电人",
            "callerPhone": f"139{self.number % 100_000_000:08d}",
            "title": self.text.title,
            "majorContent": self.words,
            "orderState": self.state,
        }


@dataclass
class LivingSource:
    """`rate` things happen in a second until it is frozen."""

    seed: int
    rate: float
    orders: dict[str, Order] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)
    frozen: bool = False
    url: str = ""
    _keys: list[tuple[str, str]] = field(default_factory=list)
    _happened: int = 0
    _begin: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._texts = load().appeals

    def _catch_up(self) -> None:
        """Let happen what is due by now."""
        due = self._happened if self.frozen else int((time.monotonic() - self._begin) * self.rate)
        while self._happened < due:
            self._happened += 1
            self._happen()

    def _happen(self) -> None:
        live = [order for order in list(self.orders.values())[-2000:] if order.state == "待办"]
        fate = self._chance.random()
        if live and fate < TAKEN_BACK:
            order = self._chance.choice(live)
            order.state = "撤回"
        elif live and fate < TAKEN_BACK + EDITED:
            order = self._chance.choice(live)
            order.draft += 1
            if self._chance.random() < 0.5:  # it is another matter now, and another department's
                order.text = self._chance.choice(self._texts)
        else:
            order = Order(len(self.orders) + 1, self._chance.choice(self._texts))
            self.orders[order.id] = order
        if order.updated:
            self._keys.remove((order.updated, order.id))
        order.updated = f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m-%d %H:%M:%S}"
        # Seconds only grow, so sorting what is nearly sorted costs nothing.
        self._keys.append((order.updated, order.id))
        self._keys.sort()

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["x-api-key"] == KEY
        self._catch_up()
        time_, _, id_ = request.query.get("after", "").partition("|")
        limit = min(int(request.query.get("limit", "100")), 100)
        begin = bisect_right(self._keys, (time_, id_))
        keys = self._keys[begin : begin + limit]
        rows = [self.orders[id_].row() for _, id_ in keys]
        self.offered.update(id_ for _, id_ in keys)
        following = "|".join(keys[-1]) if begin + limit < len(self._keys) else None
        return web.json_response(
            {"success": True, "code": 10000, "message": "", "data": {"rows": rows, "next": following}}
        )


@contextmanager
def living_source(seed: int, rate: float) -> Iterator[LivingSource]:
    """Serve it from a thread of its own, so that the test may wait and kill meanwhile."""
    source = LivingSource(seed, rate)
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def serve() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/orders", source.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        source.url = f"http://127.0.0.1:{runner.addresses[0][1]}/orders"
        return runner

    runner = loop.run_until_complete(serve())

    def work() -> None:
        asyncio.set_event_loop(loop)
        ready.set()
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield source
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
