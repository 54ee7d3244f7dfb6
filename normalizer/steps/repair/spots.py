"""What a repair did, and where (修复记录)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

#: More places than this are counted and not listed.
LISTED = 20


class Spot(NamedTuple):
    """A repaired place: code points of the text as this repair found it."""

    repair: str
    start: int
    end: int


class Repaired(NamedTuple):
    """A text after a repair, and what was done to it."""

    text: str
    spots: tuple[Spot, ...] = ()


def written(field: str, spots: Iterable[Spot]) -> list[str]:
    """Write spots down for `quality.notes`, one note a repair: `ruby text 3-8 20-26`."""
    places: dict[str, list[Spot]] = {}
    for spot in spots:
        places.setdefault(spot.repair, []).append(spot)
    return [
        f"{repair} {field} {' '.join(f'{one.start}-{one.end}' for one in some[:LISTED])}{_rest(len(some))}"
        for repair, some in places.items()
    ]


def _rest(count: int) -> str:
    return f" +{count - LISTED}" if count > LISTED else ""
