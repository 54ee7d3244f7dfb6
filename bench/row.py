"""What a bench hands on: one row of the table, and how two sides are compared fairly.

The machine is shared and noisy, so no absolute figure is trusted: both sides run in turn (A B A B …) and the row's
ratio is the median of the ratios of neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One run of one side: its figure, and what else was seen (CPU of each process, records, messages)."""

    figure: float
    facts: dict[str, Any] = {}


class Pair(msgspec.Struct, frozen=True):
    """Ours and the baseline, one right after the other."""

    ours: Sample
    baseline: Sample

    @property
    def ratio(self) -> float:
        return self.ours.figure / self.baseline.figure

    def by(self, fact: str) -> Pair:
        """Compare by another figure of ours that was taken in the same run."""
        return Pair(Sample(self.ours.facts[fact], self.ours.facts), self.baseline)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; the JSON has these names and, for the whole run, the facts of the machine."""

    name: str
    what: str
    ours: float
    baseline: float
    unit: str
    ratio: float
    goal: str | None  #: None: shown, and held to nothing
    met: bool
    runs: Sequence[Pair]


Side = Callable[[], Sample]
Tell = Callable[[str], None]


def in_turn(ours: Side, baseline: Side, runs: int, tell: Tell) -> list[Pair]:
    """Run A B A B …, and say after each pair how it went: the whole takes a while."""
    pairs = []
    for number in range(1, runs + 1):
        pair = Pair(ours(), baseline())
        tell(f"{number}/{runs}: ours {pair.ours.figure:,.0f}, baseline {pair.baseline.figure:,.0f}")
        pairs.append(pair)
    return pairs


def faster(name: str, what: str, pairs: Sequence[Pair], *, unit: str, at_least: float | None = None) -> Row:
    """Make the row of a comparison where more is better; without a goal it only tells."""
    ratio = median(pair.ratio for pair in pairs)
    return Row(
        name=name,
        what=what,
        ours=median(pair.ours.figure for pair in pairs),
        baseline=median(pair.baseline.figure for pair in pairs),
        unit=unit,
        ratio=ratio,
        goal=None if at_least is None else f"≥ {at_least:g} ×",
        met=at_least is None or ratio >= at_least,
        runs=pairs,
    )
