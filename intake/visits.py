"""A sheet of call-backs (回访表): one line a case, in the words that people use."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast

import msgspec

from connectors.reading.encoding import text_of
from router.cases.centre import Satisfied, Solved, Visit

_YES = {"是": True, "已": True, "有": True, "否": False, "未": False, "没有": False}
_SOLVED: Mapping[str, Solved] = {
    "解决": "yes",
    "已解决": "yes",
    "是": "yes",
    "已解释": "explained",
    "已说明": "explained",
    "部分解决": "partly",
    "未解决": "no",
    "否": "no",
}
_SATISFIED: Mapping[str, Satisfied] = {
    "非常满意": "very",
    "满意": "yes",
    "基本满意": "basically",
    "不满意": "no",
    "非常不满意": "not_at_all",
}


class Row(msgspec.Struct, frozen=True):
    """One call-back of the sheet."""

    line: int
    case: str
    visit: Visit


class BadSheet(msgspec.Struct, frozen=True):
    """A line that cannot be read, and what to mend."""

    why: str


def read_visits(file: Path, mask: Callable[[str], str]) -> Iterator[Row | BadSheet]:
    """Read a CSV, in whatever encoding its program saved it; a line that cannot be read holds up no other."""
    rows = csv.DictReader(io.StringIO(text_of(file.read_bytes()), newline=""))
    try:
        if "工单号" not in (rows.fieldnames or ()):
            yield BadSheet("第 1 行没有“工单号”一列 · line 1 has no column 工单号")
            return
        for row in rows:
            yield _row(rows.line_num, {name: (value or "").strip() for name, value in row.items() if name}, mask)
    except csv.Error as error:
        at = rows.reader.line_num
        yield BadSheet(f"第 {at} 行起读不了，其后的行没有读 · from line {at} on it is no CSV: {error}")


def _row(line: int, row: Mapping[str, str], mask: Callable[[str], str]) -> Row | BadSheet:
    def one(column: str, words: Mapping[str, object]) -> object:
        value = row.get(column, "")
        if value and value not in words:
            raise ValueError(f"第 {line} 行“{column}”只能写{'、'.join(words)} · line {line}: cannot read {column}")
        return words.get(value)

    try:
        reached = one("联系上", _YES)
        visit = Visit(
            reached=reached is not False,
            contacted=cast("bool | None", one("已联系", _YES)),
            solved=cast("Solved | None", one("是否解决", _SOLVED)),
            satisfied=cast("Satisfied | None", one("满意度", _SATISFIED)),
            objective=bool(one("客观原因", _YES)),
            channel=row.get("方式") or "phone",
            comment=mask(row["意见"]) if row.get("意见") else None,
        )
    except ValueError as error:
        return BadSheet(str(error))
    if visit.reached and visit.solved is None:
        return BadSheet(f"第 {line} 行没有写“是否解决” · line {line}: 是否解决 is missing")
    if not row["工单号"]:
        return BadSheet(f"第 {line} 行没有工单号 · line {line}: 工单号 is missing")
    return Row(line, row["工单号"], visit)
