"""Times as sources write them -> moments, for cursors. Pure."""

from __future__ import annotations

import re
from datetime import MINYEAR, UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

#: 2019/2/28 11:25:05 · 2020-01-02T08:30 · 2020年1月2日 下午3:30 · 2020.1.2, with or without an offset
_ISO = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:(?:T|\s+|(?=[上下凌早中晚]))(?P<before>上午|下午|凌晨|早上|中午|晚上)?\s*(?P<hour>\d{1,2})[:时](?P<minute>\d{1,2})分?"
    r"(?::?(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?秒?)?(?:\s*(?P<after>[ap]\.?m\.?))?)?"
    r"\s*(?P<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE,
)
#: Nov. 22, 2026, 3:10 p.m. · November 22, 2026 at 15:10, as programs from abroad write it
_ENGLISH = re.compile(
    r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})"
    r"(?:,?\s+(?:at\s+)?(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?\s*(?P<after>[ap]\.?m\.?)?"
    r"|(?P<word>noon|midnight)))?",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: How most sources write it; Python reads this one itself, three times as fast as it is taken apart.
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
#: 20200102083000, as a text or as a number, which would be the year 2610 in milliseconds.
_COMPACT = re.compile(r"(?:19|20)\d{12}")
#: What programs write where there is no time (MySQL, .NET).
_NEVER = re.compile(r"0000[-/]0?0[-/]0?0|0001[-/]0?1[-/]0?1")
_RFC_822_ZONE = re.compile(r"(?:[+-]\d{4}|GMT|UTC?|[ECMP][SD]T|Z)\s*(?:\([^)]*\))?\s*$")
_MILLISECONDS = 100_000_000_000  #: as seconds this is the year 5138; as milliseconds 1973
#: What is told as earlier is no time of an appeal; close to the year 1 no zone and no overlap can be reckoned with.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


def is_never(written: object) -> bool:
    """Say whether this stands for no time at all, as 0000-00-00 00:00:00 and 0001-01-01 do."""
    return isinstance(written, str) and _NEVER.match(written.strip()) is not None


def moment_of(written: object, zone: str) -> datetime | None:
    """Read a time; None if it is none. Without an offset it is the source's local time."""
    if isinstance(written, str):
        return _of_text(written, zone)
    if isinstance(written, bool) or not isinstance(written, int | float):
        return None
    if isinstance(written, int) and _COMPACT.fullmatch(digits := str(written) if abs(written) < 10**14 else ""):
        return _of_text(digits, zone)
    return _epoch(written)


@lru_cache(maxsize=4096)
def _of_text(written: str, zone: str) -> datetime | None:
    """Remembered, since a row's time is looked at to check it, to order by it and to move the position."""
    try:
        found = _read(written.strip(), zone)
    except OverflowError:
        return None
    # 0001-01-01 is how many programs write that there is none.
    return None if found is None or found.year == MINYEAR else found


def _read(text: str, zone: str) -> datetime | None:
    if _USUAL.fullmatch(text):
        return _usual(text, zone)
    if _EPOCH.fullmatch(text):
        return _epoch(float(text))
    if _COMPACT.fullmatch(text):
        return _usual(f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}:{text[12:]}", zone)
    if match := _ISO.fullmatch(text):
        return _iso(match.groupdict(), zone)
    if match := _ENGLISH.fullmatch(text):
        return _english(match.groupdict(), zone)
    return _rfc_822(text, zone)


def _usual(text: str, zone: str) -> datetime | None:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _epoch(number: float) -> datetime | None:
    try:
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        found = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return found if found >= EARLIEST else None


def _iso(parts: dict[str, str | None], zone: str) -> datetime | None:
    year, month, day = (int(parts[name] or 0) for name in ("year", "month", "day"))
    hour, half = int(parts.get("hour") or 0), (parts.get("before") or parts.get("after") or "").lower()
    if half.startswith(("下", "晚", "p")) or (half.startswith("中") and hour < 11):  # noqa: PLR2004  中午 1 点
        hour += 12 if hour < 12 else 0  # noqa: PLR2004  half a day
    elif half.startswith(("凌", "a", "上")) and hour == 12:  # noqa: PLR2004
        hour = 0
    minute, second = int(parts.get("minute") or 0), int(parts.get("second") or 0)
    fraction = int((parts.get("fraction") or "0")[:6].ljust(6, "0"))
    try:
        local = datetime(year, month, day, hour, minute, second, fraction)  # noqa: DTZ001  its zone is put on below
    except ValueError:
        return None
    offset = parts.get("offset")
    if offset is not None and len(offset) == len("+08") and parts.get("hour") is None and offset[0] in "+-":
        return None  # 2020-01-02-15 is a number of something
    if offset is None:
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return local.replace(tzinfo=UTC) - _offset(offset)


def _english(parts: dict[str, str | None], zone: str) -> datetime | None:
    month = _MONTHS.index((parts["name"] or "").lower()) + 1
    hour = {"noon": "12", "midnight": "0"}.get((parts["word"] or "").lower(), parts["hour"])
    return _iso({**parts, "month": str(month), "hour": hour}, zone)


def _offset(written: str) -> timedelta:
    if written[0] not in "+-":
        return timedelta()
    sign = -1 if written[0] == "-" else 1
    digits = written[1:].replace(":", "")
    return sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))


def _rfc_822(text: str, zone: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None or not _RFC_822_ZONE.search(text):
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)
