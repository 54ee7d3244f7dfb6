"""What came of a season, with learning off, on, and with an oracle in its place: one line a seed."""

from __future__ import annotations

from collections.abc import Mapping

from router.cases.returns import MOST_LEADS
from tests.simulated_city.play import Arm, Count, Play
from tests.simulated_city.season import make

Counts = Mapping[Arm, Count]

HEAD = (
    "seed cases | hops: rules lessons  fewer oracle | leads, at most | refusals wrong: rules lessons | "
    "wrongly upheld: rules lessons | decided by precedents, wrongly | misplaced: rules lessons oracle"
)


def play_all(seed: int, cases: int) -> Counts:
    """Play one season three times."""
    season = make(seed, cases)
    return {arm: Play(season, arm).run() for arm in Arm}


def fewer(counts: Counts) -> float:
    """Say by what share there are fewer hops with lessons."""
    return 1 - counts[Arm.LESSONS].hops / counts[Arm.RULES].hops


def share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def row(seed: int, counts: Counts) -> str:
    """Write one line of the table."""
    rules, lessons, oracle = counts[Arm.RULES], counts[Arm.LESSONS], counts[Arm.ORACLE]
    return (
        f"{seed:4} {rules.cases:5} | {rules.hops:11} {lessons.hops:7} {fewer(counts):6.1%} {oracle.hops:6} | "
        f"{lessons.longest:6} of {MOST_LEADS:<4} | "
        f"{share(rules.wrong_refusals, rules.refusals):21.1%} {share(lessons.wrong_refusals, lessons.refusals):7.1%} | "
        f"{share(rules.wrongly_upheld, rules.upheld):21.1%} {share(lessons.wrongly_upheld, lessons.upheld):7.1%} | "
        f"{lessons.automatic:16} of {lessons.refusals:4}, {lessons.automatic_wrong:4} | "
        f"{rules.misplaced:16} {lessons.misplaced:7} {oracle.misplaced:6}"
    )
