"""The matrix of place and category: whose cell decides, what it leaves to the finer rules, and what is wrong in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from normalizer.appeal import DecidedBy, Place, RequestType
from router.dispatch import Context
from router.dispatching.decide import decide
from router.dispatching.matrix import unresolved
from router.dispatching.rule_sheet import load_rules
from router.dispatching.sheet import DATA, Written, read_text
from router.dispatching.tables import Tables
from tests.router.dispatching.appeals import appeal
from tests.router.dispatching.units import city

LIU_YIN = Place(district="望湖区", street="柳荫街道", community="荷风社区")
WANG_HU = Place(district="望湖区")
MATRIX = """
version = "m1"
[[matrix]]
place = ["望湖区"]
category = ["02"]
lead = "QXZF"
assist = ["CGJ"]
why = "区里统筹，城管报到"
[[matrix]]
place = ["望湖区"]
category = ["0203"]
lead = "CGJ"
why = "保洁由区城管直管"
[[matrix]]
place = ["望湖区/柳荫街道"]
category = ["0203"]
lead = "JDB"
assist = ["CGJ", "SCJ"]
why = "街道吹哨，部门报到"
[[matrix]]
place = ["望湖区/柳荫街道"]
category = ["0301"]
lead = "WATER_N"
why = "由城北水厂供水"
"""
PLACES = {"望湖区": ["柳荫街道", "听涛街道"], "青枫区": []}


def written(text: str) -> tuple[Written, ...]:
    packaged = read_text(DATA / "rules.toml", [])
    assert packaged is not None
    return packaged, Written("city.toml", text)


def with_matrix(text: str = MATRIX) -> Tables:
    problems: list[str] = []
    directory = city().directory
    rules = load_rules(written(text), None, directory.known_roles, problems, units=directory.units, places=PLACES)
    assert problems == []
    assert rules is not None
    return replace(city(), rules=rules)


@pytest.mark.parametrize(
    ("place", "category", "lead", "assist", "rule"),
    [
        (LIU_YIN, "0203", "JD_LY", ["CGJ_LY", "SCJ"], "0203@望湖区/柳荫街道"),
        (WANG_HU, "0203", "CGJ_WH", [], "0203@望湖区"),
        (WANG_HU, "0202", "QX_WH", ["CGJ_WH"], "0202@望湖区"),
        (Place(), "0301", None, [], "0301"),
        (LIU_YIN, "0301", "WATER_N", [], "0301@望湖区/柳荫街道"),
    ],
)
def test_the_deepest_place_decides_and_then_the_single_category(
    place: Place, category: str, lead: str | None, assist: list[str], rule: str
) -> None:
    routing = decide(appeal("请处理", category, place=place), Context(), with_matrix()).routing
    assert (routing.lead, routing.rule) == (lead, rule)
    assert routing.assist == assist


def test_the_cell_is_told_as_evidence_and_in_the_sentence() -> None:
    decision = decide(appeal("垃圾没人清", "0203", place=LIU_YIN), Context(), with_matrix())
    (told,) = [each for each in decision.routing.evidence if each.field == "place"]
    assert (told.text, told.why) == ("望湖区/柳荫街道", "街道吹哨，部门报到")
    assert told.text[told.start : told.end] == told.text
    assert "街道吹哨，部门报到" in decision.sentence


def test_a_finer_rule_wins_and_takes_from_the_cell_what_it_does_not_say() -> None:
    tables = with_matrix()
    underpass = decide(appeal("地下通道脏乱差三年没人管", "0203", place=LIU_YIN), Context(), tables).routing
    assert (underpass.rule, underpass.lead) == ("A30-underpass", "JD_LY")
    assert [each.text for each in underpass.evidence] == ["地下通道", "望湖区/柳荫街道"]
    shop = decide(appeal("小超市没有营业执照", "0201", place=WANG_HU), Context(), tables).routing
    assert (shop.rule, shop.lead) == ("A01-fixed-shop", "SCJ")
    assert all(each.field != "place" for each in shop.evidence)


def test_a_report_does_not_go_down_to_the_street() -> None:
    routing = decide(
        appeal("有人往河里倒垃圾", "0203", place=LIU_YIN, request_type=RequestType.REPORT), Context(), with_matrix()
    ).routing
    assert (routing.rule, routing.decided_by) == ("0203", DecidedBy.RULE)


WRONG = """
version = "m1"
[[matrix]]
place = ["望湖区/没有街道", ""]
category = ["9901", "2"]
lead = "NOBODY"
why = " "
[[matrix]]
place = []
category = []
lead = "CGJ"
why = "x"
[[matrix]]
place = ["望湖区"]
category = ["0203"]
lead = "CGJ"
why = "x"
[[matrix]]
place = ["望湖区"]
category = ["0203"]
lead = "JDB"
why = "x"
"""


def test_everything_wrong_in_it_is_told_with_its_line() -> None:
    problems: list[str] = []
    directory = city().directory
    assert (
        load_rules(written(WRONG), None, directory.known_roles, problems, units=directory.units, places=PLACES) is None
    )
    assert [problem.partition(": [[matrix]]: ")[::2] for problem in problems] == [
        ("city.toml:3", "has no `why`: say in one sentence on what it rests"),
        ("city.toml:3", "area '望湖区/没有街道': 望湖区 has no street 没有街道"),
        ("city.toml:3", "has an empty place: what holds everywhere is written under [categories]"),
        ("city.toml:3", "category 9901 is not in [categories]"),
        ("city.toml:3", "category 2 is not in [categories]"),
        ("city.toml:3", "'NOBODY' is neither a role nor a unit of the directory"),
        ("city.toml:8", "names no place or no category"),
        ("city.toml:18", "望湖区 has 0203 already, in line 13"),
    ]


def test_a_cell_without_a_unit_at_its_place_is_named() -> None:
    text = 'version = "1"\n[[matrix]]\nplace = ["青枫区"]\ncategory = ["03"]\nlead = "GSGS"\nwhy = "x"\n'
    tables = with_matrix(text)
    (gap,) = unresolved(tables.rules.matrix, tables.directory)
    assert gap.startswith("青枫区: ")
    assert gap in tables.gaps()
