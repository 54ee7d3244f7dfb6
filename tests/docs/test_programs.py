"""The programs of docs/departments.md go on by themselves after what goes wrong around them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.conftest import Amqp
from tests.docs.test_departments import Program, block, java_program, node_program, python_program
from tests.house import await_

PATH = "/usr/local/bin:/usr/bin:/bin"


def message(number: int, kind: str, case: str = "c1") -> bytes:
    data = {"case": case, "case_no": case, "dispatch": f"m{number}", "sequence": number, "role": "lead", "title": "t"}
    return json.dumps({"id": f"m{number}", "type": kind, "subject": case, "data": data}).encode()


def test_what_comes_after_the_end_opens_no_case_again(tmp_path: Path) -> None:
    """A claim is decided after the end: the program of the page took the case for open then."""
    program: dict[str, Any] = {"__name__": "consumer"}
    exec(compile(block(), "consumer.py", "exec"), program)
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(program["TABLES"])

        def states(*kinds: str) -> list[str]:
            found = []
            for kind in kinds:
                (count,) = db.execute("SELECT count(*) FROM message").fetchone()
                program["store"](db, message(count + 1, f"appeal.{kind}.v1"))
                found.append(db.execute("SELECT state FROM appeal").fetchone()[0])
            return found

        assert states("dispatched", "urged", "closed", "decided") == ["open", "open", "closed", "closed"]
        assert states("reopened", "deadline", "recalled", "decided") == ["open", "open", "recalled", "recalled"]
        assert states("dispatched", "updated") == ["open", "open"]


@pytest.mark.live
@pytest.mark.parametrize("make", [python_program, java_program, node_program])
def test_a_program_of_the_page_goes_on_after_its_channel_broke(
    make: Callable[[Path], Program], amqp: Amqp, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """The centre's broker refuses an answer, then its queue is gone for a while: nobody starts the program again."""
    program = make(tmp_path_factory.mktemp("department"))
    publish(amqp, message(1, "appeal.dispatched.v1"))  # there is no exchange for feedback yet
    environment = {"AMQP_URL": amqp.url, "DEPARTMENT": "GJJ", "PATH": PATH}
    with (tmp_path / "said.txt").open("wb") as said:
        consumer = subprocess.Popen(program.command, cwd=tmp_path, env=environment, stdout=said, stderr=said)
    try:
        await_(lambda: len(program.stored(tmp_path)) == 1, "the first order to be stored")
        with opened(amqp) as channel:
            channel.exchange_declare("feedback", "topic", durable=True)
            channel.queue_declare("heard", durable=True)
            channel.queue_bind("heard", "feedback", "#")
        await_(lambda: heard(amqp) == {"received-m1"}, "its answer", 30)

        with opened(amqp) as channel:
            channel.queue_delete("dept.GJJ")
        publish(amqp, b"[]", message(2, "appeal.dispatched.v1", "c2"))
        await_(lambda: heard(amqp) == {"received-m2"}, "the second", 30)
        assert consumer.poll() is None
        with opened(amqp) as channel:
            assert channel.queue_declare("dept.GJJ", passive=True).method.consumer_count == 1
    finally:
        consumer.terminate()
        consumer.wait(10)


@contextmanager
def opened(amqp: Amqp) -> Iterator[Any]:
    with pika.BlockingConnection(pika.URLParameters(amqp.url)) as connection:
        yield connection.channel()


def publish(amqp: Amqp, *bodies: bytes) -> None:
    with opened(amqp) as channel:
        channel.queue_declare("dept.GJJ", durable=True)
        for body in bodies:
            channel.basic_publish("", "dept.GJJ", body)


def heard(amqp: Amqp) -> set[str]:
    """What the centre heard since it was asked last."""
    with opened(amqp) as channel:
        found = iter(lambda: channel.basic_get("heard", auto_ack=True), (None, None, None))
        return {json.loads(body)["id"] for _, _, body in found}
