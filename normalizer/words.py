"""Words and patterns of words, compiled once: every text is read in one pass an automaton."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import daachorse

#: A pattern never reaches over the end of a sentence.
SENTENCE_ENDS = frozenset("。！？!?\n")

Span = tuple[int, int, int]  #: start, end, number of the word


class Hit(NamedTuple):
    """A pattern found: its number, and from its first word to its last."""

    pattern: int
    start: int
    end: int


Meaning = TypeVar("Meaning", bound=Hashable)


def shared(meanings: Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Let words that mean the same point to one object: thousands of equal ones would not stay in a cache."""
    one: dict[Meaning, Meaning] = {}
    return tuple(one.setdefault(meaning, meaning) for meaning in meanings)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Groups of words that follow one another in one sentence, each at most `gap` characters after the one before."""

    words: tuple[tuple[str, ...], ...]
    gap: int
    unless: tuple[str, ...] = ()  #: longer words in which it does not count


class Words:
    """Single words, leftmost and longest: a longer word takes the place of those inside it."""

    __slots__ = ("find", "words")

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        automaton = daachorse.CharwiseDoubleArrayAhoCorasick(list(words), daachorse.MATCH_KIND_LEFTMOST_LONGEST)
        #: Finds all of them in a text, from left to right.
        self.find: Callable[[str], list[Span]] = automaton.find


class Patterns:
    """All patterns at once: one overlapping pass finds their words, then it is looked back from each last word."""

    __slots__ = ("_alone", "_automaton", "_before", "_ended", "_led", "patterns")

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = tuple(patterns)
        numbers: dict[str, int] = {}
        before: list[tuple[frozenset[int], ...]] = []
        for pattern in self.patterns:
            for group in pattern.words:
                for word in group:
                    numbers.setdefault(word, len(numbers))
            before.append(tuple(frozenset(numbers[word] for word in group) for group in pattern.words[:-1]))
        self._before = tuple(before)
        self._alone = [not groups for groups in before]
        ended: list[list[int]] = [[] for _ in numbers]  # by word: the patterns that it ends
        led: list[list[int]] = [[] for _ in numbers]  # by word: the patterns whose last word may follow it
        for number, pattern in enumerate(self.patterns):
            for last in {numbers[word] for word in pattern.words[-1]}:
                ended[last].append(number)
            for first in before[number][-1] if before[number] else ():
                led[first].append(number)
        self._ended = shared(map(tuple, ended))
        self._led = shared(map(tuple, led))
        self._automaton = daachorse.CharwiseDoubleArrayAhoCorasick(list(numbers))

    def find(self, text: str) -> list[Hit]:
        """Find every pattern once, at its first complete place."""
        spans: list[Span] = self._automaton.find_overlapping(text)
        ended, led = self._ended, self._led
        # Only what stands alone, or whose word before the last one came already, can be complete.
        possible = self._alone.copy()
        found: dict[int, Hit] = {}
        for at, (start, end, word) in enumerate(spans):
            for number in ended[word]:
                if not possible[number] or number in found:
                    continue
                groups = len(self._before[number])
                origin = self._begun(text, spans, at, number, groups - 1) if groups else start
                if origin >= 0 and not self._inside(text, number, origin, end):
                    found[number] = Hit(number, origin, end)
            for number in led[word]:
                possible[number] = True
        return sorted(found.values())

    def _begun(self, text: str, spans: list[Span], at: int, number: int, group: int) -> int:
        """Say where the pattern began if the groups before stand near enough, in the same sentence; else -1."""
        words = self._before[number][group]
        gap = self.patterns[number].gap
        start = spans[at][0]
        for back in range(at - 1, -1, -1):  # ends only grow, so the first one too far away is the last to look at
            begin, end, word = spans[back]
            if start - end > gap:
                return -1
            if word in words and end <= start and SENTENCE_ENDS.isdisjoint(text[end:start]):
                origin = begin if group == 0 else self._begun(text, spans, back, number, group - 1)
                if origin >= 0:
                    return origin
        return -1

    def _inside(self, text: str, number: int, start: int, end: int) -> bool:
        """Say whether a longer word swallows this one: 跳楼价 is no 跳楼."""
        unless = self.patterns[number].unless
        if not unless:
            return False
        around = text[max(0, start - 8) : end + 8]
        return any(word in around for word in unless)
