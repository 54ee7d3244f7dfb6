"""Kill the worker, mongod and RabbitMQ at random moments: afterwards nothing is lost, and nothing has two ids."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.living_source import KEY, LivingSource, living_source
from tests.house import House, await_, opened

SETTINGS = """
city = ""
[database]
name = "chaos"
[broker]
vhost = "/"
[[source]]
name = "orders"
kind = "hotline_12345"
channel = "hotline"
mode = "route"
zone = "Asia/Shanghai"
every = 1
requests_per_minute = 60000
overlap = 3
url = "{url}"
key_env = "ORDERS_KEY"
"""
OVER = {"appeal.recalled.v1", "appeal.withdrawn.v1"}
ENDED = {"delivered", "informed", "handed_over", "withdrawn", "triage", "not_an_appeal"}


class Worker:
    """The running street, started again whenever it was killed."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return self._house.start("run", "--embedded")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> float:
        """Ctrl-C; how long it took to close."""
        begin = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(30) == 0
        return time.monotonic() - begin


@contextmanager
def working(house: House) -> Iterator[Worker]:
    """A worker that is gone at the end, also of a test that failed."""
    worker = Worker(house)
    try:
        yield worker
    finally:
        worker.end()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.live)])
def test_kill_9_of_worker_mongod_and_rabbitmq_loses_nothing_and_sends_nothing_under_two_ids(
    times: int, tmp_path: Path
) -> None:
    chance = random.Random(times)
    with (
        living_source(seed=times, rate=60) as source,
        opened(tmp_path, SETTINGS.format(url=source.url), {"ORDERS_KEY": KEY}) as house,
        working(house) as worker,
    ):
        kill: dict[str, Callable[[], None]] = {
            "worker": worker.kill,
            "mongod": lambda: kill_when_it_runs(house, "mongod"),
            "rabbitmq": lambda: kill_when_it_runs(house, "rabbitmq"),
        }
        victims = [name for name in kill for _ in range(times)]
        chance.shuffle(victims)
        for name in victims:
            before = len(source.offered)
            await_(lambda: len(source.offered) > before, f"reading to go on before {name} is killed", 120)  # noqa: B023
            time.sleep(chance.uniform(0.0, 2.0))  # the moment of the kill is the chance that is tested
            kill[name]()
            assert worker.alive()
        await_(lambda: all(house.server(name)["running"] for name in ("mongod", "rabbitmq")), "both servers", 90)
        before = len(source.offered)
        await_(lambda: len(source.offered) > before, "the last worker's street to be open", 120)
        source.frozen = True
        assert worker.stop() < 5

        done = house.command("run", "--once", "--embedded", "--json")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        items = house.json("balance", "--items")["items"]
        prove(source, items, house.drain())


def kill_when_it_runs(house: House, name: str) -> None:
    """Killed a moment ago, it is still on its way back."""
    await_(lambda: bool(house.server(name)["running"]), f"{name} to come back", 90)
    house.kill_server(name)


def prove(source: LivingSource, items: list[dict[str, Any]], queues: dict[str, list[dict[str, Any]]]) -> None:
    """What was offered, what the balance says and what departments have, are the same, item by item."""
    assert len(source.offered) > 200, "too little happened to prove anything"
    assert {item["native_id"] for item in items} == source.offered == set(source.orders)
    assert {item["state"] for item in items} <= ENDED
    open_at, told, words = what_departments_have(queues)
    for item in items:
        order = source.orders[item["native_id"]]
        assert (item["state"] == "withdrawn") == (order.state == "撤回"), item
        assert told.pop(item["id"], set()) == set(item["departments"]), item
        held = open_at.pop(item["id"], set())
        assert bool(held) == (item["state"] == "delivered"), (item, held)
        assert not held or item["department"] in held, (item, held)
        for department in held:
            assert f"第{order.number}号，第{order.draft}稿" in words[item["id"], department], item
    assert not told, "a department has what the balance does not know"


def what_departments_have(
    queues: dict[str, list[dict[str, Any]]],
) -> tuple[dict[str, set[str]], dict[str, set[str]], dict[tuple[str, str], str]]:
    """Read the queues as departments do (one id a dispatch, no gaps, in order): who has it, who heard, what words."""
    ids: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    arrived: dict[tuple[str, str], list[int]] = defaultdict(list)
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for department, messages in queues.items():
        for message in messages:
            case, sequence = message["data"]["case"], message["data"]["sequence"]
            ids[case, department, sequence].add(message["id"])
            if sequence not in arrived[case, department]:
                arrived[case, department].append(sequence)
                newest[case, department] = message
    assert all(len(found) == 1 for found in ids.values()), "one dispatch, one message id"
    everything = [message["id"] for found in queues.values() for message in found]
    assert len(set(everything)) == len(ids), "one message id, one dispatch"
    for key, sequences in arrived.items():
        assert sequences == list(range(1, len(sequences) + 1)), (key, sequences)
    open_at: dict[str, set[str]] = defaultdict(set)
    told: dict[str, set[str]] = defaultdict(set)
    for (case, department), message in newest.items():
        told[case].add(department)
        if message["type"] not in OVER:
            open_at[case].add(department)
    return open_at, told, {key: message["data"]["text"] for key, message in newest.items()}
