"""Which characters follow one another in Chinese: a bigram model, loaded when the first damaged text comes.

Counted from sources that may be redistributed alone; data/README.md names them. Simplified and Traditional, full-width
and half-width count as one character.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import log
from pathlib import Path

DATA = Path(__file__).parent.parent.parent / "data"

#: A character seen less often than this is odd in a text of today.
COMMON = 6
#: How much a pair that was seen is believed, and how soon.
BELIEF, DOUBT = 0.85, 8.0
_UNSEEN = 0.01
_FLOOR = 0.02
#: What a private-use or replacement character costs beside the floor.
_IMPOSSIBLE = 3.0
_CACHE_MOST = 500_000
_FULLWIDTH = {0xFF0C: ",", 0xFF01: "!", 0xFF1F: "?", 0xFF1B: ";", 0xFF1A: ":", 0xFF08: "(", 0xFF09: ")"}
#: The unified Han characters that GBK has.
HAN = range(0x4E00, 0x9FA6)


class Characters:
    """Log-probabilities of characters after characters."""

    __slots__ = ("_after", "_floor", "_known", "_pairs", "_seen", "_simple", "_total")

    def __init__(self, seen: Mapping[str, float], pairs: Mapping[str, float], simple: Mapping[str, str]) -> None:
        self._seen = seen
        self._pairs = pairs
        self._simple = {ord(one): other for one, other in simple.items()} | _FULLWIDTH
        self._total = sum(seen.values())
        self._floor = log(_FLOOR / self._total)
        self._after: dict[str, float] = {}
        self._known: dict[str, str] = {}

    def fold(self, character: str) -> str:
        """Bring the ways of writing one character together; all digits are 0, all letters a."""
        known = self._known.get(character)
        if known is None:
            known = self._known[character] = self._folded(character)
        return known

    def _folded(self, character: str) -> str:
        simple = self._simple.get(ord(character))
        if simple is not None:
            return simple
        if character.isascii():
            return "0" if character.isdigit() else "a" if character.isalpha() else character
        return character

    def after(self, before: str, character: str) -> float:
        """Say how likely a (folded) character is after another, as a natural logarithm."""
        pair = before + character
        value = self._after.get(pair)
        if value is None:
            if len(self._after) > _CACHE_MOST:
                self._after.clear()
            value = self._after[pair] = self._log(before, character, pair)
        return value

    def _log(self, before: str, character: str, pair: str) -> float:
        if "\ue000" <= character <= "\uf8ff" or character == "\ufffd":
            return self._floor - _IMPOSSIBLE
        alone = (self._seen.get(character, 0.0) + _UNSEEN) / self._total
        seen = self._seen.get(before, 0.0)
        if seen > 0:
            belief = BELIEF * seen / (seen + DOUBT)
            alone = belief * self._pairs.get(pair, 0.0) / seen + (1 - belief) * alone
        return max(log(alone), self._floor)

    def bond(self, before: str, character: str) -> float:
        """Say how much more likely a character is after another than anywhere: above 0 they belong together."""
        one, other = self.fold(before), self.fold(character)
        anywhere = (self._seen.get(other, 0.0) + _UNSEEN) / self._total
        return self.after(one, other) - max(log(anywhere), self._floor)

    def counts(self, before: str, character: str) -> tuple[float, float, float]:
        """Give how often a (folded) character, the one after it, and the two together were seen."""
        return (
            self._seen.get(before, 0.0),
            self._seen.get(character, 0.0),
            self._pairs.get(before + character, 0.0),
        )

    @property
    def total(self) -> float:
        """Of how many characters the counts were made."""
        return self._total

    def score(self, text: str, before: str = "\n") -> float:
        """Say how likely a whole text is; a run of digits or of letters counts as one."""
        total = 0.0
        last = self.fold(before)
        for character in text:
            folded = self.fold(character)
            if not (last == folded and folded in "0a"):
                total += self.after(last, folded)
            last = folded
        return total

    def common(self) -> set[str]:
        """Gather the Han characters in use, Traditional forms included."""
        used = {one for one, count in self._seen.items() if count >= COMMON and ord(one) in HAN}
        return used | {chr(code) for code, simple in self._simple.items() if simple in used}


@lru_cache(maxsize=1)
def characters() -> Characters:
    """Load the model, once."""
    table = json.loads(gzip.decompress((DATA / "characters.json.gz").read_bytes()))
    return Characters(table["u"], table["b"], table["t2s"])


def ranges(some: Iterable[str]) -> str:
    """Write characters as the inside of a regular expression's class."""
    codes = sorted(map(ord, some))
    parts: list[str] = []
    start = 0
    for at, code in enumerate(codes):
        if at + 1 < len(codes) and codes[at + 1] == code + 1:
            continue
        first = codes[start]
        parts.append(chr(first) if first == code else f"{chr(first)}-{chr(code)}")
        start = at + 1
    return "".join(parts)
