"""Bad usage is told in Chinese first, with click's own English behind, and ends with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from intake.main import main
from intake.usage import sentence


@pytest.mark.parametrize(
    ("words", "chinese", "english"),
    [
        (["balance", "--itmes"], "没有选项 --itmes，是不是 --items", "No such option"),
        (["--jsn", "balance"], "没有选项 --jsn", "No such option"),
        (["balence"], "没有命令 balence", "No such command"),
        (["case", "lst"], "没有命令 lst，是不是 list", "No such command"),
        (["show"], "缺少参数 'ID'", "Missing argument 'ID'"),
        (["show", "a", "路灯"], "多写了 路灯", "Got unexpected extra argument"),
        (["parked", "discard", "x", "--by", "李"], "缺少选项 '--reason'", "Missing option '--reason'"),
        (["show", "x", "--by"], "选项 --by 后面要写值", "requires an argument"),
        (["balance", "--json=yes"], "选项 --json 后面不写值", "does not take a value"),
        (["focus", "--criterion", "强烈"], "'--criterion' 的值不对：'强烈' 不是其中之一：'strong'", "is not one of"),
        (["triage", "list", "--limit", "0"], "'--limit' 的值不对：0 不在范围内：1<=x<=10000", "is not in the range"),
        (["triage", "list", "--limit", "一"], "'--limit' 的值不对：'一' 不是整数", "is not a valid integer"),
        (
            ["export", "figures", "--since", "昨天"],
            "'--since' 的值不对：'昨天' 的写法不对",
            "does not match the formats",
        ),
        (["normalize", "nowhere.jsonl"], "的值不对：没有 'nowhere.jsonl'", "No such file or directory"),
        (["rehearse", "--rules", "nowhere.toml"], "没有 'nowhere.toml'", "does not exist"),
        (["rehearse", "--text", "--tables", "a-file"], "'a-file' 是文件，要的是目录", "is a file"),
        (["rehearse", "--rules", "a-folder"], "'a-folder' 是目录，要的是文件", "is a directory"),
        (["person", "show", "--author", "x"], "选项 --author 后面要写 2 个值", "requires 2 arguments"),
    ],
)
def test_what_click_finds_wrong_is_told_in_chinese_before_its_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], chinese: str, english: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 2
    (said,) = [line for line in told.stderr.splitlines() if line.startswith("✗ ")]
    assert chinese in said.partition(" · ")[0]
    assert english in said.partition(" · ")[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["focus", "--from", "昨天"], "✗ '--from' 的值不对：昨天 不是日期，写作 2026-11-22 · not a day"),
        (
            ["case", "visits", "main.py"],
            "✗ '[FILE]' 的值不对：没有 'main.py' · Invalid value for '[FILE]': File 'main.py' does",
        ),
        (["parked", "retry"], "✗ 写出编号，或者 --all，二者取一 · name ids, or say --all"),
    ],
)
def test_what_we_say_ourselves_is_chinese_first_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 2
    assert told.stderr.splitlines()[3].startswith(said)


def test_how_the_command_is_used_stands_before_it() -> None:
    told = CliRunner().invoke(main, ["balance", "--itmes"]).stderr.splitlines()
    assert told[:3] == ["用法 · Usage: main balance [OPTIONS]", "帮助 · help: main balance --help", ""]


def test_what_click_may_say_one_day_keeps_its_english() -> None:
    assert sentence("Moon is in the way.") == "用法不对 · Moon is in the way."


def test_a_group_without_a_command_shows_its_help() -> None:
    told = CliRunner().invoke(main, ["case"])
    assert "中心处置工单" in told.output
    assert "用法不对" not in told.output


def test_help_and_other_failures_are_left_alone() -> None:
    assert CliRunner().invoke(main, ["balance", "--help"]).exit_code == 0
    assert CliRunner().invoke(main, ["train"]).exit_code == 1
