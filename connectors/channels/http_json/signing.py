"""Requests that carry a signature (签名), as an operator hands out a key and a secret to its partners (HMAC)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from connectors.base import Fetch, Request, Response
from connectors.channels.http_json import templates
from connectors.channels.http_json.plan import Sign


def signed(fetch: Fetch, sign: Sign, values: Mapping[str, Any], now: Callable[[], datetime]) -> Fetch:
    """Sign whatever is asked this way."""

    async def ask(request: Request) -> Response:
        return await fetch(with_signature(request, sign, values, now()))

    return ask


def with_signature(request: Request, sign: Sign, values: Mapping[str, Any], moment: datetime) -> Request:
    """Put signature and moment into the headers. Pure."""
    seconds = moment.timestamp()
    parts = {
        "method": request.method,
        "path": urlsplit(request.url).path or "/",
        "query": urlencode(sorted(request.query.items())),
        "body": (request.body or b"").decode("utf-8", "replace"),
        "timestamp": str(int(seconds * 1000) if sign.milliseconds else int(seconds)),
    }
    asked = {**values, **parts}
    text = templates.text(sign.text, asked) or ""
    secret = str(values.get("key", "")).encode()
    if sign.way == "hmac":
        digest = hmac.new(secret, text.encode(), sign.algorithm).digest()
    else:
        digest = hashlib.new(sign.algorithm, text.encode()).digest()
    made = b64encode(digest).decode() if sign.encoding == "base64" else digest.hex()
    headers = templates.table(sign.headers, {**asked, "signature": made})
    return msgspec.structs.replace(request, headers={**request.headers, **headers})
