"""How much a source brings at which hour of which kind of day (作息), and when its silence is too long. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Literal

import msgspec

#: A day as people live it: 工作日, 周末, 法定节假日; a make-up day (调休补班) is a workday.
DayKind = Literal["workday", "weekend", "holiday"]
DayKindOf = Callable[[datetime], DayKind]

SHANGHAI = timezone(timedelta(hours=8))  #: without summer time since 1991
_HOUR = timedelta(hours=1)
DAYS = 30.0  #: after which an hour's older days fade
ENOUGH_DAYS = 4  #: of one kind, before its hours are believed
TOO_UNLIKELY = 5.0  #: decades: one false call in a hundred thousand looks
#: No source is steadier than this, however steady the few days were that were seen: days differ from days.
STEADIEST = 4.0
LONGEST_LOOK = timedelta(days=4)
#: Where nothing is known of holidays yet, they are taken for weekends; weekends are never taken for workdays.
INSTEAD: dict[str, str] = {"holiday": "weekend"}


class Hour(msgspec.Struct):
    """One hour of one kind of day."""

    days: float = 0.0
    mean: float = 0.0
    squares: float = 0.0  #: the mean of the squares


class Rhythm(msgspec.Struct):
    """New and changed items by hour."""

    hours: dict[str, Hour] = {}  #: "workday 9"
    open: datetime | None = None  #: the hour that is being counted
    count: int = 0
    quiet_since: datetime | None = None


class Silence(msgspec.Struct, frozen=True):
    """A silence that is no habit."""

    since: datetime
    expected: float
    decades: float


def count(rhythm: Rhythm, fresh: int, now: datetime, day_kind: DayKindOf) -> None:
    """Count what a reading brought."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if rhythm.open is None:
        rhythm.open, rhythm.quiet_since = hour, now
    if hour > rhythm.open:
        _close(rhythm, hour, day_kind)
    rhythm.count += fresh
    if fresh:
        rhythm.quiet_since = now


def silence(rhythm: Rhythm, now: datetime, day_kind: DayKindOf) -> Silence | None:
    """Whether so long a silence would come by chance less than once in a hundred thousand looks."""
    since = rhythm.quiet_since
    if since is None or now - since > LONGEST_LOOK:
        since = now - LONGEST_LOOK if since is not None else None
    if since is None:
        return None
    expected, decades = 0.0, 0.0
    begin = since
    while begin < now:
        end = min(begin.replace(minute=0, second=0, microsecond=0) + _HOUR, now)
        known = _known(rhythm, begin, day_kind)
        if known is not None:
            share = (end - begin) / _HOUR
            expected += known.mean * share
            decades += share * _decades_of_nothing(known)
        begin = end
    return Silence(since, expected, decades) if decades >= TOO_UNLIKELY else None


def _decades_of_nothing(hour: Hour) -> float:
    """How unlikely an hour without anything is: more likely where items come in bursts (negative binomial)."""
    if hour.mean <= 0:
        return 0.0
    excess = hour.squares - hour.mean**2 - hour.mean
    bursts = min(hour.mean**2 / excess, STEADIEST) if excess > 0 else STEADIEST
    return bursts * math.log10(1 + hour.mean / bursts)


def _known(rhythm: Rhythm, moment: datetime, day_kind: DayKindOf) -> Hour | None:
    kind = day_kind(moment)
    for each in (kind, INSTEAD.get(kind)):
        hour = rhythm.hours.get(f"{each} {_local_hour(moment)}")
        if hour is not None and hour.days >= ENOUGH_DAYS:
            return hour
    return None


def _close(rhythm: Rhythm, hour: datetime, day_kind: DayKindOf) -> None:
    """The hour is over, and so are those since in which nobody looked, if they are few: they brought nothing."""
    assert rhythm.open is not None
    _learn(rhythm, rhythm.open, rhythm.count, day_kind)
    between = rhythm.open + _HOUR
    if hour - between <= timedelta(hours=3):
        while between < hour:
            _learn(rhythm, between, 0, day_kind)
            between += _HOUR
    rhythm.open, rhythm.count = hour, 0


def _learn(rhythm: Rhythm, moment: datetime, items: int, day_kind: DayKindOf) -> None:
    hour = rhythm.hours.setdefault(f"{day_kind(moment)} {_local_hour(moment)}", Hour())
    hour.days = min(hour.days + 1, DAYS)
    hour.mean += (items - hour.mean) / hour.days
    hour.squares += (items * items - hour.squares) / hour.days


def _local_hour(moment: datetime) -> int:
    return moment.astimezone(SHANGHAI).hour
