"""`intake parked` does what was asked or says that it did not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from intake.main import main
from intake.servers import Servers
from tests.conftest import Amqp, Database


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mongo: Database, mongo_server: Servers, amqp: Amqp) -> Path:
    (tmp_path / "intake.toml").write_text(f'[database]\nname = "{mongo.name}"\n', encoding="utf-8")
    monkeypatch.setenv("MONGO_URL", mongo_server.mongo_url)
    monkeypatch.setenv("AMQP_URL", amqp.url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", [("retry", "nobody"), ("discard", "nobody", "--actor", "李工", "--reason", "测试")])
def test_an_id_that_is_not_parked_is_named_and_fails(folder: Path, words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(main, ["parked", *words])
    assert told.exit_code == 1
    assert "nobody" in told.stderr


def test_nothing_to_retry_is_no_failure(folder: Path) -> None:
    told = CliRunner().invoke(main, ["parked", "retry", "--all"])
    assert told.exit_code == 0, told.output
