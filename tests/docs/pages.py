"""What the pages for people hold: fenced blocks, tables, and which page they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md")))
OPERATORS = ROOT / "docs" / "operators.md"
SETTINGS = ROOT / "docs" / "settings.md"

_FENCE = re.compile(r"^```(\w*)[ ]*(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block. A word after its language is the file that it is the content of."""

    page: Path
    line: int
    heading: str
    language: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(*languages: str) -> Iterator[Block]:
    """Give every block of these languages, page by page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            if found[1] not in languages:
                continue
            before = text[: found.start()]
            # A comment in a block begins like a heading.
            headings = _HEADING.findall(_FENCE.sub("", before))
            yield Block(page, before.count("\n") + 1, headings[-1], found[1], found[2], found[3])


def rows(page: Path, heading: str) -> list[list[str]]:
    """Give the cells of the first table under a heading; not its head."""
    section = re.split(rf"^#+ {re.escape(heading)}.*$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    section = re.split(r"^#", section, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
