"""`intake parked` does what was asked or says that it did not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pymongo import MongoClient

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


def test_a_message_of_no_case_that_was_destroyed_is_shown_as_destroyed(
    folder: Path, mongo: Database, mongo_server: Servers
) -> None:
    at = datetime(2025, 1, 2, tzinfo=UTC)
    stray = {"reason": "no case", "at": at, "key": "strays/2025-01", "message_id": "m1", "queue": "intake.feedback"}
    with MongoClient[dict[str, Any]](mongo_server.mongo_url) as client:
        client[mongo.name].strays.insert_one(
            {"_id": "s1", **stray, "body": b"", "destroyed": {"why": "erased", "at": at}}
        )
    told = CliRunner().invoke(main, ["parked", "show", "s1", "--actor", "李工", "--reason", "核查"])
    assert told.exit_code == 0, (told.output, told.exception)
    assert "已销毁" in told.output
