"""What one reading looks like: which fields its answers hold, and what their values look like. Pure.

An answer of JSON is walked whole with a few rows of each list; of anything else (pages, feeds, tables) the rows that
the connector made of it are walked instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import msgspec

from connectors.base import Item, Request, Response
from connectors.reading.encoding import decoded, is_log_in_page, text_of, xml_of
from connectors.watching.values import Values

ROWS = 8  #: of a list that are looked at
FIELDS = 150  #: of one route
DEEP = 8
#: An object with so many keys, or with keys that are numbers, is a list by another name.
KEYS_OF_A_LIST = 40
#: Bytes of an answer whose encoding is looked at.
_SAMPLE = 64 * 1024
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_A_NAME = re.compile(r"(?!.*\d{5})[^\s，。,;；]{1,24}")
_JSONP = re.compile(r"^[^{\[<]{1,80}?[(=]\s*(?=[{\[])")
_ROWS = {"item", "entry", "request", "row", "record"}  #: what rows of XML are called
_ERROR_KEYS = {"error", "errors", "err", "errmsg", "errno", "errcode", "message", "msg", "exception", "code", "status"}


class Shape(msgspec.Struct):
    """One reading's answers of one route."""

    answers: int = 0
    objects: dict[str, int] = {}  #: how many objects stood at a path: what its fields are counted against
    fields: dict[str, Values] = {}
    facts: dict[str, dict[str, int]] = {}  #: of whole answers: kind, encoding, log-in page
    complains: bool = False  #: an object that speaks of an error

    def fact(self, name: str, value: str) -> None:
        values = self.facts.setdefault(name, {})
        values[value] = values.get(value, 0) + 1


def route_of(request: Request) -> str:
    """Name what was asked for without its ids and positions: a list is one route, its details another."""
    parts = urlsplit(request.url)
    path = "/".join("*" if any(c.isdigit() for c in step) else step for step in parts.path.split("/"))
    words = [*parse_qsl(parts.query), *request.query.items()]
    named = sorted({f"{name}={value}" for name, value in words if value.isalpha() and value.isascii()})
    return f"{request.method} {path} {' '.join(named)}".strip()[:160]


def look(shape: Shape, response: Response, zone: str) -> bool:
    """Take one answer in; False: it is not JSON, so its rows are to be looked at as the connector reads them."""
    shape.answers += 1
    shape.fact("status", str(response.status))
    if response.status != HTTPStatus.OK:
        return True  # what is gone has no fields
    body = response.body
    kind, value = _read(body, response.headers.get("content-type", ""))
    shape.fact("kind", kind)
    encoding = encoding_of(body)
    if encoding is not None:
        shape.fact("encoding", encoding)
    charset = _CHARSET.search(response.headers.get("content-type", ""))
    shape.fact("charset", charset[1].lower() if charset else "-")
    if kind == "html":
        shape.fact("log-in", "yes" if is_log_in_page(text_of(body[:_SAMPLE])) else "no")
    if kind not in {"json", "jsonp", "xml"}:
        return kind == "broken json"
    shape.complains = shape.complains or (isinstance(value, dict) and bool(_ERROR_KEYS & value.keys()))
    _Walk(shape, zone, response.fetched_at.timestamp()).value(value, "", 0)
    return True


def look_at_rows(shape: Shape, items: Iterable[Item], zone: str, now: float) -> None:
    """Take in what a connector read from pages that are not JSON."""
    rows = [decoded_payload(item.payload) for item in _some(list(items))]
    _Walk(shape, zone, now).value({"row": rows}, "", 0)


def decoded_payload(payload: bytes) -> Any:  # noqa: ANN401
    """A row as its connector wrote it: nearly always JSON."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return payload.decode("utf-8", "replace")


def encoding_of(body: bytes) -> str | None:
    """Name the encoding of an answer; None: plain ASCII fits every one."""
    some = body[:_SAMPLE]
    if some.isascii():
        return None
    if some.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for cut in range(4):
        try:
            some[: len(some) - cut].decode()
        except UnicodeDecodeError:
            continue
        return "utf-8"
    return "not utf-8"


def _read(body: bytes, content_type: str) -> tuple[str, Any]:
    """The kind of an answer, and its value where it is JSON."""
    head = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:200]
    if not head:
        return "empty", None
    if head.startswith(b"<"):
        is_html = re.match(rb"<(!doctype\s+html|html|head|body|div|script|form)", head, re.IGNORECASE)
        return ("html", None) if is_html else _read_xml(xml_of(body, content_type))
    if head.startswith((b"{", b"[")):
        try:
            return "json", msgspec.json.decode(body)  # nearly always: UTF-8, and nothing before it
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    text = text_of(body, content_type).lstrip("\ufeff \t\r\n")
    kind = "json"
    if not text.startswith(("{", "[")):
        wrapped = _JSONP.match(text)
        if wrapped is None:
            return "text", None
        kind, text = "jsonp", text[wrapped.end() :].rstrip("; \r\n\t)")
    try:
        return kind, decoded(text)
    except msgspec.DecodeError:
        lines = text.split("\n")
        is_lines = len(lines) > 1 and lines[0].startswith("{") and lines[0].rstrip().endswith("}")
        return ("json lines" if is_lines else "broken json"), None


def _read_xml(text: str) -> tuple[str, Any]:
    """XML as if it were JSON: rows are lists, also where there is one."""
    try:
        root = ET.fromstring(text)  # noqa: S314  expat bounds what entities grow to; nothing is fetched
        return "xml", {_name_of(root): _value_of(root)}
    except (ET.ParseError, RecursionError):
        return "broken xml", None


def _value_of(element: ET.Element) -> Any:  # noqa: ANN401
    if not len(element):
        return element.text
    below: dict[str, Any] = {}
    several: dict[str, list[Any]] = {}
    for child in element:
        name, value = _name_of(child), _value_of(child)
        if name in several:
            several[name].append(value)
        elif name in _ROWS or name in below:
            several[name] = [below[name], value] if name in below else [value]
            below[name] = several[name]
        else:
            below[name] = value
    return below


def _name_of(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


class _Walk:
    """Goes through one value."""

    def __init__(self, shape: Shape, zone: str, now: float) -> None:
        self._shape = shape
        self._zone = zone
        self._now = now
        self._before: dict[str, float] = {}  #: the value of the row before

    def value(self, value: Any, path: str, depth: int) -> None:  # noqa: ANN401
        if path == "" and not isinstance(value, dict):
            self._field("", value)
        if depth > DEEP:
            return
        if isinstance(value, list):
            self._list(value, path, depth)
        elif isinstance(value, dict):
            if len(value) > KEYS_OF_A_LIST or (value and all(key.isdecimal() for key in value)):
                self._list(list(value.values()), path, depth)
            else:
                self._object(value, path, depth)

    def _object(self, value: dict[str, Any], path: str, depth: int) -> None:
        objects = self._shape.objects
        objects[path] = objects.get(path, 0) + 1
        for key, part in value.items():
            # What no program would call a field may be a citizen's words, where the line of names is missing.
            name = key if _A_NAME.fullmatch(key) else "*"
            below = f"{path}.{name}" if path else name
            if self._field(below, part) and isinstance(part, dict | list):
                self.value(part, below, depth + 1)

    def _list(self, rows: list[Any], path: str, depth: int) -> None:
        values = self._shape.fields.get(path)
        if values is not None and rows and isinstance(rows[0], dict | list):
            values.rows += len(rows)
            values.twice += len(rows) - len({msgspec.json.encode(row) for row in rows})
        below = f"{path}[]"
        for field in [name for name in self._before if name.startswith(below)]:
            del self._before[field]
        for row in _some(rows):
            if isinstance(row, dict | list):
                self.value(row, below, depth + 1)
            else:
                self._field(below, row)

    def _field(self, path: str, value: Any) -> bool:  # noqa: ANN401
        values = self._shape.fields.get(path)
        if values is None:
            if len(self._shape.fields) >= FIELDS:
                return False
            values = self._shape.fields[path] = Values()
        place = values.add(value, self._zone, self._now)
        if place is not None:
            before = self._before.get(path)
            if before is not None:
                values.up += place > before
                values.down += place < before
            self._before[path] = place
        return True


def _some(rows: list[Any]) -> list[Any]:
    """A few rows, spread over all of them and in their order."""
    if len(rows) <= ROWS:
        return rows
    step = (len(rows) - 1) / (ROWS - 1)
    return [rows[round(number * step)] for number in range(ROWS)]
