"""A caller may come as often as the settings say, in bursts of a few seconds' worth."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.door import limits
from intake.door.limits import BURST, FORGOTTEN, LEAST_BURST, Limit, TooMany
from intake.door.sharing import EVERY, Sharing


@given(st.lists(st.floats(0, 3), min_size=1, max_size=300), st.floats(1, 5000))
def test_never_more_than_the_rate_and_one_burst(pauses: list[float], a_minute: float) -> None:
    now = [0.0]
    limit = Limit(a_minute, lambda: now[0])
    passed = 0
    for pause in pauses:
        now[0] += pause
        try:
            limit.take("caller")
        except TooMany:
            continue
        else:
            passed += 1
    most = max(LEAST_BURST, a_minute / 60 * BURST)
    assert passed <= most + now[0] * a_minute / 60 + 1


def test_whoever_waits_as_told_is_let_in() -> None:
    now = [0.0]
    limit = Limit(60, lambda: now[0])
    for _ in range(5):
        limit.take("caller")
    with pytest.raises(TooMany) as told:
        limit.take("caller")
    now[0] += told.value.seconds
    limit.take("caller")


def test_one_caller_does_not_use_up_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_CALLERS", 3)
    limit = Limit(60, lambda: 0.0)
    for _ in range(5):
        limit.take("a")
    limit.take("b")
    with pytest.raises(TooMany):
        limit.take("a")
    for other in "cdef":
        limit.take(other)
    assert len(limit._buckets) == 3


class Workers:
    """Several, each with a door of its own, on one clock; whoever comes asks all of them."""

    def __init__(self, count: int, a_minute: float, database: Any) -> None:
        self.now = 0.0
        self.limits = [Limit(a_minute, lambda: self.now) for _ in range(count)]
        self.doors = [Sharing(database.door_limits, {"app": limit}) for limit in self.limits]

    def let_in(self, requests: int, caller: str = "civic") -> int:
        """So many are sent to each of them."""
        return sum(self._takes(limit, caller) for limit in self.limits for _ in range(requests))

    async def pass_by(self, seconds: float) -> None:
        self.now += seconds
        for door in self.doors:
            await door.share()

    def _takes(self, limit: Limit, caller: str) -> bool:
        try:
            limit.take(caller)
        except TooMany:
            return False
        return True


async def test_all_workers_together_keep_the_limit(mongo: Any) -> None:
    workers = Workers(3, 60, mongo)
    beats, passed = 60, 0
    for _ in range(beats):
        passed += workers.let_in(9)
        await workers.pass_by(EVERY)

    at_once = len(workers.limits) * (LEAST_BURST + EVERY)
    assert beats * EVERY * 0.9 <= passed <= beats * EVERY + at_once


async def test_a_caller_who_keeps_to_the_limit_is_let_in_whichever_worker_he_meets(mongo: Any) -> None:
    workers = Workers(2, 60, mongo)
    passed = 0
    for beat in range(40):
        passed += workers._takes(workers.limits[beat % 2], "civic") + workers._takes(workers.limits[0], "civic")
        await workers.pass_by(EVERY)

    assert passed == 80


async def test_what_others_let_in_long_ago_is_forgotten(mongo: Any) -> None:
    workers = Workers(2, 60, mongo)
    first, second = workers.limits
    workers._takes(second, "civic")
    await workers.pass_by(EVERY)
    for _ in range(100):
        workers._takes(first, "civic")
        await workers.pass_by(EVERY)
    assert workers.now > FORGOTTEN

    assert sum(workers._takes(second, "civic") for _ in range(9)) == LEAST_BURST
