"""How unexpected a short run of characters is: names (丽发新城) are, words of the trade (有限公司) are not.

Read off the shipped counts of characters (normalizer/data), so that every worker, today and next year, picks the same
runs of a text as its names. A number of nats: some 12 for the commonest words, 33 where two characters never met.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import log

from normalizer.steps.repair.characters import characters

#: How much a pair that was seen is believed, and how many unseen ones are reckoned with.
_BELIEF, _DOUBT = 0.85, 8.0


# What is remembered is in every worker's memory: ten times as many were tens of megabytes.
@lru_cache(maxsize=40_000)
def rarity(run: str) -> float:
    """Say how unexpected a run is, as minus the logarithm of its probability."""
    folded = [_folded(character) for character in run]
    rare = _alone(folded[0])
    for before, character in pairwise(folded):
        rare += _after(before, character)
    return rare


def _folded(character: str) -> str:
    if character.isascii():
        return "0" if character.isdigit() else "a" if character.isalpha() else character
    return character


@lru_cache(maxsize=20_000)
def _alone(character: str) -> float:
    seen, _, _ = characters().counts(character, character)
    return -log((seen + 1) / characters().total)


@lru_cache(maxsize=60_000)
def _after(before: str, character: str) -> float:
    counts = characters()
    first, second, both = counts.counts(before, character)
    return -log((_BELIEF * both + _DOUBT * (second + 1) / counts.total) / (first + _DOUBT))
