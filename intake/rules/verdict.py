"""What speaks against a release (发布门槛): tests that break, and figures beyond what the settings allow. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from intake.rules.replay import TRIAGE, Replayed
from intake.rules.unit_tests import Tested
from intake.settings import ReleaseLimits

#: A department's load is only judged where it grows by so many appeals: of two, one more is half as much again.
FEW = 20


def objections(done: Replayed, tests: Tested, limits: ReleaseLimits) -> list[str]:
    """Say everything that speaks against it, each in one sentence."""
    return [*_of_tests(tests), *_of_figures(done, limits)]


def _of_tests(tests: Tested) -> Iterator[str]:
    if tests.broken:
        yield f"{len(tests.broken)} 条测试不通过 · {len(tests.broken)} tests break"


def _of_figures(done: Replayed, limits: ReleaseLimits) -> Iterator[str]:
    if not done.appeals:
        return
    moved = done.moved / done.appeals
    if moved > limits.moved:
        yield f"改派占 {moved:.1%}，门槛 {limits.moved:.1%} · moved {moved:.1%}, more than {limits.moved:.1%}"
    grown = (done.after[TRIAGE] - done.before[TRIAGE]) / done.appeals
    if grown > limits.triage:
        yield f"待研判增加 {grown:.1%}，门槛 {limits.triage:.1%} · triage grows by {grown:.1%}"
    for code in sorted(done.after.keys() - {TRIAGE}):
        before, after = done.before[code], done.after[code]
        if after - before >= FEW and after > before * (1 + limits.load):
            yield f"{code} 从 {before} 件增到 {after} 件，门槛 {limits.load:.0%} · {code}: {after}, not {before}"
