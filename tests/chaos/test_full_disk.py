"""The broker's disk is nearly full: it takes nothing, the street says so and waits, and afterwards nothing is lost."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from intake.servers import rabbit
from intake.servers.state import load
from tests.chaos.living_source import KEY, living_source
from tests.chaos.test_kills import SETTINGS, prove, working
from tests.house import INTAKE, House, await_, opened

#: More than any disk has free, and what the broker asks for where nobody says otherwise.
NEVER, USUAL = 10**18, 50_000_000


def set_disk_free_limit(house: House, limit: int) -> None:
    """Have the broker want so many bytes free: a real alarm, on a disk that is not full."""
    server = load(house.folder / ".intake").broker
    assert server is not None
    ports = (server.port, server.management_port, server.distribution_port, server.epmd_port)
    environment = rabbit._environment(house.folder / ".intake" / "broker", ports)
    control = Path(rabbit.program()).with_name("rabbitmqctl")
    subprocess.run([control, "set_disk_free_limit", str(limit)], env=environment, check=True, timeout=120)


@contextmanager
def full_disk(house: House) -> Iterator[None]:
    set_disk_free_limit(house, NEVER)
    try:
        yield
    finally:
        set_disk_free_limit(house, USUAL)


def await_shown(house: House, words: str, seconds: float = 60) -> None:
    """Open a second street on a terminal, as a person does, and wait until it shows the words."""
    ours, its = pty.openpty()
    street = subprocess.Popen(
        [INTAKE, "run", "--embedded"], cwd=house.folder, env=house._environment(), stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    seen, end = b"", time.monotonic() + seconds
    try:
        while words.encode() not in seen:
            assert time.monotonic() < end, seen[-4000:].decode("utf-8", "replace")
            if select.select([ours], [], [], 1)[0]:
                seen += os.read(ours, 65_536)
    finally:
        street.kill()
        street.wait()
        os.close(ours)


def checked(house: House) -> dict[str, Any]:
    """What `intake check` says, which is not well."""
    done = house.command("check", "--json")
    assert done.returncode == 1
    return dict(json.loads(done.stdout))


def lines(house: House, action: str) -> int:
    return (house.folder / "run.log").read_text("utf-8").count(f'"{action}"')


def lying_in_queues(house: House) -> int:
    return sum(queue["messages"] for queue in house.json("status")["queues"])


@pytest.mark.live
@pytest.mark.timeout(900)
def test_a_broker_without_room_holds_messages_up_and_loses_none(tmp_path: Path) -> None:
    with (
        living_source(seed=5, rate=40) as source,
        opened(tmp_path, SETTINGS.format(url=source.url), {"ORDERS_KEY": KEY}) as house,
        working(house) as worker,
    ):
        await_(lambda: lying_in_queues(house) > 100, "the street to send", 120)
        with full_disk(house):
            await_(lambda: lines(house, "broker_blocked") > 0, "the street to say so", 90)
            connected = lines(house, "broker_connected")
            before, tried = len(source.offered), lines(house, "broker_away")

            (alarm,) = house.json("status")["alarms"]
            assert alarm.startswith("消息队列的盘快满了，暂不收件")
            assert alarm in house.intake("status").replace("\n", "")

            (broker,) = [each for each in checked(house)["servers"] if each["what"] == "RabbitMQ"]
            assert (broker["well"], broker["says"]) == (False, alarm)
            await_shown(house, "消息队列的盘快满了，暂不收件")
            await_(lambda: len(source.offered) > before + 100, "sources to be read all the same", 60)
            await_(lambda: lines(house, "broker_away") > tried + 3, "it to be tried again", 60)
            assert lines(house, "broker_connected") == connected, "a line that waits is kept"
            states = [item["state"] for item in house.json("balance", "--items")["items"]]
            assert "in_flight" in states
            assert worker.alive()
        await_(lambda: lines(house, "broker_unblocked") > 0, "the street to go on", 60)
        source.frozen = True
        worker.stop()

        done = house.command("run", "--once", "--embedded", "--json")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        items = house.json("balance", "--items")["items"]
        prove(source, items, house.drain())
