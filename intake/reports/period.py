"""The span of a report (报告期), and the one before it that it is compared with. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from intake.screen import SHANGHAI

Length = Literal["daily", "weekly", "monthly"]
LENGTHS: dict[Length, tuple[str, str, str]] = {
    "daily": ("日报", "前一日", "日环比"),
    "weekly": ("周报", "上周", "周环比"),
    "monthly": ("月报", "上月", "月环比"),
}


class Period(NamedTuple):
    """Days of the city, the last not in it."""

    length: Length
    before: datetime  #: with it began the span that it is compared with
    since: datetime
    until: datetime

    @property
    def title(self) -> str:
        """As its document is called."""
        last = self.until - timedelta(days=1)
        if self.length == "daily":
            return f"{self.since:%Y-%m-%d}"
        if self.length == "weekly":
            year, week, _ = self.since.isocalendar()
            return f"{year} 年第 {week} 周（{self.since:%Y-%m-%d} 至 {last:%Y-%m-%d}）"
        return f"{self.since:%Y 年 %m 月}"

    @property
    def days(self) -> int:
        return (self.until - self.since).days

    @property
    def a_year_ago(self) -> tuple[datetime, datetime]:
        """上年同期: the same days of the year before; for a week 52 weeks before, so that weekdays meet weekdays."""
        if self.length == "weekly":
            return self.since - timedelta(weeks=52), self.until - timedelta(weeks=52)
        return _a_year_before(self.since), _a_year_before(self.until)


def period_of(length: Length, day: date) -> Period:
    """Give the day, the week from Monday or the month in which a day is."""
    if length == "daily":
        since, step = day, timedelta(days=1)
    elif length == "weekly":
        since, step = day - timedelta(days=day.weekday()), timedelta(days=7)
    else:
        first = day.replace(day=1)
        before = (first - timedelta(days=1)).replace(day=1)
        until = (first + timedelta(days=32)).replace(day=1)
        return Period(length, _midnight(before), _midnight(first), _midnight(until))
    return Period(length, _midnight(since - step), _midnight(since), _midnight(since + step))


def _a_year_before(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year - 1)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - 1, month=3, day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), SHANGHAI)
