"""File import (文件导入): rows of CSV, XLSX or JSON lines by a column mapping, resumable at any row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from connectors.base import BadItem, Item, Page
from connectors.channels.table_mapping import Columns, Layout, Located, found, is_head, locate, names, preset
from connectors.channels.table_rows import Known, Row, look, rows_of
from connectors.errors import FormatChanged
from connectors.raw_appeal import Mode
from connectors.reading.encoding import no_encoding
from connectors.source import Source

PAGE = 500
REMEMBERED_FILES = 12  #: of which we know that they were read to their end
REMEMBERED = 100  #: sets of columns

#: Names a column may be mapped to: what the citizen or the operator wrote …
CONTENT = (
    "title", "text", "author", "author_id", "sex", "phone", "email", "address", "location", "url", "channel",
    "channel_detail", "category", "category_code", "request_type", "urgency", "secret", "subject_entity", "about",
    "root", "parent",
)  # fmt: skip
#: … and what may change in place.
IN_PLACE = (
    "native_id", "posted_at", "occurred_at", "likes", "dislikes", "views", "replies", "reply", "reply_by", "reply_at",
    "department", "sent_back",
)  # fmt: skip
KNOWN = CONTENT + IN_PLACE


#: 1.23457E+17: what Excel makes of an order number of eighteen digits.
_ROUNDED = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)


class TableSettings(Source, frozen=True, kw_only=True, dict=True):
    """Settings of one kind of file."""

    preset: str | None = None  #: the layout of a known kind of file; `columns` lie over it
    #: ours = theirs, such as `text = "诉求内容"`, or several of which the first counts that says something; without a
    #: mapping the file's own names must be ours
    columns: dict[str, Columns] = msgspec.field(default_factory=dict)
    encoding: str | None = None  #: left out: UTF-8 where it fits, else GB 18030
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] | None = None
    sheet: str | None = None  #: of a workbook; left out: its first
    transport: Literal["pull", "push", "import"] = "import"

    def problems(self) -> list[str]:
        unknown = [
            f"columns.{name} is not a name of ours; ours are: {' '.join(KNOWN)}"
            for name in self.columns
            if name not in KNOWN
        ]
        if self.preset is not None and self.preset not in names():
            unknown.append(f"preset is none of ours: {' '.join(names())}")
        if self.encoding is not None and (wrong := no_encoding(self.encoding)) is not None:
            unknown.append(wrong)
        wordless = self.columns and self.preset is None and not {"text", "title"} & set(self.columns)
        return [
            *super().problems(),
            *unknown,
            *(["columns must map `text` or `title`: without words there is no appeal"] if wordless else []),
        ]

    @cached_property
    def layout(self) -> Layout:
        """What the operator wrote, laid over the preset."""
        base = preset(self.preset) if self.preset is not None else Layout()
        own = self.columns if self.columns or self.preset is not None else {name: name for name in KNOWN}
        return msgspec.structs.replace(base, columns={**base.columns, **own})

    @cached_property
    def _located(self) -> dict[tuple[str, ...], Located]:
        return {}

    def located(self, cells: Mapping[str, Any]) -> Located:
        """Where a row of these columns holds what; the rows of one file share the answer."""
        heads = tuple(cells)
        if (known := self._located.get(heads)) is None:
            if len(self._located) >= REMEMBERED:
                self._located.clear()  # JSON lines may name other keys on every line
            known = self._located[heads] = locate(self.layout, heads)
        return known


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """How much of which file is stored."""

    file: str
    row: int
    #: files read to their end lately, by this mapping. An older edition of a row, read anew, would be a revision again.
    read: tuple[str, ...] = ()


class TableFile:
    """Reads one file. A page ends before an id that it already holds, so that a repeat is a revision, not a race."""

    def __init__(self, settings: TableSettings, path: Path) -> None:
        self._settings = settings
        self._path = path
        self._known: Known | None = None

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        done = self.rows_done(cursor)
        rows: list[Item | BadItem] = []
        ids: set[str] = set()
        number, before = done, _position(cursor)
        if before is not None and self._mark in before.read:
            return
        for number, row in enumerate(self._rows(skip=done), start=done + 1):
            read = read_row(row, self._settings)
            if len(rows) == PAGE or read.native_id in ids:
                yield self._page(rows, number - 1, before)
                rows, ids = [], set()
            rows.append(read)
            ids.add(read.native_id)
        if rows or number == 0:  # a file without rows is a page without rows: whoever watches the source sees it
            yield self._page(rows, number, before, to_end=True)

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """Read a parked row by the mapping as it is now, under the id that it was parked with."""
        del context
        held = msgspec.json.decode(payload)
        read = read_row(Row(held.get("_row", held)), self._settings)
        return msgspec.structs.replace(read, native_id=native_id)

    def count(self) -> int:
        """How many rows the file has, for a progress bar."""
        return sum(1 for _ in self._rows())

    def rows_done(self, cursor: str | None) -> int:
        """How many rows of this file a position stands for: none, if it is of another file."""
        position = _position(cursor)
        if position is not None and self._mark in position.read:
            return self.count()
        return position.row if position is not None and position.file == self._file().digest else 0

    @cached_property
    def _mark(self) -> str:
        """This file as this mapping reads it: mended, it reads the file anew."""
        told = msgspec.json.encode(msgspec.to_builtins(self._settings))
        return hashlib.blake2b(told + self._file().digest.encode(), digest_size=8).hexdigest()

    def _rows(self, skip: int = 0) -> Iterator[Row]:
        settings = self._settings
        wanted = list(settings.layout.columns.values())
        rows = rows_of(
            self._path,
            self._file().encoding,
            delimiter=settings.delimiter,
            sheet=settings.sheet,
            is_head=partial(is_head, wanted),
        )
        for number, row in enumerate(rows):
            if number == 0:
                _must_have(row, settings, self._path)
            if number >= skip:
                yield row

    def _file(self) -> Known:
        if self._known is None:
            self._known = look(self._path, self._settings.encoding)
        return self._known

    def _page(self, rows: list[Item | BadItem], number: int, before: Position | None, *, to_end: bool = False) -> Page:
        known = before.read if before is not None else ()
        read = (*known, self._mark)[-REMEMBERED_FILES:] if to_end else known
        return Page(
            offered=tuple(row.native_id for row in rows),
            items=tuple(row for row in rows if isinstance(row, Item)),
            bad=tuple(row for row in rows if isinstance(row, BadItem)),
            cursor=msgspec.json.encode(Position(self._file().digest, number, read)).decode(),
        )


def _position(cursor: str | None) -> Position | None:
    return msgspec.json.decode(cursor, type=Position) if cursor else None


def read_row(row: Row, settings: TableSettings) -> Item | BadItem:
    """Read one row: the mapped names, and the row as it was beside them."""
    layout, located = settings.layout, settings.located(row.cells)
    mapped = {ours: _shaped(ours, _text(found(heads, row.cells)), layout) for ours, heads in located.columns.items()}
    payload = msgspec.json.encode({**{name: value for name, value in mapped.items() if value}, "_row": row.cells})
    native_id = mapped.get("native_id", "").strip() or _digest(mapped or row.cells)
    if row.bad is not None:
        return BadItem(native_id=native_id, payload=payload, reason=row.bad)
    if _ROUNDED.fullmatch(native_id):
        # Many rows would share it, and each would take the place of the one before.
        reason = "a spreadsheet has rounded its id; format that column as text in the original, then import that"
        return BadItem(native_id=_digest(mapped), payload=payload, reason=reason)
    state = _text(found(located.deleted, row.cells)).strip()
    deleted = layout.deleted is not None and state in layout.deleted.among
    if not (mapped.get("text", "").strip() or mapped.get("title", "").strip()):
        return BadItem(native_id=native_id, payload=payload, reason="the row has neither text nor title")
    # In mode `follow` the source's own 承办单位 stands: another one is news.
    names = (*CONTENT, "department") if settings.mode is Mode.FOLLOW else CONTENT
    content = tuple(mapped.get(name, "") for name in names)
    return Item(native_id=native_id, payload=payload, content=content, deleted=deleted)


def _shaped(name: str, value: str, layout: Layout) -> str:
    """Do to a value what the layout says."""
    if (expression := layout.match.get(name)) is not None and (match := re.search(expression, value)) is not None:
        value = match[1]
    return layout.values.get(name, {}).get(value, value)


def _must_have(row: Row, settings: TableSettings, path: Path) -> None:
    """A mapping that misses its columns is told before anything is stored. JSON lines may leave keys out."""
    if row.bad is not None or path.suffix.lower() in {".jsonl", ".ndjson", ".json"}:
        return
    columns = settings.layout.columns
    here = set(settings.located(row.cells).columns)
    # What an operator wrote down must be there; of a preset, and of our own names, some words are enough.
    missing = [_first(theirs) for ours, theirs in settings.columns.items() if ours not in here]
    if not here & {"text", "title"}:
        missing = missing or [_first(columns.get("text", "text"))]
    if missing:
        # Only names that we know: where the line of names is missing, its place is taken by a citizen's letter.
        known = ", ".join(_first(columns[ours]) for ours in columns if ours in here) or "none"
        raise FormatChanged(
            f"{path.name} has no column {', '.join(missing)}; of its {len(row.cells)} columns we know: {known}; "
            f"look at its first line, then mend `columns` of {settings.name}"
        )


def _first(columns: Columns) -> str:
    return columns if isinstance(columns, str) else columns[0]


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell is None else msgspec.json.encode(cell).decode()


def _digest(cells: Mapping[str, Any]) -> str:
    """The id of a row that has none: equal rows are one item."""
    written = msgspec.json.encode(sorted((name, _text(value)) for name, value in cells.items() if name not in IN_PLACE))
    when = _text(cells.get("posted_at", ""))
    return "row-" + hashlib.blake2b(written + when.encode(), digest_size=9).hexdigest()
