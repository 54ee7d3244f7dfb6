"""A shadow week from end to end: the demonstration's hotline, and imported letters with their units, in `observe`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from demo.hotline import KEY
from demo.library import load
from tests.house import LETTERS_SOURCE, House, opened
from tests.test_street import demonstration, settings_for

UNKNOWN = "云泽市民生事务统筹中心"
LETTERS = LETTERS_SOURCE.replace('"route"', '"observe"') + 'department = "承办单位"\nsent_back = "退回次数"\n'


def observing(url: str) -> str:
    """The demonstration with its hotline alone, in `observe`, and letters beside it."""
    head, hotline, *_ = settings_for(url).split("[[source]]")
    return head + "[[source]]" + hotline.replace('mode = "route"', 'mode = "observe"') + LETTERS


def letters(house: House, name: str, *, returned: bool) -> str:
    """Sixty letters of the library with who usually answers; two of them are given to somebody else later."""
    texts = [text for text in load().appeals if text.unit][:60]
    rows = []
    for number, text in enumerate(texts):
        unit = UNKNOWN if number == 5 else "" if number == 6 else text.unit
        if number in {0, 1} and not returned:
            unit = "市人社局"
        back = "1" if number == 2 and returned else ""
        rows.append([f"L{number}", text.title, f"{text.body}（第{number}件）", unit, back])
    with (house.folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["编号", "标题", "内容", "承办单位", "退回次数"], *rows])
    return name


def sheet(file: Path, name: str) -> list[dict[str, object]]:
    rows = CalamineWorkbook.from_path(file).get_sheet_by_name(name).to_python()
    top = max(range(min(6, len(rows))), key=lambda at: sum(cell != "" for cell in rows[at]))
    return [dict(zip(map(str, rows[top]), row, strict=True)) for row in rows[top + 1 :]]


@pytest.mark.live
@pytest.mark.timeout(300)
def test_a_shadow_week_ends_in_a_sheet(tmp_path: Path) -> None:
    with demonstration() as url, opened(tmp_path, observing(url), {"DEMO_HOTLINE_KEY": KEY}) as house:
        house.command("run", "--once", "--embedded", "--json")
        house.intake("import", letters(house, "one.csv", returned=False), "--source", "letters")
        house.intake("import", letters(house, "two.csv", returned=True), "--source", "letters")

        words = ["report", "shadow", "--source", "letters", "--out", "week.xlsx", "--out", "week.html"]
        told = house.json(*words)
        hotline = house.json("report", "shadow", "--source", "demo-hotline", "--out", "hotline.xlsx")
        empty = house.command(
            "report", "shadow", "--source", "letters", "--from", "2020-01-01", "--to", "2020-01-02", "--out", "x.xlsx"
        )
        queues = house.drain()

    assert queues == {}, "a shadow week sends nothing"
    assert told["total"] == 60
    assert sum(told["verdicts"].values()) == 60
    assert told["verdicts"]["来源无承办单位"] == 1
    assert told["verdicts"]["单位名称未对上"] >= 1
    assert told["returned"] == 3
    assert told["kind_accuracy"] > 0.7
    assert told["low"] < told["accuracy"] < told["high"]

    file = tmp_path / "week.xlsx"
    back = {row["原编号"]: row for row in sheet(file, "其后被退回或改派")}
    assert set(back) == {"L0", "L1", "L2"}
    assert back["L0"]["来源原承办单位"] == "市人社局"
    assert back["L0"]["来源现承办单位"] == load().appeals[0].unit
    crosswalk = {row["来源的单位名称"]: row for row in sheet(file, "单位名称对照")}
    assert (crosswalk[UNKNOWN]["我方代码"], crosswalk["市住建局"]["我方代码"]) == ("未对上", "ZJJ")
    differing = sheet(file, "不一致的件")
    listed = ("同系统不同层级", "不一致", "我方待研判", "我方不派")
    assert len(differing) == sum(told["verdicts"][name] for name in listed)
    assert all(row["证据词（已脱敏）"] for row in differing if row["结果"] == "不一致")
    page = (tmp_path / "week.html").read_text("utf-8")
    assert "影子周对照表" in page
    assert UNKNOWN in page

    assert hotline["compared"] > 50, "the demonstration's orders have units"
    assert hotline["verdicts"]["取自来源"] == 0
    assert hotline["kind_accuracy"] > 0.7

    assert empty.returncode == 1
    assert not (tmp_path / "x.xlsx").exists()
