"""What an operator can mend is a sentence with exit code 1; no password and no traceback is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intake.main import main
from intake.mendable import sentence

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


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert sentence(KeyError("x")) is None


@pytest.mark.parametrize("name", ["nowhere/file", "."])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match="Err") as raised:
        (tmp_path / name).write_bytes(b"")
    told = sentence(raised.value)
    assert told is not None
    assert str(tmp_path) in told
