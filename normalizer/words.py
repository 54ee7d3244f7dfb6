"""Words and patterns of words, compiled once: every text is read in one pass an automaton."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

#: A pattern never reaches over the end of a sentence.
SENTENCE_ENDS = frozenset("。！？!?\n")

Span = tuple[int, int, int]  #: number of the word, start, end


class Hit(NamedTuple):
    """A pattern found: its number, and from its first word to its last."""

    pattern: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Groups of words that follow one another in one sentence, each at most `gap` characters after the one before."""

    words: tuple[tuple[str, ...], ...]
    gap: int
    unless: tuple[str, ...] = ()  #: longer words in which it does not count


class Words:
    """Single words, leftmost and longest: a longer word takes the place of those inside it."""

    __slots__ = ("_automaton", "words")

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._automaton = AhoCorasick(self.words, matchkind=MatchKind.LeftmostLongest)

    def find(self, text: str) -> list[Span]:
        """Find all of them, from left to right."""
        return self._automaton.find_matches_as_indexes(text)


class Patterns:
    """All patterns at once: one overlapping pass finds their words, then their order is looked at."""

    __slots__ = ("_automaton", "_roles", "patterns")

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = tuple(patterns)
        roles: dict[str, list[tuple[int, int, bool]]] = {}
        for number, pattern in enumerate(self.patterns):
            last = len(pattern.words) - 1
            for slot, group in enumerate(pattern.words):
                for word in dict.fromkeys(group):
                    roles.setdefault(word, []).append((number, slot, slot == last))
        self._roles = tuple(tuple(role) for role in roles.values())
        self._automaton = AhoCorasick(tuple(roles), matchkind=MatchKind.Standard)

    def find(self, text: str) -> list[Hit]:
        """Find every pattern once, at its first complete place."""
        found: dict[int, Hit] = {}
        begun: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for word, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for number, slot, last in self._roles[word]:
                if number in found:
                    continue
                if slot == 0:
                    origin = start
                else:
                    before = begun.get((number, slot - 1))
                    if before is None:
                        continue
                    reached = self._reached(text, before, start, self.patterns[number].gap)
                    if reached is None:
                        continue
                    origin = reached
                if not last:
                    begun.setdefault((number, slot), []).append((origin, end))
                elif not self._inside(text, number, origin, end):
                    found[number] = Hit(number, origin, end)
        return list(found.values())

    @staticmethod
    def _reached(text: str, before: list[tuple[int, int]], start: int, gap: int) -> int | None:
        """Say where the pattern began if one of the words before stands near enough, in the same sentence."""
        for origin, end in reversed(before):
            distance = start - end
            if distance < 0:
                continue
            if distance > gap:
                return None
            if SENTENCE_ENDS.isdisjoint(text[end:start]):
                return origin
            return None
        return None

    def _inside(self, text: str, number: int, start: int, end: int) -> bool:
        """Say whether a longer word swallows this one: 跳楼价 is no 跳楼."""
        unless = self.patterns[number].unless
        if not unless:
            return False
        around = text[max(0, start - 8) : end + 8]
        return any(word in around for word in unless)
