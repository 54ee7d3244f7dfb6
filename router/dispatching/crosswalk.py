"""Theirs ↔ ours (代码对照): a department's own categories and offices beside ours, one file a department.

`crosswalk/<CODE>.toml` beside the directory. A row on 02 holds for every category that begins with it; the longest row
wins. What has no row has no counterpart: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from router.dispatching.directory import Directory
from router.dispatching.sheet import Sheet, read_sheet

FOLDER = "crosswalk"


class OwnCategory(msgspec.Struct, frozen=True, kw_only=True):
    """本单位的分类: the department's own class of what is sent to it."""

    scheme: str  #: what the department calls its list
    version: str
    code: str | None = None
    name: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of our categories, with all that begin so, or one of our units; and what the department calls it."""

    ours: str
    code: str | None = None
    name: str | None = None


class Crosswalk:
    """The table of one department."""

    def __init__(self, version: str, scheme: str, categories: Sequence[Row] = (), units: Sequence[Row] = ()) -> None:
        self.version = version
        self.scheme = scheme
        self.categories: Mapping[str, Row] = {row.ours: row for row in categories}
        self.units: Mapping[str, Row] = {row.ours: row for row in units}
        self.own = cache(self._own)

    def _own(self, category: str) -> OwnCategory | None:
        for length in range(len(category), 0, -1):
            row = self.categories.get(category[:length])
            if row is not None:
                return OwnCategory(scheme=self.scheme, version=self.version, code=row.code, name=row.name)
        return None


def load_crosswalks(
    directory: Path | None, units: Directory | None, categories: Collection[str] | None, problems: list[str]
) -> Mapping[str, Crosswalk]:
    """Read every file beside the directory; each problem is added to `problems`."""
    if directory is None or units is None:
        return {}
    found = {}
    for path in sorted((directory.parent / FOLDER).glob("*.toml")):
        sheet = read_sheet(path, problems)
        if sheet is None:
            continue
        if path.stem not in units:
            problems.append(sheet.says(1, f"the directory has no {path.stem}: name the file after the unit's code"))
        found[path.stem] = Crosswalk(
            _word(sheet, "version", problems),
            _word(sheet, "scheme", problems),
            _rows(sheet, "category", lambda ours: _is_category(ours, categories), problems),
            _rows(sheet, "unit", units.__contains__, problems),
        )
        problems.extend(
            sheet.says(sheet.key_line(name), f"{name} is unknown: there are version, scheme, category and unit")
            for name in sorted(sheet.content.keys() - {"version", "scheme", "category", "unit"})
        )
    return found


def _word(sheet: Sheet, name: str, problems: list[str]) -> str:
    value = sheet.content.get(name)
    if not isinstance(value, str) or not value:
        problems.append(sheet.says(sheet.key_line(name), f'{name} is missing: write {name} = "…"'))
    return str(value)


def _rows(sheet: Sheet, kind: str, is_ours: Callable[[str], bool], problems: list[str]) -> list[Row]:
    rows = sheet.entries(kind, Row, problems)
    first: dict[str, int] = {}
    for line, row in rows:
        if not row.code and not row.name:
            problems.append(sheet.says(line, f"{row.ours} says nothing: write code or name"))
        if not is_ours(row.ours):
            problems.append(sheet.says(line, f"we have no {kind} {row.ours!r}"))
        if first.setdefault(row.ours, line) != line:
            problems.append(sheet.says(line, f"{row.ours} stands at line {first[row.ours]} already"))
    return [row for _, row in rows]


def _is_category(ours: str, categories: Collection[str] | None) -> bool:
    return bool(ours) and (categories is None or any(code.startswith(ours) for code in categories))
