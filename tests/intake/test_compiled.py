"""What is compiled says and does what its source says and does."""

import os
import re
import shutil
import subprocess
import sys
import time
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from click.testing import CliRunner

from intake import compiled
from intake.main import main

ROOT = Path(__file__).parents[2]
SUFFIX = EXTENSION_SUFFIXES[0]
HOT = re.findall(r'^    "(.*\.py)",$', (ROOT / "setup.py").read_text("utf-8"), re.MULTILINE)
LIBRARY = ROOT / compiled.LIBRARY
JUDGE = "normalizer/steps/judge.py"

#: Reads what the demonstration's people write, and prints all that is made of it.
READ = """
import sys
from bench.city import REF_KEY, orders, raw_of, tables
from bench.texts import letters
import msgspec
from normalizer.appeal import Normalized
from normalizer.normalize import normalize_all
from normalizer.steps import classify
from router.dispatch import Context
from router.dispatching.decide import decide

known, texts = tables(), letters(400)
raws = [raw_of(order, text.native_id) for order, text in zip(orders(texts), texts, strict=True)]
for one in normalize_all(raws, known.normalizer, REF_KEY):
    assert isinstance(one, Normalized), one
    print(msgspec.json.encode([one, decide(one.appeal, Context(), known.router)]).decode())
print(classify.__file__, file=sys.stderr)
"""


def read(folder: Path) -> tuple[str, str]:
    """What a Python of its own makes of the letters, and which file it ran."""
    done = subprocess.run(
        [sys.executable, "-c", READ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr.strip()


def test_what_is_compiled_makes_of_every_letter_what_its_source_makes(tmp_path: Path) -> None:
    if not LIBRARY.exists():
        pytest.skip("nothing is compiled here: there is no C compiler, or INTAKE_PLAIN is set")
    for room in ("connectors", "normalizer", "router", "intake", "demo", "bench"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("*.so", "__pycache__"))

    (ours, file), (plain, source) = read(ROOT), read(tmp_path)

    assert (file.endswith(SUFFIX), source.endswith(".py")) == (True, True)
    assert ours.count("\n") == 400
    assert ours == plain


@pytest.mark.parametrize("name", HOT)
def test_no_record_of_msgspec_stands_in_what_is_compiled(name: str) -> None:
    """The compiler drops what is said of the class: a frozen record could be changed."""
    assert "msgspec.Struct" not in (ROOT / name).read_text("utf-8")


@pytest.mark.skipif(not LIBRARY.exists(), reason="nothing is compiled here")
@pytest.mark.parametrize("name", HOT)
def test_everything_that_is_to_be_compiled_is(name: str) -> None:
    module = import_module(name.removesuffix(".py").replace("/", "."))

    assert str(module.__file__).endswith(SUFFIX)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one compiled module, and what `make setup` writes down of it."""
    files = ("setup.py", JUDGE, "normalizer/steps/title.py", f"normalizer/steps/judge{SUFFIX}", compiled.LIBRARY)
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} as it was compiled")
    (tmp_path / ".venv").mkdir()
    told = subprocess.run(["sha256sum", *files], cwd=tmp_path, capture_output=True, check=True)
    (tmp_path / compiled.RECORD).write_bytes(told.stdout)
    return tmp_path


def test_what_is_as_it_was_compiled_is_not_outdated(checkout: Path) -> None:
    (checkout / JUDGE).touch()
    (checkout / "normalizer/steps/title.py").write_text("it is not compiled")

    assert compiled.outdated(checkout) == []


@pytest.mark.parametrize("days", [1, -1])
def test_a_source_that_changed_since_is_named_however_old_it_says_it_is(checkout: Path, days: int) -> None:
    """A release that is unpacked over another one has its own times."""
    edited = checkout / JUDGE
    edited.write_text("edited")
    then = time.time() + days * 86_400
    os.utime(edited, (then, then))

    assert compiled.outdated(checkout) == [JUDGE]


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        (JUDGE, JUDGE),
        (f"normalizer/steps/judge{SUFFIX}", f"normalizer/steps/judge{SUFFIX}"),
        (compiled.LIBRARY, compiled.LIBRARY),
        (str(compiled.RECORD), JUDGE),
    ],
)
def test_whatever_is_gone_is_told(checkout: Path, gone: str, told: str) -> None:
    """No record: the compiler was killed half-way."""
    (checkout / gone).unlink()

    assert compiled.outdated(checkout) == [told]


def test_where_nothing_is_compiled_nothing_is_outdated(checkout: Path) -> None:
    for path in checkout.rglob(f"*{SUFFIX}"):
        path.unlink()

    assert compiled.outdated(checkout) == []


def test_an_installed_package_is_as_it_was_built(checkout: Path) -> None:
    (checkout / "setup.py").unlink()
    (checkout / JUDGE).unlink()

    assert compiled.outdated(checkout) == []


def test_no_command_runs_what_is_older_than_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intake.main.outdated", lambda: ["normalizer/words.py"])

    told = CliRunner().invoke(main, ["schema", "appeal"])

    assert told.exit_code == 2
    assert "编译件旧于源码（normalizer/words.py）：请先运行 make setup" in told.stderr
