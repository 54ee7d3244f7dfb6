"""`intake parked edit`: a raw item is put right, sealed again, recorded, and goes on; what its source sent is kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pymongo import MongoClient

from intake.main import main
from intake.servers import Servers
from tests.conftest import Amqp, Database
from tests.house import LETTERS_SOURCE

SETTINGS = """
[database]
name = "{name}"
[tables]
directory = "directory.toml"
""" + LETTERS_SOURCE.replace('"route"', '"observe"')
#: One unit, and so one queue: nothing is sent here.
DIRECTORY = 'version = "1"\n[[unit]]\ncode = "ZJJ"\nname = "住房和城乡建设局"\nshort = "住建局"\nrole = "ZJJ"\n'
WORDS = "小区门口的路灯坏了三天没有人修"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mongo: Database, mongo_server: Servers, amqp: Amqp) -> Path:
    (tmp_path / "intake.toml").write_text(SETTINGS.format(name=mongo.name), encoding="utf-8")
    (tmp_path / "directory.toml").write_text(DIRECTORY, encoding="utf-8")
    monkeypatch.setenv("MONGO_URL", mongo_server.mongo_url)
    monkeypatch.setenv("AMQP_URL", amqp.url)
    monkeypatch.setenv("AMQP_MANAGEMENT_URL", amqp.management)
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "letters.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["编号", "标题", "内容"], ["N1", "路灯", WORDS], ["N2", "", ""]])
    intake("import", "letters.csv", "--source", "letters")
    return tmp_path


def called(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def intake(*words: str) -> str:
    told = called(*words)
    assert told.exit_code == 0, told.output
    return told.stdout


def parked() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(intake("parked", "list", "--json"))
    return found


def test_a_row_that_was_put_right_goes_on_and_stays_right(
    folder: Path, mongo_server: Servers, mongo: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = parked()
    who = ["--by", "李工", "--reason", "漏填内容"]
    payload = json.loads(intake("parked", "show", row["id"], *who, "--json"))["payload"]

    # What still cannot be read changes nothing, nor does what was not changed at all.
    (folder / "same.json").write_text(payload, encoding="utf-8")
    assert "没有改动" in called("parked", "edit", row["id"], "--file", "same.json", *who).stderr
    (folder / "bad.json").write_text("{", encoding="utf-8")
    refused = called("parked", "edit", row["id"], "--file", "bad.json", *who)
    assert refused.exit_code == 1
    assert "什么也没有保存" in refused.stderr
    assert parked() == [row]

    # An editor, as the operator's: it fills in the text.
    editor = folder / "editor.py"
    editor.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[-1])\n"
        "text = file.read_text('utf-8')\n"
        f'file.write_text(text.replace(\'"内容":""\', \'"内容":"{WORDS}，请尽快修好"\'), \'utf-8\')\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("VISUAL", f"python3 {editor}")
    told = json.loads(intake("parked", "edit", row["id"], *who, "--json"))
    assert told == {"edited": row["id"], "still_parked": []}
    assert parked() == []

    shown = json.loads(intake("show", row["id"], "--json"))
    assert shown["state"] == "observed"
    assert WORDS in shown["appeal"]["text"]
    assert "修改原始记录" in intake("who-saw", row["id"])
    assert "李工" in intake("who-saw", row["id"])

    # Its source goes on sending what it had sent: it is not taken in again.
    with (folder / "letters.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(["N3", "井盖", "路口的井盖松动，晚上走过去很危险"])
    intake("import", "letters.csv", "--source", "letters")
    assert parked() == []
    assert json.loads(intake("show", "N3", "--json"))["state"] == "observed", "the file was read again"
    assert json.loads(intake("show", row["id"], "--json"))["state"] == "observed"
    with MongoClient[dict[str, Any]](mongo_server.mongo_url) as client:
        db = client[mongo.name]
        assert db.raw_revisions.count_documents({"of": row["id"]}) == 1, "what its source sent is kept"
        stored = db.raw.find_one({"_id": row["id"]})
        assert stored is not None
        assert WORDS.encode() not in stored["payload"]
        assert (stored["mended"]["actor"], stored["mended"]["reason"]) == ("李工", "漏填内容")
    assert json.loads(intake("balance", "--json"))["differences"] == []


@pytest.mark.parametrize(
    ("words", "code"), [(("nobody", "--by", "李", "--reason", "x"), 1), (("nobody",), 2), (("N1", "--by", "李"), 2)]
)
def test_what_is_not_parked_and_what_nobody_answers_for_is_refused(  # noqa: PLR0917 - fixtures
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mongo: Database, mongo_server: Servers, words: list[str], code: int
) -> None:
    (tmp_path / "intake.toml").write_text(SETTINGS.format(name=mongo.name), encoding="utf-8")
    (tmp_path / "directory.toml").write_text(DIRECTORY, encoding="utf-8")
    monkeypatch.setenv("MONGO_URL", mongo_server.mongo_url)
    monkeypatch.setenv("AMQP_URL", "amqp://guest:guest@127.0.0.1:9/")  # nothing of this needs a broker
    monkeypatch.chdir(tmp_path)
    assert called("parked", "edit", *words).exit_code == code
