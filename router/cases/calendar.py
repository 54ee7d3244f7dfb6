"""Working days in China (工作日): Monday to Friday, less the holidays, plus the make-up days.

The State Council announces them year by year. A year that was not announced yet is reckoned Monday to Friday with
1 January off, and what falls into it is provisional.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from router.dispatching.sheet import DATA, Sheet, read_sheet

_DAY = timedelta(days=1)
_SATURDAY = 5
LOOK_AHEAD = timedelta(days=120)


class Year(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One announced year (国务院办公厅放假通知)."""

    year: int
    off: list[date]  #: holidays and exchanged rest days, weekends among them too
    work: list[date]  #: make-up working days (调休补班), all on weekends
    notice: str = ""


class Reckoned(NamedTuple):
    """A day that was counted to, and whether the calendar could still change it."""

    day: date
    provisional: bool


class Calendar:
    """Which days count."""

    def __init__(self, years: Sequence[Year]) -> None:
        self.announced = tuple(sorted(years, key=lambda year: year.year))
        days = [(year.year, sorted(year.off), sorted(year.work)) for year in self.announced]
        #: Of the days alone: another wording of a notice is no other calendar.
        self.version = hashlib.sha256(msgspec.json.encode(days)).hexdigest()[:12]
        self._off = frozenset(day for year in years for day in year.off)
        self._work = frozenset(day for year in years for day in year.work)
        self.years = frozenset(year.year for year in years)
        self._reckoned: dict[tuple[date, int], Reckoned] = {}

    def is_working(self, day: date) -> bool:
        """Say whether offices work on this day."""
        if day.year not in self.years:
            return day.weekday() < _SATURDAY and (day.month, day.day) != (1, 1)
        return day in self._work or (day.weekday() < _SATURDAY and day not in self._off)

    def is_holiday(self, day: date) -> bool:
        """Say whether this day is off by law, as announced (法定节假日 and its exchanged rest days)."""
        return day in self._off

    def after(self, day: date, count: int) -> Reckoned:
        """Count working days strictly after a day (收到当日不计入); count 0 is the day itself."""
        key = (day, count)
        found = self._reckoned.get(key)
        if found is None:
            if len(self._reckoned) > 10_000:  # noqa: PLR2004 - a bound for a process that runs for years
                self._reckoned.clear()
            found = self._reckoned[key] = self._count(day, count)
        return found

    def covers(self, today: date) -> bool:
        """Say whether the next 120 days are announced; if not, the operator should fetch the notice."""
        return today.year in self.years and (today + LOOK_AHEAD).year in self.years

    def _count(self, day: date, count: int) -> Reckoned:
        provisional = False
        while count > 0:
            day += _DAY
            provisional = provisional or day.year not in self.years
            if self.is_working(day):
                count -= 1
        return Reckoned(day, provisional)


def load_calendar(path: Path | None, problems: list[str]) -> Calendar | None:
    """Read the announced years; every problem is added to `problems`. Without a path the packaged ones are read."""
    sheet = read_sheet(path or DATA / "holidays.toml", problems)
    if sheet is None:
        return None
    found = sheet.entries("year", Year, problems)
    seen: dict[int, int] = {}
    for line, year in found:
        if year.year in seen:
            problems.append(sheet.says(line, f"year {year.year} is there twice, first on line {seen[year.year]}"))
        seen.setdefault(year.year, line)
        problems.extend(_flaws(sheet, line, year))
    return Calendar([year for _, year in found])


def _flaws(sheet: Sheet, line: int, year: Year) -> list[str]:
    strange: Mapping[str, list[date]] = {
        "is not in the year": [day for day in (*year.off, *year.work) if day.year != year.year],
        "is a make-up day on no weekend": [day for day in year.work if day.weekday() < _SATURDAY],
        "is both off and a make-up day": [day for day in year.work if day in year.off],
    }
    return [sheet.says(line, f"year {year.year}: {day} {what}") for what, days in strange.items() for day in days]
