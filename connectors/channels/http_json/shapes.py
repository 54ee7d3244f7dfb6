"""What stands around or in the place of JSON: JSONP, `var x = …`, objects as JavaScript writes them. Pure."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import Any

import msgspec

from connectors.base import Response
from connectors.errors import FormatChanged
from connectors.reading.encoding import decoded as data_of
from connectors.reading.encoding import encoding_named, html_answer, text_of
from connectors.reading.xml import element_in

#: How it begins: jsonp_12({…});   var data = {…};   /**/cb([…]). Nothing is read twice (`++`): a source may be hostile.
_WRAPPED = re.compile(
    r"\s*+(?>/\*.*?\*/\s*+)*+(?:(?P<call>(?:try\s*+\{\s*+)?+[\w$.]++\s*+\()|(?:var|let|const)\s++[\w$.]++\s*+=)",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[{}\[\],:])"""
    r"""|'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)\""""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w$])|(?P<name>[\w$]+))""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_WORDS = {"true": True, "false": False, "null": None, "undefined": None, "NaN": None}
_META = re.compile(rb"""<meta\b[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,20})""", re.IGNORECASE)
DEEPEST = 100


def decoded(response: Response, encoding: str | None, *, html: bool = False) -> str:
    """Decode by what the settings say, else by looking; a page of HTML may say itself how it is written."""
    if encoding is not None:
        return response.body.decode(encoding_named(encoding), "replace")
    told = response.headers.get("content-type", "")
    if html and "charset" not in told.lower() and (match := _META.search(response.body[:4096])) is not None:
        told = f"text/html; charset={match[1].decode('ascii')}"
    return text_of(response.body, told)


def json_in(text: str, where: str) -> Any:  # noqa: ANN401  the plan looks into it
    """Read JSON, also where it is wrapped."""
    bare = text.lstrip("\ufeff \t\r\n")
    try:
        return data_of(bare)
    except msgspec.DecodeError as error:
        inner = _unwrapped(bare)
        if inner is not None:
            try:
                return data_of(inner.strip())
            except msgspec.DecodeError:
                pass
        raise _not_data(text, where, str(error)) from error


def js_in(text: str, where: str) -> Any:  # noqa: ANN401
    """Read an object as JavaScript writes it: bare keys, single quotes, commas at the end."""
    tokens = _Tokens(_unwrapped(text) or text)
    try:
        value = tokens.value(0)
    except ValueError as error:
        raise _not_data(text, where, str(error)) from error
    return value


def xml_in(text: str, where: str) -> Any:  # noqa: ANN401
    """Read XML; what stands below its root."""
    return element_in(text, where, "`url`")


def csv_in(text: str, where: str) -> list[dict[str, str]]:
    """Read CSV by the names in its first line."""
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise html_answer(text, where)
    lines = csv.reader(StringIO(text.lstrip("\ufeff"), newline=""))
    try:
        names = [name.strip() for name in next(lines, [])]
        return [dict(zip(names, line, strict=False)) for line in lines if any(line)]
    except csv.Error as error:
        raise FormatChanged(f"{where} answered what is not CSV to its end ({error}); check `url`") from error


def _unwrapped(text: str) -> str | None:
    match = _WRAPPED.match(text)
    if match is None:
        return None
    if match["call"] is None:
        return text[match.end() :].rstrip().removesuffix(";")
    return text[match.end() : max(text.rfind(")"), match.end())] or None


def _not_data(text: str, where: str, error: str) -> Exception:
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        return html_answer(text, where)
    # The parser's own words name a place, never what stands there.
    return FormatChanged(
        f"{where} answered {len(text)} characters that cannot be read ({error}); "
        "look at the address in a browser, then mend the settings"
    )


class _Tokens:
    """Reads values one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self, depth: int) -> Any:  # noqa: ANN401
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        token = self._next()
        match token.lastgroup:
            case "mark" if token["mark"] == "{":
                return self._object(depth)
            case "mark" if token["mark"] == "[":
                return self._list(depth)
            case "single" | "double":
                return _unescaped(token[token.lastgroup])
            case "number":
                return _number(token["number"])
            case "name" if token["name"] in _WORDS:
                return _WORDS[token["name"]]
            case _:
                raise ValueError(f"a value is missing (character {self._at})")

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._ends("}"):
            token = self._next()
            if token.lastgroup not in {"single", "double", "number", "name"}:
                raise ValueError(f"a name is missing (character {self._at})")
            name = token[token.lastgroup]
            self._must(":")
            found[_unescaped(name)] = self.value(depth + 1)
            if not self._ends(",", peek="}"):
                raise ValueError(f"a comma is missing (character {self._at})")
        return found

    def _list(self, depth: int) -> list[Any]:
        found = []
        while not self._ends("]"):
            found.append(self.value(depth + 1))
            if not self._ends(",", peek="]"):
                raise ValueError(f"a comma is missing (character {self._at})")
        return found

    def _next(self) -> re.Match[str]:
        token = _TOKEN.match(self._text, self._at)
        if token is None:
            raise ValueError(f"it ends or is broken (character {self._at})")
        self._at = token.end()
        return token

    def _ends(self, mark: str, *, peek: str | None = None) -> bool:
        """Take this mark if it comes next; `peek` is as good and stays."""
        token = _TOKEN.match(self._text, self._at)
        if token is None or token["mark"] is None:
            return False
        if token["mark"] == mark:
            self._at = token.end()
            return True
        return token["mark"] == peek

    def _must(self, mark: str) -> None:
        if not self._ends(mark):
            raise ValueError(f"{mark} is missing (character {self._at})")


def _number(written: str) -> int | float:
    try:
        return int(written)
    except ValueError:
        return float(written)


def _unescaped(written: str) -> str:
    if "\\" not in written:
        return written
    # An emoji is written as two halves; one half alone is no text.
    return _ESCAPE.sub(_letter, written).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _letter(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPED.get(code, code)
