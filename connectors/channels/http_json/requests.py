"""The plan of a call, and what is known by now -> a request. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit
from zoneinfo import ZoneInfo

import msgspec

from connectors.base import Request
from connectors.channels.http_json import templates
from connectors.channels.http_json.plan import Call, Paging, Plan, Times
from connectors.channels.http_json.settings import HttpJsonSettings


def request_of(
    call: Call, plan: Plan, settings: HttpJsonSettings, values: Mapping[str, Any], link: str | None = None
) -> Request:
    """Write one request; `link` is a next address that the source gave.

    The source's headers, which may hold its key, are for its own host; a call to another one has only its own.
    """
    url = address(call, settings, values)
    shared = _authorization(settings, values) | templates.table(plan.headers, values)
    own = templates.table(call.headers, values)
    headers = (shared if _is_of(url, settings.url) else {}) | own
    if link is not None:
        led = urljoin(url, link)
        return Request(url=led, headers=headers if _is_of(led, url) else {})
    body = None
    if call.json is not None:
        body = msgspec.json.encode(templates.body(call.json, values))
        headers = {"Content-Type": "application/json"} | headers
    elif call.form:
        body = urlencode(templates.table(call.form, values), encoding=call.form_encoding, errors="replace").encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    query = templates.table(call.query, values)
    return Request(url=url, query=query, headers=headers, method=call.method, body=body)


def address(call: Call, settings: HttpJsonSettings, values: Mapping[str, Any]) -> str:
    """Where a call goes; a path that is one place alone, such as {row.link}, is an address that the source gave."""
    if templates.is_place(call.path):
        return urljoin(f"{settings.url.rstrip('/')}/", templates.text(call.path, values) or "")
    path = templates.text(call.path, values, quoted=True) or ""
    return path if path.startswith(("http://", "https://")) else settings.url + path


def paging_values(paging: Paging, token: Any) -> dict[str, Any]:  # noqa: ANN401  a place in the source's own words
    """What the templates may ask for, at this place of the list."""
    values: dict[str, Any] = {"size": paging.size}
    if paging.kind in {"page", "offset"}:
        values[paging.kind] = paging.first if token is None else token
    elif paging.kind == "cursor":
        values["cursor"] = token if token is not None else next(iter(paging.start), None)
    elif paging.kind == "keyset":
        key = paging.start if token is None else token
        values |= {f"after{number}" if number > 1 else "after": value for number, value in enumerate(key, start=1)}
    return values


def time_written(moment: datetime | None, times: Times, zone: str) -> str | int | None:
    """Write {since} and {until} as the source wants them."""
    if moment is None:
        return None
    local = moment.astimezone(ZoneInfo(times.zone or zone))
    match times.format:
        case "s":
            return int(moment.timestamp())
        case "ms":
            return int(moment.timestamp() * 1000)
        case "iso":
            return local.isoformat(timespec="seconds")
        case form:
            return local.strftime(form)


def _is_of(url: str, home: str) -> bool:
    """The same host, asked in the same way."""
    return urlsplit(url)[:2] == urlsplit(home)[:2]


def _authorization(settings: HttpJsonSettings, values: Mapping[str, Any]) -> dict[str, str]:
    if not settings.basic:
        return {}
    pair = f"{values.get('user', '')}:{values.get('password', '')}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}
