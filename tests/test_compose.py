"""docker-compose.yml for production: valid, healthy, documented, and without a secret in it. No engine is needed."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from intake.door.settings import DoorSettings

ROOT = Path(__file__).parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
#: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$$NAME` is the container's own.
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z0-9_]+)(?P<how>:[-?])?[^}]*\}")
USED = {each["name"]: each["how"] for each in VARIABLE.finditer(COMPOSE)}
REQUIRED = sorted(name for name, how in USED.items() if how == ":?")


def described() -> dict[str, str]:
    """Each variable of .env.example with its value; one without a comment above it does not count."""
    found: dict[str, str] = {}
    comment = False
    for line in EXAMPLE.splitlines():
        name, is_one, value = line.partition("=")
        if line.startswith("#"):
            comment = True
        elif is_one:
            found |= {name: value} if comment else {}
            comment = False
    return found


@pytest.fixture
def filled_in(tmp_path: Path) -> dict[str, str]:
    """An environment in which every required variable is set."""
    (tmp_path / "sources.env").write_text("")
    given = {name: f"test-{name.lower()}" for name in REQUIRED}
    folders = {name: str(tmp_path) for name in REQUIRED if name.endswith("_FOLDER")}
    return given | folders | {"SOURCE_KEYS_FILE": str(tmp_path / "sources.env")}


def compose(environment: dict[str, str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """What Debian's docker-compose, or docker's own, makes of the file."""
    command = [shutil.which("docker-compose")] if shutil.which("docker-compose") else ["docker", "compose"]
    (tmp_path / "no.env").write_text("")
    return subprocess.run(
        [*map(str, command), "--env-file", str(tmp_path / "no.env"), "-f", str(ROOT / "docker-compose.yml"), "config"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


needs_compose = pytest.mark.skipif(
    shutil.which("docker-compose") is None
    and (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0
    ),
    reason="neither docker-compose nor docker compose is here: apt-get install docker-compose",
)


@needs_compose
def test_it_is_valid(filled_in: dict[str, str], tmp_path: Path) -> None:
    result = compose(filled_in, tmp_path)

    assert result.returncode == 0, result.stderr
    services = yaml.safe_load(result.stdout)["services"]
    # Debian's tells of every profile, docker's own of those that are asked for.
    assert services.keys() - {"door"} == {"mongo", "rabbitmq", "worker"}
    assert "replicaSet=intake" in services["worker"]["environment"]["MONGO_URL"]


@needs_compose
@pytest.mark.parametrize("name", REQUIRED)
def test_without_a_required_variable_it_says_which(name: str, filled_in: dict[str, str], tmp_path: Path) -> None:
    filled_in.pop(name)

    result = compose(filled_in, tmp_path)

    assert result.returncode != 0
    assert name in result.stderr


def test_every_variable_is_described_and_every_description_is_used() -> None:
    assert sorted(described()) == sorted(USED)


def test_the_example_sets_what_has_a_default_and_leaves_the_rest_to_the_operator() -> None:
    assert {name for name, value in described().items() if not value} == set(REQUIRED)


def test_what_is_secret_has_no_default() -> None:
    secrets = {name for name in USED if name.endswith(("PASSWORD", "_KEY"))}

    assert secrets <= set(REQUIRED)


def services() -> list[Any]:
    parsed = yaml.safe_load(COMPOSE)["services"]
    return [pytest.param(name, service, id=name) for name, service in parsed.items()]


@pytest.mark.parametrize(("name", "service"), services())
def test_each_service_has_a_health_check_and_little_power(name: str, service: dict[str, Any]) -> None:
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["cap_drop"] == ["ALL"]
    assert service["restart"] == "unless-stopped"


def test_nobody_is_root() -> None:
    parsed = yaml.safe_load(COMPOSE)["services"]

    assert (parsed["mongo"]["user"], parsed["rabbitmq"]["user"]) == ("mongodb", "rabbitmq")
    last_stage = (ROOT / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2]
    assert "\nUSER intake\n" in last_stage
    assert last_stage.index("\nUSER intake\n") < last_stage.index("\nCMD ")


def test_workers_scale_and_wait_for_healthy_servers() -> None:
    worker = yaml.safe_load(COMPOSE)["services"]["worker"]

    assert not {"container_name", "ports", "hostname"} & set(worker)
    assert worker["depends_on"] == {
        "mongo": {"condition": "service_healthy"},
        "rabbitmq": {"condition": "service_healthy"},
    }


def test_the_door_is_a_worker_of_which_the_port_is_published() -> None:
    """Where `[door]` listens by default, asked for its health; `worker` itself scales and has no port."""
    parsed = yaml.safe_load(COMPOSE)["services"]
    door, worker = parsed["door"], parsed["worker"]

    port = DoorSettings().port
    assert re.sub(r"\$\{[^}]*\}", "", door["ports"][0]) == f":{port}"
    assert door["healthcheck"]["test"][-1].endswith(f":{port}/health}}")
    assert door["profiles"] == ["door"]
    assert {name for name in worker if door[name] != worker[name]} == {"healthcheck", "networks"}
    assert "departments" in door["networks"]


async def test_the_doors_health_check_sees_whether_it_answers() -> None:
    """The very command of the file, as the container runs it."""
    command = yaml.safe_load(COMPOSE)["services"]["door"]["healthcheck"]["test"][1:-1]

    async def well(_: web.Request) -> web.Response:
        return web.json_response({"healthy": True})

    async def ask(url: str) -> int:
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command[1:], url, stderr=asyncio.subprocess.DEVNULL
        )
        return await child.wait()

    app = web.Application()
    app.router.add_get("/health", well)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/health"
    assert await ask(url) == 0
    assert await ask(url.replace("/health", "/nothing")) != 0
    await runner.cleanup()
    assert await ask(url) != 0


@pytest.mark.parametrize("path", re.findall(r"- (\./[^:]+):", COMPOSE))
def test_the_files_that_it_mounts_are_here(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_image_takes_in_only_what_the_build_names() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)

    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert {name for line in copied for name in line.split()} == let_in
