"""Rows of an answer, whatever it is written in, so that one mutation fits every channel."""

from __future__ import annotations

import csv
import email
import io
import re
from collections.abc import Iterator
from copy import deepcopy
from email.header import Header
from email.policy import compat32
from typing import Any

import msgspec

from connectors.channels.mailbox_mime import read_mail
from connectors.reading.encoding import text_of
from connectors.reading.times import moment_of

Row = dict[str, Any]
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WRAPPED = re.compile(r"^[^{\[<]{0,80}?[(=]\s*(?=[{\[])|^\s*(?=[{\[])")
_TAG = re.compile(r"<(?P<tag>[\w:]+)(?P<attributes>[^<>]*?)(?:/>|>(?P<inner>.*?)</(?P=tag)>)", re.DOTALL)
_ROW_TAGS = ("item", "entry", "request", "tr", "li")


class Document:
    """One answer. `rows` are changed in place; `body` writes it down again, in its own encoding."""

    rows: list[Row]

    def __init__(self, body: bytes) -> None:
        self.text = text_of(body)
        self.encoding = (
            "utf-8" if self.text.encode("utf-8", "replace") == body.removeprefix(b"\xef\xbb\xbf") else "gb18030"
        )

    def body(self) -> bytes:
        return self.written().encode(self.encoding, "replace")

    def written(self) -> str:
        raise NotImplementedError


class Json(Document):
    """An answer of JSON, or of JSON in a script's clothes."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        wrapped = _WRAPPED.match(self.text)
        start = wrapped.end() if wrapped else 0
        end = max(self.text.rfind("}"), self.text.rfind("]")) + 1
        self._before, self._after = self.text[:start], self.text[end:]
        self.value: Any = msgspec.json.decode(self.text[start:end])
        self._holder = max(_holders(self.value), key=lambda holder: _weight(_rows_of(holder)), default=None)
        self.rows = list(_rows_of(self._holder)) if self._holder is not None else []
        self.keyed = isinstance(self._holder, dict)
        single = max(_objects(self.value), key=lambda each: _weight([each]), default=None)
        if single is not None and _weight([single]) > 2 * _weight(self.rows):
            self._holder, self.rows = None, [single]  # one item, told by itself

    def set_rows(self, rows: list[Row]) -> None:
        holder = self._holder
        if isinstance(holder, list):
            holder[:] = rows
        elif isinstance(holder, dict):
            names = list(holder)
            holder.clear()
            holder.update({names[n] if n < len(names) else str(10**8 + n): row for n, row in enumerate(rows)})

    def written(self) -> str:
        return self._before + msgspec.json.encode(self.value).decode() + self._after


class Lines(Document):
    """JSON lines."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._lines = self.text.splitlines()
        self.rows = [msgspec.json.decode(line) for line in self._lines if _is_object(line)]

    def set_rows(self, rows: list[Row]) -> None:
        self.rows = rows

    def written(self) -> str:
        written = [msgspec.json.encode(row).decode() for row in self.rows]
        for number, line in enumerate(self._lines):
            if not _is_object(line):
                written.insert(number, line)
        return "\n".join(written)


class Xml(Document):
    """A feed, or another page of rows with tags in them."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        named = next((tag for tag in _ROW_TAGS if re.search(rf"<{tag}[\s>]", self.text)), None)
        self._row = re.compile(rf"(<{named}(?:\s[^>]*)?>)(.*?)(</{named}>)", re.DOTALL)
        found = list(self._row.finditer(self.text)) if named else []
        self.rows = [{match["tag"]: match["inner"] or "" for match in _TAG.finditer(each[2])} for each in found]
        self._heads = [each[1] for each in found]
        self._tail = found[0][3] if found else ""
        self._attributes = {m["tag"]: m["attributes"] for each in found for m in _TAG.finditer(each[2])}

    def set_rows(self, rows: list[Row]) -> None:
        self.rows = rows

    def written(self) -> str:
        made = [self._one(number, row) for number, row in enumerate(self.rows)]
        spans = [match.span() for match in self._row.finditer(self.text)]
        return self.text[: spans[0][0]] + "\n".join(made) + self.text[spans[-1][1] :] if spans else self.text

    def _one(self, number: int, row: Row) -> str:
        inner = "".join(_tagged(tag, self._attributes.get(tag, ""), value) for tag, value in row.items())
        return self._heads[min(number, len(self._heads) - 1)] + inner + self._tail


class Table(Document):
    """CSV."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        lines = self.text.splitlines(keepends=True)
        filled = [sum(1 for cell in next(csv.reader([line])) if cell) for line in lines]
        head = filled.index(max(filled))  # the line of names has no empty cell
        self._title = "".join(lines[:head])  #: above the names
        self._names = next(csv.reader([lines[head]]))
        self.rows = list(csv.DictReader(io.StringIO("".join(lines[head:]))))

    def set_rows(self, rows: list[Row]) -> None:
        self.rows = rows

    def written(self) -> str:
        names = list(dict.fromkeys(name for row in self.rows for name in row)) or self._names
        out = io.StringIO()
        writer = csv.DictWriter(out, names, restval="")
        writer.writeheader()
        writer.writerows(self.rows)
        return self._title + out.getvalue()


class Mail(Document):
    """One mail: its headers, and its plain text as `text`."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._mail = email.message_from_bytes(body, policy=compat32)
        told = read_mail(body, size=len(body))
        self.rows = [{name: self._mail[name] for name in ("Message-ID", "Date") if name in self._mail}]
        self.rows[0] |= {"Subject": told.subject} if told.subject else {}
        self.rows[0] |= {"text": told.text} if told.text else {}
        self._before = dict(self.rows[0])

    def set_rows(self, rows: list[Row]) -> None:
        self.rows = rows

    def body(self) -> bytes:
        """What was not changed stays as it came."""
        mail, row = deepcopy(self._mail), self.rows[0]
        for name in self._before.keys() | row.keys():
            value = row.get(name)
            if value == self._before.get(name):
                continue
            if name == "text":
                part = _plain(mail)
                del part["Content-Transfer-Encoding"]
                part.set_payload(str(value or ""), "utf-8")
                continue
            del mail[name]
            if value is not None:
                mail[name] = str(value) if str(value).isascii() else Header(str(value), "utf-8").encode()
        return mail.as_bytes()


def _plain(mail: Any) -> Any:
    return next(part for part in mail.walk() if part.get_content_type() == "text/plain")


def document_of(body: bytes) -> Json | Lines | Xml | Table | Mail | None:
    """Read an answer; None: it is written in a way of its own, and only whole answers are changed."""
    text = text_of(body).lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        made: Any = Xml(body)
        return made if made.rows else None
    if re.match(r"(?:[A-Z][\w-]*: .*\r?\n(?:[ \t].*\r?\n)*)+\r?\n", text):
        return Mail(body)
    kinds: tuple[type[Json | Lines], ...] = (Json, Lines)
    for kind in kinds:
        try:
            found = kind(body)
            if found.rows or kind is Json:
                return found
        except (msgspec.DecodeError, ValueError):
            continue
    first = text.splitlines()[0] if text else ""
    return Table(body) if "," in first and "{" not in first else None


def fields_of(rows: list[Row], zone: str, ids: set[str]) -> dict[str, list[str]]:
    """Which fields are texts, times and ids, by looking at them; texts with the longest first."""
    found: dict[str, list[str]] = {"text": [], "time": [], "id": []}
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        values = [row[name] for row in rows if row.get(name) not in (None, "")]
        if len(values) < 0.6 * len(rows) or not values:
            continue
        if all(isinstance(value, str) and len(_HAN.findall(value)) >= 4 for value in values):
            found["text"].append(name)
        elif all(_is_time(value, zone) for value in values):
            found["time"].append(name)
        elif all(str(value) in ids for value in values):
            found["id"].append(name)
    found["text"].sort(key=lambda name: -sum(len(str(row.get(name) or "")) for row in rows))
    return found


def _is_time(value: Any, zone: str) -> bool:
    if isinstance(value, int):
        return 10**9 < value < 2 * 10**9 or 10**12 < value < 2 * 10**12
    return isinstance(value, str) and len(value) >= 8 and moment_of(value, zone) is not None


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, list) and any(isinstance(row, dict) for row in value):
        yield value
    if isinstance(value, dict):
        if value and all(isinstance(row, dict) for row in value.values()) and all(k.isdecimal() for k in value):
            yield value
        for part in value.values():
            yield from _holders(part)


def _objects(value: Any) -> Iterator[Row]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _objects(part)


def _rows_of(holder: Any) -> list[Row]:
    return [row for row in (holder if isinstance(holder, list) else holder.values()) if isinstance(row, dict)]


def _weight(rows: list[Row]) -> int:
    return sum(len(_HAN.findall(value)) for row in rows for value in row.values() if isinstance(value, str))


def _is_object(line: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except msgspec.DecodeError:
        return False


def _tagged(tag: str, attributes: str, value: Any) -> str:
    if isinstance(value, dict):
        value = "".join(_tagged(name, "", part) for name, part in value.items())
    return f"<{tag}{attributes}>{value}</{tag}>"
