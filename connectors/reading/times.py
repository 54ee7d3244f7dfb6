"""Times as sources write them -> moments, for cursors. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

#: 2019/2/28 11:25:05 · 2020-01-02T08:30 · 2020年1月2日 08:30 · 2020.1.2, with or without an offset
_ISO = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[T\s]+(\d{1,2})[:时](\d{1,2})分?(?::?(\d{1,2})(?:[.,](\d{1,9}))?秒?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
#: How most sources write it; Python reads this one itself, three times as fast as it is taken apart.
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
_RFC_822_ZONE = re.compile(r"(?:[+-]\d{4}|GMT|UTC?|[ECMP][SD]T|Z)\s*(?:\([^)]*\))?\s*$")
_MILLISECONDS = 100_000_000_000  #: as seconds this is the year 5138; as milliseconds 1973


def moment_of(written: object, zone: str) -> datetime | None:
    """Read a time; None if it is none. Without an offset it is the source's local time."""
    if isinstance(written, str):
        return _of_text(written, zone)
    if isinstance(written, bool) or not isinstance(written, int | float):
        return None
    return _epoch(float(written))


@lru_cache(maxsize=4096)
def _of_text(written: str, zone: str) -> datetime | None:
    """Remembered, since a row's time is looked at to check it, to order by it and to move the position."""
    text = written.strip()
    if _USUAL.fullmatch(text):
        return _usual(text, zone)
    if _EPOCH.fullmatch(text):
        return _epoch(float(text))
    if match := _ISO.fullmatch(text):
        return _iso(match, zone)
    return _rfc_822(text, zone)


def _usual(text: str, zone: str) -> datetime | None:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _epoch(number: float) -> datetime | None:
    seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _iso(match: re.Match[str], zone: str) -> datetime | None:
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        local = datetime(  # noqa: DTZ001  its zone is put on below
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
        )  # fmt: skip
    except ValueError:
        return None
    if offset is None:
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return local.replace(tzinfo=UTC) - _offset(offset)


def _offset(written: str) -> timedelta:
    if written in "Zz":
        return timedelta()
    sign = -1 if written[0] == "-" else 1
    digits = written[1:].replace(":", "")
    return sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))


def _rfc_822(text: str, zone: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None or not _RFC_822_ZONE.search(text):
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)
