"""Bytes -> rows, and what the answer says of the next page. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from connectors.base import Response
from connectors.channels.http_json.html import ROWS, html_in
from connectors.channels.http_json.paths import look, scope_of
from connectors.channels.http_json.plan import Call, Errors, Match, Plan, Scalar
from connectors.channels.http_json.shapes import csv_in, decoded, js_in, json_in, xml_in
from connectors.channels.http_json.templates import written
from connectors.errors import AccessDenied, ConnectorError, FormatChanged, RateLimited, SourceDown

PATIENCE = 30.0  #: seconds, where a source asks for patience and does not say how long
_NEXT_LINK = re.compile(r"<([^>]*)>\s*(?:;[^,<]*)?;\s*rel\s*=\s*\"?[^\",;]*\bnext\b", re.IGNORECASE)
DEEPEST = 50  #: replies to replies
HEADERS = "@headers."
KEY = "@key"  #: what a row stands under, where rows stand under their ids


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One row, and what it hangs under."""

    row: Any
    root: Any = None
    parent: Any = None
    index: int = 0  #: its place in the answer


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One page of one call."""

    body: Any
    rows: tuple[Found, ...]
    roots: tuple[Any, ...]  #: the rows without those that are nested in them
    link: str | None = None
    headers: Mapping[str, str] = {}
    fetched_at: datetime

    def at(self, path: str) -> Any:  # noqa: ANN401
        """Look into the answer, or with `@headers.x-total-count` at what stands above it."""
        return told(self.body, self.headers, path)


def told(body: Any, headers: Mapping[str, str], path: str) -> Any:  # noqa: ANN401
    """Look into a body, or at its headers."""
    return headers.get(path.removeprefix(HEADERS).lower()) if path.startswith(HEADERS) else look(body, path)


def parse(response: Response, plan: Plan, call: Call, where: str) -> Answer:
    """Read one answer."""
    body = body_of(response, plan, call, where)
    if body is EMPTY:
        return Answer(body=None, rows=(), roots=(), fetched_at=response.fetched_at)
    rows = body[ROWS] if call.shape == "html" else look(body, call.rows or "")
    if rows is None and call.rows_may_miss:
        rows = []
    if call.shape == "xml" and rows is not None and not isinstance(rows, list):
        rows = [rows] if rows else []  # one element alone
    if isinstance(rows, dict):  # by id, as some write a list
        rows = [{KEY: key, **row} if isinstance(row, dict) else row for key, row in rows.items()]
    if not isinstance(rows, list):
        raise FormatChanged(f"{where} answered without a list at {call.rows or 'its top'}; check `rows`")
    if call.columns is not None:
        rows = _with_names(rows, look(body, call.columns), call.columns, where)
    flat = tuple(
        msgspec.structs.replace(found, index=index)
        for index, found in enumerate(found for row in rows for found in _flat(row, call.children))
    )
    link = _link(response, body, call, where)
    at = response.fetched_at
    return Answer(body=body, rows=flat, roots=tuple(rows), link=link, headers=response.headers, fetched_at=at)


def _with_names(rows: list[Any], names: Any, path: str, where: str) -> list[Any]:  # noqa: ANN401
    """Rows that are lists, whose names stand in another place: once for all of them."""
    if not isinstance(names, list):
        raise FormatChanged(f"{where} answered without a list at {path}; check `columns`")
    heads = [written(each.get("name")) if isinstance(each, dict) else written(each) for each in names]
    return [dict(zip(heads, row, strict=False)) if isinstance(row, list) else row for row in rows]


class Gone(FormatChanged):
    """What was asked for is not there (any more): a row was taken back, a list has moved."""


_READ = {"json": json_in, "js": js_in, "xml": xml_in, "csv": csv_in}
EMPTY = object()  #: the answer is an error that means: no rows


def body_of(response: Response, plan: Plan, call: Call, where: str) -> Any:  # noqa: ANN401
    """Decode an answer, and raise what it says is wrong."""
    text = decoded(response, plan.encoding, html=call.shape == "html")
    if call.shape == "text":
        return text
    if not text.strip():
        raise SourceDown(f"{where} answered nothing at all; it is asked again")
    body, doubt = html_in(text, call, where) if call.shape == "html" else (_READ[call.shape](text, where), None)
    for errors in plan.errors if call.errors is None else call.errors:
        meaning = _meaning(errors, body)
        if meaning == "empty":
            return EMPTY
        if meaning == "gone":
            raise Gone(f"{where} says that it is gone ({errors.path}); find its new address")
        if meaning is not None:
            raise _error(meaning, where, look(body, errors.path), errors)
    if doubt is not None:
        raise doubt
    return body


def among(value: object, values: tuple[Scalar, ...]) -> bool:
    """Compare as people would write it: 0 is "0", true is "true"."""
    return written(value) in {written(each) for each in values} if not isinstance(value, dict | list) else False


def _meaning(errors: Errors, body: Any) -> str | None:  # noqa: ANN401
    value = look(body, errors.path)
    if (value is None and errors.absent_ok) or (value is not None and among(value, errors.ok)):
        return None
    for meaning in ("denied", "busy", "down", "empty", "gone"):
        if value is not None and among(value, getattr(errors, meaning)):
            return meaning
    message = look(body, errors.message) if errors.message is not None else None
    if isinstance(message, str):
        for meaning, words in errors.words.items():
            if any(word.lower() in message.lower() for word in words):
                return meaning
    return "unknown"


def _error(meaning: str, where: str, value: object, errors: Errors) -> ConnectorError:
    # A short code may be shown; anything longer could be a citizen's words.
    code = written(value) if isinstance(value, str | int | float) else "none"
    told = f"{errors.path} = {code}" if re.fullmatch(r"[\w.-]{1,24}", code, re.ASCII) else errors.path
    if meaning == "denied":
        return AccessDenied(f"{where} refuses ({told}); renew the key or the permission, then resume the source")
    if meaning == "busy":
        return RateLimited(f"{where} asks for patience ({told})", PATIENCE)
    if meaning == "down":
        return SourceDown(f"{where} says that it is not ready ({told}); it is asked again")
    return FormatChanged(f"{where} answered an error ({told}); look it up, then add it to `errors`")


def _flat(row: Any, children: tuple[str, ...], above: tuple[Any, ...] = ()) -> Iterator[Found]:  # noqa: ANN401
    """Rows and those nested in them, each without its own children."""
    if not isinstance(row, dict) or not children or len(above) > DEEPEST:
        yield _found(row, above)
        return
    heads = {path.partition(".")[0] for path in children}
    bare = {name: value for name, value in row.items() if name not in heads}
    yield _found(bare, above)
    for path in children:
        nested = look(row, path)
        parts = nested.values() if isinstance(nested, dict) else nested if isinstance(nested, list) else []
        for part in parts:
            yield from _flat(part, children, (*above, bare))


def _found(row: Any, above: tuple[Any, ...]) -> Found:  # noqa: ANN401
    return Found(row=row, root=above[0] if above else None, parent=above[-1] if above else None)


def _link(response: Response, body: Any, call: Call, where: str) -> str | None:  # noqa: ANN401
    if call.paging.kind != "link":
        return None
    if call.paging.next is None:
        match = _NEXT_LINK.search(response.headers.get("link", ""))
        return match[1] if match else None
    link = told(body, response.headers, call.paging.next)
    if link is None or link == "":
        return None
    if not isinstance(link, str):
        raise FormatChanged(f"{where} answered without an address at {call.paging.next}; check `paging.next`")
    return link


def number_at(answer: Answer, path: str | None, where: str) -> int | None:
    """Read a count that the plan names."""
    if path is None:
        return None
    value = answer.at(path)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 15:  # noqa: PLR2004  what a float holds
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatChanged(f"{where} answered without a number at {path}; check `paging`")
    return value


def says_no(value: object) -> bool:
    """None, false, 0, "" and their like."""
    return value in (None, False, 0, "", "0", "false", "False", "N", "n", "否") or value in ([], {})


def fits(match: Match, row: Any, of: Mapping[str, Any]) -> bool:  # noqa: ANN401
    """Does a Match of the plan apply to this row?"""
    value = value_at(row, match.path, of)
    if match.same is not None and (value is None or value != value_at(row, match.same, of)):
        return False
    if match.like is not None and (isinstance(value, dict | list) or not re.search(match.like, written(value))):
        return False
    if match.among is not None:
        return among(value, match.among)
    return match.same is not None or match.like is not None or not says_no(value)


def value_at(row: Any, path: str, of: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Look into the row, or into what was captured of its surroundings."""
    return of.get(path) if scope_of(path) is not None else look(row, path)
