"""Whatever was answered is there, however often its worker is killed in the middle of a storm of pushes."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from connectors.raw_appeal import appeal_id
from intake.servers.processes import free_port
from tests.house import INTAKE, House, await_, opened
from tests.intake.door.conftest import SECRET
from tests.intake.door.test_push_12345 import ORDER, headers, told

KILLS = 3
ORDERS = 200
SETTINGS = """
city = ""
[door]
port = {port}
[[source]]
name = "exchange"
kind = "push_12345"
channel = "hotline"
mode = "route"
zone = "Asia/Shanghai"
app_key = "city"
secret_env = "EXCHANGE_SECRET"
"""


async def push_until_answered(session: aiohttp.ClientSession, url: str, number: int) -> None:
    """As a platform does it: the same again until it has its receipt."""
    body = json.dumps(told("create", "2026-11-22 09:00:00", **ORDER | {"orderId": f"K{number}"})).encode()
    async with asyncio.timeout(120):
        while True:
            try:
                async with session.post(f"{url}/push/exchange", data=body, headers=headers(body)) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass  # nobody is there at the moment
            await asyncio.sleep(0.2)


async def storm(house: House, url: str) -> list[set[str]]:
    """Push everything while the worker is killed now and then; give what had been answered at each kill."""
    answered: set[str] = set()
    at_kill: list[set[str]] = []
    done = asyncio.Event()

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        await asyncio.sleep(number * 0.03)
        await push_until_answered(session, url, number)
        answered.add(appeal_id("exchange", f"K{number}"))

    async def kill_now_and_then(session: aiohttp.ClientSession) -> None:
        for kill in range(KILLS + 1):
            with (house.folder / "run.log").open("ab") as log:
                worker = await asyncio.create_subprocess_exec(
                    INTAKE, "run", cwd=house.folder, env=house._environment(), stdout=log, stderr=log
                )
            if kill == KILLS:
                await done.wait()
                await push_until_answered(session, url, 0)  # it is up, whoever answered the last of them
                worker.send_signal(signal.SIGINT)
                assert await worker.wait() == 0
                return
            goal = min(len(answered) + ORDERS // (KILLS + 1), ORDERS - 1)
            async with asyncio.timeout(60):
                while len(answered) < goal:
                    await asyncio.sleep(0.005)
            at_kill.append(set(answered))
            worker.kill()
            await worker.wait()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        killing = asyncio.create_task(kill_now_and_then(session))
        await asyncio.gather(*(one(session, number) for number in range(ORDERS)))
        done.set()
        await killing
    assert len(answered) == ORDERS
    return at_kill


def items(house: House) -> dict[str, Any]:
    return {each["id"]: each for each in house.json("balance", "--items")["items"]}


@pytest.mark.live
def test_what_was_answered_survives_any_kill(tmp_path: Path) -> None:
    port = free_port()
    environment = {"EXCHANGE_SECRET": SECRET}
    with opened(tmp_path, SETTINGS.format(port=port), environment) as house:
        at_kill = asyncio.run(storm(house, f"http://127.0.0.1:{port}"))
        house.command("run", "--once", "--embedded", "--json")
        ends = {"delivered", "linked", "triage"}
        await_(lambda: {each["state"] for each in items(house).values()} <= ends, "everything to end")
        found = house.json("balance")
        everything = items(house)
        queues = house.drain()

    assert len(at_kill) == KILLS
    for answered in at_kill:
        assert answered <= everything.keys()
    assert len(everything) == ORDERS
    assert found["differences"] == []
    cases = {message["subject"] for messages in queues.values() for message in messages}
    assert {id_ for id_, each in everything.items() if each["state"] == "delivered"} <= cases
