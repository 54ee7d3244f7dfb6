"""HTML pages as data (网页): CSS selectors name the rows and the cells in them. Pure.

What comes out is what a JSON interface would have sent: `{"rows": [{cell: text}], page cell: text}`. Paging, joins,
errors and fields are told in the same way for both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.channels.http_json.plan import Call, Cell
from connectors.channels.http_json.selectors import parts_of
from connectors.errors import AccessDenied, ConnectorError, FormatChanged

_BLANKS = re.compile(r"[ \t\r\n\xa0\u3000]+")
ROWS = "rows"  #: where the rows stand in what comes out


def html_in(text: str, call: Call, where: str) -> tuple[dict[str, Any], ConnectorError | None]:
    """Read a page; beside it the doubt whether it is the page that was meant, unless it says itself what is wrong."""
    root = LexborHTMLParser(text).root
    if root is None:
        return {ROWS: []}, FormatChanged(f"{where} answered a page without anything on it; look at it in a browser")
    body = {name: _cell(root, cell) for name, cell in call.page.items()}
    rows = root.css(call.rows) if call.rows else []
    sure = bool(rows) if call.rows else any(_says(value) for value in body.values())
    doubt = None if sure else _doubt(root, call, where)
    return {**body, ROWS: [{name: _cell(row, cell) for name, cell in call.cells.items()} for row in rows]}, doubt


def _doubt(root: LexborNode, call: Call, where: str) -> ConnectorError | None:
    """A page without a row is believed where their frame is on it; else it is a log-in, or a new design."""
    if call.within is not None and root.css_first(call.within) is not None:
        return None
    if root.css_first('input[type="password"]') is not None:
        return AccessDenied(
            f"{where} answered with a log-in page; renew the key or the session, then resume the source"
        )
    if call.within is not None:
        lacks, mend = f"nothing at {call.within}", "mend `within`"
    elif call.rows:
        lacks = f"no row at {call.rows}"
        mend = "mend `rows`, or name in `within` what is on the page where there are no rows"
    else:
        lacks, mend = "none of the cells of `page`", "mend their selectors"
    return FormatChanged(f"{where} has {lacks}; look at the page in a browser, then {mend}")


def _cell(row: LexborNode, cell: Cell) -> Any:  # noqa: ANN401  a text, or a list of texts
    """Take the first of several that says something."""
    found = (_taken(row, each) for each in ((cell,) if isinstance(cell, str) else cell))
    return next((value for value in found if _says(value)), None)


def _taken(row: LexborNode, cell: str) -> Any:  # noqa: ANN401
    match = parts_of(cell)
    css, attribute = match["css"].strip(), match["attribute"]
    if match["all"]:
        return [value for node in row.css(css) if _says(value := _of(node, attribute))]
    node = row.css_first(css) if css else row
    return _of(node, attribute) if node is not None else None


def _of(node: LexborNode, attribute: str | None) -> str | None:
    """The text of a node, one of its attributes, or (`@html`) what stands in it."""
    if attribute is None:
        return _BLANKS.sub(" ", node.text(separator=" ")).strip()
    if attribute == "html":
        return node.inner_html
    attributes: Mapping[str, str | None] = node.attributes
    return attributes.get(attribute)


def _says(value: object) -> bool:
    return value not in (None, "", [])
