"""Pinyin readings (注音) that a converter put behind characters: 網(wǎng) is 網, but 苏宁(suning) is a name.

A reading goes only where it is a true reading of the very character before it. With a tone one is enough; without one
it needs two letters.
"""

from __future__ import annotations

import gzip
import re
from functools import lru_cache

from normalizer.steps.repair.build_tables import plain
from normalizer.steps.repair.characters import DATA
from normalizer.steps.repair.spots import Repaired, Spot

TONES = "āáǎàōóǒòēéěèīíǐìūúǔùǖǘǚǜüêḿńňǹ"
_SYLLABLE = f"[a-z{TONES}]{{1,6}}"
_RUBY = re.compile(rf"([\u3400-\u9fff])((?:\s?[(（]{_SYLLABLE}[)）])+)")
_ONE = re.compile(rf"\s?[(（]({_SYLLABLE})[)）]")


def without_ruby(text: str) -> Repaired:
    """Take true readings out."""
    if "(" not in text and "（" not in text:
        return Repaired(text)
    spots: list[Spot] = []
    parts: list[str] = []
    done = 0
    for found in _RUBY.finditer(text):
        for one in _ONE.finditer(text, found.start(2), found.end(2)):
            if is_reading(found[1], one[1]):
                parts.append(text[done : one.start()])
                done = one.end()
                spots.append(Spot("ruby", one.start(), one.end()))
    return Repaired("".join((*parts, text[done:])), tuple(spots)) if spots else Repaired(text)


def is_reading(character: str, written: str) -> bool:
    """Say whether a character can be read so."""
    syllable = plain(written)
    if len(written) == 1 and written == syllable:
        return False  # 小区(a)栋
    known = _readings().get(character, "")
    return f" {syllable} " in known or (syllable.endswith("u") and f" {syllable[:-1]}v " in known)


@lru_cache(maxsize=1)
def _readings() -> dict[str, str]:
    """Load the readings of each character, once: " zhong chong "."""
    table: dict[str, str] = {}
    for line in gzip.decompress((DATA / "readings.txt.gz").read_bytes()).decode().splitlines():
        syllable, _, some = line.partition(" ")
        for character in some:
            table[character] = f"{table.get(character, ' ')}{syllable} "
    return table
