"""GBK as it is decoded in the wild: which two bytes make which character, unassigned pairs included.

Pairs that GBK leaves unassigned come out as private-use characters, so that no byte of them is lost: they must not be
stripped before the repair.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

#: What GBK may have as first byte, and as second.
LEADS = range(0x81, 0xFF)
TRAILS = (*range(0x40, 0x7F), *range(0x80, 0xFF))

#: Full-width punctuation that a later step folded to ASCII, with the two bytes it had.
FOLDED = {
    "!": (0xA3, 0xA1),
    ",": (0xA3, 0xAC),
    "?": (0xA3, 0xBF),
    ";": (0xA3, 0xBB),
    ":": (0xA3, 0xBA),
    "(": (0xA3, 0xA8),
    ")": (0xA3, 0xA9),
}
#: GBK's own 80 private-use places (FE50 to FEA0), as old code pages decode them.
_OLD_PRIVATE = 0xE815


class Pairs(NamedTuple):
    """The table in both directions."""

    decode: dict[tuple[int, int], str]
    encode: dict[str, tuple[int, int]]


def is_private(character: str) -> bool:
    """Say whether a character belongs to the private use area."""
    return "\ue000" <= character <= "\uf8ff"


@lru_cache(maxsize=1)
def pairs() -> Pairs:
    """Build the table once, from the codec itself."""
    decode = dict(_decoded())
    encode = {character: pair for pair, character in decode.items()}
    for place, trail in enumerate((*range(0x50, 0x7F), *range(0x80, 0xA1))):
        encode.setdefault(chr(_OLD_PRIVATE + place), (0xFE, trail))
    for character, pair in FOLDED.items():
        decode.setdefault(pair, character)
    return Pairs(decode, encode)


def _decoded() -> Iterator[tuple[tuple[int, int], str]]:
    for lead in LEADS:
        for trail in TRAILS:
            try:
                character = bytes((lead, trail)).decode("gb18030")
            except UnicodeDecodeError:
                continue
            if len(character) == 1:
                yield (lead, trail), character
