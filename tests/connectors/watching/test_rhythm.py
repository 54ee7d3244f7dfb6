"""A quiet Sunday, a quiet night and the first days of October are told from a source that has broken down."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.watching.rhythm import SHANGHAI, DayKind, Rhythm, count, silence
from intake.street.watching import day_kind_of
from router.cases.calendar import load_calendar

calendar = load_calendar(None, [])
assert calendar is not None
DAYS = day_kind_of(calendar)
BEGIN = datetime(2026, 8, 2, 16, 0, tzinfo=UTC)  #: a Monday's first hour in Asia/Shanghai
BROKEN = datetime(2026, 9, 22, 2, 0, tzinfo=UTC)  #: Tuesday 10:00 there
EVERY = timedelta(minutes=10)
SHARE: dict[DayKind, float] = {"workday": 1.0, "weekend": 0.35, "holiday": 0.2}
#: Of a day's items, by hour.
BY_HOUR = [0.2, 0.1, 0.05, 0.03, 0.03, 0.1, 0.4, 1, 2, 3, 3, 2.5, 1.5, 1.5, 2.5, 3, 2.5, 2, 1.5, 1.2, 1, 0.8, 0.6, 0.4]


def polls(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += EVERY


def brought(chance: random.Random, moment: datetime, a_day: float) -> int:
    """Draw what ten minutes bring: Poisson, on days that are busier or quieter than others by a third."""
    local = moment.astimezone(SHANGHAI)
    day = random.Random(f"{local:%Y-%m-%d}").lognormvariate(0, 0.3)
    mean = a_day * SHARE[DAYS(moment)] * day * BY_HOUR[local.hour] / sum(BY_HOUR) / 6
    number, product, floor = 0, chance.random(), math.exp(-mean)
    while product > floor:
        number += 1
        product *= chance.random()
    return number


def live(a_day: float, seed: int, end: datetime) -> tuple[Rhythm, list[datetime]]:
    """A source as it is read for weeks; when its silence was called strange."""
    chance, rhythm, called = random.Random(seed), Rhythm(), list[datetime]()
    for moment in polls(BEGIN, end):
        count(rhythm, brought(chance, moment, a_day), moment, DAYS)
        if silence(rhythm, moment, DAYS) is not None:
            called.append(moment)
    return rhythm, called


def silent(rhythm: Rhythm, since: datetime, until: datetime) -> datetime | None:
    """When the silence of a broken source is first called strange."""
    for moment in polls(since, until):
        count(rhythm, 0, moment, DAYS)
        if silence(rhythm, moment, DAYS) is not None:
            return moment
    return None


@pytest.mark.parametrize("a_day", [3, 40, 400])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_silence_is_strange_in_ten_weeks_of_nights_weekends_and_holidays(a_day: float, seed: int) -> None:
    """The mid-autumn days and the first week of October are among them."""
    _, called = live(a_day, seed, BEGIN + timedelta(days=70))

    assert called == []


@pytest.mark.parametrize(("a_day", "hours"), [(400, 2), (40, 6)])
def test_a_source_that_breaks_on_a_workday_is_called_silent_within_hours(a_day: float, hours: float) -> None:
    rhythm, _ = live(a_day, 3, BROKEN)

    called = silent(rhythm, BROKEN, BROKEN + timedelta(days=2))

    assert called is not None
    assert called - BROKEN <= timedelta(hours=hours)


def test_a_source_that_breaks_at_night_is_called_silent_when_the_day_has_begun() -> None:
    night = BROKEN + timedelta(hours=15)  #: Wednesday 01:00
    rhythm, _ = live(400, 4, night)

    called = silent(rhythm, night, night + timedelta(days=1))

    assert called is not None
    assert 5 <= called.astimezone(SHANGHAI).hour <= 9


def test_a_quiet_sunday_is_waited_out_longer_than_a_tuesday() -> None:
    def waited(begin: datetime) -> timedelta:
        rhythm, _ = live(40, 5, begin)
        since = rhythm.quiet_since
        called = silent(rhythm, begin, begin + timedelta(days=2))
        assert called is not None
        assert since is not None
        return called - since

    assert waited(BROKEN - timedelta(days=9)) > 1.5 * waited(BROKEN)


def test_nothing_is_said_of_a_source_that_is_new() -> None:
    rhythm, _ = live(400, 6, BEGIN + timedelta(days=2))

    assert silent(rhythm, BEGIN + timedelta(days=2), BEGIN + timedelta(days=3)) is None


def test_a_make_up_day_is_a_workday_and_a_holiday_is_neither() -> None:
    assert DAYS(datetime(2026, 10, 10, 2, 0, tzinfo=UTC)) == "workday"  # a Saturday, worked for the first of October
    assert DAYS(datetime(2026, 10, 1, 2, 0, tzinfo=UTC)) == "holiday"
    assert DAYS(datetime(2026, 9, 12, 2, 0, tzinfo=UTC)) == "weekend"
