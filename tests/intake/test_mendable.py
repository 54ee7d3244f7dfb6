"""What an operator can mend is a sentence with exit code 1; no password and no traceback is in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pymongo.errors import OperationFailure

from intake.main import main
from intake.mendable import sentence
from intake.street.patience import is_away
from tests.house import INTAKE

SETTINGS = 'city = "云泽市"\n'
NOBODY = "127.0.0.1:1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "intake.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("MONGO_URL", f"mongodb://who:secret@{NOBODY}/?serverSelectionTimeoutMS=100")
    monkeypatch.setenv("AMQP_URL", f"amqp://who:secret@{NOBODY}/")
    monkeypatch.setenv("AMQP_MANAGEMENT_URL", f"http://who:secret@{NOBODY}")
    monkeypatch.setattr("intake.house.PATIENCE_MS", 200)
    return tmp_path


def told(*words: str) -> Result:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 1, done.output
    assert done.stderr.strip().splitlines()[-1].startswith("✗")
    assert "secret" not in done.output
    assert "Traceback" not in done.output
    return done


@pytest.mark.parametrize(
    "words", [("balance",), ("sources", "list"), ("run", "--once"), ("departments", "list"), ("parked", "list")]
)
def test_a_database_that_is_away_is_told(folder: Path, words: tuple[str, ...]) -> None:
    assert "MONGO_URL" in told(*words).stderr


def test_a_broker_that_is_away_is_told(folder: Path) -> None:
    assert "away" in told("consume", "ZJJ").stderr


def test_an_address_that_is_none_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", "mongodb://who:secret@")
    assert "MONGO_URL" in told("balance").stderr


@pytest.mark.parametrize("words", [("servers", "status"), ("servers", "status", "--json")])
def test_a_disk_that_is_full_is_told(folder: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([INTAKE, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode
    assert done.stderr.startswith("✗ 盘满了，先腾出空间")
    assert "Traceback" not in done.stderr


def test_a_log_on_a_full_disk_ends_nothing() -> None:
    program = "import structlog; from intake import logs; logs.configure(as_json=True)\n"
    program += "structlog.get_logger().warning('told to nobody')\nprint('went on', flush=True)"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60, check=False
        )
    assert done.stdout == "went on\n"


def test_a_database_without_disk_is_told_and_waited_for() -> None:
    full = OperationFailure("no space", 14031)
    assert str(sentence(full)).startswith("数据库的盘满了")
    assert is_away(full)


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert sentence(KeyError("x")) is None


@pytest.mark.parametrize("name", ["nowhere/file", "."])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match="Err") as raised:
        (tmp_path / name).write_bytes(b"")
    told = sentence(raised.value)
    assert told is not None
    assert str(tmp_path) in told
