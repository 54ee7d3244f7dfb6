"""The command line: exit codes, options on either side of the name, and what is not there yet says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intake.commands.later import COMMANDS
from intake.main import main
from router.dispatching.sheet import DATA

BROKEN = 'citty = "x"\n[[source]]\nname = "a"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def intake(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, list(words), input=given)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_not_there_yet_says_so_and_fails(name: str) -> None:
    told = intake(name, "--anything", "X")
    assert told.exit_code == 1
    assert "还没有做好" in told.stderr
    assert "not there yet" in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("balance", "--no-such-option"),
        ("balance", "--day", "yesterday"),
        ("run", "--only", "kitchen"),
        ("triage", "assign", "ID"),
        ("parked", "retry"),
        ("schema", "novel"),
    ],
)
def test_bad_usage_is_exit_2(folder: Path, words: tuple[str, ...]) -> None:
    assert intake(*words).exit_code == 2


@pytest.mark.parametrize(
    "words", [("balance",), ("run", "--once"), ("check",), ("sources", "list"), ("departments", "list")]
)
def test_bad_settings_are_exit_2_with_every_problem(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "intake.toml").write_text(BROKEN, encoding="utf-8")
    told = intake(*words)
    assert told.exit_code == 2
    assert "intake.toml:1" in told.stderr
    assert "intake.toml:2" in told.stderr


@pytest.mark.parametrize("what", ["appeal", "dispatch", "feedback", "statement", "taxonomy", "samples"])
def test_schemas_are_printed_as_json(what: str) -> None:
    told = intake("schema", what)
    assert told.exit_code == 0
    assert json.loads(told.stdout)


def test_a_schema_has_titles_in_chinese_and_english() -> None:
    fields = json.loads(intake("schema", "appeal").stdout)["$defs"]["Appeal"]["properties"]
    assert fields["title"]["title"] == "标题 · title"
    assert not [name for name, field in fields.items() if " · " not in field["title"]]


def test_a_crosswalk_is_printed_with_what_is_not_matched(folder: Path) -> None:
    (folder / "crosswalk").mkdir()
    row = 'version = "1"\nscheme = "s"\n[[category]]\nours = "0205"\ncode = "LD-03"\n'
    (folder / "crosswalk" / "ZJJ.toml").write_text(row, encoding="utf-8")
    (folder / "directory.toml").write_bytes((DATA / "directory.toml").read_bytes())
    (folder / "intake.toml").write_text('[tables]\ndirectory = "directory.toml"\n', encoding="utf-8")
    told = json.loads(intake("schema", "crosswalk", "zjj").stdout)
    own = {each["code"]: each["own"] for each in told["categories"]}
    assert (own["0205"]["code"], own["0301"]) == ("LD-03", None)
    assert json.loads(intake("schema", "crosswalk").stdout) == {"ZJJ": told}
    assert "CGJ.toml" in intake("schema", "crosswalk", "CGJ").stderr
    assert intake("schema", "taxonomy", "ZJJ").exit_code == 2


def test_options_stand_on_either_side_of_the_name(folder: Path) -> None:
    (folder / "broken.toml").write_text(BROKEN, encoding="utf-8")
    for words in (("--config", "broken.toml", "balance"), ("balance", "--config", "broken.toml", "--json")):
        assert "broken.toml:1" in intake(*words).stderr


def test_normalize_gives_one_line_for_one_line_in_order(folder: Path) -> None:
    lines = [
        '{"text": "望湖区柳荫街道的路灯坏了一个月，没人来修", "native_id": 7, "phone": "13900000000"}',
        "not JSON",
        '{"title": "no text"}',
        "",
        '{"text": "今天天气不错"}',
        "[1]",
    ]
    told = intake("normalize", "-", given="\n".join(lines) + "\n")
    assert told.exit_code == 0
    read = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(read) == len(lines)
    assert [row.get("line") for row in read] == [None, 2, 3, 4, None, 6]
    assert (read[0]["native_id"], read[0]["received_at"]) == ("7", None)
    assert all("lead" in row["routing"] for row in (read[0], read[4]))
    assert "13900000000" not in told.stdout


def test_normalize_is_the_same_byte_for_byte(folder: Path) -> None:
    given = '{"text": "电梯坏了三天，住在十八楼的老人下不来", "author": "a"}\n' * 3
    assert intake("normalize", given=given).stdout == intake("normalize", given=given).stdout


def test_normalize_takes_the_tables_of_the_settings(folder: Path) -> None:
    demo = Path(__file__).parent.parent.parent / "demo" / "intake.toml"
    given = '{"text": "望湖区柳荫街道的路灯坏了一个月，没人来修"}\n'
    (row,) = [json.loads(line) for line in intake("normalize", "--config", str(demo), given=given).stdout.splitlines()]
    assert row["place"]["city"] == "云泽市"
    assert row["place"]["street"] == "柳荫街道"


def test_normalize_says_which_key_it_made_and_makes_no_master_key(folder: Path) -> None:
    first = intake("normalize", given='{"text": "路灯坏了"}\n')
    second = intake("normalize", given='{"text": "路灯坏了"}\n')

    assert "ref-1.key" in first.stderr
    assert "ref-1.key" not in second.stderr
    assert [path.name for path in (folder / ".intake" / "keys").iterdir()] == ["ref-1.key"]


def test_normalize_uses_the_keys_of_the_settings(folder: Path) -> None:
    (folder / "intake.toml").write_text('[keys]\nfolder = "elsewhere"\n', encoding="utf-8")

    intake("normalize", given='{"text": "路灯坏了"}\n')

    assert (folder / "elsewhere" / "ref-1.key").exists()
    assert not (folder / ".intake").exists()


def test_keys_are_for_their_owner_alone(folder: Path) -> None:
    intake("normalize", given='{"text": "路灯坏了"}\n')
    assert (folder / ".intake" / "keys").stat().st_mode & 0o077 == 0
