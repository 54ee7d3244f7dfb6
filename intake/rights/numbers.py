"""Which numbers stand in a text that nobody has read, written anyhow."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from normalizer.steps.mask import canonical_mobile, find
from normalizer.steps.personal.numbers import digits_of


def folded(text: str) -> str:
    """Write digits of full width (１３８) as plain ones: nothing has been repaired here yet."""
    return unicodedata.normalize("NFKC", text)


def numbers_in(text: str) -> set[str]:
    """Every number that stands in a text, and the plain runs of its digits: what is not read may be written anyhow."""
    text = folded(text)
    found = {canonical_mobile(text[one.start : one.end]) or digits_of(text[one.start : one.end]) for one in find(text)}
    return found | {"".join(run) for run in _runs(text)}


def _runs(text: str) -> Iterable[list[str]]:
    run: list[str] = []
    for letter in text:
        if letter.isdigit() or letter in "Xx":
            run.append(letter)
        elif run:
            yield run
            run = []
    if run:
        yield run
