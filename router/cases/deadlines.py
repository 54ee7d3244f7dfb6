"""Deadlines (时限): by class of urgency, N working days after the local date of first dispatch, until 24:00.

Spans are written as one letter and a number: `M` minutes, `H` hours and `D` days of the plain clock, `h` working
hours and `d` working days. The day on which the clock starts never counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from normalizer.appeal import Instant, RequestType, instant
from router.cases.calendar import Calendar
from router.dispatch import SHANGHAI
from router.dispatching.sheet import DATA, read_sheet

Kind = Literal["sign", "contact", "interim", "close"]
KINDS: tuple[Kind, ...] = ("sign", "contact", "interim", "close")

Span = Annotated[str, Meta(pattern=r"^[MHDhd][1-9][0-9]{0,3}$")]
Hours = Annotated[str, Meta(pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$")]


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """One moment by which a department must have done something (时限)."""

    kind: Kind  #: sign 签收, contact 首次联系, interim 阶段反馈, close 办结
    at: Instant
    local: str  #: as people read it in Shanghai, "2026-11-27 24:00"
    rule: str  #: the class and the span, "P2 d5"
    basis: str  #: where the class comes from, in Chinese
    provisional: bool  #: the holidays of that year are not announced yet


class Class(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class of urgency (时限等级): how long each step may take."""

    code: str
    name: str
    basis: str
    sign: Span | None = None
    contact: Span | None = None
    interim: Span | None = None
    close: Span | None = None
    close_by_type: dict[RequestType, Span] = {}

    def span(self, kind: Kind, request_type: RequestType) -> str | None:
        """Say how long a step may take for this type of request."""
        if kind == "close" and request_type in self.close_by_type:
            return self.close_by_type[request_type]
        found: str | None = getattr(self, kind)
        return found


Shifts = tuple[tuple[timedelta, timedelta], ...]
OFFICE_HOURS: Shifts = (
    (timedelta(hours=9), timedelta(hours=12)),
    (timedelta(hours=13, minutes=30), timedelta(hours=17, minutes=30)),
)


class Deadlines:
    """The class table of a city."""

    def __init__(self, version: str, classes: dict[str, Class], default: str, shifts: Shifts = OFFICE_HOURS) -> None:
        self.version = version
        self.classes = classes
        self._default = classes[default]
        self.shifts = shifts

    def of(
        self, deadline_class: str, request_type: RequestType, start: datetime, calendar: Calendar
    ) -> tuple[Deadline, ...]:
        """Give all deadlines of a class for a clock that starts at this moment."""
        return tuple(
            self._deadline(kind, span, found, start, calendar)
            for found, kind, span in self.spans(deadline_class, request_type)
        )

    def spans(self, deadline_class: str, request_type: RequestType) -> Iterator[tuple[Class, Kind, str]]:
        """Give how long each step may take."""
        found = self.classes.get(deadline_class, self._default)
        for kind in KINDS:
            span = found.span(kind, request_type)
            if span is not None:
                yield found, kind, span

    def _deadline(self, kind: Kind, span: str, of: Class, start: datetime, calendar: Calendar) -> Deadline:
        at, provisional = due(span, start, calendar, self.shifts)
        return Deadline(
            kind=kind,
            at=instant(at),
            local=local(at),
            rule=f"{of.code} {span}",
            basis=of.basis,
            provisional=provisional,
        )


def due(
    span: str, start: datetime, calendar: Calendar, shifts: Shifts = OFFICE_HOURS, *, share: float = 1.0
) -> tuple[datetime, bool]:
    """Reckon when a span, or a share of it, ends that starts at this moment; an announcement may still change it."""
    unit, count = span[0], int(span[1:]) * share
    begins = start.astimezone(SHANGHAI)
    if unit == "M":
        return begins + timedelta(minutes=count), False
    if unit == "H":
        return begins + timedelta(hours=count), False
    if unit in {"D", "d"}:
        return _days(unit, begins.date(), count, calendar)
    return in_working_hours(begins, timedelta(hours=count), calendar, shifts)


def local(at: datetime) -> str:
    """Write a moment as people read it: the end of a day is its 24:00, not the next one's 00:00."""
    there = at.astimezone(SHANGHAI)
    if there.time() == time(0):
        return f"{there.date() - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{there:%Y-%m-%d %H:%M}"


def _days(unit: str, begins: date, count: float, calendar: Calendar) -> tuple[datetime, bool]:
    """A part of a day is that part of the next one that counts."""
    whole, rest = int(count), count - int(count)
    if unit == "D":
        day, provisional = begins + timedelta(days=whole), False
    else:
        day, provisional = calendar.after(begins, whole)
    if not rest:
        return end_of(day), provisional
    following = day + timedelta(days=1) if unit == "D" else calendar.after(day, 1).day
    return end_of(following) - timedelta(days=1) * (1 - rest), provisional


def end_of(day: date) -> datetime:
    """Give the 24:00 of a local day."""
    return datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)


def in_working_hours(begins: datetime, left: timedelta, calendar: Calendar, shifts: Shifts) -> tuple[datetime, bool]:
    """Give the moment after so much of working time, and whether an announcement may still change it."""
    day, now = begins.date(), begins
    provisional = False
    while True:
        provisional = provisional or day.year not in calendar.years
        if calendar.is_working(day):
            midnight = datetime.combine(day, time(0), SHANGHAI)
            for opens, closes in shifts:
                here = max(now, midnight + opens)
                free = midnight + closes - here
                if free >= left:
                    return here + left, provisional
                if free > timedelta(0):
                    left -= free
        day += timedelta(days=1)


def is_office_hour(at: datetime, calendar: Calendar, shifts: Shifts = OFFICE_HOURS) -> bool:
    """Say whether offices are open at this moment."""
    here = at.astimezone(SHANGHAI)
    since_midnight = here - datetime.combine(here.date(), time(0), SHANGHAI)
    return calendar.is_working(here.date()) and any(opens <= since_midnight < closes for opens, closes in shifts)


def worked(begin: datetime, end: datetime, calendar: Calendar, shifts: Shifts = OFFICE_HOURS) -> timedelta:
    """Say how much of a stretch of time was office hours (工作小时)."""
    total, first, last = timedelta(0), begin.astimezone(SHANGHAI), end.astimezone(SHANGHAI)
    for number in range((last.date() - first.date()).days + 1):
        day = first.date() + timedelta(days=number)
        if calendar.is_working(day):
            midnight = datetime.combine(day, time(0), SHANGHAI)
            for opens, closes in shifts:
                total += max(min(last, midnight + closes) - max(first, midnight + opens), timedelta(0))
    return total


class _Sheet(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    default: str
    office_hours: list[Hours]


def load_deadlines(path: Path | None, problems: list[str]) -> Deadlines | None:
    """Read the class table; every problem is added to `problems`. Without a path the packaged one is read."""
    sheet = read_sheet(path or DATA / "deadlines.toml", problems)
    if sheet is None:
        return None
    before = len(problems)
    classes = {found.code: found for _, found in sheet.entries("class", Class, problems)}
    try:
        head = msgspec.convert(sheet.content, _Sheet)
        shifts = tuple(_shift(text) for text in head.office_hours)
    except (msgspec.ValidationError, ValueError) as error:
        problems.append(sheet.says(1, str(error)))
        return None
    if head.default not in classes:
        problems.append(sheet.says(sheet.key_line("default"), f"default {head.default!r} is no [[class]]"))
    if not shifts or any(closes <= opens for opens, closes in shifts):
        problems.append(sheet.says(sheet.key_line("office_hours"), 'office_hours: write them as "09:00-12:00"'))
    if len(problems) > before:
        return None
    return Deadlines(head.version, classes, head.default, shifts)


def _shift(text: str) -> tuple[timedelta, timedelta]:
    opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    return timedelta(hours=opens.hour, minutes=opens.minute), timedelta(hours=closes.hour, minutes=closes.minute)
