"""The sheet of a shadow week: what is counted, what is listed, and what it says of returns and of unknown names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from intake.reports.document import Document, Table, UnknownForm, html, write
from intake.reports.shadow import sheet
from intake.reports.shadow_figures import Compared, Unit, Verdict, figures, interval

ZJJ, CGJ, GAJ = (
    Unit(f"{role}", name, role) for role, name in (("ZJJ", "市住建局"), ("CGJ", "市城管局"), ("GAJ", "市公安局"))
)
WANGHU_ZJJ = Unit("ZJJ_WANGHU", "望湖区住建局", "ZJJ")


def item(number: int, ours: Unit | None, theirs: Unit | None, **more: Any) -> Compared:
    told = {"given": theirs.name if theirs else None, "theirs": theirs, "evidence": ("电梯",), "category": "0104 物业"}
    told |= {"given_last": told["given"], "theirs_last": theirs}
    return Compared(id=f"i{number}", native_id=str(number), case_no=f"N{number}", ours=ours, **(told | more))


WEEK = [
    item(1, ZJJ, ZJJ),
    item(2, ZJJ, CGJ, assist=("CGJ",)),
    item(3, None, CGJ),
    item(4, ZJJ, None),
    item(5, ZJJ, None, given="望湖街道综合网格办"),
    item(6, None, GAJ, decline="移交（110）"),
    item(7, CGJ, CGJ, follows=True),
    # given to the housing bureau, returned, given to the city managers: where we had sent it at once
    item(8, CGJ, ZJJ, given_last="市城管局", theirs_last=CGJ, sent_back=True),
    item(9, GAJ, GAJ, sent_back=True),
    item(10, WANGHU_ZJJ, ZJJ),
]


def table_of(name: str, items: list[Compared] = WEEK) -> Table:
    document = sheet(items, source="letters", period="2026-11-15 至 2026-11-21", known_names=["市城管局", "望湖街道"])
    (found,) = [each for each in document.tables if each.name == name]
    return found


def test_each_item_has_one_verdict_and_only_decided_ones_make_the_accuracy() -> None:
    told = figures(WEEK)

    assert told.verdicts == {
        Verdict.AGREED: 2,
        Verdict.OTHER_LEVEL: 1,
        Verdict.DIFFERENT: 2,
        Verdict.UNSURE: 1,
        Verdict.DECLINED: 1,
        Verdict.UNMATCHED: 1,
        Verdict.NOT_GIVEN: 1,
        Verdict.TAKEN_FROM_THEM: 1,
    }
    assert (told.total, told.compared, told.decided) == (10, 7, 5)
    assert (told.accuracy, told.kind_accuracy) == (0.4, 0.6)
    assert (told.returned, told.returned_as_ours, told.returned_to_ours) == (2, 1, 1)


def test_few_items_are_said_to_be_few() -> None:
    assert any("仅供参考" in note for note in table_of("总表").notes)
    many = [item(number, ZJJ, ZJJ) for number in range(100)]
    assert not any("仅供参考" in note for note in table_of("总表", many).notes)


@given(of=st.integers(1, 5000), share=st.floats(0, 1))
def test_the_interval_holds_the_share_and_narrows(of: int, share: float) -> None:
    hits = round(of * share)
    low, high = interval(hits, of)
    assert low is not None
    assert high is not None
    assert 0 <= low <= hits / of + 1e-9
    assert hits / of - 1e-9 <= high <= 1
    wider = interval(hits * 4, of * 4)
    assert wider[0] is not None
    assert wider[1] is not None
    assert wider[1] - wider[0] < high - low


def test_what_differs_is_listed_with_evidence_and_what_agrees_is_not() -> None:
    differing = table_of("不一致的件")

    assert [row[0] for row in differing.rows] == ["i2", "i3", "i6", "i8", "i10"]
    second = dict(zip(differing.headings, differing.rows[0], strict=True))
    assert (second["来源承办单位"], second["我方"], second["来源单位在我方是"]) == ("市城管局", "市住建局", "协办")
    assert second["证据词（已脱敏）"] == "电梯"


def test_what_came_back_says_who_was_right() -> None:
    assert [(row[0], row[-1]) for row in table_of("其后被退回或改派").rows] == [
        ("i8", "我方一次派准"),
        ("i9", "我方也会被退回"),
    ]


def test_units_are_counted_apart_and_pairs_make_the_matrix() -> None:
    by_unit = {row[0]: row[1:7] for row in table_of("按来源承办单位").rows}
    assert by_unit == {
        "市城管局": (2, 0, 0, 1, 1, 0), "市公安局": (2, 1, 0, 0, 0, 1), "市住建局": (3, 1, 1, 1, 0, 0),
    }  # fmt: skip
    assert list(table_of("常见分歧").rows) == [
        ("市住建局", "市城管局", 1), ("市住建局", "望湖区住建局", 1), ("市城管局", "市住建局", 1),
    ]  # fmt: skip
    matrix = table_of("混淆矩阵")
    cells = {(row[0], name): n for row in matrix.rows for name, n in zip(matrix.headings[1:], row[1:], strict=True)}
    assert cells["市住建局", "市城管局"] == cells["市城管局", "市住建局"] == 1
    assert sum(n for n in cells.values() if isinstance(n, int)) == 5


def test_a_name_that_nobody_knows_comes_first_with_names_that_look_like_it() -> None:
    crosswalk = table_of("单位名称对照")

    first = dict(zip(crosswalk.headings, crosswalk.rows[0], strict=True))
    assert (first["来源的单位名称"], first["我方代码"], first["其中未对上"]) == ("望湖街道综合网格办", "未对上", 1)
    assert "望湖街道" in str(first["名称相近的单位"])
    assert any("aliases" in note for note in crosswalk.notes)


def test_a_workbook_reads_back_and_what_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    rows = [("=cmd|' /C calc'!A0", 3, 0.25, None)]
    document = Document(
        title="表", tables=[Table(name="甲", headings=("名", "数", "率", "空"), rows=rows, notes=["注"])]
    )

    write(document, tmp_path / "week.xlsx")

    (name,) = CalamineWorkbook.from_path(tmp_path / "week.xlsx").sheet_names
    read = CalamineWorkbook.from_path(tmp_path / "week.xlsx").get_sheet_by_name(name).to_python()
    assert read[2] == ["=cmd|' /C calc'!A0", 3.0, 0.25, ""]


def test_a_page_shows_markup_as_it_is() -> None:
    document = Document(title="<b>", tables=[Table(name="x", headings=("a",), rows=[("<script>alert(1)</script>",)])])

    assert b"<script>alert" not in html(document)
    assert b"&lt;script&gt;" in html(document)


def test_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownForm):
        write(Document(title="x", tables=[]), tmp_path / "week.pdf")
