"""A centre of one test: a folder with settings and servers of its own, used only through the command line."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika

from demo.exchange import SECRET
from intake.servers import rabbit
from intake.servers.state import load

INTAKE = Path(sys.executable).with_name("intake")
#: Letters in a file; what follows adds to the table of their columns.
LETTERS_SOURCE = """
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
LETTERS = f"""
city = ""
[database]
name = "letters"
[broker]
vhost = "/"
{LETTERS_SOURCE}"""


@dataclass(frozen=True)
class House:
    """What an operator has: a folder and the command."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command, whatever comes of it."""
        return subprocess.run(
            [INTAKE, *words],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def intake(self, *words: str) -> str:
        """Run one command that must do what was asked; its output."""
        done = self.command(*words)
        assert done.returncode == 0, f"intake {' '.join(words)}: {done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.intake(*words, "--json"))

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command and leave it running; what it says goes to a file."""
        with (self.folder / "run.log").open("ab") as log:
            return subprocess.Popen(
                [INTAKE, *words], cwd=self.folder, env=self._environment(), stdout=log, stderr=log, stdin=log
            )

    def write_letters(self, rows: Sequence[Sequence[str]], name: str) -> str:
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["编号", "标题", "内容"], *rows])
        return name

    def server(self, name: str) -> dict[str, Any]:
        (found,) = [each for each in self.json("servers", "status") if each["name"] == name]
        return dict(found)

    def kill_server(self, name: str) -> None:
        os.kill(self.server(name)["pid"], signal.SIGKILL)

    @contextmanager
    def broker(self) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
        """The centre's own login, as `.intake/servers.json` keeps it."""
        server = load(self.folder / ".intake").broker
        assert server is not None
        connection = pika.BlockingConnection(pika.URLParameters(rabbit.url(server)))
        yield connection.channel()
        connection.close()

    def drain(self) -> dict[str, list[dict[str, Any]]]:
        """Everything in every department's queue, in the order in which it came; the queues are empty afterwards."""
        queues = [each["queue"]["name"] for each in self.json("departments", "list") if each["queue"]]
        taken: dict[str, list[dict[str, Any]]] = {}
        with self.broker() as channel:
            for queue in queues:
                # Counted, not waited for: a hundred empty queues would cost a wait each.
                while channel.queue_declare(queue, passive=True).method.message_count:
                    for method, properties, body in iter(lambda: channel.basic_get(queue), (None, None, None)):  # noqa: B023
                        message = json.loads(body)
                        assert message["id"] == properties.message_id
                        taken.setdefault(queue.removeprefix("dept."), []).append(message)
                        channel.basic_ack(method.delivery_tag)
        return taken

    def _environment(self) -> dict[str, str]:
        hidden = {"MONGO_URL", "AMQP_URL", "AMQP_MANAGEMENT_URL"}
        here = {name: value for name, value in os.environ.items() if name not in hidden}
        return {"DEMO_EXCHANGE_SECRET": SECRET, **here, **self.environment}


@contextmanager
def opened(folder: Path, settings: str, environment: Mapping[str, str] | None = None) -> Iterator[House]:
    """Make a house, with its servers up and its queues made; down again at the end."""
    house = House(folder, environment or {})
    (folder / "intake.toml").write_text(settings, encoding="utf-8")
    try:
        house.intake("servers", "up")
        house.intake("departments", "apply")
        yield house
    finally:
        house.intake("servers", "down")
        give_back(folder / ".intake")


def give_back(servers: Path) -> None:
    """Remove what servers that are down have stored, 300 megabytes and more a house; their logs stay to be read."""
    for data in (servers / "mongo", servers / "broker" / "data"):
        if data.exists():
            shutil.rmtree(data)


def await_(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Ask again and again until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)
