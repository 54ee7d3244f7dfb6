"""A shadow week in numbers (影子周): each item with what we decided beside what the source did, counted. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from math import sqrt

import msgspec


class Verdict(StrEnum):
    """One item, ours beside theirs."""

    AGREED = "一致"
    OTHER_LEVEL = "同系统不同层级"  #: the same kind of office, of another area: the city's for the district's
    DIFFERENT = "不一致"
    UNSURE = "我方待研判"
    DECLINED = "我方不派"  #: told, handed over, or no appeal at all
    UNMATCHED = "单位名称未对上"
    NOT_GIVEN = "来源无承办单位"
    TAKEN_FROM_THEM = "取自来源"  #: mode `follow`: there is nothing to compare


COMPARED = (Verdict.AGREED, Verdict.OTHER_LEVEL, Verdict.DIFFERENT, Verdict.UNSURE, Verdict.DECLINED)
DECIDED = (Verdict.AGREED, Verdict.OTHER_LEVEL, Verdict.DIFFERENT)


class Unit(msgspec.Struct, frozen=True):
    """A unit of our directory."""

    code: str
    name: str
    role: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the week."""

    id: str
    native_id: str
    case_no: str | None
    category: str
    ours: Unit | None
    assist: tuple[str, ...] = ()  #: codes
    decline: str | None = None  #: why we would not dispatch it at all
    follows: bool = False
    given: str | None = None  #: 承办单位, as the source first had it
    theirs: Unit | None = None  #: the same in our directory
    given_last: str | None = None  #: to whom the source has given it by now
    theirs_last: Unit | None = None
    sent_back: bool = False  #: returned (退单), or given to another unit since
    confidence: float = 0.0
    rule: str | None = None
    evidence: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.follows:
            return Verdict.TAKEN_FROM_THEM
        if self.theirs is None:
            return Verdict.UNMATCHED if self.given else Verdict.NOT_GIVEN
        if self.decline is not None:
            return Verdict.DECLINED
        if self.ours is None:
            return Verdict.UNSURE
        if self.ours.code == self.theirs.code:
            return Verdict.AGREED
        return Verdict.OTHER_LEVEL if self.ours.role == self.theirs.role else Verdict.DIFFERENT


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The week in numbers."""

    total: int
    verdicts: dict[str, int]
    compared: int
    decided: int  #: we named a unit
    accuracy: float | None  #: agreed of decided
    low: float | None  #: the interval of 95 % around it
    high: float | None
    kind_accuracy: float | None  #: agreed or the same kind of office, of decided
    coverage: float | None  #: decided of compared
    returned: int  #: by their departments
    returned_as_ours: int  #: where we had said the same unit: it would have come back to us too
    returned_to_ours: int  #: where we had said at once who has it now


def figures(items: Sequence[Compared]) -> Figures:
    """Count."""
    verdicts = Counter(item.verdict for item in items)
    decided = sum(verdicts[each] for each in DECIDED)
    compared = sum(verdicts[each] for each in COMPARED)
    low, high = interval(verdicts[Verdict.AGREED], decided)
    back = [item for item in items if item.sent_back and not item.follows]
    return Figures(
        total=len(items),
        verdicts={verdict.value: verdicts[verdict] for verdict in Verdict},
        compared=compared,
        decided=decided,
        accuracy=share(verdicts[Verdict.AGREED], decided),
        low=low,
        high=high,
        kind_accuracy=share(verdicts[Verdict.AGREED] + verdicts[Verdict.OTHER_LEVEL], decided),
        coverage=share(decided, compared),
        returned=len(back),
        returned_as_ours=sum(item.verdict is Verdict.AGREED for item in back),
        returned_to_ours=sum(
            is_same(item.ours, item.theirs_last) and not is_same(item.ours, item.theirs) for item in back
        ),
    )


def interval(hits: int, of: int) -> tuple[float | None, float | None]:
    """Wilson's interval of 95 %: what so few items say of the share, and what they do not."""
    if not of:
        return None, None
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def is_same(one: Unit | None, other: Unit | None) -> bool:
    """Whether both are known and are one unit."""
    return one is not None and other is not None and one.code == other.code


def share(part: int, of: int) -> float | None:
    """Give a part of something; of nothing there is none."""
    return part / of if of else None
