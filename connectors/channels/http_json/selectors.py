"""How the cells of an HTML page are declared: `td.by em span@title`. Pure.

A selector, and after the `@` an attribute, or `html` for what stands inside; without it the text. A `*` before it takes
all that it finds; without a selector it is the row itself.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

_CELL = re.compile(r"^(?P<all>\*?)(?P<css>.*?)(?:@(?P<attribute>[\w-]+))?$", re.DOTALL)


def parts_of(cell: str) -> re.Match[str]:
    """Take a declaration apart."""
    match = _CELL.match(cell)
    assert match is not None, "the pattern fits any text"
    return match


def selector_of(cell: str) -> str:
    """The selector in a cell's declaration, perhaps none."""
    return str(parts_of(cell)["css"]).strip()


def wrong_selector(css: str) -> bool:
    """Whether this is no selector at all."""
    try:
        LexborHTMLParser("<p>").css(css)
    except Exception:  # noqa: BLE001  the library's own errors have no common class
        return True
    return False
