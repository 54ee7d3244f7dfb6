"""The same person again (重复诉求, 催办): the same citizen, like words, the same place, within a month. Pure.

An author who writes about something else is no repeat, however often they write: without like words nothing is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from normalizer.appeal import Appeal, message_of

#: domain/DOMAIN.md section 7: the same person, thirty days, likeness of 0.75, the same place.
WINDOW, LIKE = timedelta(days=30), 0.75
#: So many of a citizen's own orders are looked at, the newest first.
MOST = 50
_SHINGLE = 3
#: A text shorter than this says too little to be told from another.
_LEAST = 8


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one citizen wrote once, as far as it is compared."""

    id: str
    person: str
    at: datetime
    title: str
    text: str
    district: str | None = None
    street: str | None = None


def said_of(appeal: Appeal) -> Said | None:
    """Give what is compared of an appeal; None where nobody knows who wrote, or when."""
    if appeal.citizen.ref is None or appeal.posted_at is None:
        return None
    return Said(
        id=appeal.id,
        person=appeal.citizen.ref,
        at=datetime.fromisoformat(appeal.posted_at),
        title=appeal.title,
        text=appeal.text,
        district=appeal.place.district,
        street=appeal.place.street,
    )


def repeats(fresh: Sequence[Said], earlier: Iterable[Said]) -> dict[str, list[str]]:
    """Give, for each that says again what its author said before, those earlier ones, the first of them first."""
    before: Mapping[str, list[Said]] = defaultdict(list)
    # Another worker may have stored this very page meanwhile: each counts once.
    for one in {one.id: one for one in (*earlier, *fresh)}.values():
        before[one.person].append(one)
    found = {}
    for one in fresh:
        if len(before[one.person]) == 1:
            continue
        before[one.person].sort(key=_order)
        own = [other for other in before[one.person] if _order(other) < _order(one) and other.id != one.id]
        if same := [other.id for other in own[-MOST:] if _is_repeat(one, other)]:
            found[one.id] = same
    return found


def _order(one: Said) -> tuple[datetime, str]:
    return one.at, one.id


def _is_repeat(one: Said, other: Said) -> bool:
    if message_of(one.id) == message_of(other.id):
        return False  # another part of the very same message
    if one.at - other.at > WINDOW or not _same_place(one, other):
        return False
    return similarity(f"{one.title}\n{one.text}", f"{other.title}\n{other.text}") >= LIKE


def _same_place(one: Said, other: Said) -> bool:
    return all(
        not here or not there or here == there
        for here, there in ((one.district, other.district), (one.street, other.street))
    )


def similarity(one: str, other: str) -> float:
    """Say how much of two texts is the same, by runs of three characters; 1 for equal ones."""
    if one == other:
        return 1.0
    if 2 * min(len(one), len(other)) < LIKE * (len(one) + len(other)) / 2:
        return 0.0  # so much longer that it cannot be
    here, there = _shingles(one), _shingles(other)
    if min(len(here), len(there)) < _LEAST:
        return 0.0
    return 2 * len(here & there) / (len(here) + len(there))


def _shingles(text: str) -> set[str]:
    plain = "".join(character for character in text if character.isalnum())
    return {plain[at : at + _SHINGLE] for at in range(len(plain) - _SHINGLE + 1)}
