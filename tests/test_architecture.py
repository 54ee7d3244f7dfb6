"""The walls: imports go up the street only, and through the gates; tools stay in the rooms that own them."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: What a room may import of the other rooms: its left neighbour's gate.
GATES: dict[str, set[str]] = {
    "connectors": set(),
    "normalizer": {"connectors.raw_appeal"},
    "router": {"normalizer.appeal"},
}
#: The front door may import every room; the demonstration city stands outside and knows none of them.
HOUSE = {*GATES, "intake", "demo", "bench"}
#: The broker's management API speaks HTTP.
MANAGEMENT = "router/dispatching/broker.py"
DRAWERS = {"utils", "util", "helpers", "common", "manager", "core", "misc", "shared"}


def modules() -> list[str]:
    rooms = (*GATES, "intake", "demo")
    return sorted(str(path.relative_to(ROOT)) for room in rooms for path in (ROOT / room).rglob("*.py"))


def imported(source: str, module: str) -> Iterator[str]:
    """Every module and name that a source imports, also inside functions and for types alone."""
    package = module.split("/")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{each.name}" for each in node.names)


def reads_environment(source: str) -> bool:
    touched = {
        ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute | ast.ImportFrom)
    }
    return any(each in {"os.environ", "os.getenv", "os.environb"} for each in touched) or any(
        each.startswith("from os import") and ("environ" in each or "getenv" in each) for each in touched
    )


def is_of(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def broken(module: str, source: str) -> list[str]:
    """The rules that this module breaks, each as a sentence."""
    room, name = Path(module).parts[0], Path(module).stem
    found = [
        f"{module} imports {each}"
        for each in imported(source, module)
        if not (_gate_allows(room, each) and _owner_allows(module, each))
    ]
    if reads_environment(source) and room not in {"intake", "demo"}:
        found.append(f"{module} reads the environment")
    if DRAWERS & {name, *module.split("/")[:-1]}:
        found.append(f"{module} is a drawer, not a name")
    return found


def _gate_allows(room: str, name: str) -> bool:
    other = name.partition(".")[0]
    if other not in HOUSE or room in {other, "intake"}:
        return True
    if room == "demo":
        return False
    return other in GATES and any(is_of(name, gate) for gate in GATES[room])


def _owner_allows(module: str, name: str) -> bool:
    """Motor in stores, HTTP in connectors, AMQP in the router; the front door makes the clients."""
    room, stem = Path(module).parts[0], Path(module).stem
    if room == "intake":
        return True
    match name.partition(".")[0]:
        case "motor" | "pymongo":
            return "store" in stem.split("_") or module.startswith("connectors/keeping/")
        case "aio_pika" | "aiormq" | "pamqp" | "pika":
            return room == "router"
        case "aiohttp":
            return room in {"connectors", "demo"} or module == MANAGEMENT
        case _:
            return True


@pytest.mark.parametrize("module", modules())
def test_no_wall_is_broken(module: str) -> None:
    assert broken(module, (ROOT / module).read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("connectors/hotline.py", "import normalizer.appeal"),
        ("connectors/hotline.py", "from intake.settings import load"),
        ("normalizer/flow.py", "from connectors.base import Page"),
        ("normalizer/flow.py", "from connectors import base"),
        ("normalizer/flow.py", "from router.dispatch import Decision"),
        ("normalizer/steps/mask.py", "def late():\n    import connectors.asking.http"),
        ("normalizer/steps/mask.py", "from ...connectors import http"),
        ("router/flow.py", "from connectors.raw_appeal import RawAppeal"),
        ("router/flow.py", "from normalizer.steps.mask import mask"),
        ("router/flow.py", "import demo.city"),
        ("router/flow.py", "import bench"),
        ("demo/server.py", "from connectors.raw_appeal import RawAppeal"),
        ("demo/server.py", "import intake.main"),
        ("normalizer/flow.py", "from motor.motor_asyncio import AsyncIOMotorClient"),
        ("router/flow.py", "import pymongo"),
        ("connectors/flow.py", "import aio_pika"),
        ("normalizer/flow.py", "from aiormq import Channel"),
        ("normalizer/store.py", "import aiohttp"),
        ("router/flow.py", "import aiohttp"),
        ("connectors/asking/http.py", "import os\nKEY = os.environ['KEY']"),
        ("router/flow.py", "from os import environ"),
        ("router/flow.py", "import os\nos.getenv('X')"),
        ("router/utils.py", ""),
        ("intake/common/words.py", ""),
    ],
)
def test_a_broken_wall_is_seen(module: str, source: str) -> None:
    assert len(broken(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("normalizer/flow.py", "from connectors.raw_appeal import RawAppeal"),
        ("router/flow.py", "from normalizer.appeal import Appeal\nfrom router.cases import moves"),
        ("router/dispatching/topology.py", "from . import names"),
        ("connectors/keeping/store.py", "from motor.motor_asyncio import AsyncIOMotorDatabase"),
        ("router/dispatching/broker.py", "import aiohttp"),
        ("intake/main.py", "import os, motor, aio_pika, aiohttp, connectors.flow, router.flow, demo.server"),
        ("connectors/asking/http.py", "import aiohttp, os.path"),
    ],
)
def test_what_the_walls_are_for_passes(module: str, source: str) -> None:
    assert broken(module, source) == []


def test_every_room_has_its_gate() -> None:
    for gates in GATES.values():
        for gate in gates:
            assert (ROOT / gate.replace(".", os.sep)).with_suffix(".py").is_file()
