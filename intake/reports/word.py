"""A document as DOCX: headings, notes and ruled tables whose headings come again on each page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import docx as office
from docx.enum.section import WD_ORIENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from intake.reports.document import NEVER, Cell, Document, Table, shown
from intake.screen import printable

FONT = "宋体"
_BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:color="999999"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)


def docx(document: Document) -> bytes:
    """Write it; landscape, since its tables are wide."""
    book = office.Document()
    _face(book)
    about = book.core_properties
    about.title, about.author, about.revision = document.title, "", 1
    about.created = about.modified = _plain(document.made)
    book.add_heading(_clean(document.title), level=0)
    for table in document.tables:
        book.add_heading(_clean(table.name), level=1)
        for note in table.notes:
            book.add_paragraph(_clean(note))
        if table.rows:
            # Cell by cell costs minutes for a thousand rows: the library looks for each from the table's beginning.
            book.element.body.insert(len(book.element.body) - 1, parse_xml(_table(table)))
    out = BytesIO()
    book.save(out)
    return _undated(out)


def _face(book: Any) -> None:  # noqa: ANN401 - the library's document
    style = book.styles["Normal"]
    style.font.name = FONT
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    section = book.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width


def _table(table: Table) -> str:
    head = _row(table.headings, "<w:trPr><w:tblHeader/></w:trPr>", "<w:rPr><w:b/></w:rPr>")
    rows = "".join(_row(row) for row in table.rows)
    look = f'<w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{_BORDERS}</w:tblBorders></w:tblPr>'
    grid = "<w:tblGrid>" + "<w:gridCol/>" * len(table.headings) + "</w:tblGrid>"
    return f"<w:tbl {nsdecls('w')}>{look}{grid}{head}{rows}</w:tbl>"


def _row(cells: Iterable[Cell], of_row: str = "", of_run: str = "") -> str:
    return f"<w:tr>{of_row}{''.join(_cell(cell, of_run) for cell in cells)}</w:tr>"


def _cell(cell: Cell, of_run: str) -> str:
    right = '<w:pPr><w:jc w:val="right"/></w:pPr>' if isinstance(cell, int | float) else ""
    text = escape(_clean(shown(cell)))
    return f'<w:tc><w:p>{right}<w:r>{of_run}<w:t xml:space="preserve">{text}</w:t></w:r></w:p></w:tc>'


def _clean(text: str) -> str:
    """XML has no place for control characters."""
    return printable(text).replace("\n", " ")


def _plain(made: datetime | None) -> datetime:
    return NEVER if made is None else made.replace(tzinfo=None)


def _undated(file: BytesIO) -> bytes:
    """Give the same file without the moments at which its parts were packed."""
    out = BytesIO()
    with ZipFile(file) as packed, ZipFile(out, "w", ZIP_DEFLATED) as again:
        for name in packed.namelist():
            part = ZipInfo(name)
            part.compress_type = ZIP_DEFLATED
            again.writestr(part, packed.read(name))
    return out.getvalue()
