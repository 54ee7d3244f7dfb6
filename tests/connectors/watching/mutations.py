"""Kinds of change that a source may undergo over night, and what each has to be called.

A mutation changes every answer of a source alike. `fits` says whether a source has what the mutation needs: one
without times cannot shift them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.reading.encoding import text_of
from connectors.reading.times import moment_of
from connectors.watching.causes import Cause
from connectors.watching.values import kind_of
from tests.connectors.watching.documents import Document, Json, Lines, Mail, Row, Table, Xml, document_of, fields_of

Rows = list[Row]


@dataclass
class Spot:
    """Where a source is changed: fields drawn by seed."""

    seed: int
    zone: str
    ids: set[str]
    text: str | None = None
    other: str | None = None  #: another field, to change places with
    time: str | None = None
    id: str | None = None
    rows: int = 0
    route: str = ""  #: which question is being answered
    firsts: dict[str, bytes] = field(default_factory=dict)  #: the first answer of this reading to each
    hours: int = 8
    one_encoding: bool = True
    pages: int = 0  #: different answers to one kind of question in one reading
    keyed: bool = False
    is_long: bool = False
    is_html: bool = False
    is_http: bool = True
    in_order: bool = False
    has_clock: bool = False
    kinds: set[type] = field(default_factory=set)

    @property
    def any(self) -> str | None:
        """One of the fields that a mapping needs."""
        named = [name for name in (self.text, self.time, self.id) if name is not None]
        return random.Random(self.seed).choice(named) if named else None


Change = Callable[[bytes, str, Spot], tuple[bytes, str]]
Fits = Callable[[Spot], bool]


@dataclass(frozen=True)
class Mutation:
    """One kind of change."""

    name: str
    causes: frozenset[Cause]
    change: Change
    fits: Fits
    field: Callable[[Spot], str | None] = lambda _: None
    late: bool = False  #: written after the sentinel was finished


def spot_of(bodies: list[bytes], seed: int, zone: str, ids: set[str], times: set[str]) -> Spot:
    """Find fields to change in a source's answers."""
    chance = random.Random(seed)
    spot = Spot(seed, zone, ids, hours=chance.choice([8, -8]))
    documents = [each for body in bodies if (each := document_of(body)) is not None]
    spot.one_encoding = len({_is_utf8(body) for body in bodies if not body.isascii()}) == 1
    spot.kinds = {type(each) for each in documents}
    heavy = max(documents, key=lambda each: len(str(each.rows)), default=None)
    if heavy is None or not heavy.rows:
        return spot
    alike = [
        each
        for each in documents
        if each.rows and 2 * len(_keys(each) & _keys(heavy)) >= min(len(_keys(each)), len(_keys(heavy)))
    ]
    rows = [row for each in alike for row in each.rows]
    spot.rows = max(len(each.rows) for each in alike)
    spot.keyed = any(isinstance(each, Json) and each.keyed for each in alike)
    found = fields_of(rows, zone, ids)
    texts = found["text"]
    spot.text = texts[0] if seed == 0 and texts else chance.choice(texts) if texts else None
    seen = (
        [name for name in found["time"] if name.lower() in {each.lower() for each in times} and name != "against"]
        if times
        else found["time"]
    )
    spot.time = chance.choice(seen) if seen else None
    spot.id = found["id"][0] if found["id"] else None
    spot.other = spot.time or next((name for name in texts if name != spot.text), None)
    spot.in_order = any(_runs(heavy.rows, name, zone) for name in (*found["time"], *found["id"]))
    clocks = [str(row[spot.time]) for row in rows if spot.time and row.get(spot.time)]
    spot.has_clock = all(":" in clock or clock.isdigit() for clock in clocks)
    written = [str(row[spot.text]) for row in rows if spot.text and row.get(spot.text)]
    spot.is_long = bool(written) and min(len(text) for text in written) > 7
    spot.is_html = any("<" in text or "&lt;" in text for text in written)
    return spot


def _runs(rows: Rows, name: str, zone: str) -> bool:
    """Whether rows stand in the order of a field: only those can be reversed."""
    places = [kind_of(row[name], zone)[1] for row in rows if row.get(name)]
    steps = [(one < other) - (one > other) for one, other in pairwise(places) if one is not None and other is not None]
    return len(steps) > 1 and abs(sum(steps)) == len(steps)


def _keys(document: Document) -> set[str]:
    return {name for row in document.rows for name in row}


def rows_changed(change: Callable[[Rows, Spot], Rows | None]) -> Change:
    """Change rows, and write the answer down again; an answer without rows stays as it is."""

    def changed(body: bytes, content_type: str, spot: Spot) -> tuple[bytes, str]:
        document: Any = document_of(body)
        if document is None or not document.rows:
            return body, content_type
        before = deepcopy(document.rows)
        made = change(document.rows, spot)
        if (document.rows if made is None else made) == before:
            return body, content_type  # to write the same down again is no change
        document.set_rows(document.rows if made is None else made)
        return document.body(), content_type

    return changed


def each_row(name: Callable[[Spot], str | None], change: Callable[[Row, str, Spot], None]) -> Change:
    """Change one field of every row that has it."""

    def changed(rows: Rows, spot: Spot) -> None:
        named = name(spot)
        for row in rows:
            if named is not None and named in row:
                change(row, named, spot)

    return rows_changed(changed)


def to(make: Callable[[Any, Spot], Any]) -> Callable[[Row, str, Spot], None]:
    def change(row: Row, name: str, spot: Spot) -> None:
        row[name] = make(row[name], spot)

    return change


def _rename(row: Row, name: str, spot: Spot) -> None:
    row[f"{name}V2"] = row.pop(name)


def _move(row: Row, name: str, spot: Spot) -> None:
    row["detailInfo"] = {name: row.pop(name)}


def _drop(row: Row, name: str, spot: Spot) -> None:
    del row[name]


def _swap(row: Row, name: str, spot: Spot) -> None:
    assert spot.other is not None
    if spot.other in row:
        row[name], row[spot.other] = row[spot.other], row[name]


def _other_form(value: Any, spot: Spot) -> Any:
    moment = moment_of(value, spot.zone)
    return value if moment is None else f"{moment.astimezone(ZoneInfo(spot.zone)):%d.%m.%Y %H:%M}"


def _other_unit(value: Any, spot: Spot) -> Any:
    moment = moment_of(value, spot.zone)
    if moment is None:
        return value
    seconds = int(moment.timestamp())
    was_seconds = str(value).strip().isdigit() and float(value) < 10**11
    made: Any = seconds * 1000 if was_seconds else seconds
    return str(made) if isinstance(value, str) else made


def _shifted(value: Any, spot: Spot) -> Any:
    """The same time, some hours off, written as before."""
    gap = timedelta(hours=spot.hours)
    if isinstance(value, int):
        return value + int(gap.total_seconds()) * (1000 if value > 10**11 else 1)
    text = str(value)
    if text.isdigit():
        return str(_shifted(int(text), spot))
    for form, pattern in _WRITTEN:
        if (match := re.search(pattern, text)) is not None:
            try:
                moved = datetime.strptime(match[0], form) + gap  # noqa: DTZ007  it stays where it is, zone and all
            except ValueError:
                return value
            return text[: match.start()] + moved.strftime(form) + text[match.end() :]
    return value


_WRITTEN = (
    ("%Y-%m-%d %H:%M", r"\d{4}-\d\d?-\d\d? \d\d?:\d\d"),
    ("%Y-%m-%dT%H:%M", r"\d{4}-\d\d?-\d\d?T\d\d?:\d\d"),
    ("%Y/%m/%d %H:%M", r"\d{4}/\d\d?/\d\d? \d\d?:\d\d"),
    ("%Y.%m.%d %H:%M", r"\d{4}\.\d\d?\.\d\d? \d\d?:\d\d"),
    ("%a, %d %b %Y %H:%M", r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} \d\d?:\d\d"),
)


def _reused(rows: Rows, spot: Spot) -> Rows | None:
    """Every row carries the id of the first."""
    if spot.id is None or len(rows) < 2:
        return None
    for row in rows:
        if spot.id in row:
            row[spot.id] = rows[0].get(spot.id)
    return rows


def _gbk(body: bytes, content_type: str, spot: Spot) -> tuple[bytes, str]:
    text = text_of(body)
    encoding = "gb18030" if _is_utf8(body) else "utf-8"
    return text.encode(encoding), re.sub(r";\s*charset=[\w-]+", "", content_type)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _garbled(value: Any, spot: Spot) -> Any:
    """UTF-8, taken for Latin-1 by a program on the way."""
    return value.encode().decode("latin-1") if isinstance(value, str) else value


def _tops(body: bytes, content_type: str, spot: Spot) -> tuple[bytes, str]:
    """The top of the answer is called otherwise."""
    document = document_of(body)
    if not isinstance(document, Json) or not isinstance(document.value, dict):
        return body, content_type
    name = max(document.value, key=lambda each: len(str(document.value[each])))
    if not isinstance(document.value[name], dict | list):
        return body, content_type
    document.value = {f"{key}New" if key == name else key: value for key, value in document.value.items()}
    return document.body(), content_type


LOG_IN = (
    '<!DOCTYPE html><html><head><title>统一身份认证</title></head><body><form action="/sso">'
    '<input name="user"><input type="password" name="pw"></form></body></html>'
)
BUSY = "<!DOCTYPE html><html><body><h1>系统维护中</h1><p>请稍后再试</p></body></html>"
ERROR = '{"code": 50013, "msg": "系统繁忙", "success": false}'


def whole(text: str, content_type: str) -> Change:
    return lambda body, told, spot: (text.encode(), content_type)


def _no_rows(rows: Rows, spot: Spot) -> Rows:
    return []


def _doubled(rows: Rows, spot: Spot) -> Rows:
    return [dict(row) for row in rows for _ in range(2)]


def _reversed(rows: Rows, spot: Spot) -> Rows:
    return rows[::-1]


def _cut_off(body: bytes, content_type: str, spot: Spot) -> tuple[bytes, str]:
    return body[: len(body) * 6 // 10], content_type


def _same_page(body: bytes, content_type: str, spot: Spot) -> tuple[bytes, str]:
    """Whatever page is asked for, the first one comes."""
    return spot.firsts.setdefault(spot.route, body), content_type


def _text(spot: Spot) -> str | None:
    return spot.text


def _time(spot: Spot) -> str | None:
    return spot.time


def _any(spot: Spot) -> str | None:
    return spot.any


def _is_http(spot: Spot) -> bool:
    return spot.is_http


def _is_json(spot: Spot) -> bool:
    return Json in spot.kinds


def _unit_fits(spot: Spot) -> bool:
    return spot.time is not None and Json in spot.kinds


def _wrapped(body: bytes, content_type: str, spot: Spot) -> tuple[bytes, str]:
    """The whole answer is put into a new envelope."""
    document = document_of(body)
    if not isinstance(document, Json):
        return body, content_type
    document.value = {"ret": 0, "payload": document.value}
    return document.body(), content_type


def _as_text(body: bytes, content_type: str, spot: Spot) -> tuple[bytes, str]:
    """What held the rows holds them as a text of JSON: encoded once too often."""
    document = document_of(body)
    if not isinstance(document, Json) or not isinstance(document.value, dict):
        return body, content_type
    name = max(document.value, key=lambda each: len(str(document.value[each])))
    if not isinstance(document.value[name], dict | list):
        return body, content_type
    document.value[name] = msgspec.json.encode(document.value[name]).decode()
    return document.body(), content_type


def _without_year(value: Any, spot: Spot) -> Any:
    """Only month, day and hour are told, as on many pages for people."""
    moment = moment_of(value, spot.zone)
    return value if moment is None else f"{moment.astimezone(ZoneInfo(spot.zone)):%m-%d %H:%M}"


LOST = frozenset({Cause.GONE, Cause.RENAMED, Cause.MOVED, Cause.EMPTIED, Cause.UNREADABLE})
WRONG = frozenset({Cause.FORMAT, Cause.TURNED_AWAY})  #: what the connector says of it, to us or to its caller

MUTATIONS = (
    Mutation("renamed field", LOST | WRONG, each_row(_any, _rename), lambda s: s.any is not None, _any),
    Mutation(
        "moved node",
        LOST | WRONG | {Cause.TYPE},
        each_row(_any, _move),
        lambda s: s.any is not None and not {Table, Mail} & s.kinds,
        _any,
    ),
    Mutation("dropped field", LOST | WRONG, each_row(_text, _drop), lambda s: s.text is not None, _text),
    Mutation(
        "null text",
        LOST | WRONG,
        each_row(_text, to(lambda v, s: None)),
        lambda s: s.text is not None and Xml not in s.kinds,
        _text,
    ),
    Mutation("empty text", LOST | WRONG, each_row(_text, to(lambda v, s: "")), lambda s: s.text is not None, _text),
    Mutation(
        "text becomes an object",
        frozenset({Cause.TYPE}) | LOST | WRONG,
        each_row(_text, to(lambda v, s: {"content": v})),
        lambda s: s.text is not None and _is_json(s),
        _text,
    ),
    Mutation(
        "new date format",
        frozenset({Cause.TIME_FORMAT, Cause.UNREADABLE}) | LOST | WRONG,
        each_row(_time, to(_other_form)),
        lambda s: s.time is not None,
        _time,
    ),
    Mutation(
        "epoch in another unit",
        frozenset({Cause.TIME_UNIT, Cause.TIME_FORMAT}),
        each_row(_time, to(_other_unit)),
        _unit_fits,
        _time,
    ),
    Mutation(
        "zone shift",
        frozenset({Cause.TIME_SHIFT}),
        each_row(_time, to(_shifted)),
        lambda s: s.time is not None and s.has_clock,
        _time,
    ),
    Mutation(
        "HTML in the text",
        frozenset({Cause.HTML}),
        each_row(_text, to(lambda v, s: f"<div class='w'>{v}</div>")),
        lambda s: s.text is not None and bool({Json, Mail} & s.kinds) and not s.is_html,
        _text,
    ),
    Mutation(
        "lengths cut",
        frozenset({Cause.CUT}),
        each_row(_text, to(lambda v, s: v[:3] if isinstance(v, str) else v)),
        lambda s: s.is_long and not s.is_html and Xml not in s.kinds,
        _text,
    ),
    Mutation(
        "text garbled", frozenset({Cause.DAMAGED}), each_row(_text, to(_garbled)), lambda s: s.text is not None, _text
    ),
    Mutation(
        "fields swapped",
        frozenset({Cause.SWAPPED, Cause.TYPE, Cause.TIME_FORMAT}),
        each_row(_text, _swap),
        lambda s: s.text is not None and s.other is not None and s.other == s.time,
        _text,
    ),
    Mutation(
        "ids reused",
        frozenset({Cause.ID_REUSED, Cause.TWICE}),
        rows_changed(_reused),
        lambda s: s.id is not None and s.rows > 2 and not s.keyed,
    ),
    Mutation("GBK for UTF-8", frozenset({Cause.ENCODING}), _gbk, lambda s: s.one_encoding and s.is_http),
    Mutation("log-in page", frozenset({Cause.LOG_IN}), whole(LOG_IN, "text/html; charset=utf-8"), _is_http),
    Mutation(
        "maintenance page",
        frozenset({Cause.NOT_DATA, Cause.NO_ROWS}) | WRONG,
        whole(BUSY, "text/html; charset=utf-8"),
        _is_http,
    ),
    Mutation("empty list", frozenset({Cause.NO_ROWS}) | LOST, rows_changed(_no_rows), lambda s: s.rows > 1),
    Mutation("doubled rows", frozenset({Cause.TWICE}), rows_changed(_doubled), lambda s: s.rows > 1 and not s.keyed),
    Mutation("order reversed", frozenset({Cause.ORDER}), rows_changed(_reversed), lambda s: s.rows > 2 and s.in_order),
    Mutation(
        "cut off",
        frozenset({Cause.BROKEN}) | LOST | WRONG,
        _cut_off,
        lambda s: s.rows > 0 and not {Lines, Table} & s.kinds,
    ),
    Mutation(
        "error body with 200", frozenset({Cause.ERROR_BODY, Cause.NOT_DATA}), whole(ERROR, "application/json"), _is_http
    ),
    Mutation("empty answer", frozenset({Cause.BROKEN, Cause.NOT_DATA}), whole("", "text/plain"), _is_http),
    Mutation("every page the same", frozenset({Cause.SAME_PAGE}), _same_page, lambda s: s.pages > 1 and s.is_http),
    Mutation("envelope renamed", LOST | WRONG, _tops, _is_json),
    Mutation("new envelope", LOST | WRONG, _wrapped, _is_json, late=True),
    Mutation("encoded once too often", LOST | WRONG | {Cause.TYPE}, _as_text, _is_json, late=True),
    Mutation(
        "times without a year",
        frozenset({Cause.TIME_FORMAT, Cause.UNREADABLE}) | LOST | WRONG,
        each_row(_time, to(_without_year)),
        lambda s: s.time is not None and s.has_clock,
        _time,
        late=True,
    ),
    Mutation(
        "ids become objects",
        frozenset({Cause.TYPE, Cause.UNREADABLE}) | LOST | WRONG,
        each_row(lambda s: s.id, to(lambda v, s: {"value": v})),
        lambda s: s.id is not None and _is_json(s),
        lambda s: s.id,
        late=True,
    ),
    Mutation(
        "texts replaced by a link",
        frozenset({Cause.TYPE}),
        each_row(_text, to(lambda v, s: "https://city.example/app/open?letter=1")),
        lambda s: s.text is not None,
        _text,
        late=True,
    ),
)
