"""A street with its door open, and departments with addresses of their own: HTTP servers that do as they are told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import aio_pika
import pytest
from aiohttp import web

from intake.pushing.lane import Pace
from intake.pushing.posting import PING
from intake.pushing.pushing import Pushing, pushing
from intake.pushing.settings import Push
from intake.servers import Servers
from router.dispatching.topology import queue_of
from tests.intake.door.conftest import SETTINGS, Opened, a_house, an_open_door

KEY = b"k" * 32
KEYS = {"PUSH_KEYS": "whsec_" + base64.b64encode(KEY).decode()}
#: The same steps as in life, a hundred times as fast.
QUICK = Pace(
    first=0.01, longest=0.05, refusals=3, failures=5, stubborn=12, hold=0.5, rest=0.02, longest_rest=0.1, ping=0.1
)
Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]

BROKEN_OFF = web.Response(status=599)  #: no answer at all: the connection is cut in the middle


async def stored(_: dict[str, Any]) -> web.Response:
    """Say that it is stored."""
    return web.Response(status=204)


@dataclass
class Department:
    """A department's program behind an address."""

    code: str
    answer: Answer = stored
    alive: bool = True  #: what it answers a ping
    port: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)  #: whatever came, as often as it came
    taken: list[dict[str, Any]] = field(default_factory=list)  #: what it said 2xx to, in that order
    pings: int = 0
    elsewhere: int = 0  #: requests at any other path: nobody is led there
    forged: int = 0

    @property
    def ids(self) -> list[str]:
        """What it has, each once, in the order in which it had it first."""
        return list(dict.fromkeys(each["id"] for each in self.taken))

    def push(self, **other: Any) -> Push:
        address: dict[str, Any] = {
            "url": f"http://127.0.0.1:{self.port}/appeals",
            "key_env": "PUSH_KEYS",
            "private": True,
        }
        return Push(**{"department": self.code} | address | other)

    async def take(self, request: web.Request) -> web.Response:
        if request.path != "/appeals":
            self.elsewhere += 1
            return web.Response(status=204)
        body = await request.read()
        if not verified(request, body):
            self.forged += 1
            return web.Response(status=401)
        event = json.loads(body)
        assert (request.headers["ce-id"], request.headers["webhook-id"]) == (event["id"], event["id"])
        assert unquote(request.headers["ce-subject"]) == event["subject"]
        if event["type"] == PING:
            self.pings += 1
            return web.Response(status=204 if self.alive else 502)
        self.asked.append(event)
        answer = await self.answer(event)
        if answer is BROKEN_OFF:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        if answer.status < 300:
            self.taken.append(event)
        return answer


def verified(request: web.Request, body: bytes) -> bool:
    at = request.headers["webhook-timestamp"]
    signed = f"{request.headers['webhook-id']}.{at}.".encode() + body
    mine = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    return mine in request.headers["webhook-signature"].split() and abs(time.time() - int(at)) < 300


@asynccontextmanager
async def listening(department: Department) -> AsyncIterator[Department]:
    """Listen; again at the same port where it was listening before."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", department.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", department.port, reuse_address=True)
        await site.start()
        department.port = runner.addresses[0][1]
        yield department
    finally:
        await runner.cleanup()


def pushing_to(opened: Opened, *pushes: Push, pace: Pace = QUICK, environment: dict[str, str] | None = None) -> Pushing:
    wired = pushing(opened.house, opened.rooms, f"push-{uuid4().hex[:6]}")
    return replace(wired, pushes=pushes, environment=environment or KEYS, pace=pace)


@asynccontextmanager
async def running(pushing_: Pushing) -> AsyncIterator[None]:
    """Push meanwhile; its end is that of a worker that stops."""
    task = asyncio.create_task(pushing_.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def an_event(case: str, sequence: int, type_: str = "appeal.dispatched.v1") -> dict[str, Any]:
    return {"id": f"{case}-{sequence}", "type": type_, "subject": case, "data": {"case": case, "sequence": sequence}}


async def publish(opened: Opened, queues: Sequence[str], bodies: Sequence[Any]) -> None:
    """Put messages into a department's queues as the router would."""
    connection = await aio_pika.connect(opened.house.broker_url)
    async with connection:
        channel = await connection.channel()
        for body in bodies:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            name = None if isinstance(body, bytes) else body["id"]
            for queue in queues:
                message = aio_pika.Message(raw, message_id=name, delivery_mode=2)
                await channel.default_exchange.publish(message, queue)


async def left(opened: Opened, code: str) -> int:
    """Count what waits in a department's queue; what was taken and not acknowledged is not in it."""
    connection = await aio_pika.connect(opened.house.broker_url)
    async with connection:
        channel = await connection.channel()
        declared = await channel.declare_queue(queue_of(code), passive=True)
        return int(declared.declaration_result.message_count or 0)


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 60.0) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def in_order(department: Department) -> bool:
    """Whether no message of a case was had before one that comes before it."""
    seen: Counter[str] = Counter()
    for name in department.ids:
        case, _, sequence = name.rpartition("-")
        if int(sequence) != seen[case] + 1:
            return False
        seen[case] += 1
    return True


@pytest.fixture(scope="session")
async def opened(
    mongo_server: Servers, broker_server: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Opened]:
    folder = tmp_path_factory.mktemp("pushing")
    async with a_house(folder, SETTINGS, mongo_server, broker_server) as house, an_open_door(house) as made:
        yield made
