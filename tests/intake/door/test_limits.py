"""A caller may come as often as the settings say, in bursts of a few seconds' worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.door import limits
from intake.door.limits import BURST, LEAST_BURST, Limit, TooMany


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
