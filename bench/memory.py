"""Memory of a worker while it drains a backlog, against the same with a fifth of it: it must not grow."""

from __future__ import annotations

from bench.ground import Ground
from bench.row import Pair, Row

LIMIT_MB = 250.0
FLAT = 1.10  #: what a heap breathes from run to run
SMALL, LARGE = 20_000, 100_000
WHAT = "peak memory of a worker, {large:,} waiting, against {small:,} waiting"


def compare(ground: Ground, small: int = SMALL, large: int = LARGE) -> Row:
    """Drain both, each in a fresh process."""
    samples = []
    for records in (large, small):
        sample = ground.run("street", records)
        ground.tell(f"{records:,} records: peak {sample.facts['peak_rss_mb']} MB")
        samples.append(type(sample)(sample.facts["peak_rss_mb"], sample.facts))
    pair = Pair(samples[0], samples[1])
    return Row(
        name="memory",
        what=WHAT.format(large=large, small=small),
        ours=pair.ours.figure,
        baseline=pair.baseline.figure,
        unit="MB",
        ratio=pair.ratio,
        goal=f"≤ {LIMIT_MB:g} MB, ≤ {FLAT:g} ×",
        met=pair.ours.figure <= LIMIT_MB and pair.ratio <= FLAT,
        runs=[pair],
    )
