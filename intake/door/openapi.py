"""The OpenAPI document of the door (接口文档), made from its tables and types: what it says is what is served."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from intake.door import departments, health
from intake.door.door import TABLES
from intake.door.routes import Route, Table

VERSION = "3.1.0"
_PATH = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{name}"
#: How callers of each table show who they are.
_SECURITY: Mapping[str, Sequence[Mapping[str, list[str]]]] = {
    "push_12345": ({"signature": []},),
    "open311_server": (),
    "app_intake": ({"bearer": []}, {"api_key": []}),
    "departments": ({"basic": []},),
}
_SCHEMES = {
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Sign",
        "description": "HMAC-SHA256 (hex) over X-App-Key, X-Timestamp, X-Nonce and the body, parted by line feeds; "
        "other ways as the source's settings say (`signature`)",
    },
    "bearer": {"type": "http", "scheme": "bearer"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "本单位的队列账号 · the department's login of the broker",
    },
}
_STATUSES = {
    200: "成功 · done",
    201: "已收妥 · stored",
    202: "已送达，结果在本单位队列里 · sent; what becomes of it comes by the department's queue",
    400: "内容不对 · not understood",
    401: "没有密钥或签名不对 · no key, or a signature that does not fit",
    403: "密钥不对，或不准 · the key is not known, or it may not be",
    404: "没有 · unknown",
    409: "先确认已取的 · acknowledge first",
    413: "太大 · too large",
    415: "不是可用的图片 · no picture that is taken",
    429: "太频繁，看 Retry-After · too many requests, see Retry-After",
    503: "稍后再发，看 Retry-After · send it again later, see Retry-After",
}
#: Callers whose requests name what they bring: an Idempotency-Key says nothing more.
_NAMED = frozenset({"push_12345", "departments"})
_IDEMPOTENT = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 128},
    "description": "同一个键再发是同一件 · sent again with the same key it is the same item",
}


def document(server: str = "") -> dict[str, Any]:
    """Make the whole document."""
    tables: dict[str, Table] = {"health": health.TABLE, **TABLES, "departments": departments.TABLE}
    kinds = [kind for table in tables.values() for route in table.routes for kind in _types(route)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    known = dict(zip(map(repr, kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for tag, table in tables.items():
        for route in table.routes:
            for path in (route.path, *route.also):
                paths.setdefault(path, {})[route.method.lower()] = _operation(tag, route, path, known)
    return {
        "openapi": VERSION,
        "info": {"title": "诉求接入口 · The door for appeals", "version": "1"},
        **({"servers": [{"url": server}]} if server else {}),
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def _types(route: Route) -> list[Any]:
    return [*route.takes.values(), *route.gives.values()]


def _operation(tag: str, route: Route, path: str, known: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PATH.findall(path)
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in route.query]
    parameters += [_IDEMPOTENT] if route.method == "POST" and tag not in _NAMED else []
    media = "text/xml" if path.endswith(".xml") else "application/json"
    made: dict[str, Any] = {
        "tags": [tag],
        "summary": route.summary,
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{path}").strip("_"),
        "parameters": parameters,
        "responses": {
            str(status): {
                "description": _STATUSES[status],
                "content": {media: {"schema": known[repr(kind)]}},
            }
            for status, kind in route.gives.items()
        },
    }
    if route.takes:
        made["requestBody"] = {
            "required": True,
            "content": {name: {"schema": known[repr(kind)]} for name, kind in route.takes.items()},
        }
    if _SECURITY.get(tag):
        made["security"] = list(_SECURITY[tag])
    return made
