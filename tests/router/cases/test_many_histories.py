"""A hundred thousand random histories: the parts add up to the whole to the millisecond, and none leaves the tables."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

from router.cases.moves import MOVES
from router.cases.segments import segments
from router.cases.work import NAMES
from tests.router.cases.histories import history
from tests.router.city import AT

HISTORIES = 100_000
SHARE = 5_000


def judged(first: int) -> tuple[int, list[int], Counter[str]]:
    """Judge a share of them: how many, the seeds of those that are wrong, and which events there were."""
    wrong, kinds = [], Counter[str]()
    for seed in range(first, first + SHARE):
        case, passed = history(seed)
        now = AT + timedelta(milliseconds=passed + random.Random(seed).randrange(10**9))
        found = segments(case, now)
        whole = sum((each.end - each.begin for each in found), timedelta(0)) == now - case.opened_at
        joined = all(one.end == other.begin and one.owner != other.owner for one, other in pairwise(found))
        work = case.handling.work if case.handling else None
        known = all(event.kind in MOVES for event in case.events) and work in {None, *NAMES}
        numbered = [event.n for event in case.events] == list(range(1, len(case.events) + 1))
        if not (whole and joined and known and numbered):
            wrong.append(seed)
        kinds.update(event.kind.value for event in case.events)
    return SHARE, wrong, kinds


@pytest.mark.live
def test_the_parts_of_a_hundred_thousand_histories_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    begin = time.monotonic()
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 4)) as others:
        shares = list(others.map(judged, range(0, HISTORIES, SHARE)))
    count, kinds = sum(each[0] for each in shares), sum((each[2] for each in shares), Counter[str]())
    with capsys.disabled():
        told = f"{count} histories, {kinds.total()} events of {len(kinds)} kinds, {time.monotonic() - begin:.0f} s"
        print(f"\n{told}")  # noqa: T201 - the count is the proof
    assert [seed for each in shares for seed in each[1]] == []
    assert count == HISTORIES
    assert len(kinds) > len(MOVES) / 2, "histories in which little happens prove little"
