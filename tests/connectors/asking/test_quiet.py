"""Quiet hours, in the source's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.asking.quiet import hours_of, quiet_until

SHANGHAI = timezone(timedelta(hours=8))


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize("written", ["", "23-06", "25:00-06:00", "23:00", "23:60-06:00", "night"])
def test_what_is_not_understood_is_said(written: str) -> None:
    assert hours_of(written) is None


@pytest.mark.parametrize(
    ("hours", "moment", "until"),
    [
        ("23:00-06:30", at(23), at(6, 30) + timedelta(days=1)),
        ("23:00-06:30", at(3), at(6, 30)),
        ("23:00-06:30", at(6, 30), None),
        ("23:00-06:30", at(12), None),
        ("12:00-14:00", at(13, 59), at(14)),
        ("12:00-14:00", at(11, 59), None),
        ("20:00-24:00", at(23, 59), at(0) + timedelta(days=1)),
    ],
)
def test_hours_may_go_over_midnight(hours: str, moment: datetime, until: datetime | None) -> None:
    assert quiet_until(moment, [hours], "Asia/Shanghai") == until


def test_of_several_hours_the_last_end_counts() -> None:
    assert quiet_until(at(13), ["12:00-14:00", "12:30-15:00"], "Asia/Shanghai") == at(15)


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_what_is_quiet_ends_and_is_not_quiet_then(begin: int, end: int, now: int) -> None:
    moment = at(0) + timedelta(minutes=now)
    hours = f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"

    until = quiet_until(moment, [hours], "Asia/Shanghai")

    inside = begin <= now < end if begin < end else now >= begin or now < end
    assert (until is not None) == inside
    if until is not None and begin != end:
        assert moment < until <= moment + timedelta(days=1)
        assert quiet_until(until, [hours], "Asia/Shanghai") is None
