"""What the departments of the simulated city really answer for (隐藏职责), and how they refuse.

Nobody at the centre sees it. Written, with its odds, before the lessons of router/dispatching/lessons.py were tuned: a
table that agrees with our rules but for some categories, some districts of a category, some things that a text may
mention, or both together.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

#: What a text may mention beside its subject, and in which words: who really answers may hang on it.
DETAILS: dict[str, tuple[str, ...]] = {
    "bridge": ("高架桥下面", "立交桥底下", "桥下空间"),
    "mall": ("商业广场外场", "商场门前广场", "购物中心外广场"),
    "port": ("货运码头", "码头堆场", "集装箱码头"),
    "campus": ("大学校园里", "高校宿舍区", "校园内部道路"),
    "station": ("高铁站房", "火车站站前", "铁路用地范围"),
    "park": ("工业园区", "开发区园区", "产业园里面"),
    "river": ("河道护堤", "滨河堤岸", "河堤步道"),
    "scenic": ("景区里面", "风景区游步道", "景区售票口"),
    "metro": ("地铁施工围挡", "轨道工地围挡", "地铁口围挡"),
    "barracks": ("老厂家属区", "国企家属院", "企业自管家属楼"),
}

#: How often a department sends away what is its own: some are diligent, some are not.
WRONG_REFUSALS = (0.1, 0.2, 0.5)
PROPOSES_RIGHTLY = 0.7  #: of those that rightly refuse
PROPOSES_WRONGLY = 0.2  #: the rest proposes nobody
SIGNS_FIRST = 0.04  #: signs what is not its own, and notices later
INSISTS = 0.2  #: asks once more after a wrong refusal was turned down

CATEGORIES = 24
ODD = 10


class Oddity(msgspec.Struct, frozen=True):
    """Where the city differs from what our rules say."""

    owner: str
    districts: frozenset[str] | None = None  #: None: anywhere
    details: frozenset[str] | None = None  #: None: whatever is mentioned


class Matter(msgspec.Struct, frozen=True):
    """What a case is really about; only the departments read it."""

    category: str
    usual: str  #: whom our rules would name, if they understood every word
    district: str
    detail: str | None


class Duties:
    """One city's table."""

    def __init__(
        self, chance: Random, usual: dict[str, list[str]], everybody: Sequence[str], places: Sequence[str]
    ) -> None:
        """`usual`: of each category that occurs, who else might be thought of."""
        self._chance = chance
        self._everybody = everybody
        self._odd: dict[str, Oddity] = {}
        self._habits = {code: chance.choice(WRONG_REFUSALS) for code in everybody}
        for category in chance.sample(sorted(usual), ODD):
            near = usual[category]
            owner = chance.choice(near if near and chance.random() < 0.7 else everybody)
            districts = frozenset(chance.sample(places, 2))
            details = frozenset(chance.sample(sorted(DETAILS), 3))
            self._odd[category] = chance.choice(
                [
                    Oddity(owner),
                    Oddity(owner, districts),
                    Oddity(owner, None, details),
                    Oddity(owner, districts, details),
                ]
            )

    def owner(self, matter: Matter) -> str:
        """Say whose it is."""
        odd = self._odd.get(matter.category)
        if odd is None or (odd.districts is not None and matter.district not in odd.districts):
            return matter.usual
        if odd.details is not None and matter.detail not in odd.details:
            return matter.usual
        return odd.owner

    def refuses(self, code: str, matter: Matter, chance: Random) -> bool:
        """Say whether this department sends it away; rightly or not."""
        return code != self.owner(matter) or chance.random() < self._habits.get(code, WRONG_REFUSALS[0])

    def proposes(self, code: str, matter: Matter, near: Sequence[str], chance: Random) -> str | None:
        """Say whom it names instead."""
        owner, dice = self.owner(matter), chance.random()
        if code != owner and dice < PROPOSES_RIGHTLY:
            return owner
        if code == owner or dice < PROPOSES_RIGHTLY + PROPOSES_WRONGLY:
            others = [each for each in near if each != code] or [each for each in self._everybody if each != code]
            return chance.choice(others)
        return None
