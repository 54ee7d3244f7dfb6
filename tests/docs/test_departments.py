"""The Python block of docs/departments.md really runs: nothing but pika and one department's credentials."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pika
import pytest

ROOT = Path(__file__).resolve().parents[2]
INTAKE = Path(sys.executable).with_name("intake")
SETTINGS = """
city = ""
[database]
name = "letters"
[broker]
vhost = "/"
[[source]]
name = "letters"
kind = "table"
channel = "board"
mode = "route"
zone = "Asia/Shanghai"
[source.columns]
native_id = "编号"
title = "标题"
text = "内容"
"""
WAGES = ["w1", "讨薪", "公司拖欠工资三个月，一直不发工资，十几个农民工等着过年。"]
FIRST = [
    ["p1", "公积金提取", "想问一下住房公积金提取需要哪些材料，公积金贷款还完以后还能提取吗？"],
    ["p2", "公积金封存", "单位把我的公积金封存了，一直不给缴公积金，请核查。"],
    ["p3", "公积金", "单位不给缴公积金已经一年，请公积金中心查一查。"],
]


@dataclass(frozen=True)
class House:
    """A folder with settings and servers of its own, used only through the command line."""

    folder: Path

    def intake(self, *words: str) -> str:
        """Run one command; its output."""
        hidden = {"MONGO_URL", "AMQP_URL", "AMQP_MANAGEMENT_URL"}
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        done = subprocess.run(
            [INTAKE, *words], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"intake {' '.join(words)}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def take_in(self, rows: Sequence[Sequence[str]], name: str) -> None:
        """Import a file of letters."""
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["编号", "标题", "内容"], *rows])
        self.intake("import", name, "--source", "letters")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("centre"))
    (made.folder / "intake.toml").write_text(SETTINGS, encoding="utf-8")
    made.intake("servers", "up")
    made.intake("departments", "apply")
    yield made
    made.intake("servers", "down")


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with only pika."""
    folder = tmp_path_factory.mktemp("department")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, f"pika=={version('pika')}"], check=True, timeout=120)
    return python


def block() -> str:
    """The one Python block of the page."""
    page = (ROOT / "docs" / "departments.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return str(found)


def test_the_program_of_the_page_survives_a_repeat_an_update_a_recall_and_a_restart(
    house: House, bare_python: Path, tmp_path: Path
) -> None:
    credentials = json.loads(house.intake("departments", "credentials", "GJJ", "--json"))
    (tmp_path / "consumer.py").write_text(block(), encoding="utf-8")
    environment = {"AMQP_URL": credentials["amqp_url"], "DEPARTMENT": "GJJ", "PATH": "/usr/bin:/bin"}
    consumer = subprocess.Popen([bare_python, "consumer.py"], cwd=tmp_path, env=environment)
    try:
        house.take_in(FIRST, "first.csv")
        await_(lambda: len(rows(tmp_path)) == 3, "the first three")
        assert {row["state"] for row in rows(tmp_path)} == {"open"}

        messages = stored(tmp_path)
        repeat(house, messages[0])
        await_(lambda: queue_is_empty(house), "the repeat to be taken")
        assert stored(tmp_path) == messages, "a repeat changes nothing"

        updated = [*FIRST[0][:2], FIRST[0][2] + "另外，异地能办公积金提取吗？"]
        moved = [FIRST[2][0], *WAGES[1:]]
        house.take_in([updated, FIRST[1], moved], "second.csv")
        await_(lambda: len(stored(tmp_path)) == 5, "an update and a recall")
        by_case = {row["case_id"]: row for row in rows(tmp_path)}
        assert sorted((row["state"], row["sequence"]) for row in by_case.values()) == [
            ("open", 1),
            ("open", 2),
            ("recalled", 2),
        ]
        (update,) = [body for body in stored(tmp_path) if body["type"] == "appeal.updated.v1"]
        assert update["data"]["text"].endswith("异地能办公积金提取吗？")

        kill_broker(house)
        house.intake("servers", "up")
        house.take_in([["p4", "公积金贷款", "公积金贷款审批一个月了还没有结果，公积金中心电话也打不通。"]], "third.csv")
        await_(lambda: len(rows(tmp_path)) == 4, "what came after the restart")
        assert consumer.poll() is None

        check(stored(tmp_path), json.loads(house.intake("schema", "dispatch")))
    finally:
        consumer.terminate()
        consumer.wait(10)


def check(bodies: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    """Every body against the schema, and the sequences without gaps."""
    validator = jsonschema.Draft202012Validator(schema)
    for body in bodies:
        validator.validate(body)
    sequences: dict[str, list[int]] = {}
    for body in bodies:
        sequences.setdefault(body["data"]["case"], []).append(body["data"]["sequence"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sequences.values())


def stored(folder: Path) -> list[dict[str, Any]]:
    """What the program kept, in the order in which it came."""
    return [json.loads(body) for (body,) in _ask(folder, "SELECT body FROM message ORDER BY rowid")]


def rows(folder: Path) -> list[dict[str, Any]]:
    names = ("case_id", "case_no", "sequence", "state", "role", "title")
    return [dict(zip(names, row, strict=True)) for row in _ask(folder, f"SELECT {', '.join(names)} FROM appeal")]


def _ask(folder: Path, question: str) -> list[Any]:
    if not (folder / "appeals.db").exists():
        return []
    database = sqlite3.connect(folder / "appeals.db")
    try:
        return database.execute(question).fetchall()
    except sqlite3.OperationalError:  # the program has not made its tables yet
        return []
    finally:
        database.close()


def await_(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def broker_status(house: House) -> dict[str, Any]:
    (found,) = [each for each in json.loads(house.intake("servers", "status", "--json")) if each["name"] == "rabbitmq"]
    return dict(found)


def kill_broker(house: House) -> None:
    os.kill(broker_status(house)["pid"], signal.SIGKILL)


def _admin(house: House) -> pika.BlockingConnection:
    """The centre's own login, as `.intake/servers.json` keeps it."""
    from intake.servers import rabbit  # noqa: PLC0415 - only what stands in for an operator needs it
    from intake.servers.state import load  # noqa: PLC0415 - the same

    broker = load(house.folder / ".intake").broker
    assert broker is not None
    return pika.BlockingConnection(pika.URLParameters(rabbit.url(broker) + _vhost(rabbit.url(broker))))


def _vhost(url: str) -> str:
    return "" if urlsplit(url).path else "/%2F"


def repeat(house: House, body: dict[str, Any]) -> None:
    """The same message a second time, as a crash between publishing and marking would send it."""
    connection = _admin(house)
    connection.channel().basic_publish(
        "", "dept.GJJ", json.dumps(body).encode(), pika.BasicProperties(message_id=body["id"], delivery_mode=2)
    )
    connection.close()


def queue_is_empty(house: House) -> bool:
    """Nothing ready; a message taken and not acknowledged would come back after the restart below."""
    connection = _admin(house)
    waiting = connection.channel().queue_declare("dept.GJJ", passive=True).method.message_count
    connection.close()
    return bool(waiting == 0)
