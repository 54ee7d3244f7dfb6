"""Answers of a GeoReport server: JSON or XML, wrapped or not, and the errors that stand in the place of rows. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from connectors.base import BadItem, Item, Response
from connectors.errors import AccessDenied, ConnectorError, FormatChanged, RateLimited, SourceDown
from connectors.raw_appeal import Mode
from connectors.reading.encoding import decoded, html_answer, text_of, xml_of
from connectors.reading.times import moment_of
from connectors.reading.xml import local, root_of
from connectors.source import Source

#: What the citizen said; status, notes, agency and the other times may change in place.
CONTENT = (
    "service_code",
    "service_name",
    "description",
    "address",
    "address_id",
    "zipcode",
    "lat",
    "long",
    "media_url",
)
PATIENCE = 30.0
#: Numbers as the standard's own sample has them: "service_code":006.
_LEADING_ZERO = re.compile(r"(?<=[:\[,])(\s*)(-?0\d+(?:\.\d+)?)(?=\s*[,\]}])")
_WRAPPERS = ("service_requests", "requests", "request", "data")


def rows_of(response: Response, where: str) -> list[Any]:
    """Read the rows of one answer, all scalars as text: XML and JSON say the same."""
    content_type = response.headers.get("content-type", "")
    if response.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        rows = _xml_rows(xml_of(response.body, content_type), where)
    else:
        rows = _json_rows(text_of(response.body, content_type), where)
    if (error := _error_in(rows, response.status, where)) is not None:
        raise error
    return rows


def read_row(row: Any, settings: Source) -> Item | BadItem:  # noqa: ANN401  whatever the server sent
    """Read one request; what says nothing is left out of it."""
    payload = msgspec.json.encode(row)
    native_id = row.get("service_request_id") if isinstance(row, dict) else None
    if not isinstance(native_id, str):
        reason = "the row has no service_request_id" if isinstance(row, dict) else "the row is not an object"
        digest = hashlib.blake2b(payload, digest_size=9).hexdigest()
        return BadItem(native_id=f"row-{digest}", payload=payload, reason=reason)
    wrong = [name for name in ("requested_datetime",) if moment_of(row.get(name), settings.zone) is None]
    if wrong:
        return BadItem(native_id=native_id, payload=payload, reason=f"{wrong[0]} is not a time")
    if not (row.get("description") or row.get("service_name")):
        return BadItem(native_id=native_id, payload=payload, reason="the row has neither description nor service_name")
    # In mode `follow` the source's own unit stands: another one is news.
    names = (*CONTENT, "agency_responsible") if settings.mode is Mode.FOLLOW else CONTENT
    attributes = msgspec.json.encode(row["extended_attributes"]).decode() if row.get("extended_attributes") else ""
    return Item(
        native_id=native_id, payload=payload, content=(*(_written(row.get(name)) for name in names), attributes)
    )


def _json_rows(text: str, where: str) -> list[Any]:
    bare = text.lstrip("\ufeff \t\r\n")
    try:
        body = decoded(bare)
    except msgspec.DecodeError:
        try:
            body = decoded(_LEADING_ZERO.sub(r'\1"\2"', bare))
        except msgspec.DecodeError as error:
            raise FormatChanged(
                f"{where} answered {len(text)} characters that are no JSON ({error}); check `url`"
            ) from error
    rows = _unwrapped(body)
    if rows is None:
        raise FormatChanged(f"{where} answered JSON without a list of requests; check `url`")
    return [_plain(row) for row in rows]


def _unwrapped(body: Any) -> list[Any] | None:  # noqa: ANN401
    """A list, or objects around it, or lists around that: [[{…}]], {"service_requests": {"request": […]}}."""
    for _ in range(4):
        if isinstance(body, list) and len(body) == 1 and isinstance(body[0], list):
            body = body[0]
        elif isinstance(body, dict):
            inner = [body[name] for name in (*_WRAPPERS, "errors", "error") if isinstance(body.get(name), list | dict)]
            body = inner[0] if inner else [body] if {"code", "service_request_id"} & body.keys() else None
        else:
            break
    if isinstance(body, list):
        return [
            row["request"] if isinstance(row, dict) and isinstance(row.get("request"), dict) else row for row in body
        ]
    return None


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Scalars as trimmed text; what says nothing is not there."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if part not in (None, "", [], {})}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return _written(value)


def _written(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else msgspec.json.encode(value).decode()


def _xml_rows(text: str, where: str) -> list[Any]:
    root = root_of(text, where, "`url`")
    name = local(root.tag)
    if name.lower() == "html":
        raise html_answer(text, where)
    if name not in {"service_requests", "requests", "errors"}:
        raise FormatChanged(f"{where} answered XML that is not GeoReport's; check `url`")
    return [_element(each) for each in root]


def _element(element: ET.Element) -> Any:  # noqa: ANN401
    """An element as JSON would have it; those that are empty are not there."""
    if len(element) == 0:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for each in element:
        name, value = local(each.tag), _element(each)
        if value in ("", {}):
            continue
        found[name] = (
            [*(found[name] if isinstance(found[name], list) else [found[name]]), value] if name in found else value
        )
    return found


def _error_in(rows: list[Any], status: int, where: str) -> ConnectorError | None:
    """Errors come as rows of a code and a description, some of them with HTTP 200."""
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    is_error = "code" in first and "service_request_id" not in first
    if not is_error and status // 100 == 2:  # noqa: PLR2004  the class of success
        return None
    code = first.get("code", "") if is_error else str(status)
    code = code if re.fullmatch(r"\d{3}", str(code)) else "none"
    if code in {"401", "403"}:
        return AccessDenied(f"{where} refuses (code {code}); put a valid api_key into the variable of `key_env`")
    if code == "429":
        return RateLimited(f"{where} asks for patience (code {code})", PATIENCE)
    if code.startswith("5"):
        return SourceDown(f"{where} says that it failed (code {code}); it is asked again")
    return FormatChanged(f"{where} refuses the question (code {code}); check `url` and `jurisdiction_id`")
