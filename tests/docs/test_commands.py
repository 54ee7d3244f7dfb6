"""Every command on the pages for people is run, in the order in which it stands there.

ID on a page stands for an id of the list that the command belongs to. A line whose comment names 退出码 1 may exit 1.
What needs an engine or a build (make, docker compose) is only held against Makefile and docker-compose.yml.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
import pytest

from intake.main import main
from tests.docs.house_of_pages import PageHouse, drained
from tests.docs.pages import ROOT, Block, blocks
from tests.house import await_

SHELL = [*blocks("sh", "bash", "shell")]
INTAKE = re.compile(r"^(?:\.venv/bin/)?intake ")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageHouse]:
    with drained(tmp_path_factory.mktemp("pages")) as house:
        yield house


def lines_of(block: Block) -> list[str]:
    return [line for line in block.text.splitlines() if line.partition("#")[0].strip()]


def words_of(line: str) -> list[str]:
    return shlex.split(line, comments=True)


def lasts(line: str) -> bool:
    """`intake run` goes on until it is stopped."""
    return INTAKE.match(line) is not None and words_of(line)[1] == "run" and "--once" not in words_of(line)


def for_others(line: str) -> bool:
    return words_of(line)[0] in {"make", "docker"}


def needless_end(block: Block) -> bool:
    """The servers are not started for a block that begins by stopping them: that takes ten seconds each time."""
    following = SHELL[SHELL.index(block) + 1 :][:1]
    goes_down = [lines_of(each)[0] == "intake servers down" for each in following]
    return any(goes_down) and lines_of(block)[-1] == "intake servers up"


def ours(block: Block) -> list[str]:
    """The lines that end by themselves; the others are held against their files, or run side by side, below."""
    lines = [line for line in lines_of(block) if not for_others(line) and not lasts(line)]
    return lines[:-1] if needless_end(block) else lines


@pytest.mark.parametrize("block", [block for block in SHELL if ours(block)], ids=str)
def test_a_block_does_what_the_page_says(block: Block, pages: PageHouse) -> None:
    lines = ours(block)
    before, after = next((hooks for start, hooks in STORIES.items() if start in block.text), (None, None))
    if before is not None:
        before(pages)
    try:
        for line in lines:
            run(line, pages)
        if after is not None:
            after(pages)
    finally:
        # A worker that a failed block leaves behind would spoil the blocks after it.
        for worker in WORKERS:
            worker.kill()
        WORKERS.clear()


def run(line: str, pages: PageHouse) -> None:
    may = {0, 1} if "退出码 1" in line else {0}
    if INTAKE.match(line) and not set("|<>") & set(line.partition("#")[0]):
        words = [chosen(word, line, pages) for word in words_of(line)[1:]]
        done = pages.intake(*words)
        assert done.exit_code in may, f"{line}\n{done.output}\n{done.exception!r}"
        assert done.exception is None or isinstance(done.exception, SystemExit), line
    else:
        ran = pages.shell(line)
        assert ran.returncode in may, f"{line}\n{ran.stdout}\n{ran.stderr}"


def chosen(word: str, line: str, pages: PageHouse) -> str:
    """Take an id from the list that this command works on."""
    if word not in {"ID", "编号"}:
        return word
    group = words_of(line)[1]
    if group in {"departments", "who-saw"}:
        return dispatched(pages)
    if group in {"feedback", "case"}:
        return held_by(pages, "ZJJ")
    ids = pages.ids(group if group in {"triage", "parked"} else "triage", "list")
    assert ids, f"{line}: the list is empty"
    return ids[0]


def held_by(pages: PageHouse, code: str) -> str:
    """The last case that this department has: other blocks look at the first."""
    items = json.loads(pages.intake("balance", "--items", "--json").stdout)["items"]
    return [str(item["id"]) for item in items if (item["state"], item["department"]) == ("delivered", code)][-1]


def dispatched(pages: PageHouse) -> str:
    """A case of which the caller may be known, and whose lead may see the matter's data."""
    units = tomllib.loads((ROOT / "demo" / "city" / "directory.toml").read_text("utf-8"))["unit"]
    granted = {unit["code"] for unit in units if unit.get("may_see")}
    items = json.loads(pages.intake("balance", "--items", "--json").stdout)["items"]
    for item in items:
        if item["state"] == "delivered" and item["source"] == "demo-hotline":
            life = json.loads(pages.intake("show", item["id"], "--json").stdout)
            if not life["appeal"]["citizen"]["confidential"] and life["case"]["holder"] in granted:
                return str(item["id"])
    raise AssertionError("no department has a case of the hotline")


def a_queue_is_deleted(pages: PageHouse) -> None:
    """Somebody deletes a queue; what is sent there comes back and is parked."""
    with pages.house.broker() as channel:
        channel.queue_delete("dept.GJJ")
    waiting = pages.ids("triage", "list")[0]
    assert pages.intake("triage", "assign", waiting, "GJJ", "--by", "张三", "--reason", "试").exit_code == 0
    assert pages.ids("parked", "list", "--stage", "route") == [waiting]


def it_holds_what_was_parked(pages: PageHouse) -> None:
    with pages.house.broker() as channel:
        assert channel.queue_declare("dept.GJJ", passive=True).method.message_count == 1
    assert pages.ids("parked", "list", "--stage", "route") == []


def everything_is_lost(pages: PageHouse) -> None:
    """What `.intake` holds is gone; the backups are there."""
    assert pages.intake("servers", "down").exit_code == 0
    shutil.rmtree(pages.house.folder / ".intake")


def it_is_all_back(pages: PageHouse) -> None:
    assert pages.ids("triage", "list")
    with pages.house.broker() as channel:
        assert channel.queue_declare("dept.GJJ", passive=True).method.message_count >= 1


WORKERS: list[subprocess.Popen[bytes]] = []


def a_worker_is_up(pages: PageHouse) -> None:
    """Its door is open."""
    log = pages.house.folder / "worker.log"
    WORKERS.append(start("intake run", log, pages))
    await_(lambda: "door_open" in log.read_text("utf-8"), "the door to open")


def what_was_pushed_is_taken_in(pages: PageHouse) -> None:
    worker = WORKERS.pop()
    try:
        await_(lambda: pushed(pages) == 1, "the pushed appeal to end somewhere")
        worker.send_signal(signal.SIGINT)
        assert worker.wait(15) == 0
    finally:
        worker.kill()


def pushed(pages: PageHouse) -> int:
    told = json.loads(pages.intake("balance", "--json").stdout)["sources"].get("citizens", {})
    return sum(count for state, count in told.items() if state != "in_flight")


Hook = Callable[[PageHouse], None]
#: What has happened before an operator opens a page at a block that holds this line, and what is so afterwards.
STORIES: Mapping[str, tuple[Hook, Hook]] = {
    "intake departments apply --dry-run": (a_queue_is_deleted, it_holds_what_was_parked),
    "curl -sS": (a_worker_is_up, what_was_pushed_is_taken_in),
    "tar -xzf backup.tgz": (everything_is_lost, it_is_all_back),
}


def test_what_runs_until_it_is_stopped_stops_in_order(pages: PageHouse) -> None:
    """Every such line of the pages at once: several workers of one street."""
    every = dict.fromkeys(" ".join(words_of(line)) for block in SHELL for line in lines_of(block) if lasts(line))
    assert every
    logs = [pages.house.folder / f"run-{number}.log" for number in range(len(every))]
    children = [start(line, log, pages) for line, log in zip(every, logs, strict=True)]
    try:
        await_(lambda: all("street_open" in log.read_text("utf-8") for log in logs), "every worker to be at work")
        for child in children:
            child.send_signal(signal.SIGINT)
        assert [child.wait(15) for child in children] == [0] * len(children), [log.read_text("utf-8") for log in logs]
    finally:
        for child in children:
            child.kill()


def start(line: str, log: Path, pages: PageHouse) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=pages.house.folder,
            env=pages.house._environment(),
            stdout=out,
            stderr=out,
        )


def test_make_is_asked_for_targets_that_it_has() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) \?=", makefile, re.MULTILINE)) | {"ONCE"}
    asked = [words_of(line)[1:] for block in SHELL for line in lines_of(block) if words_of(line)[0] == "make"]
    assert {"run", "test"} <= {words[0] for words in asked}
    assert {words[0] for words in asked} <= targets
    assert {word.split("=")[0] for words in asked for word in words[1:]} <= variables


COMPOSE = [line for block in SHELL for line in lines_of(block) if words_of(line)[0] == "docker"]


@pytest.mark.parametrize("line", COMPOSE)
def test_docker_compose_is_asked_for_services_that_it_has(line: str) -> None:
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    services = set(re.findall(r"^  (\w+):.*\n    <<: \*(?:hardened|worker)", compose, re.MULTILINE))
    words = words_of(line)
    assert words[:2] == ["docker", "compose"]
    if words[2] == "--profile":
        assert f"profiles: [{words[3]}]" in compose
        del words[2:4]
    verb, rest = words[2], words[3:]
    assert verb in {"up", "logs", "stop", "run", "ps", "restart", "exec"}, line
    if verb in {"run", "exec"}:
        service, *command = [word for word in rest if not word.startswith("-")]
        assert service in services
        if command[0] == "intake":
            found = main.get_command(click.Context(main), command[1])
            assert found is not None
            found.make_context(command[1], rest[rest.index(command[1]) + 1 :])
    else:
        named = [word.split("=")[0] for word in rest if not word.startswith("-") and not word.isdecimal()]
        assert set(named) <= services
