"""The house in which the pages' commands are run: the demonstration city, drained once, beside the pages' files."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import structlog
from click.testing import CliRunner, Result

from demo.exchange import SECRET
from demo.hotline import KEY
from intake.main import main
from intake.servers.processes import free_port
from tests.docs.pages import OPERATORS, ROOT, blocks
from tests.house import INTAKE, House, opened

DOOR_PORT = free_port()
ENVIRONMENT = {
    "DEMO_HOTLINE_KEY": KEY,
    "DEMO_EXCHANGE_SECRET": SECRET,
    "APP_KEYS": f"miniprogram:{hashlib.sha256(b'key-of-the-app').hexdigest()}",
    "DOOR": f"http://127.0.0.1:{DOOR_PORT}",
    "PATH": f"{INTAKE.parent}:{os.environ['PATH']}",
}


@dataclass(frozen=True)
class PageHouse:
    """A house whose commands run in this process: starting Python anew takes longer than most of them."""

    house: House

    def intake(self, *words: str) -> Result:
        with _as_a_process_of_its_own(self.house.folder):
            return CliRunner().invoke(main, list(words))

    def ids(self, *words: str) -> list[str]:
        """The ids that a list prints, as a program would read them."""
        return [row["id"] for row in json.loads(self.intake(*words, "--json").stdout)]

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **ENVIRONMENT}
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=self.house.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def _as_a_process_of_its_own(folder: Path) -> Iterator[None]:
    """What a command changes for its whole process is put back: folder, environment, signals, logs."""
    before, handlers, terminate = Path.cwd(), logging.getLogger().handlers[:], signal.getsignal(signal.SIGTERM)
    hidden = {name: value for name, value in os.environ.items() if name not in {"MONGO_URL", "AMQP_URL"}}
    hidden.pop("AMQP_MANAGEMENT_URL", None)
    os.chdir(folder)
    try:
        with mock.patch.dict(os.environ, {**hidden, **ENVIRONMENT}, clear=True):
            yield
    finally:
        os.chdir(before)
        signal.signal(signal.SIGTERM, terminate)
        logging.getLogger().handlers = handlers
        structlog.reset_defaults()


def settings_of_pages(url: str) -> str:
    """The demonstration's own settings at another address, and the sources that the operators' page adds to them."""
    text = (ROOT / "demo" / "intake.toml").read_text("utf-8").replace("http://127.0.0.1:28080", url)
    text = text.replace("server = true", "server = false").replace('"city/', f'"{ROOT}/demo/city/')
    text = text.replace("requests_per_minute = 1200", "requests_per_minute = 60000")
    text = text.replace("[door]  # 推送从这里进来 · what is pushed comes in here\nport = 28090\n", "")
    added = "\n".join(each.text for each in blocks("toml") if each.page == OPERATORS and not each.file)
    return f"{text}\n{added.replace('port = 28090', f'port = {DOOR_PORT}')}"


@contextmanager
def demonstration() -> Iterator[str]:
    """The demonstration's server, without faults: this is about the pages."""
    words = [sys.executable, "-m", "demo.server", "--port", "0", "--seed", "7", "--smooth"]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())["url"]
    finally:
        child.terminate()
        child.wait(10)
        if child.stdout is not None:
            child.stdout.close()


@contextmanager
def drained(folder: Path) -> Iterator[PageHouse]:
    """A house that has drained the demonstration once, with the files of the pages beside its settings."""
    (folder / ".venv").symlink_to(INTAKE.parent.parent)
    for each in blocks("toml", "csv", "jsonl"):
        if each.file:
            (folder / each.file).parent.mkdir(exist_ok=True)
            (folder / each.file).write_text(each.text, encoding="utf-8")
    with demonstration() as url, opened(folder, settings_of_pages(url), ENVIRONMENT) as house:
        pages = PageHouse(house)
        done = pages.intake("run", "--once", "--embedded")
        assert done.exit_code == 0, done.output
        yield pages
