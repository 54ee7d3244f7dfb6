"""Lessons as people see them (先例清单): what is moved from whom to whom, by which words, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import nlargest

import msgspec

from router.dispatching.lessons import SHOWN, Lessons, lesson_id
from router.dispatching.weighing import HEARD, word_weight


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One lesson as people see it."""

    id: str
    rule: str
    sent_to: str
    owner: str
    precedents: int
    against: int
    words: list[str]
    cases: list[str]  #: numbers, the newest first
    forbidden: bool
    since: datetime


def listed(lessons: Lessons) -> Iterator[Listed]:
    """List every lesson, for people."""
    for spot, node in sorted(lessons.nodes.items()):
        for code, count in sorted(node.totals.items()):
            if code in {"", spot[1]}:
                continue
            theirs = [one for one in node.precedents.values() if one.owner == code]
            all_words = [word for word in node.words[code] if node.words[code][word] > 1 or count == 1]
            weights = {word: word_weight(node, code, word) for word in all_words}
            name = lesson_id(spot, code)
            yield Listed(
                id=name,
                rule=spot[0],
                sent_to=spot[1],
                owner=code,
                precedents=count,
                against=sum(node.totals.values()) - count,
                words=[word for word in nlargest(HEARD * 2, weights, key=weights.__getitem__) if weights[word] > 0],
                cases=[one.case_no for one in reversed(theirs)][:SHOWN],
                forbidden=name in lessons.forbidden,
                since=min(one.at for one in theirs),
            )
