"""A department that is pushed to: the sample program, feedback by POST under the same ids, and its certificate."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from intake.pushing.judging import Next
from intake.pushing.posting import Poster, ping
from intake.pushing.pushing import ping_once
from intake.pushing.settings import Push
from intake.servers.processes import free_port
from intake.topology import management
from router.dispatching.topology import credentials, queue_of
from tests.intake.door.conftest import Opened
from tests.intake.door.test_app import APPEAL, send
from tests.intake.door.test_lifecycle import certificate
from tests.intake.pushing.conftest import (
    KEYS,
    Department,
    an_event,
    listening,
    publish,
    pushing_to,
    running,
    until,
)

PROGRAM = Path(__file__).resolve().parents[3] / "docs" / "consumers" / "receiver.py"
PINGED = b'{"type": "department.ping.v1"}'
OLD = "whsec_" + b64encode(b"o" * 32).decode()


@contextmanager
def receiver(folder: Path, port: int, keys: str) -> Iterator[subprocess.Popen[bytes]]:
    program = subprocess.Popen(
        [sys.executable, "-I", str(PROGRAM)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PUSH_KEYS": keys, "PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield program
    finally:
        program.kill()
        program.wait()


def stored(folder: Path) -> list[tuple[str, str]]:
    if not (folder / "pushed.db").exists():
        return []
    with closing(sqlite3.connect(folder / "pushed.db")) as db, suppress(sqlite3.OperationalError):
        return db.execute("SELECT id, case_id FROM message ORDER BY rowid").fetchall()
    return []  # it is just making its table


async def test_the_sample_program_takes_what_is_pushed_through_a_kill_and_a_change_of_keys(
    opened: Opened, tmp_path: Path
) -> None:
    events = [an_event(f"case{number}", 1) for number in range(30)]
    push = Push(department="XFJ", url=f"http://127.0.0.1:{free_port()}/", key_env="PUSH_KEYS", private=True)
    port = int(push.url.rstrip("/").rpartition(":")[2])
    both = {"PUSH_KEYS": f"{OLD} {KEYS['PUSH_KEYS']}"}
    async with running(pushing_to(opened, push, environment=both)):
        with receiver(tmp_path, port, OLD):
            await publish(opened, [queue_of("XFJ")], events[:15])
            await until(lambda: len(stored(tmp_path)) >= 5)
        with receiver(tmp_path, port, KEYS["PUSH_KEYS"]):
            await publish(opened, [queue_of("XFJ")], [*events[15:], *events[:3]])
            await until(lambda: {name for name, _ in stored(tmp_path)} == {each["id"] for each in events})
    assert len(stored(tmp_path)) == len(events)


async def test_the_sample_program_believes_no_other_key_no_other_body_and_no_old_request(
    opened: Opened, tmp_path: Path
) -> None:
    now = opened.rooms.clock.now
    push = Push(department="XFJ", url=f"http://127.0.0.1:{free_port()}/", key_env="PUSH_KEYS", private=True)
    with receiver(tmp_path, int(push.url.rstrip("/").rpartition(":")[2]), OLD):

        async def answers(keys: dict[str, str]) -> Next:
            return (await ping_once(push, keys, now)).next

        async def is_up() -> bool:
            return await answers({"PUSH_KEYS": OLD}) is Next.DONE

        await until(is_up)
        assert await answers(KEYS) is Next.WRONG
        signed = _signed(push, now)
        async with aiohttp.ClientSession() as session:
            for change, status in (
                ({}, 204),
                ({"webhook-id": "other"}, 401),
                ({"webhook-timestamp": "1614265330"}, 401),
            ):
                async with session.post(push.url, data=PINGED, headers=signed | change) as answer:
                    assert answer.status == status
            async with session.post(push.url, data=PINGED + b" ", headers=signed) as answer:
                assert answer.status == 401


def _signed(push: Push, now: Any) -> dict[str, str]:
    event = ping(push.department, now())._replace(body=PINGED)
    return Poster(push, (b"o" * 32,), None, now)._headers(event)  # type: ignore[arg-type]


async def test_an_order_is_pushed_answered_by_post_and_its_outcome_pushed_under_the_same_ids(opened: Opened) -> None:
    async with aiohttp.ClientSession() as session:
        _, taken = await send(session, opened, APPEAL)
        case = await opened.case(taken["number"])
        code = case["holder"]
        department = Department(code)
        async with listening(department), running(pushing_to(opened, department.push())):
            await until(lambda: bool(department.taken))
            order = department.taken[0]
            assert (order["id"], order["subject"]) == (case["dispatches"][0]["id"], case["_id"])
            assert await say(opened, session, code, order) == (202, {"id": "f-1"})
            await until(lambda: len(department.taken) >= 2)
    outcome = department.taken[1]
    assert (outcome["type"], outcome["data"]["feedback"]) == ("feedback.outcome.v1", "f-1")
    assert outcome["data"]["outcome"] == "accepted"
    found = await opened.db.cases.find_one({"_id": case["_id"]})
    assert found["handling"]["tracks"][code]["state"] == "signed"


async def say(opened: Opened, session: aiohttp.ClientSession, code: str, order: dict[str, Any]) -> tuple[int, Any]:
    given = await credentials(opened.rooms.tables.router.directory.units[code], management(opened.house, session))
    shown = b64encode(f"{given.user}:{given.password}".encode()).decode()
    about = {"id": "f-1", "case": order["subject"], "dispatch": order["data"]["dispatch"], "handler": "王工"}
    body = json.dumps(about | {"kind": "accepted", "at": opened.rooms.clock.now().isoformat()}).encode()
    url = f"{opened.url}/departments/{code}/feedback"
    async with session.post(url, data=body, headers={"Authorization": f"Basic {shown}"}) as answer:
        return answer.status, await answer.json()


async def test_what_an_address_refuses_parks_that_order_with_its_answer(opened: Opened) -> None:
    async def gone(_: dict[str, Any]) -> web.Response:
        return web.Response(status=410)

    async with aiohttp.ClientSession() as session:
        somebody = {"openid": "oPush-1", "name": "吴国强", "phone": "13900005679", "address": "石桥区文昌路"}
        _, taken = await send(session, opened, APPEAL | somebody | {"text": "公交站牌掉了，站牌上的线路看不清，请修。"})
        case = await opened.case(taken["number"])
        department = Department(case["holder"], gone)
        async with listening(department), running(pushing_to(opened, department.push())):

            async def is_parked() -> bool:
                return bool((await opened.db.cases.find_one({"_id": case["_id"]}))["state"] == "parked")

            await until(is_parked)
    found = await opened.db.cases.find_one({"_id": case["_id"]})
    assert "HTTP 410" in json.dumps(found["events"], default=str)


async def test_a_certificate_must_be_of_a_known_authority(opened: Opened, tmp_path: Path) -> None:
    pem, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)
    department = Department("XFJ")
    app = web.Application()
    app.router.add_post("/appeals", department.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://127.0.0.1:{runner.addresses[0][1]}/appeals"
        now = opened.rooms.clock.now
        unknown = await ping_once(department.push(url=url), KEYS, now)
        known = await ping_once(department.push(url=url, ca=pem), KEYS, now)
    finally:
        await runner.cleanup()
    assert (unknown.next, known.next) == (Next.WRONG, Next.DONE)


@pytest.mark.live
def test_a_caller_who_says_nothing_holds_up_the_sample_program_for_some_seconds_alone(tmp_path: Path) -> None:
    """As a connection that a firewall forgot: without an end to its patience nothing was ever taken again."""
    port = free_port()
    with receiver(tmp_path, port, OLD):
        silent = connected(port)
        with silent, pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=b"{}", timeout=25)


def connected(port: int) -> socket.socket:
    for _ in range(100):
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port))
        time.sleep(0.1)
    raise AssertionError("the program does not listen")
