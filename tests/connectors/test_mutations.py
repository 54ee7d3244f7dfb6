"""Every recorded source, changed in every way, is named by the sentinel; and none that lives on as it was.

Each recording lives for thirty days (nights, weekends, the holidays of October 2026) in which nothing is wrong and
nothing may be flagged; what was learned in them then judges its mutations, drawn by seed. A new kind of source joins
with its recording. What pushes and files are judged by is what the street has of them, and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from connectors.registry import REGISTRY
from tests.connectors.watching.mutations import MUTATIONS
from tests.connectors.watching.trials import SOURCES, Trial, is_right, kind_of, lived, name_of, named, trials

SEEDS = 4  #: so that every kind of source is tried at least so often:
FEWEST_TRIALS = 40


class Tally(msgspec.Struct):
    """How often changes were tried, and which were not named."""

    tried: int = 0
    missed: list[str] = []

    @property
    def is_well(self) -> bool:
        return len(self.missed) <= 0.05 * self.tried

    def __str__(self) -> str:
        return "\n  ".join([f"{self.tried - len(self.missed)} of {self.tried}", *self.missed])


async def tallied(seeds: Sequence[int], fewest: int = 0) -> dict[tuple[str, bool], Tally]:
    """By kind of source, and whether the kind of change was written after the sentinel was finished.

    Two seeds do where they are so many trials of a kind already.
    """
    found: dict[tuple[str, bool], Tally] = {}
    for kind in REGISTRY:
        folders = [folder for folder in SOURCES if kind_of(folder) == kind]
        for seed in seeds:
            if seed > 1 and sum(found[kind, late].tried for late in (False, True)) >= fewest:
                break
            for folder in folders:
                await asyncio.to_thread(lived, folder)
                for trial in trials(folder, seed):
                    await try_one(trial, found.setdefault((kind, trial.mutation.late), Tally()))
    return found


async def try_one(trial: Trial, tally: Tally) -> None:
    drifts = await named(trial)
    if drifts is None:
        return
    tally.tried += 1
    if not is_right(drifts, trial):
        called = ", ".join(sorted({str(drift.cause) for drift in drifts})) or "nothing"
        tally.missed.append(f"{trial}: {called}")


def table(found: dict[tuple[str, bool], Tally]) -> str:
    return "\n".join(f"{kind}{' (late)' if late else ''}: {tally}" for (kind, late), tally in sorted(found.items()))


def together(found: dict[tuple[str, bool], Tally], *, late: bool) -> Tally:
    some = [tally for (_, is_late), tally in found.items() if is_late == late]
    return Tally(sum(each.tried for each in some), [missed for each in some for missed in each.missed])


@pytest.mark.parametrize("folder", SOURCES, ids=name_of)
def test_nothing_is_flagged_in_thirty_days_in_which_nothing_is_wrong(folder: Path) -> None:
    assert lived(folder).flagged == []


def test_there_are_twenty_kinds_of_mutation_and_five_that_the_sentinel_was_not_written_for() -> None:
    late = [mutation.name for mutation in MUTATIONS if mutation.late]

    assert len(MUTATIONS) - len(late) >= 20
    assert len(late) == 5
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


async def test_at_least_ninety_five_of_a_hundred_mutations_are_named_within_two_polls() -> None:
    found = await tallied([0])

    assert {kind for kind, _ in found} == set(REGISTRY)
    assert together(found, late=False).is_well, table(found)
    assert together(found, late=True).is_well, table(found)


@pytest.mark.live
async def test_and_so_are_those_of_every_single_kind_of_source() -> None:
    found = await tallied(range(SEEDS), FEWEST_TRIALS)

    for kind in REGISTRY:
        both = [tally for (each, _), tally in found.items() if each == kind]
        assert sum(tally.tried for tally in both) >= FEWEST_TRIALS, f"{kind}: {both}"
    assert all(tally.is_well for tally in found.values()), table(found)
