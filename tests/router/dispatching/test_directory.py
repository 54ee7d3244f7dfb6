"""Units are found by code, by name, and by role and place; a wrong directory says everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from normalizer.appeal import Place
from router.dispatching.directory import read_directory
from router.dispatching.sheet import BadTables
from tests.router.dispatching.units import city, packaged

WH = Place(district="望湖区")
LY = Place(district="望湖区", street="柳荫街道", community="柳荫社区")
QF = Place(district="青枫区")


@pytest.mark.parametrize(
    ("role", "place", "codes"),
    [
        ("CGJ", LY, ["CGJ_LY"]),
        ("CGJ", WH, ["CGJ_WH"]),
        ("CGJ", QF, ["CGJ"]),
        ("CGJ", Place(), ["CGJ"]),
        ("CGJ", Place(street="柳荫街道"), ["CGJ"]),
        ("QXZF", WH, ["QX_WH"]),
        ("QXZF", Place(), []),
        ("JDB", WH, []),
        ("GSGS", QF, ["WATER_N", "WATER_S"]),
        ("NOBODY", WH, []),
    ],
)
def test_the_most_specific_unit_of_a_role_answers_for_a_place(role: str, place: Place, codes: list[str]) -> None:
    assert [unit.code for unit in city().directory.resolve(role, place)] == codes


@pytest.mark.parametrize(
    ("name", "place", "code"),
    [
        ("住建委", Place(), "ZJJ"),
        ("云泽市 住房和城乡建设局", Place(), "ZJJ"),
        ("市住建局", Place(), "ZJJ"),
        ("ZJJ", Place(), "ZJJ"),
        ("城市管理局", WH, "CGJ_WH"),
        ("综合行政执法局", LY, "CGJ_LY"),
        ("城管局", QF, "CGJ"),
        ("第一医院", Place(), "WJW"),
        ("没有这个单位", Place(), None),
        ("街道办", Place(), None),
        ("街道办事处", LY, "JD_LY"),
        ("", Place(), None),
    ],
)
def test_a_sources_own_handler_is_found_by_name_alias_and_place(name: str, place: Place, code: str | None) -> None:
    found = city().directory.find(name, place)
    assert (found and found.code) == code


def test_a_bare_name_of_a_kind_may_mean_each_unit_of_that_kind() -> None:
    assert city().directory.meant(["城管"]) == {"CGJ", "CGJ_WH", "CGJ_LY"}
    assert city().directory.meant(["望湖区城市管理局"]) == {"CGJ_WH"}
    assert city().directory.meant(["云泽市公安局望湖分局"]) == {"GAJ"}


def test_what_a_unit_covers_is_not_the_unit_itself() -> None:
    assert city().directory.meant(["第一医院"]) == frozenset()


def test_the_fallback_owner_is_the_nearest_one() -> None:
    directory = city().directory
    assert [getattr(directory.fallback(place), "code", None) for place in (LY, WH, QF, Place())] == [
        "QX_WH",
        "QX_WH",
        "CGJ",
        "CGJ",
    ]


def test_the_packaged_directory_has_the_kinds_and_leaves_territorial_ones_to_the_city() -> None:
    directory = packaged().directory
    assert len(directory) == 48
    assert len(directory.known_roles) == 51
    assert [directory.resolve(role, WH) for role in ("QXZF", "JDB", "SQ")] == [(), (), ()]
    assert directory.called("QXZF") == "区政府"
    assert packaged().gaps() == ["区政府(QXZF)", "社区(SQ)", "街道办(JDB)"]


WRONG = """
city = "云泽市"
[[unit]]
code = "zjj"
name = "住建局"
short = "住建局"
role = "ZJJ"
[[unit]]
code = "CGJ"
name = "城管局"
short = "城管局"
role = "CGJ"
parent = "NOBODY"
area = "没有区"
[[unit]]
code = "CGJ"
name = "公安局"
short = "城管局"
role = "CGJ"
area = "望湖区/没有街道"
kind = "what"
colour = "red"
[[unit]]
code = "GAJ"
name = "公安"
short = "城管局"
role = "GAJ"
area = "没有区"
"""


def test_every_problem_of_a_directory_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "directory.toml"
    path.write_text(WRONG, "utf-8")
    with pytest.raises(BadTables) as caught:
        read_directory(path, {"望湖区": ["柳荫街道"]})
    told = "\n".join(caught.value.problems)
    for line, words in (
        (1, "version is missing"),
        (3, "'zjj' is none"),
        (8, "parent 'NOBODY'"),
        (8, "no district 没有区"),
        (15, "colour"),
        (23, "城管局 already names CGJ"),
    ):
        assert any(f":{line}: " in problem and words in problem for problem in caught.value.problems), told


def test_a_ring_of_superiors_and_a_code_twice_are_told(tmp_path: Path) -> None:
    path = tmp_path / "directory.toml"
    unit = '[[unit]]\ncode = "{0}"\nname = "{0}局"\nshort = "{0}办"\nrole = "{0}"\nparent = "{1}"\n'
    path.write_text(
        'version = "1"\n' + unit.format("AA", "BB") + unit.format("BB", "AA") + unit.format("AA", "BB"), "utf-8"
    )
    with pytest.raises(BadTables, match=r"stands above itself") as caught:
        read_directory(path)
    assert any("taken by the unit of line 2" in problem for problem in caught.value.problems)


def test_a_file_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    with pytest.raises(BadTables, match="cannot be read"):
        read_directory(tmp_path / "none.toml")


def test_seven_hundred_units_are_no_burden(tmp_path: Path) -> None:
    path = tmp_path / "directory.toml"
    rows = ['version = "1"']
    for number in range(700):
        area = f"区{number % 20}/街{number}" if number % 2 else f"区{number % 20}{number}"
        names = f'code = "U{number}"\nname = "单位{number}号"\nshort = "单位{number}号"'
        rows.append(f'[[unit]]\n{names}\nrole = "CGJ"\narea = "{area}"')
    path.write_text("\n".join(rows), "utf-8")
    directory = read_directory(path)
    assert len(directory) == 700
    assert [unit.code for unit in directory.resolve("CGJ", Place(district="区1", street="街21"))] == ["U21"]
