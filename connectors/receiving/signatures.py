"""Signatures over pushes (推送签名): whose secret made it, over exactly these bytes, just now."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from connectors.receiving.contract import Pushed, Refused

_SPOT = re.compile(r"\{(\w+)\}")
_SPOTS = frozenset({"app_key", "timestamp", "nonce", "body", "secret"})
_WRONG = "签名不对 · the signature does not fit"
_MILLISECONDS = 100_000_000_000  #: a larger number is no count of seconds


class SignatureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a caller signs; the names are looked for among the headers, then in the query."""

    text: str = "{app_key}\n{timestamp}\n{nonce}\n{body}"  #: what is signed; {secret} for a plain digest
    way: Literal["hmac", "digest"] = "hmac"
    algorithm: Literal["sha256", "sm3", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    app_key: str = "X-App-Key"
    timestamp: str = "X-Timestamp"  #: epoch seconds or milliseconds
    nonce: str = "X-Nonce"
    sign: str = "X-Sign"
    window: Annotated[float, msgspec.Meta(gt=0, le=86400)] = 300.0  #: seconds that a clock may be wrong

    def problems(self) -> list[str]:
        """What an operator must mend."""
        spots = set(_SPOT.findall(self.text))
        problems = [f"signature.text: {{{spot}}} is not known; known: {sorted(_SPOTS)}" for spot in spots - _SPOTS]
        if not {"body", "timestamp"} <= spots:
            problems.append("signature.text must hold {body} and {timestamp}: what is not signed can be forged")
        if self.way == "digest" and "secret" not in spots:
            problems.append("signature.text of a plain digest must hold {secret}")
        return problems


def check(pushed: Pushed, settings: SignatureSettings, app_key: str, secrets: Sequence[str]) -> datetime:
    """Refuse what is not signed by one of these secrets, or not just now; give the moment that was signed.

    A request that is sent twice is let through: the caller did not hear our answer, and storing it again changes
    nothing, as long as its moment stands for its time. After `window` it is refused.
    """
    told = _elements(pushed, settings, app_key)
    fits = [
        hmac.compare_digest(signature(settings, told, pushed.body, secret).encode(), _bytes(told["sign"]))
        for secret in secrets
    ]
    if not any(fits):
        raise Refused(401, _WRONG)
    return _just_now(told["timestamp"], pushed.at, settings.window)


def check_head(head: Pushed, settings: SignatureSettings, app_key: str) -> None:
    """Refuse what cannot be signed well, whatever its body is."""
    _just_now(_elements(head, settings, app_key)["timestamp"], head.at, settings.window)


def signature(settings: SignatureSettings, told: Mapping[str, str], body: bytes, secret: str) -> str:
    """Make the signature as a caller makes it."""
    values = {name: _bytes(value) for name, value in told.items()} | {"body": body, "secret": secret.encode()}
    parts = _SPOT.split(settings.text)
    text = b"".join(values[part] if at % 2 else part.encode() for at, part in enumerate(parts))
    if settings.way == "hmac":
        made = hmac.new(secret.encode(), text, settings.algorithm).digest()
    else:
        made = hashlib.new(settings.algorithm, text).digest()
    return b64encode(made).decode() if settings.encoding == "base64" else made.hex()


def _elements(pushed: Pushed, settings: SignatureSettings, app_key: str) -> Mapping[str, str]:
    told = {name: _told(pushed, getattr(settings, name)) for name in ("app_key", "timestamp", "nonce", "sign")}
    missing = [getattr(settings, name) for name, value in told.items() if not value]
    if missing:
        raise Refused(401, f"缺少签名要素 · not signed: {', '.join(missing)} missing")
    if not hmac.compare_digest(_bytes(told["app_key"]), app_key.encode()):
        raise Refused(401, _WRONG)
    return told


def _just_now(timestamp: str, at: datetime, window: float) -> datetime:
    moment = _moment(timestamp)
    if moment is None or abs(at - moment) > timedelta(seconds=window):
        raise Refused(401, f"时间戳超出 {window:g} 秒 · the timestamp is more than that from our clock")
    return moment


def _told(pushed: Pushed, name: str) -> str:
    value = pushed.headers.get(name.lower()) or pushed.query.get(name) or ""
    return value.strip()


def _bytes(words: str) -> bytes:
    """Bytes of a header, also of one that is not UTF-8."""
    return words.encode("utf-8", "surrogateescape")


def _moment(written: str) -> datetime | None:
    if not written.isascii() or not written.isdecimal() or len(written) > len(str(_MILLISECONDS)) + 2:
        return None
    number = int(written)
    seconds = number / 1000 if number > _MILLISECONDS else number
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
