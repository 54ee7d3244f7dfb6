"""How mappers read what sources write: payloads, times, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from normalizer.appeal import Location, instant
from normalizer.errors import Unmappable

#: How most sources write it, `2026-11-02 08:00:00`, is read by its halves, much faster than it is taken apart.
_HOUR_OF_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}")
_SIXTIETHS = frozenset(f":{number:02}" for number in range(60))
_LOCAL = re.compile(
    r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2})[:时点](\d{1,2})(?:[:分](\d{1,2})秒?)?(?:[.,](\d{1,6})\d*)?分?)?\s*"
    r"(Z|z|[+-]\d{2}:?\d{2})?\s*$"
)
_NUMBER = re.compile(r"\s*-?\d{1,16}(?:\.\d+)?\s*$")
_HOUR = timedelta(hours=1)
SECONDS_MOST = 100_000_000_000  #: a larger number is milliseconds
_EARLIEST, _LATEST = 1990, 2100
MOST = 2**53  #: the largest count that JSON, BSON and a browser all read alike
_COUNT = re.compile(r"[0-9]{1,18}")
EAST, NORTH = 180.0, 90.0


T = TypeVar("T")
_ROW = msgspec.json.Decoder(dict[str, Any])


def payload_of(payload: bytes) -> dict[str, Any]:
    """Read a payload as one JSON object."""
    return object_of(payload, _ROW)


def object_of(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Read a payload as one JSON object, of which the decoder takes what it knows."""
    try:
        return decoder.decode(payload)
    except msgspec.ValidationError:
        raise Unmappable("the payload is not an object") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unmappable("the payload is not JSON") from None


def words_of(row: Mapping[str, Any], *names: str) -> str | None:
    """Take the first of these fields that says something."""
    for name in names:
        words = words_in(row.get(name))
        if words is not None:
            return words
    return None


def words_in(value: object) -> str | None:
    """Read what a field says; None, "" and 0 all mean nothing."""
    if not value:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(int(value)) if isinstance(value, int) or value.is_integer() else str(value)
    return None


def text_of(row: Mapping[str, Any], *names: str) -> str:
    """Take the first of these fields that holds text, as it is."""
    for name in names:
        text = text_in(row.get(name))
        if text:
            return text
    return ""


def text_in(value: object) -> str:
    """Read a field's text as it is."""
    return value if isinstance(value, str) else ""


def count_of(row: Mapping[str, Any], *names: str) -> int:
    """Read the first of these fields that holds a number; what is none counts nothing."""
    for name in names:
        count = count_in(row.get(name))
        if count is not None:
            return count
    return 0


def count_in(value: object) -> int | None:
    """Read a count, however it is written."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return int(min(max(0, value), MOST))
    if isinstance(value, str) and _COUNT.fullmatch(value.strip()):
        return min(int(value.strip()), MOST)
    return None


def says_yes(value: object) -> bool:
    """Read a flag however it is written."""
    return value in (True, 1) or (
        isinstance(value, str) and value.strip() in ("1", "是", "true", "True", "Y", "y", "保密")
    )


def moment_of(value: object, zone: str) -> str | None:
    """Read a time: epoch seconds or milliseconds, local time of the source's zone, ISO 8601, RFC 822; else None."""
    try:
        if isinstance(value, str):
            return _from_words(value, zone) if value else None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _from_epoch(float(value))
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _from_epoch(number: float) -> str | None:
    if number <= 0:
        return None
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=number / 1000 if number > SECONDS_MOST else number)
    return instant(moment) if _EARLIEST <= moment.year <= _LATEST else None


def _from_words(words: str, zone: str) -> str | None:
    if words[16:] in _SIXTIETHS and words[13:16] in _SIXTIETHS:
        hour = _whole_hour(words[:13], zone)
        if hour is not None:
            return f"{hour}{words[13:]}.000Z"
    match = _LOCAL.match(words)
    if match is None:
        if _NUMBER.match(words):
            return _from_epoch(float(words))
        moment = parsedate_to_datetime(words)
        return instant(moment if moment.tzinfo is not None else moment.replace(tzinfo=_zone(zone)))
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    moment = datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
        int((fraction or "0").ljust(6, "0")), tzinfo=_offset(offset) if offset else _zone(zone),
    )  # fmt: skip
    return instant(moment) if _EARLIEST <= moment.year <= _LATEST else None


@lru_cache(maxsize=4096)
def _whole_hour(words: str, zone: str) -> str | None:
    """Say which hour of UTC this hour of a zone is; None where it is none alone.

    A page's items are of few hours: the minutes and seconds of most are then taken as they stand.
    """
    if _HOUR_OF_DAY.fullmatch(words) is None:
        return None
    begin = datetime.fromisoformat(f"{words}:00:00").replace(tzinfo=_zone(zone))
    end = begin.replace(minute=59, second=59)
    shift = begin.utcoffset()
    if not _EARLIEST < begin.year < _LATEST or shift != end.utcoffset() or shift is None or shift % _HOUR:
        return None
    return instant(begin)[:13]


def _offset(written: str) -> Any:  # noqa: ANN401
    return datetime.fromisoformat(f"2000-01-01T00:00:00{written.upper().replace('Z', '+00:00')}").tzinfo


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Unmappable("the source's zone is unknown; set `zone` to a name like Asia/Shanghai") from None


def location_of(points: str | None) -> Location | None:
    """Read `lng,lat` in degrees; anything else is no place on earth."""
    if not points:
        return None
    lng, comma, lat = points.replace("，", ",").partition(",")
    try:
        place = Location(lng=float(lng), lat=float(lat))
    except ValueError:
        return None
    on_earth = comma and abs(place.lng) <= EAST and abs(place.lat) <= NORTH and (place.lng or place.lat)
    return place if on_earth else None


def sex_of(value: str | None) -> str | None:
    """Read a form of address from what a source writes for sex."""
    if value in ("男", "先生", "1", "M", "male"):
        return "先生"
    if value in ("女", "女士", "2", "F", "female"):
        return "女士"
    return None
