"""Quiet hours (静默时段): when a source is not asked at all. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_WRITTEN = re.compile(r"^([01]?\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]?\d|2[0-3]):([0-5]\d)|24:00)$")


def hours_of(written: str) -> tuple[time, time] | None:
    """Read "23:00-06:30"; None if it is not understood. The end is not quiet any more; equal ends are a whole day."""
    match = _WRITTEN.match(written.strip())
    if match is None:
        return None
    end = time(int(match[3]), int(match[4])) if match[3] else time(0)
    return time(int(match[1]), int(match[2])), end


def quiet_until(moment: datetime, quiet_hours: Iterable[str], zone: str) -> datetime | None:
    """Say when the quiet hours around this moment end; None if it is not in any."""
    local = moment.astimezone(ZoneInfo(zone))
    ends = [_end(local, begin, end) for begin, end in filter(None, map(hours_of, quiet_hours))]
    return max((each for each in ends if each is not None), default=None)


def _end(local: datetime, begin: time, end: time) -> datetime | None:
    for day in (local.date() - timedelta(days=1), local.date()):
        first = datetime.combine(day, begin, local.tzinfo)
        last = datetime.combine(day if end > begin else day + timedelta(days=1), end, local.tzinfo)
        if first <= local < last:
            return last
    return None
