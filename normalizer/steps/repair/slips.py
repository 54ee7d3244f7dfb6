"""GBK whose bytes slipped by one (错位) after a lost byte, found and put right line by line.

How it comes about: a page is encoded as GBK and edited byte by byte, with no eye for where a character begins. The
byte before such a spot is lost and shows as `?`; every pair behind it is read one byte late, until a second byte in
the range of ASCII (V, ], @ …) brings the reader back in step. A line is put right only if impossible characters vanish
from it and it reads far better than before; alignments.py weighs that. Lines without a suspicious spot are not touched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from normalizer.steps.repair.alignments import LOST, LOST_AT_END, aligned
from normalizer.steps.repair.characters import DATA
from normalizer.steps.repair.gbk import is_private
from normalizer.steps.repair.ruby import TONES
from normalizer.steps.repair.spots import Repaired, Spot

_SYLLABLE = rf"(?=[a-z]{{0,4}}[{TONES}])[a-z{TONES}]{{1,6}}"
#: What is left of 。”</p>: the lead byte and the bracket went.
_CLOSED = re.compile(r"[?][!！][?]/p>")
_TAG_REST = re.compile("[?\ufffd]/p>")
#: A reading whose own bracket was taken for a second byte.
_CUT_READING = re.compile(rf"[?\ufffd]{_SYLLABLE}[)）]", re.IGNORECASE)
_READING = re.compile(rf"[(（]{_SYLLABLE}[)）]", re.IGNORECASE)
_FOLDED_MARKS = "!;,"

#: How near two odd characters stand that belong to one slip.
NEAR = 8
#: How far before the first and behind the last of them the search looks.
BEFORE, BEHIND = 8, 14
#: A slip that has not ended after so many characters is looked at no further: a hostile text must not hold up others.
FURTHEST = 300
#: So many characters of a text are searched at all (about a second); what is beyond stays and is flagged.
MOST = 4000
#: A lost byte that left no mark was lost at most so far before the odd character.
HOT = 5


def odd_class() -> str:
    """Read the Han characters that nobody writes, as the inside of a class."""
    return _odd_class()


@lru_cache(maxsize=1)
def _odd_class() -> str:
    return (DATA / "odd.txt").read_text(encoding="utf-8")


class _Gate(NamedTuple):
    odd: re.Pattern[str]
    near: re.Pattern[str]
    marked: re.Pattern[str]
    bad: re.Pattern[str]


@lru_cache(maxsize=1)
def _gate() -> _Gate:
    odd = odd_class()
    return _Gate(
        odd=re.compile(f"[{odd}]"),
        near=re.compile(
            f"[\ue000-\ue864\ufffd{odd}](?:(?<=[\ue000-\ue864\ufffd])|[{odd}]|[A-Za-z@\\[\\]\\\\^_`{{|}}~]"
            f"|[^\n]{{0,2}}[{odd}][^\n]{{0,2}}[{odd}])"
        ),
        bad=re.compile(f"[{LOST}{LOST_AT_END}\ufffd\ue000-\ue864{odd}]|[?](?=[!;,\ue000-\uf8ff]|.?[{odd}])"),
        marked=re.compile(
            f"[?](?:[!;,][\u2e80-\u9fff]|[a-z{TONES}]{{1,6}}[)）]|[!]?[?]/p>|[^\n]{{0,4}}[{odd}\ue000-\ue864])"
        ),
    )


def is_suspect(text: str) -> bool:
    """Say whether a slip may be in a text."""
    gate = _gate()
    return gate.near.search(text) is not None or ("?" in text and gate.marked.search(text) is not None)


class Budget:
    """How many characters of one text may still be searched."""

    __slots__ = ("_left",)

    def __init__(self, characters: int) -> None:
        self._left = characters

    def spend(self, characters: int) -> bool:
        """Take some, if there are enough."""
        self._left -= characters
        return self._left >= 0


def unslipped(text: str) -> Repaired:
    """Put right every line that can be."""
    if not is_suspect(text):
        return Repaired(text)
    lines: list[str] = []
    spots: list[Spot] = []
    at = 0
    budget = Budget(MOST)
    for line in text.split("\n"):
        made = _line(line, budget)
        lines.append(made.text)
        spots += (Spot(spot.repair, spot.start + at, spot.end + at) for spot in made.spots)
        at += len(line) + 1
    return Repaired("\n".join(lines), tuple(spots)) if spots else Repaired(text)


def _line(line: str, budget: Budget) -> Repaired:
    if not is_suspect(line):
        return Repaired(line)
    marked = _marked(line)
    parts: list[str] = []
    done = 0
    for cluster in _clusters(marked):
        if cluster[0] < done:
            cluster = [at for at in cluster if at >= done]  # noqa: PLW2901
        if not cluster or not _is_proof(marked, cluster):
            continue
        start = max(done, cluster[0] - BEFORE)
        before = parts[-1][-1:] if parts and start == done and parts[-1] else marked[start - 1 : start] or "\n"
        if not budget.spend(cluster[-1] + BEHIND - start):
            break
        made = _best(marked, start, cluster, before)
        if made is None:
            continue
        better, end = made
        parts += (marked[done:start], better)
        done = end
    if not parts:
        return _with_quotes_closed(line)
    text = "".join((*parts, marked[done:])).replace(LOST, "").replace(LOST_AT_END, "")
    return Repaired(text, (_between(line, text),))


def _between(old: str, new: str) -> Spot:
    """Say from where to where in the old line the two differ."""
    start = _alike(old, new)
    behind = _alike(old[: start - 1 : -1] if start else old[::-1], new[: start - 1 : -1] if start else new[::-1])
    return Spot("gbk_shift", start, len(old) - behind)


def _alike(one: str, other: str) -> int:
    """Count the characters that both begin with."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))


def _with_quotes_closed(line: str) -> Repaired:
    """Put right only the ends of quotes, where nothing else can be done."""
    closed = _CLOSED.sub("。”", line)
    return Repaired(closed, tuple(Spot("gbk_shift", *one.span()) for one in _CLOSED.finditer(line)))


def _marked(line: str) -> str:
    """Put one sign where a byte is known to be lost, and take readings out of the way."""
    line = _CUT_READING.sub(LOST, _CLOSED.sub("。”", line))
    return _TAG_REST.sub(LOST_AT_END, _READING.sub("", line))


def is_odd(character: str) -> bool:
    """Say whether nobody writes this character."""
    return _gate().odd.match(character) is not None


def _clusters(line: str) -> list[list[int]]:
    """Gather the places that no clean text has, those near to one another together."""
    clusters: list[list[int]] = []
    for bad in _gate().bad.finditer(line):
        at = bad.start()
        if clusters and at - clusters[-1][-1] <= NEAR:
            clusters[-1].append(at)
        else:
            clusters.append([at])
    return clusters


def _is_proof(line: str, cluster: list[int]) -> bool:
    """Say whether a byte was surely lost here: by a mark, or by several characters that nobody writes."""
    last = cluster[-1]
    marks = any(
        line[at] in (LOST, LOST_AT_END, "\ufffd")
        or (line[at] == "?" and (line[at + 1] in _FOLDED_MARKS or is_odd(line[at + 1])))
        for at in cluster
    )
    # � alone proves nothing: it also stands where UTF-8 or an emoji was cut
    if marks and any(line[at] != "\ufffd" for at in cluster):
        return True
    in_step_again = "@" <= line[last + 1 : last + 2] <= "~"
    # 嘤嘤嘤 is one odd character, not three
    return len({line[at] for at in cluster}) >= (2 if in_step_again else 3)


def _best(line: str, start: int, cluster: list[int], before: str) -> tuple[str, int] | None:
    """Try the near surroundings first; if that helps, the rest of the line, for a slip may run to its end."""
    hot = frozenset(place - start for at in cluster for place in range(at - HOT, at + 1) if place >= start)
    end = min(len(line), cluster[-1] + BEHIND)
    best = aligned(line[start:end], hot, before, cut=end < len(line))
    if best is None:
        return None
    if end < len(line):
        furthest = min(len(line), end + FURTHEST)
        whole = aligned(line[start:furthest], hot, before, cut=furthest < len(line))
        if whole is not None:
            best, end = whole, furthest
    return (best, end) if _is_better(line[start:end], best) else None


def _impossible(text: str) -> int:
    return sum(one in (LOST, LOST_AT_END, "?", "\ufffd") or is_private(one) or is_odd(one) for one in text)


def _is_better(old: str, new: str) -> bool:
    """Ask for two fewer impossible characters, or one fewer where a mark proves a lost byte."""
    gone = _impossible(old) - _impossible(new)
    return gone >= 2 or (gone > 0 and (LOST in old or LOST_AT_END in old or "?!" in old))  # noqa: PLR2004
