"""Files of rows: CSV, XLSX and JSON lines, read row by row; what a row means is table.py's business."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from connectors.errors import FormatChanged
from connectors.reading.encoding import decoded, encoding_named

#: Whether these are the names of columns.
IsHead = Callable[[list[str]], bool]
ABOVE = 10  #: lines among which the names are looked for

CHUNK = 1 << 20
LARGEST_CELL = 10 * 1024 * 1024
ROUNDED = 1e15  #: a spreadsheet keeps 15 digits of a number
ENCODINGS = ("utf-8-sig", "gb18030")
_NAMED = dict.fromkeys(("utf-8", "utf8"), "utf-8-sig")  #: with the mark that spreadsheets put before it, or without

csv.field_size_limit(LARGEST_CELL)


class Row(NamedTuple):
    """One row: its cells by column, or why it cannot be read."""

    cells: Mapping[str, Any]
    bad: str | None = None


class Known(NamedTuple):
    """What a look through a file's bytes tells."""

    digest: str
    encoding: str


def look(path: Path, encoding: str | None) -> Known:
    """Tell two editions of a file apart, and UTF-8 from GB 18030, in one pass and little memory."""
    if not path.is_file():
        raise FormatChanged(f"{path.name} is not there, or is no file; check its path")
    made = hashlib.blake2b(digest_size=12)
    fitting = [_NAMED.get(encoding.lower(), encoding_named(encoding))] if encoding else list(ENCODINGS)
    decoders = {name: codecs.getincrementaldecoder(name)() for name in fitting}
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            made.update(chunk)
            _drop_unfitting(decoders, chunk, final=False)
    _drop_unfitting(decoders, b"", final=True)
    return Known(made.hexdigest(), next(iter(decoders), fitting[0]))


def rows_of(
    path: Path, encoding: str, *, delimiter: str | None, sheet: str | None, is_head: IsHead = lambda _: True
) -> Iterator[Row]:
    """Read a file by what its name says it is; `is_head` knows the line of names from a title above it."""
    kind = path.suffix.lower()
    if kind in {".xlsx", ".xls", ".xlsb", ".ods"}:
        return _under_head(_sheet_lines(path, sheet), is_head)
    if kind in {".jsonl", ".ndjson", ".json"}:
        return _json_rows(path, encoding)
    if kind in {".csv", ".tsv", ".txt"}:
        return _under_head(_csv_lines(path, encoding, delimiter or ("\t" if kind == ".tsv" else ",")), is_head)
    raise FormatChanged(f"{path.name} is neither CSV, XLSX nor JSON lines by its name; rename or convert it")


def _drop_unfitting(decoders: dict[str, codecs.IncrementalDecoder], chunk: bytes, *, final: bool) -> None:
    for name, decoder in list(decoders.items()):
        try:
            decoder.decode(chunk, final)
        except UnicodeDecodeError:
            del decoders[name]


def _under_head(lines: Iterator[list[str]], is_head: IsHead) -> Iterator[Row]:
    """Rows by the names of their columns; above these a title may stand, and the day of the export."""
    above: list[list[str]] = []
    for line in lines:
        above.append(line)
        if len(above) == ABOVE or is_head(line):
            break
    at = next((number for number, line in enumerate(above) if is_head(line)), 0)
    names = _distinct(name.strip() for name in above[at]) if above else []
    for cells in chain(above[at + 1 :], lines):
        if len(cells) > len(names) and any(cells[len(names) :]):
            yield Row(_cells(names, cells), f"the row has {len(cells)} cells, the head has {len(names)}")
        else:
            yield Row(_cells(names, cells))


def _distinct(names: Iterable[str]) -> list[str]:
    """Number the columns whose name stands there already, so that none takes another's place."""
    taken: list[str] = []
    for name in names:
        times = count(2)
        own = name
        while own in taken:
            own = f"{name}（{next(times)}）"
        taken.append(own)
    return taken


def _csv_lines(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    # What fits no encoding is read with marks of loss: the row is still somebody's appeal.
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        for cells in _whole(csv.reader(file, delimiter=delimiter), path):
            if any(cell.strip() for cell in cells):
                yield cells


def _whole(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise FormatChanged(f"{path.name} is not CSV to its end ({error}); open and save it as CSV again") from error


def _cells(names: list[str], cells: list[Any]) -> dict[str, Any]:
    """Cells by column; those beyond the head keep their number, those that are missing are empty."""
    padded = [*cells, *([""] * (len(names) - len(cells)))]
    heads = [*names, *(f"#{number}" for number in range(len(names) + 1, len(padded) + 1))]
    return dict(zip(heads, padded, strict=True))


def _sheet_lines(path: Path, sheet: str | None) -> Iterator[list[str]]:
    try:
        book = CalamineWorkbook.from_path(str(path))
    except CalamineError as error:
        raise FormatChanged(
            f"{path.name} cannot be opened as a workbook ({type(error).__name__}); save it anew"
        ) from error
    if sheet is not None and sheet not in book.sheet_names:
        raise FormatChanged(f"{path.name} has no sheet {sheet}; it has: {', '.join(book.sheet_names)}")
    for cells in book.get_sheet_by_name(sheet or book.sheet_names[0]).iter_rows():
        written = [_cell(cell) for cell in cells]
        if any(written):
            yield written


def _cell(cell: Any) -> str:  # noqa: ANN401  whatever a spreadsheet holds
    """Excel keeps whole numbers as fractions, and calamine gives a date where a time is exactly midnight."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and abs(cell) >= ROUNDED:
        return f"{cell:.14E}"  # as people see it there: its last digits are gone, and must not look as if they were not
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, date):
        return f"{cell:%Y-%m-%d}"
    return "" if cell is None else str(cell)


def _json_rows(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding, errors="replace") as file:
        for number, line in enumerate(file):
            if number == 0 and line.lstrip().startswith("["):
                raise FormatChanged(f"{path.name} is one JSON list; write one object a line (JSON lines)")
            if not line.strip():
                continue
            try:
                row = decoded(line)
            except msgspec.DecodeError:
                yield Row({"line": line.rstrip("\n")}, "the line is not JSON")
                continue
            if isinstance(row, dict):
                yield Row(row)
            else:
                yield Row({"line": line.rstrip("\n")}, "the line is not an object")
