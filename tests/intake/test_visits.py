"""A sheet of call-backs is read as people save one."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from intake.visits import BadSheet, Row, read_visits

SHEET = "工单号,联系上,是否解决,满意度,意见\r\n20261122-RX-ABCDEF,是,已解决,满意,还好\r\n20261122-RX-ABCDEG,否,,,\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_a_sheet_is_read_in_the_encoding_that_its_program_wrote(tmp_path: Path, encoding: str) -> None:
    sheet = tmp_path / "visits.csv"
    sheet.write_text(SHEET, encoding=encoding, newline="")
    first, second = read_visits(sheet, str)
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.case, first.visit.solved, first.visit.comment) == ("20261122-RX-ABCDEF", "yes", "还好")
    assert second.visit.reached is False


def test_a_sheet_that_breaks_off_in_the_middle_says_where(tmp_path: Path) -> None:
    sheet = tmp_path / "visits.csv"
    sheet.write_text(SHEET + f"c3,是,已解决,满意,{'好' * 2000}\r\n", encoding="utf-8", newline="")
    usual = csv.field_size_limit(1000)  # of the whole process: who reads tables sets it higher
    try:
        *good, bad = read_visits(sheet, str)
    finally:
        csv.field_size_limit(usual)
    assert len(good) == 2
    assert isinstance(bad, BadSheet)
    assert "第 4 行" in bad.why
