"""Lines that were broken where a newspaper's column or page ended (断行), joined again.

Two signs, each with a condition that lists and signatures do not meet: several lines that all break at the same width
in the middle of a sentence; and a paragraph of running text that stops in the middle and goes on in the next line.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from normalizer.steps.repair.characters import characters
from normalizer.steps.repair.spots import Repaired, Spot

#: A column is at least so wide, and its lines break within so many characters of its width.
NARROWEST, RAGGED = 10, 2
#: So many lines make a column.
LINES = 4
#: A paragraph that stops in the middle is at least so long, and what goes on is a sentence too.
RUNNING, REST = 30, 8
#: Without the end of a sentence, it needs so many marks to be running text.
MARKS = 2
#: How much more than by chance two characters must belong together across a break.
BOND, BOND_IN_RUNNING = 1.0, -3.0

_STOPS = re.compile("[。！？；：:!?”』」）)】》…]$")
_INSIDE = re.compile("[。！？]")
_MARK = re.compile("[，。、；！？,]")
_BEGINS = re.compile(r"[\u4e00-\u9fff，。、；“《]")
_LISTED = re.compile(
    r"[一二三四五六七八九十百第\d(（①-⑳●■◆○□·*\-]{1,4}[、.．)）:：条章]|[●■◆○□▲△★☆※]|此致|谢谢|感谢|附[:：件]|联系|尊敬|本报讯|记者"
)
#: A caption ends with who took the picture.
_ENDS_IN_HAN = re.compile(r"[\u4e00-\u9fff，、]$(?<!摄)")


def joined(text: str) -> Repaired:
    """Join what was broken."""
    lines = text.split("\n")
    if len(lines) < 2:  # noqa: PLR2004
        return Repaired(text)
    width = _width(lines)
    parts = [lines[0]]
    spots: list[Spot] = []
    at = len(lines[0])
    for before, line in pairwise(lines):
        if _is_broken(before, line, width):
            spots.append(Spot("columns", at, at + 1))
        else:
            parts.append("\n")
        parts.append(line)
        at += len(line) + 1
    return Repaired("".join(parts), tuple(spots)) if spots else Repaired(text)


def _width(lines: list[str]) -> int | None:
    """Find the width at which several lines break in the middle of a sentence."""
    broken = [len(line) for line, after in pairwise(lines) if _may_go_on(line, after)]
    if len(broken) < LINES:
        return None
    width = max(Counter(broken).items(), key=lambda one: (one[1], one[0]))[0]
    alike = sum(width - RAGGED <= length <= width + RAGGED for length in broken)
    marked = sum(_MARK.search(line) is not None for line in lines)
    return width if width >= NARROWEST and alike >= LINES and 2 * marked >= len(lines) else None


def _may_go_on(line: str, after: str) -> bool:
    return bool(
        line
        and _STOPS.search(line) is None
        and _ENDS_IN_HAN.search(line) is not None
        and _BEGINS.match(after) is not None
        and _LISTED.match(after) is None
    )


def _is_broken(line: str, after: str, width: int | None) -> bool:
    if not _may_go_on(line, after):
        return False
    if width is not None and width - RAGGED <= len(line) <= width + RAGGED:
        return True
    if len(line) < RUNNING or len(after) < REST or _MARK.search(after) is None:
        return False
    sentences = _INSIDE.search(line) is not None
    if not sentences and len(_MARK.findall(line)) < MARKS:
        return False
    if line[-1] in "，、":
        return sentences
    return characters().bond(line[-1], after[0]) > (BOND_IN_RUNNING if sentences else BOND)
