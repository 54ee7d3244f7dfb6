"""The tests that stand beside the shipped rules hold, and one that does not says everything that is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from intake.rules.unit_tests import Broken, UnitTest, beside, read_tests, run_tests
from intake.settings import TableFiles
from intake.tables import Tables, load_files
from router.dispatching.sheet import DATA, Written

CITY = Path(__file__).parents[3] / "demo" / "city"


@cache
def packaged() -> Tables:
    return load_files(TableFiles())


@cache
def demonstration() -> Tables:
    files = TableFiles(places=CITY / "places.toml", directory=CITY / "directory.toml", rules=CITY / "rules.toml")
    return load_files(files, city="云泽市")


@pytest.mark.parametrize(
    ("file", "tables"),
    [(DATA / "rules.toml", packaged), (CITY / "rules.toml", demonstration)],
    ids=["packaged", "city"],
)
def test_the_shipped_tests_hold(file: Path, tables: object) -> None:
    assert callable(tables)
    where, problems = beside(file), list[str]()
    assert where is not None
    tests = read_tests(where, tables(), problems)
    assert problems == []
    assert len(tests) >= 5
    assert run_tests(tests, tables()).broken == []


def broken(text: str) -> list[Broken]:
    problems: list[str] = []
    tests = read_tests(Written("rules.tests.toml", text), demonstration(), problems)
    assert problems == []
    return run_tests(tests, demonstration()).broken


def test_a_broken_one_names_line_expectation_what_came_and_the_rule() -> None:
    text = '\n[[test]]\nwhy = "试"\ntext = "柳荫街道的垃圾没人清运"\ncategory = "0203"\nlead = "ZJJ"\nassist = []\n'
    (found,) = broken(text)
    assert (found.where, found.why, found.expected) == ("rules.tests.toml:2", "试", "主办 ZJJ 协办 无")
    assert found.came.startswith("主办 JDB_LIUYIN 协办 CGJ_WANGHU；分类0203；")
    assert found.rule == "0203@望湖区/柳荫街道"


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ('lead = "CGJ_WANGHU"', True),
        ('lead = "CGJ_WANGHU"\nrule = "0203"', True),
        ('lead = "CGJ_WANGHU"\nrule = "A30-underpass"', False),
        ('lead = "CGJ_WANGHU"\nassist = []', False),
        ("triage = true", False),
        ('code = "N1"', False),
    ],
)
def test_every_expectation_is_asked(wanted: str, holds: bool) -> None:
    text = f'[[test]]\nwhy = "试"\ntext = "听涛街道的垃圾没人清运"\ncategory = "0203"\n{wanted}\n'
    assert (broken(text) == []) is holds


def test_a_packaged_example_speaks_only_of_what_the_city_left_alone(tmp_path: Path) -> None:
    def came(text: str) -> list[str]:
        path = tmp_path / "rules.toml"
        path.write_text(f'version = "1"\n{text}', "utf-8")
        tables = load_files(TableFiles(rules=path))
        return [each.where for each in run_tests((), tables).broken]

    assert came('[categories]\n0203 = { lead = "JDB" }\n') == []
    rule = '[[rule]]\nid = "own"\ncategory = ["0203"]\nany = ["脏乱差"]\nalso = ["地下"]\nlead = "JTJ"\nwhy = "x"\n'
    assert came(rule) == ["[[rule]] A30-underpass"]


WRONG = """
version = "1"
[[test]]
why = ""
text = "x"
lead = "NOBODY"
triage = true
[[test]]
why = "x"
text = "x"
assist = ["CGJ"]
category = "9999"
code = "N1"
[[test]]
txt = "x"
"""


def test_everything_wrong_in_the_tests_is_told_with_its_line() -> None:
    problems: list[str] = []
    read_tests(Written("t.toml", WRONG), packaged(), problems)
    assert [problem.split(": ")[0] for problem in problems] == [
        *["t.toml:2", "t.toml:14"],
        *["t.toml:3"] * 3,
        *["t.toml:8"] * 2,
    ]


def test_a_category_of_its_own_does_not_rest_on_the_words() -> None:
    test = UnitTest(why="x", text="你好", category="0301", lead="GSGS")
    assert run_tests([("here", test)], packaged()).broken == []
