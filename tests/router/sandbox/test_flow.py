"""Programs of several kinds are played the script on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import aiohttp
import msgspec
import pytest
from aio_pika.abc import AbstractIncomingMessage

from router.dispatching.broker import Management
from router.dispatching.topology import Credentials
from router.sandbox import flow
from router.sandbox.flow import NobodyCame, Pace, certify, open_sandbox
from router.sandbox.script import Played, Step, script
from router.sandbox.sheet import Line, passed
from tests.router.city import UNITS, tables

QUICK = Pace(connect=5.0, step=5.0)
Take = Callable[[AbstractIncomingMessage], Awaitable[None]]


@asynccontextmanager
async def sandbox(amqp: Any) -> AsyncIterator[tuple[Management, Credentials, str]]:
    """The virtual host of the test stands for the sandbox's own."""
    async with aiohttp.ClientSession() as session:
        management = Management(session, amqp.management, amqp.vhost)
        yield management, await open_sandbox(UNITS[0], management), amqp.url


async def read(given: Credentials, url: str, take: Take) -> None:
    """A department's program: it reads its queue and comes back when it is cut."""
    at = urlsplit(url)
    mine = urlunsplit(at._replace(netloc=f"{given.user}:{given.password}@{at.hostname}:{at.port}"))
    while True:
        with suppress(aio_pika.exceptions.AMQPError, ConnectionError):
            connection = await aio_pika.connect(mine)
            async with connection:
                channel = await connection.channel()
                queue = await channel.get_queue(given.queues[0], ensure=False)
                async with queue.iterator() as letters:
                    async for letter in letters:
                        await take(letter)
        await asyncio.sleep(0.05)


async def sheet_of(
    amqp: Any, take: Take, steps: set[Step], monkeypatch: pytest.MonkeyPatch, refreshed: float = 0.0
) -> dict[str, Line]:
    monkeypatch.setattr(flow, "STILL", 0.2)
    monkeypatch.setattr(flow, "REFRESHED", refreshed)
    played: list[Played] = [each for each in script("ZJJ", datetime.now(UTC), tables(), "r") if each.step in steps]
    async with sandbox(amqp) as (management, given, url):
        program = asyncio.ensure_future(read(given, url, take))
        try:
            lines = await certify(given, url, management, played, QUICK)
        finally:
            program.cancel()
            await asyncio.gather(program, return_exceptions=True)
    return {line.what: line for line in lines}


async def well_behaved(letter: AbstractIncomingMessage) -> None:
    try:
        msgspec.json.decode(letter.body)
    except msgspec.DecodeError:
        await letter.reject(requeue=False)
    else:
        await letter.ack()


async def test_a_program_that_keeps_the_rules_passes_every_step(amqp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = await sheet_of(amqp, well_behaved, set(Step), monkeypatch)

    assert passed(list(lines.values())), lines
    assert lines[Step.RECONNECT.value].verdict == "passed"


async def test_a_program_that_swallows_what_it_cannot_read_is_found_out(
    amqp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def swallow(letter: AbstractIncomingMessage) -> None:
        await letter.ack()

    lines = await sheet_of(amqp, swallow, {Step.ORDER, Step.UNREADABLE}, monkeypatch)

    assert lines[Step.ORDER.value].verdict == "passed"
    assert "被确认了" in lines[Step.UNREADABLE.value].sentence


async def test_a_program_that_puts_it_back_for_ever_is_found_out(amqp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def put_back(letter: AbstractIncomingMessage) -> None:
        await letter.reject(requeue=True)

    lines = await sheet_of(amqp, put_back, {Step.UNREADABLE}, monkeypatch)

    assert lines[Step.UNREADABLE.value].verdict == "failed"
    assert "requeue=false" in lines[Step.UNREADABLE.value].sentence


async def test_a_program_that_never_acknowledges_is_found_out(amqp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hold(letter: AbstractIncomingMessage) -> None:
        del letter

    monkeypatch.setattr(flow, "HELD", 1.0)
    lines = await sheet_of(amqp, hold, {Step.ORDER}, monkeypatch, refreshed=30.0)

    assert lines["全部确认 · everything is acknowledged"].verdict == "failed"


async def test_without_a_program_it_says_so(amqp: Any) -> None:
    async with sandbox(amqp) as (management, given, url):
        with pytest.raises(NobodyCame):
            await certify(given, url, management, [], Pace(connect=0.5, step=1.0))
