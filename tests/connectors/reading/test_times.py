"""Times as sources write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.reading.times import moment_of

ZONE = "Asia/Shanghai"
MORNING = datetime(2020, 1, 2, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2020-01-02 08:30:00",
        "2020/1/2 8:30:00",
        "2020/1/2 8:30",
        "2020年1月2日 08:30",
        "2020.01.02 08:30:00.000",
        "2020-01-02T08:30:00+08:00",
        "2020-01-02T08:30:00+0800",
        "2020-01-02T00:30:00Z",
        "2020-01-02T00:30:00.000Z",
        "Thu, 02 Jan 2020 00:30:00 GMT",
        "Thu, 02 Jan 2020 08:30:00 +0800",
        "Thu, 02 Jan 2020 08:30:00",
        "1577925000",
        "1577925000000",
        1577925000,
        1577925000000,
        1577925000.0,
        "2020-01-02 08:30:00+08",
        "2020-01-02 00:30:00 UTC",
        "20200102083000",
        20200102083000,
        "2020年1月2日 上午8:30",
        "2020年1月2日早上8时30分",
        "2020/1/2 8:30:00 AM",
        "Jan. 2, 2020, 8:30 a.m.",
        "January 2nd, 2020 at 8:30",
    ],
)
def test_one_moment_in_many_hands(written: object) -> None:
    assert moment_of(written, ZONE) == MORNING


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2020年1月2日 下午3:00", 15),
        ("2020/1/2 3:00:00 PM", 15),
        ("2020年1月2日晚上11:00", 23),
        ("2020年1月2日凌晨12:00", 0),
        ("2020年1月2日中午12:00", 12),
        ("2020年1月2日中午1:00", 13),
        ("2020-01-02 12:00 AM", 0),
        ("2020-01-02 12:00 PM", 12),
        ("Jan. 2, 2020, 3 p.m.", 15),
        ("Jan. 2, 2020, noon", 12),
        ("Jan. 2, 2020, midnight", 0),
        ("Jan. 2, 2020", 0),
    ],
)
def test_halves_of_the_day_are_told_apart(written: str, hour: int) -> None:
    assert moment_of(written, "UTC") == datetime(2020, 1, 2, hour, tzinfo=UTC)


def test_a_day_alone_is_its_midnight() -> None:
    assert moment_of("2020/1/2", ZONE) == datetime(2020, 1, 1, 16, tzinfo=UTC)


@pytest.mark.parametrize("written", ["", "-", "3 小时前", "2026-13-41 99:00:00", "0", None, True, [], {}, "12345"])
def test_what_is_no_time_is_none(written: object) -> None:
    assert moment_of(written, ZONE) is None


@pytest.mark.parametrize("zone", [ZONE, "UTC", "America/New_York"])
@pytest.mark.parametrize(
    "written",
    [
        "0001-01-01 00:00:00",
        "0001-01-01T00:00:00",
        "0001/1/1 0:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_the_first_day_of_the_calendar_and_what_lies_beyond_its_ends_is_none(written: str, zone: str) -> None:
    assert moment_of(written, zone) is None


@pytest.mark.parametrize(
    "written", ["0001-01-01 00:00:00", "0001-01-01T00:00:00", "0001/1/1", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00"]
)
def test_what_programs_write_for_never_is_none(written: str) -> None:
    assert moment_of(written, ZONE) is None


@pytest.mark.parametrize(
    "written", [10**400, -(10**400), -62135596800, -62135596800000, "2020-01-02-15", 20201399999999]
)
def test_a_number_that_is_no_moment_is_none(written: object) -> None:
    assert moment_of(written, ZONE) is None


@given(st.text() | st.integers() | st.floats() | st.datetimes().map(str) | st.from_regex(r"\A[0-9]{14}\Z"))
def test_whatever_is_written_nothing_breaks(written: str | float) -> None:
    found = moment_of(written, ZONE)

    assert found is None or found.utcoffset() == timedelta()


@given(st.datetimes(datetime(1992, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  local times are the point
def test_local_times_of_shanghai_are_eight_hours_ahead(moment: datetime) -> None:
    expected = moment.replace(tzinfo=UTC, microsecond=0) - timedelta(hours=8)

    assert moment_of(f"{moment:%Y-%m-%d %H:%M:%S}", ZONE) == expected
