"""What depends on a place and a role or category alone, remembered: a decision asks for several at one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

PLACES = 10_000  #: a bound for a process that runs for years

Area = tuple[str, ...]  #: () city-wide, (district,), (district, street), (district, street, community)
Answer = TypeVar("Answer")


class AtPlace(dict[str, Answer]):
    """By role or category, at one place: found when first asked for."""

    __slots__ = ("_area", "_find")

    def __init__(self, find: Callable[[str, Area], Answer], area: Area) -> None:
        self._find, self._area = find, area

    def __missing__(self, name: str) -> Answer:
        answer = self[name] = self._find(name, self._area)
        return answer


class ByPlace(dict[Area, AtPlace[Answer]]):
    """The same for every place that was asked about."""

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[str, Area], Answer]) -> None:
        self._find = find

    def __missing__(self, area: Area) -> AtPlace[Answer]:
        if len(self) >= PLACES:
            self.clear()
        here = self[area] = AtPlace(self._find, area)
        return here
