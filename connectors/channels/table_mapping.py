"""Which column holds what: the layout of a file, its own or one of those that ship with us (列映射、预设). Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

PRESETS = Path(__file__).parent / "table_presets"
#: What people write around a column's name: a star, a unit or a hint in parentheses, blanks.
_AROUND = re.compile(r"[\s*＊:：]+|[（(][^（()）]*[)）]")

Columns = str | tuple[str, ...]  #: several: the first that says something


class Deleted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows that were taken back: this column says one of these."""

    column: Columns
    among: tuple[str, ...] = msgspec.field(name="is")


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is known of a kind of file."""

    columns: dict[str, Columns] = {}
    match: dict[str, str] = {}  #: the first group of this expression is kept of a value
    values: dict[str, dict[str, str]] = {}  #: theirs = ours; what is not listed stays
    deleted: Deleted | None = None


def names() -> tuple[str, ...]:
    """Name the presets."""
    return tuple(sorted(file.stem for file in PRESETS.glob("*.toml")))


@cache
def preset(name: str) -> Layout:
    """Read one; its name was checked."""
    return msgspec.convert(tomllib.loads((PRESETS / f"{name}.toml").read_text("utf-8")), Layout)


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A column's name without what people write around it."""
    return _AROUND.sub("", name).lower()


def located(columns: Columns, heads: Iterable[str]) -> tuple[str, ...]:
    """Which of these columns a file has, by the names that it writes itself."""
    written: dict[str, list[str]] = {}
    for head in heads:
        written.setdefault(plain(head), []).append(head)
    several = (columns,) if isinstance(columns, str) else columns
    return tuple(head for name in several for head in written.get(plain(name), ()))


def found(heads: tuple[str, ...], cells: Mapping[str, Any]) -> Any:  # noqa: ANN401  whatever stands in the cell
    """Give the first that says something; else what the first says, None where there is no such column."""
    values = [cells[head] for head in heads]
    return next((value for value in values if value not in (None, "")), values[0] if values else None)


def is_head(columns: Iterable[Columns], names: Iterable[str]) -> bool:
    """Whether this line holds the names of columns, and not the title that stands above them."""
    wanted = [{plain(name) for name in ((each,) if isinstance(each, str) else each)} for each in columns]
    here = {plain(name) for name in names}
    return sum(not each.isdisjoint(here) for each in wanted) >= min(2, len(wanted))


class Located(NamedTuple):
    """A layout, as it is found in one file."""

    columns: dict[str, tuple[str, ...]]
    deleted: tuple[str, ...]


def locate(layout: Layout, heads: tuple[str, ...]) -> Located:
    """Find every column that is there."""
    columns = {ours: located(theirs, heads) for ours, theirs in layout.columns.items()}
    return Located(
        columns={ours: here for ours, here in columns.items() if here},
        deleted=located(layout.deleted.column, heads) if layout.deleted is not None else (),
    )
