"""What speaks against a release: each figure from its threshold on, and no small number."""

from __future__ import annotations

from collections import Counter

import pytest

from intake.rules.replay import Replayed
from intake.rules.unit_tests import Broken
from intake.rules.unit_tests import Tested as Ran
from intake.rules.verdict import objections
from intake.settings import ReleaseLimits

WELL = Ran(tests=3, broken=[])


def replayed(moves: dict[tuple[str, str], int], before: dict[str, int]) -> Replayed:
    after = Counter(before)
    for (of, to), count in moves.items():
        after[of] -= count
        after[to] += count
    return Replayed(appeals=sum(before.values()), moves=Counter(moves), before=Counter(before), after=after)


@pytest.mark.parametrize(
    ("moves", "says"),
    [
        ({}, []),
        ({("A", "B"): 20}, []),
        ({("A", "C"): 100}, ["C 从 0 件增到 100 件"]),
        ({("A", "C"): 19}, []),
        ({("A", "B"): 101}, ["改派占 10.1%"]),
        ({("A", "triage"): 20}, []),
        ({("A", "triage"): 21}, ["待研判增加 2.1%"]),
        ({("triage", "B"): 50}, []),
    ],
)
def test_each_figure_speaks_from_its_threshold_on(moves: dict[tuple[str, str], int], says: list[str]) -> None:
    done = replayed(moves, {"A": 600, "B": 300, "triage": 100})
    assert [why.split("，")[0] for why in objections(done, WELL, ReleaseLimits())] == says


def test_a_broken_test_speaks_whatever_the_figures_are() -> None:
    broken = Broken(where="x:1", why="x", expected="a", came="b", rule=None)
    (why,) = objections(Replayed(), Ran(tests=1, broken=[broken]), ReleaseLimits(moved=1, triage=1, load=9))
    assert why.startswith("1 条测试不通过")
