"""A document as figures and words, whatever it is written as; and the ways to write it (XLSX, HTML, DOCX).

The same document gives the same bytes: the only moment in it is the one that it was made at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from io import BytesIO
from pathlib import Path

import msgspec
import xlsxwriter

Cell = str | int | float | None
WIDEST = 60  #: characters of a column
NEVER = datetime(1980, 1, 1)  # noqa: DTZ001 - office files know no zones
SHEET_NAME = 31  #: characters; Excel takes no more


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table: a sheet of the workbook, a section of the page."""

    name: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()  #: what one must know to read it


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    title: str
    tables: Sequence[Table]
    made: datetime | None = None  #: written into the file where its form has a place for it


class UnknownForm(ValueError):
    """The file's name does not say how to write it."""


def write(document: Document, file: Path) -> None:
    """Write a document in the form that the file's name says."""
    form = FORMS.get(file.suffix.lower())
    if form is None:
        raise UnknownForm(f"{file.name} ends in none of {' '.join(FORMS)}")
    file.write_bytes(form(document))


def html(document: Document) -> bytes:
    """One page that needs nothing else: it can be mailed and printed."""
    parts = [f"<h1>{escape(document.title)}</h1>", *map(_section, document.tables)]
    head = f'<meta charset="utf-8"><title>{escape(document.title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="zh-CN"><head>{head}</head><body>{"".join(parts)}</body></html>'.encode()


def xlsx(document: Document) -> bytes:
    """One sheet a table. What came from outside is text, never a formula."""
    out = BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, plain)
    book.set_properties({"title": document.title, "created": document.made or NEVER})
    bold, wrapped = book.add_format({"bold": True, "bg_color": "#E8EEF4"}), book.add_format({"text_wrap": True})
    share = book.add_format({"num_format": "0.0%"})
    for table in document.tables:
        sheet = book.add_worksheet(table.name[:SHEET_NAME])
        for at, note in enumerate(table.notes):
            sheet.write_string(at, 0, note)
        top = len(table.notes)
        for column, heading in enumerate(table.headings):
            sheet.write_string(top, column, heading, bold)
            sheet.set_column(column, column, _width(table, column))
        for number, row in enumerate(table.rows, start=top + 1):
            for column, value in enumerate(row):
                if isinstance(value, float):
                    sheet.write_number(number, column, value, share)
                elif isinstance(value, int):
                    sheet.write_number(number, column, value)
                elif value is not None:
                    sheet.write_string(number, column, value, wrapped)
        sheet.freeze_panes(top + 1, 0)
        if table.rows:
            sheet.autofilter(top, 0, top + len(table.rows), len(table.headings) - 1)
    book.close()
    return out.getvalue()


def docx(document: Document) -> bytes:
    """For those who write on in it."""
    from intake.reports.word import docx as written  # noqa: PLC0415 - slow to load, and seldom wanted

    return written(document)


FORMS: Mapping[str, Callable[[Document], bytes]] = {".xlsx": xlsx, ".html": html, ".docx": docx}


def shown(value: Cell) -> str:
    """A share is a float between nothing and all."""
    if value is None:
        return "—"
    return f"{value:.1%}" if isinstance(value, float) else str(value)


def _section(table: Table) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in table.notes)
    headings = "".join(f"<th>{escape(heading)}</th>" for heading in table.headings)
    rows = "".join(
        "<tr>" + "".join(f"<td{_right(value)}>{escape(shown(value))}</td>" for value in row) + "</tr>"
        for row in table.rows
    )
    return f"<h2>{escape(table.name)}</h2>{notes}<table><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>"


def _right(value: Cell) -> str:
    return ' class="number"' if isinstance(value, int | float) else ""


def _width(table: Table, column: int) -> int:
    """Chinese characters are two wide."""
    texts = [table.headings[column], *(shown(row[column]) for row in table.rows[:200])]
    return min(WIDEST, 2 + max(sum(1 + (letter > "\u2e80") for letter in text) for text in texts))


_STYLE = (
    "body{font:15px/1.5 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2em;color:#1c2733}"
    "table{border-collapse:collapse;margin:.5em 0 2em}th,td{border:1px solid #c4ced8;padding:.25em .6em;"
    "text-align:left;vertical-align:top}th{background:#e8eef4}td.number{text-align:right}p{margin:.3em 0;color:#44525f}"
)
