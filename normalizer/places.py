"""地名表: the districts, streets, communities and well-known places of one city, compiled for one pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from normalizer.words import Words


@dataclass(frozen=True, slots=True)
class Spot:
    """One place a name can mean; what is not known is None."""

    district: str
    street: str | None = None
    community: str | None = None
    poi: str | None = None
    depth: int = field(init=False, compare=False)  #: how much it says: 1 district … 4 a well-known place

    def __post_init__(self) -> None:
        depth = 1 + (self.street is not None) + (self.community is not None) + (self.poi is not None)
        object.__setattr__(self, "depth", depth)


class Gazetteer:
    """Names to the places that they can mean."""

    __slots__ = ("_words", "city", "spots")

    def __init__(self, city: str | None, named: Iterable[tuple[str, Spot]]) -> None:
        self.city = city or None
        spots: dict[str, list[Spot]] = {}
        for name, spot in named:
            known = spots.setdefault(name, [])
            if spot not in known:
                known.append(spot)
        self._words = Words(tuple(spots)) if spots else None
        self.spots = tuple(tuple(spot) for spot in spots.values())

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Find names, from left to right: (start, end, number in `spots`)."""
        return self._words.find(text) if self._words is not None and text else []
