"""A department's own codes stand in its messages, from a table whose every mistake is told with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from router.dispatching.crosswalk import Crosswalk, Row, load_crosswalks
from router.dispatching.directory import read_directory
from router.dispatching.message import message
from router.dispatching.sheet import DATA, BadTables
from router.dispatching.tables import load_tables
from tests.router.dispatching.appeals import appeal
from tests.router.dispatching.test_message import dispatch, facts
from tests.router.dispatching.units import packaged

GOOD = """
version = "1"
scheme = "案件分类"
[[category]]
ours = "02"
code = "LD"
[[category]]
ours = "0205"
code = "LD-03"
name = "路灯"
[[unit]]
ours = "CGJ"
name = "城管处"
"""
WRONG = """
version = "1"
shceme = "案件分类"
[[category]]
ours = "9x"
code = "LD"
[[category]]
ours = "0205"
[[unit]]
ours = "NOBODY"
name = "无此单位"
[[unit]]
ours = "CGJ"
name = "城管处"
[[unit]]
ours = "CGJ"
name = "城管局"
"""


def beside(folder: Path, text: str, name: str = "ZJJ") -> Path:
    directory = folder / "directory.toml"
    directory.write_bytes((DATA / "directory.toml").read_bytes())
    (folder / "crosswalk").mkdir()
    (folder / "crosswalk" / f"{name}.toml").write_text(text, encoding="utf-8")
    return directory


def test_the_longest_row_wins_and_nothing_is_guessed() -> None:
    made = Crosswalk("1", "s", [Row(ours="02", code="LD"), Row(ours="0205", code="LD-03", name="路灯")])
    found = [made.own(code) for code in ("0205", "0201", "0301")]
    assert [each and (each.code, each.name, each.scheme, each.version) for each in found] == [
        ("LD-03", "路灯", "s", "1"),
        ("LD", None, "s", "1"),
        None,
    ]


def test_the_files_beside_the_directory_are_read(tmp_path: Path) -> None:
    made = load_tables(taxonomy_version="t", directory=beside(tmp_path, GOOD), categories=packaged().rules.categories)
    assert list(made.crosswalks) == ["ZJJ"]
    assert made.crosswalks["ZJJ"].units["CGJ"].name == "城管处"


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadTables) as refused:
        load_tables(
            taxonomy_version="t", directory=beside(tmp_path, WRONG, "ZJX"), categories=packaged().rules.categories
        )
    told = sorted(int(problem.split(":")[1]) for problem in refused.value.problems)
    assert told == [1, 1, 3, 4, 7, 9, 15]


def test_without_a_directory_of_ones_own_there_are_none() -> None:
    assert load_crosswalks(None, read_directory(), None, []) == {}


@pytest.mark.parametrize(("code", "own"), [("ZJJ", "LD-03"), ("CGJ", None)])
def test_only_that_departments_messages_carry_its_code(code: str, own: str | None) -> None:
    tables = replace(packaged(), crosswalks={"ZJJ": Crosswalk("1", "s", [Row(ours="02", code="LD-03")])})
    item = appeal("路灯坏了", category="0205")
    category = json.loads(message(facts(item), dispatch(code), item, tables))["data"]["category"]
    assert category.get("own", {}).get("code") == own
    assert ("own" in category) == (own is not None)
