"""`normalize` and `decide` on appeals of 150 characters, against the bare libraries on the same texts; one core.

Both run in this process, in portions one after the other, by CPU time: whoever else uses the machine slows both. Ours
takes a portion as the street takes a page. What it does beyond the libraries is reading the source's row, the schema,
the reasons and the decision.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.bare_libraries import chain, keywords_of
from bench.city import REF_KEY, orders, raw_of, tables
from bench.row import Pair, Row, Sample, Tell, faster
from bench.texts import letters, places
from connectors.raw_appeal import RawAppeal
from intake.street.collecting import look_seldom
from normalizer.appeal import Normalized
from normalizer.flow import normalize_all
from router.dispatch import Context
from router.dispatching.decide import decide

T = TypeVar("T")

PORTION = 250
GOAL = 0.85
WHAT = "normalize + decide, 150 characters, one core, against the bare libraries one after another"


def compare(records: int, runs: int, data: Path | None, tell: Tell) -> Row:
    """Measure all texts `runs` times."""
    texts = letters(records, data=data)
    raws = [raw_of(order, text.native_id) for order, text in zip(orders(texts), texts, strict=True)]
    bodies = [text.text for text in texts]
    ours, bare = _ours(), _bare(bodies)
    _timed(ours, raws[:PORTION])
    _timed(bare, bodies[:PORTION])
    look_seldom()
    pairs = []
    for number in range(1, runs + 1):
        pair = _in_portions(ours, bare, raws, bodies)
        tell(f"{number}/{runs}: ours {pair.ours.figure:,.0f}, baseline {pair.baseline.figure:,.0f}")
        pairs.append(pair)
    return faster("records", WHAT, pairs, unit="records/s of CPU", at_least=GOAL)


def _ours() -> Callable[[Sequence[RawAppeal]], object]:
    known, context = tables(), Context()

    def run(raws: Sequence[RawAppeal]) -> object:
        return [
            decide(each.appeal, context, known.router)
            for each in normalize_all(raws, known.normalizer, REF_KEY)
            if isinstance(each, Normalized)
        ]

    return run


def _bare(bodies: Sequence[str]) -> Callable[[Sequence[str]], object]:
    one = chain(keywords_of(bodies[:2000]), places())
    return lambda texts: [one(text) for text in texts]


def _in_portions(
    ours: Callable[[Sequence[RawAppeal]], object],
    bare: Callable[[Sequence[str]], object],
    raws: Sequence[RawAppeal],
    bodies: Sequence[str],
) -> Pair:
    """Take the median portion of each side: a portion that was disturbed is forgotten."""
    spent: tuple[list[float], list[float]] = ([], [])
    for start in range(0, len(raws), PORTION):
        spent[0].append(_timed(ours, raws[start : start + PORTION]))
        spent[1].append(_timed(bare, bodies[start : start + PORTION]))
    microseconds = [median(side) * 1e6 for side in spent]
    samples = [Sample(1e6 / each, {"records": len(raws), "own_cpu_us": round(each, 1)}) for each in microseconds]
    return Pair(samples[0], samples[1])


def _timed(run: Callable[[Sequence[T]], object], items: Sequence[T]) -> float:
    began = time.process_time()
    run(items)
    return (time.process_time() - began) / len(items)
