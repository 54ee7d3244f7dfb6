"""What the values of one field look like: kinds, lengths, marks of damage, order. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from connectors.reading.times import moment_of

_SOME_TEXT = 4000  #: characters of a value that are looked at
_LONGEST_TIME = 40
_LOOKS_LIKE_A_TIME = re.compile(r"\d+\D{1,3}\d+\D{1,5}\d+")
_DIGITS = re.compile(r"\d+")
_FRACTION = re.compile(r"(?<=:\d)[.,]\d|(?<=:\d\d)[.,]\d+")
_TAG = re.compile(r"<[a-zA-Z/][^<>]{0,200}>|&lt;[a-zA-Z/]")
#: Marks of text that was decoded wrongly: lost signs, C1 controls, rows of accented letters, UTF-8 read as GBK.
_LOST = re.compile(
    r"[\ufffd\ue000-\uf8ff]|锟|[\x80-\x9f]|[À-ÿ]{2}|[鐨鍦涓浜鏄绋闂鎴鏈璇缁鐢鍥鏃閮撳鍙].?[鐨鍦涓浜鏄绋闂鎴鏈璇缁鐢鍥鏃閮撳鍙]"
)
_SECONDS = (9e8, 4.2e9)  #: 1998 to 2103
_THOUSAND = 1000
OUR_OFFSET = 8 * 3600  #: between Chinese time and UTC: what a source is off by when its zone is lost
_NEAR = 1800
#: What two times of one row may be to each other.
APART = "apart"
GAPS = {0: "near", OUR_OFFSET: "+8 h", -OUR_OFFSET: "-8 h"}


class Values(msgspec.Struct):
    """The values of one field in one reading."""

    seen: int = 0  #: null and empty ones too
    kinds: dict[str, int] = {}  #: of those present
    lengths: list[int] = []  #: of texts
    distinct: set[str] = set()  #: beginnings of texts: the same title on ten rows is one
    tags: int = 0
    lost: int = 0
    future: int = 0  #: times that have not come yet
    up: int = 0  #: how often a row's value was greater than that of the row before
    down: int = 0
    rows: int = 0  #: of a list
    twice: int = 0  #: of them that were there already

    @property
    def present(self) -> int:
        return sum(self.kinds.values())

    def add(self, value: Any, zone: str, now: float) -> float | None:  # noqa: ANN401  whatever a source sends
        """Take one value in; what it can be put into order by."""
        self.seen += 1
        kind, place = kind_of(value, zone)
        if kind is None:
            return None
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == "text":
            self._add_text(value)
        elif place is not None and is_time(kind) and place > now + 300:
            self.future += 1
        return place

    def _add_text(self, text: str) -> None:
        some = text[:_SOME_TEXT]
        self.lengths.append(len(text))
        self.distinct.add(text[:20])
        self.tags += _TAG.search(some) is not None
        self.lost += is_damaged(some)


def is_damaged(text: str) -> bool:
    """Whether a text bears the marks of a wrong decoding."""
    return _LOST.search(text) is not None


def kind_of(value: Any, zone: str) -> tuple[str | None, float | None]:  # noqa: ANN401
    """Name a value's kind (None: nothing is there) and its place in an order, in seconds where it is a time."""
    if value is None or value in ("", [], {}):
        return None, None
    if isinstance(value, bool):
        return "bool", None
    if isinstance(value, int | float):
        return _number(float(value))
    if isinstance(value, str):
        return _text(value, zone)
    return ("object" if isinstance(value, dict) else "list"), None


def is_time(kind: str) -> bool:
    """Whether this kind is a time."""
    return kind.startswith(("time ", "epoch "))


def gap_of(seconds: float) -> str:
    """How far apart two times are: near, as far as a lost zone makes them, or anyhow."""
    return next((name for gap, name in GAPS.items() if abs(seconds - gap) < _NEAR), APART)


def _number(number: float) -> tuple[str, float]:
    first, last = _SECONDS
    if first <= number < last:
        return "epoch s", number
    if first * _THOUSAND <= number < last * _THOUSAND:
        return "epoch ms", number / _THOUSAND
    return "number", number


def _text(value: str, zone: str) -> tuple[str | None, float | None]:
    text = value.strip()
    if not text:
        return None, None
    if text.isdecimal() and text.isascii():
        kind, place = _number(float(text[:20]))
        return f"{kind} text", place
    if len(text) <= _LONGEST_TIME and _LOOKS_LIKE_A_TIME.search(text):
        moment = moment_of(text, zone)
        if moment is not None:
            return "time " + shape_of(text), moment.timestamp()
    if text.startswith(("http://", "https://", "//")):
        return "address", None
    return "text", None


def shape_of(time: str) -> str:
    """How a time is written: 2026-11-02T09:00:00.123Z is 9-9-9T9:9:9Z, and weekdays and months are A."""
    text = re.sub(r"[A-Za-z]{3,}", "A", _FRACTION.sub("", time))
    return _DIGITS.sub("9", re.sub(r"([+-])\d\d:?\d\d$", r"\g<1>0000", text))[:32]
