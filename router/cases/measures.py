"""What a figure comes to: a count, a rate, a spread of hours or a score; small samples say so, and each opens. Pure.

A rate of fewer than 20 is shown as n/N and says that it is small; of none it says so, never 0 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from statistics import fmean, median
from typing import NamedTuple

SMALL = 20
_Z = 1.96
NONE = "无件"


class Count(NamedTuple):
    """So many; not always one a case (催办)."""

    n: int
    cases: tuple[str, ...] = ()

    def text(self) -> str:
        return str(self.n)


class Rate(NamedTuple):
    """So many of so many, and which cases to look at: what a good rate lacks, what a bad one has."""

    numerator: int
    denominator: int
    cases: tuple[str, ...] = ()
    caveat: str = ""  #: why it must not be read alone

    @property
    def percent(self) -> float | None:
        """In hundredths of a percent, as it is published; None where there was none."""
        return round(100 * self.numerator / self.denominator, 2) if self.denominator else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval at 95 %, in percent."""
        if not self.denominator:
            return None
        n, share = self.denominator, self.numerator / self.denominator
        middle, spread = share + _Z * _Z / (2 * n), _Z * sqrt(max(share * (1 - share), 0.0) / n + _Z * _Z / (4 * n * n))
        low, high = ((middle + sign * spread) / (1 + _Z * _Z / n) for sign in (-1, 1))
        return round(100 * max(low, 0.0), 2), round(100 * min(high, 1.0), 2)

    def text(self) -> str:
        """As people may read it: a small sample is no percentage."""
        if self.percent is None:
            return NONE
        whole = f"{self.numerator}/{self.denominator}"
        said = f"{whole}（样本少）" if self.denominator < SMALL else f"{self.percent:.2f}%（{whole}）"
        return f"{said}，{self.caveat}" if self.caveat else said


class Spread(NamedTuple):
    """How long it took, in working hours: never the mean alone."""

    n: int
    median: float | None = None
    p75: float | None = None
    p90: float | None = None
    mean: float | None = None
    cases: tuple[str, ...] = ()  #: the longest first

    @classmethod
    def of(cls, seconds: Mapping[str, int]) -> Spread:
        """Reckon it from the seconds of each case; a quantile is the smallest value that so many do not exceed."""
        if not seconds:
            return cls(0)
        hours = sorted(each / 3600 for each in seconds.values())
        p75, p90 = (hours[ceil(share * len(hours)) - 1] for share in (0.75, 0.9))
        longest = tuple(sorted(seconds, key=lambda case: (-seconds[case], case)))
        middle, p75, p90, mean = (round(each, 2) for each in (median(hours), p75, p90, fmean(hours)))
        return cls(len(hours), middle, p75, p90, mean, longest)

    def text(self) -> str:
        if not self.n:
            return NONE
        small = "，样本少" if self.n < SMALL else ""
        return f"中位 {self.median}，P75 {self.p75}，P90 {self.p90}，均值 {self.mean}（{self.n} 件{small}）"


class Score(NamedTuple):
    """A sum of weighted shares, out of 100; None where a part of it has no cases."""

    value: float | None
    n: int
    parts: Mapping[str, float | None]
    cases: tuple[str, ...] = ()

    @classmethod
    def of(cls, weights: Mapping[str, float], parts: Mapping[str, Rate], cases: Sequence[str] = ()) -> Score:
        """Weigh the parts."""
        shares = {name: part.numerator / part.denominator if part.denominator else None for name, part in parts.items()}
        least = min((part.denominator for part in parts.values()), default=0)
        known = [weights[name] * share for name, share in shares.items() if share is not None]
        value = round(100 * sum(known) / sum(weights.values()), 1) if len(known) == len(weights) else None
        told = {name: None if share is None else round(100 * share, 2) for name, share in shares.items()}
        return cls(value, least, told, tuple(cases))

    def text(self) -> str:
        if self.value is None:
            return NONE
        return f"{self.value}（{self.n} 件，样本少）" if self.n < SMALL else f"{self.value}（{self.n} 件）"


Measure = Count | Rate | Spread | Score


class Identity(NamedTuple):
    """恒等式: a whole and what it is said to be made of; a difference is told, never rounded away."""

    name: str
    whole: int
    parts: Mapping[str, int]

    @property
    def difference(self) -> int:
        """What the parts lack, or have too much."""
        return self.whole - sum(self.parts.values())

    def text(self) -> str:
        made = " + ".join(f"{name} {n}" for name, n in self.parts.items()) or "0"
        said = f"不平 {abs(self.difference)}" if self.difference else "平"
        return f"{self.name} {self.whole} = {made}：{said}"
