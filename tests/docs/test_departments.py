"""The programs of docs/departments.md really run, in three languages, with nothing but one department's credentials."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jsonschema
import msgspec
import pika
import pytest

from router.dispatching.statement import TYPE as STATEMENT
from router.feedback import Feedback, Received
from router.sandbox.samples import sample_statement
from tests.house import INTAKE, LETTERS, House, await_, opened

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "docs" / "consumers"
JARS = Path("/usr/share/java")
NEEDED = ("amqp-client", "gson", "slf4j-api", "slf4j-nop")
AMQPLIB = "0.10.9"
WAGES = ["讨薪", "公司拖欠工资三个月，一直不发工资，十几个农民工等着过年。"]
FIRST = [
    ["1", "公积金提取", "想问一下住房公积金提取需要哪些材料，公积金贷款还完以后还能提取吗？"],
    ["2", "公积金封存", "单位把我的公积金封存了，一直不给缴公积金，请核查。"],
    ["3", "公积金", "单位不给缴公积金已经一年，请公积金中心查一查。"],
]
LAST = [["4", "公积金贷款", "公积金贷款审批一个月了还没有结果，公积金中心电话也打不通。"]]


class Program(NamedTuple):
    """A department's program: how it is started, and what it has kept."""

    command: Sequence[str]
    stored: Callable[[Path], list[dict[str, Any]]]  #: every message, in the order in which it came
    rows: Callable[[Path], list[dict[str, Any]]]  #: the appeals as they stand: state, sequence


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("centre"), LETTERS) as made:
        yield made


def python_program(folder: Path) -> Program:
    """An empty virtual environment with only pika, and the block of the page."""
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, f"pika=={version('pika')}"], check=True, timeout=120)
    (folder / "consumer.py").write_text(block(), encoding="utf-8")
    return Program([str(python), str(folder / "consumer.py")], stored_in_table, rows_of_table)


def java_program(folder: Path) -> Program:
    """Compiled for Java 8, with Debian's amqp-client."""
    path = ":".join(
        [str(folder), *(str(JARS / f"{name}.jar") for name in ("amqp-client", "gson", "slf4j-api", "slf4j-nop"))]
    )
    compiler = ["javac", "-encoding", "UTF-8", "--release", "8", "-nowarn", "-cp", path, "-d", str(folder)]
    subprocess.run([*compiler, str(PROGRAMS / "Consumer.java")], check=True, timeout=120, stderr=subprocess.DEVNULL)
    return Program(["java", "-cp", path, "Consumer"], stored_in_lines, rows_of_files)


def node_program(folder: Path) -> Program:
    """With amqplib from npm."""
    shutil.copy(PROGRAMS / "consumer.js", folder)
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    subprocess.run([*npm, f"amqplib@{AMQPLIB}"], check=True, timeout=120)
    return Program(["node", str(folder / "consumer.js")], stored_in_lines, rows_of_files)


def block() -> str:
    """The one Python block of the page."""
    page = (ROOT / "docs" / "departments.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("make", [python_program, java_program, node_program])
def test_a_program_of_the_page_survives_a_repeat_an_update_a_recall_and_a_restart(
    make: Callable[[Path], Program],
    house: House,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> None:
    program = make(tmp_path_factory.mktemp("department"))
    credentials = json.loads(house.intake("departments", "credentials", "GJJ", "--json"))
    environment = {"AMQP_URL": credentials["amqp_url"], "DEPARTMENT": "GJJ", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    house.intake("departments", "apply")
    with house.broker() as channel:
        channel.queue_purge("dept.GJJ")  # what the program before this one had stored and not acknowledged yet
    consumer = subprocess.Popen(program.command, cwd=tmp_path, env=environment)
    try:
        live_through(house, program, tmp_path, make.__name__)
        assert consumer.poll() is None
        check(
            [body for body in program.stored(tmp_path) if body["type"] != STATEMENT],
            json.loads(house.intake("schema", "dispatch")),
        )
        orders = [body["id"] for body in program.stored(tmp_path) if body["type"] == "appeal.dispatched.v1"]
        answered = answers(house, urlsplit(credentials["amqp_url"]).username)
        waiting = {each.id for each in answered}
        await_(
            lambda: waiting | heard(program, tmp_path) == {f"received-{each}" for each in orders},
            "each feedback to wait at the centre, or to have its outcome",
        )
        outcomes = [body["data"]["feedback"] for body in program.stored(tmp_path) if is_outcome(body)]
        assert len(outcomes) == len(set(outcomes)), "each has one outcome"
    finally:
        consumer.terminate()
        consumer.wait(10)


@pytest.mark.live
@pytest.mark.parametrize("make", [python_program, java_program, node_program])
def test_a_program_of_the_page_passes_its_certification(
    make: Callable[[Path], Program], house: House, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    program = make(tmp_path_factory.mktemp("department"))
    words = ["departments", "certify", "GJJ", "--json"]
    with subprocess.Popen(
        [INTAKE, *words], cwd=house.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as centre:
        assert centre.stderr is not None
        told = dict(line.strip().split("=", 1) for line in (centre.stderr.readline(), centre.stderr.readline()))
        environment = {**told, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        consumer = subprocess.Popen(program.command, cwd=tmp_path, env=environment)
        try:
            printed, said = centre.communicate(timeout=120)
        finally:
            consumer.terminate()
            consumer.wait(10)
    sheet = json.loads(printed)
    assert centre.returncode == 0, (sheet, said)
    assert {line["verdict"] for line in sheet["lines"]} == {"passed"}
    # What no broker can see: the late one did not win, the recalled one is over.
    stored = program.stored(tmp_path)
    assert "department.statement.v1" in {body["type"] for body in stored}
    newest = {body["data"]["case"][-1]: body["data"]["sequence"] for body in stored if "case" in body["data"]}
    assert sorted(newest) == ["a", "b", "c", "d", "e", "f"]
    assert sorted((row["state"], row["sequence"]) for row in program.rows(tmp_path)) == [
        ("open", 1),
        ("open", 1),
        ("open", 2),
        ("open", 3),
        ("open", 3),
        ("recalled", 2),
    ]


def live_through(house: House, program: Program, folder: Path, who: str) -> None:
    """What may happen to a department in its first days; each program has letters of its own."""

    def letters(rows: Sequence[Sequence[str]]) -> list[list[str]]:
        return [[f"{who}-{number}", title, f"{text}（{who}）"] for number, title, text in rows]

    take_in(house, letters(FIRST), "first.csv")
    await_(lambda: len(program.rows(folder)) == 3, "the first three")
    assert {row["state"] for row in program.rows(folder)} == {"open"}

    messages = appeals(program, folder)
    repeat(house, messages[0])
    await_(lambda: queue_is_empty(house), "the repeat to be taken")
    assert appeals(program, folder) == messages, "a repeat changes nothing"

    updated = [*FIRST[0][:2], FIRST[0][2] + "另外，异地能办公积金提取吗？"]
    moved = [FIRST[2][0], *WAGES]
    take_in(house, letters([updated, FIRST[1], moved]), "second.csv")
    await_(lambda: len(appeals(program, folder)) == 5, "an update and a recall")
    # What became of its own feedback counts too: the update is the second message, or comes behind an outcome.
    assert sorted((row["state"], row["sequence"] > 1) for row in program.rows(folder)) == [
        ("open", False),
        ("open", True),
        ("recalled", True),
    ]
    (update,) = [body for body in program.stored(folder) if body["type"] == "appeal.updated.v1"]
    assert "异地能办公积金提取吗？" in update["data"]["text"]

    house.kill_server("rabbitmq")
    house.intake("servers", "up")
    take_in(house, letters(LAST), "third.csv")
    await_(lambda: len(program.rows(folder)) == 4, "what came after the restart")

    statement = json.loads(sample_statement("GJJ", datetime.now(UTC)))
    repeat(house, statement)
    await_(lambda: statement in program.stored(folder), "the daily statement, which is of no one case")
    assert len(program.rows(folder)) == 4


def is_outcome(body: Mapping[str, Any]) -> bool:
    return bool(body["type"] == "feedback.outcome.v1")


def appeals(program: Program, folder: Path) -> list[dict[str, Any]]:
    """What it was told of appeals, without what became of its own feedback."""
    return [body for body in program.stored(folder) if not is_outcome(body)]


def heard(program: Program, folder: Path) -> set[str]:
    """Its feedback that has its outcome."""
    return {body["data"]["feedback"] for body in program.stored(folder) if is_outcome(body)}


def answers(house: House, user: str | None) -> list[Feedback]:
    """What the program said, each as the broker took it: under the department's own name."""
    said: list[Feedback] = []
    with house.broker() as channel:
        for _, properties, body in iter(
            lambda: channel.basic_get("intake.feedback", auto_ack=True), (None, None, None)
        ):
            assert properties.user_id == user
            said.append(msgspec.json.decode(body, type=Feedback))
    assert all(isinstance(each, Received) for each in said)
    return said


def take_in(house: House, letters: Sequence[Sequence[str]], name: str) -> None:
    house.intake("import", house.write_letters(letters, name), "--source", "letters")


def check(bodies: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    """Every body against the schema, and the sequences without gaps."""
    validator = jsonschema.Draft202012Validator(schema)
    for body in bodies:
        if not is_outcome(body):
            validator.validate(body)
    sequences: dict[str, list[int]] = {}
    for body in bodies:
        if body["data"]["sequence"]:  # 0: an outcome on a case that it does not have any more
            sequences.setdefault(body["data"]["case"], []).append(body["data"]["sequence"])
    whole = {case: list(range(1, len(numbers) + 1)) for case, numbers in sequences.items()}
    assert sequences == whole


def stored_in_table(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(body) for (body,) in _ask(folder, "SELECT body FROM message ORDER BY rowid")]


def rows_of_table(folder: Path) -> list[dict[str, Any]]:
    names = ("state", "sequence")
    return [dict(zip(names, row, strict=True)) for row in _ask(folder, f"SELECT {', '.join(names)} FROM appeal")]


def stored_in_lines(folder: Path) -> list[dict[str, Any]]:
    try:
        lines = (folder / "inbox.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("}")]


STATES: Mapping[str, str] = {"appeal.recalled.v1": "recalled", "appeal.withdrawn.v1": "withdrawn"}


def rows_of_files(folder: Path) -> list[dict[str, Any]]:
    bodies = [json.loads(file.read_text("utf-8")) for file in (folder / "appeals").glob("*.json")]
    return [{"state": STATES.get(body["type"], "open"), "sequence": body["data"]["sequence"]} for body in bodies]


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
