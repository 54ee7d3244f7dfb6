"""The Python block of docs/departments.md really runs: nothing but pika and one department's credentials."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pika
import pytest

from tests.house import LETTERS, House, await_, opened

ROOT = Path(__file__).resolve().parents[2]
WAGES = ["w1", "讨薪", "公司拖欠工资三个月，一直不发工资，十几个农民工等着过年。"]
FIRST = [
    ["p1", "公积金提取", "想问一下住房公积金提取需要哪些材料，公积金贷款还完以后还能提取吗？"],
    ["p2", "公积金封存", "单位把我的公积金封存了，一直不给缴公积金，请核查。"],
    ["p3", "公积金", "单位不给缴公积金已经一年，请公积金中心查一查。"],
]
LAST = [["p4", "公积金贷款", "公积金贷款审批一个月了还没有结果，公积金中心电话也打不通。"]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("centre"), LETTERS) as made:
        yield made


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
        take_in(house, FIRST, "first.csv")
        await_(lambda: len(rows(tmp_path)) == 3, "the first three")
        assert {row["state"] for row in rows(tmp_path)} == {"open"}

        messages = stored(tmp_path)
        repeat(house, messages[0])
        await_(lambda: queue_is_empty(house), "the repeat to be taken")
        assert stored(tmp_path) == messages, "a repeat changes nothing"

        updated = [*FIRST[0][:2], FIRST[0][2] + "另外，异地能办公积金提取吗？"]
        moved = [FIRST[2][0], *WAGES[1:]]
        take_in(house, [updated, FIRST[1], moved], "second.csv")
        await_(lambda: len(stored(tmp_path)) == 5, "an update and a recall")
        by_case = {row["case_id"]: row for row in rows(tmp_path)}
        assert sorted((row["state"], row["sequence"]) for row in by_case.values()) == [
            ("open", 1),
            ("open", 2),
            ("recalled", 2),
        ]
        (update,) = [body for body in stored(tmp_path) if body["type"] == "appeal.updated.v1"]
        assert update["data"]["text"].endswith("异地能办公积金提取吗？")

        house.kill_server("rabbitmq")
        house.intake("servers", "up")
        take_in(house, LAST, "third.csv")
        await_(lambda: len(rows(tmp_path)) == 4, "what came after the restart")
        assert consumer.poll() is None

        check(stored(tmp_path), json.loads(house.intake("schema", "dispatch")))
    finally:
        consumer.terminate()
        consumer.wait(10)


def take_in(house: House, letters: Sequence[Sequence[str]], name: str) -> None:
    house.intake("import", house.write_letters(letters, name), "--source", "letters")


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


def repeat(house: House, body: dict[str, Any]) -> None:
    """The same message a second time, as a crash between publishing and marking would send it."""
    properties = pika.BasicProperties(message_id=body["id"], delivery_mode=2)
    with house.broker() as channel:
        channel.basic_publish("", "dept.GJJ", json.dumps(body).encode(), properties)


def queue_is_empty(house: House) -> bool:
    """Nothing ready; a message taken and not acknowledged would come back after the restart below."""
    with house.broker() as channel:
        return bool(channel.queue_declare("dept.GJJ", passive=True).method.message_count == 0)
