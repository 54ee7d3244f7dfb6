"""Patterns against their plain definition."""

import re

from hypothesis import given
from hypothesis import strategies as st

from normalizer.words import Pattern, Patterns, Words

PATTERNS = [
    Pattern((("甲", "甲乙"), ("丙", "丁丁")), 3),
    Pattern((("甲",), ("乙",), ("丙",)), 2),
    Pattern((("丁",),), 0, ("丁价",)),
    Pattern((("乙丙", "丙"), ("甲",)), 0),
]


def plainly(pattern: Pattern, text: str) -> bool:
    groups = ["(?:" + "|".join(sorted(map(re.escape, group), key=len, reverse=True)) + ")" for group in pattern.words]
    gap = rf"[^。！？!?\n]{{0,{pattern.gap}}}"
    # The alternatives of a group may begin inside one another: try every order.
    return any(
        re.search(gap.join(chosen), text) is not None
        for chosen in _choices([list(group) for group in pattern.words])
        if groups
    )


def _choices(groups: list[list[str]]) -> list[list[str]]:
    if not groups:
        return [[]]
    return [[re.escape(word), *rest] for word in groups[0] for rest in _choices(groups[1:])]


@given(st.text(alphabet="甲乙丙丁。无", max_size=24))
def test_patterns_are_found_exactly_where_a_search_would_find_them(text: str) -> None:
    found = {hit.pattern for hit in Patterns(PATTERNS).find(text)}

    assert found == {number for number, pattern in enumerate(PATTERNS) if plainly(pattern, text)}


def test_a_longer_word_swallows_a_danger() -> None:
    patterns = Patterns([Pattern((("跳楼",),), 0, ("跳楼价",))])

    assert patterns.find("有人要跳楼") == [(0, 3, 5)]
    assert patterns.find("跳楼价") == []


def test_single_words_are_leftmost_and_longest() -> None:
    words = Words(["漏水", "楼上漏水"])

    assert words.find("楼上漏水，漏水") == [(0, 4, 1), (5, 7, 0)]
