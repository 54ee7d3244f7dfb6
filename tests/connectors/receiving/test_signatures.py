"""Who pushes is known by a signature over exactly these bytes, made just now."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.receiving.contract import Pushed, Refused
from connectors.receiving.signatures import SignatureSettings, check, signature

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SECRET = "secret"


def pushed(body: bytes, settings: SignatureSettings, at: str | None = None, *, query: bool = False) -> Pushed:
    told = {"app_key": "city", "timestamp": at or str(int(AT.timestamp())), "nonce": "n", "sign": ""}
    told["sign"] = signature(settings, told, body, SECRET)
    named = {getattr(settings, name): value for name, value in told.items()}
    if query:
        return Pushed(headers={}, query=named, body=body, nonce="x", at=AT)
    return Pushed(headers={name.lower(): value for name, value in named.items()}, body=body, nonce="x", at=AT)


def refuses(asked: Pushed, settings: SignatureSettings, secrets: list[str] | None = None) -> bool:
    try:
        check(asked, settings, "city", secrets or [SECRET])
    except Refused as refused:
        return refused.status == 401
    return False


def test_it_is_what_a_callers_programmer_would_make() -> None:
    asked = pushed(b'{"a": 1}', SignatureSettings())
    text = f"city\n{int(AT.timestamp())}\nn\n".encode() + b'{"a": 1}'
    assert asked.headers["x-sign"] == hmac.new(b"secret", text, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("query", [False, True])
@pytest.mark.parametrize("algorithm", ["sha256", "sm3", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_every_way_of_signing_is_known(algorithm: str, encoding: str, query: bool) -> None:
    settings = msgspec.convert({"algorithm": algorithm, "encoding": encoding}, SignatureSettings)
    assert not refuses(pushed(b"body", settings, query=query), settings)


def test_a_plain_digest_holds_the_secret_in_its_text() -> None:
    settings = SignatureSettings(way="digest", algorithm="sm3", text="{secret}{timestamp}{body}", encoding="base64")
    made = hashlib.new("sm3", f"secret{int(AT.timestamp())}body".encode()).digest()
    assert pushed(b"body", settings).headers["x-sign"] == b64encode(made).decode()
    assert settings.problems() == []
    assert SignatureSettings(way="digest").problems()
    assert SignatureSettings(text="{timestamp}").problems()


def test_two_secrets_hold_while_one_is_being_changed() -> None:
    asked = pushed(b"body", SignatureSettings())
    assert not refuses(asked, SignatureSettings(), ["new", SECRET])
    assert refuses(asked, SignatureSettings(), ["new"])


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=4), st.integers(0, 40))
def test_any_other_body_is_refused(body: bytes, other: bytes, at: int) -> None:
    settings = SignatureSettings()
    asked = pushed(body, settings)
    assert not refuses(asked, settings)
    assert refuses(msgspec.structs.replace(asked, body=body[:at] + other + body[at:]), settings)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_what_is_too_old_or_from_the_future_is_refused(seconds: int) -> None:
    settings = SignatureSettings()
    moment = int((AT + timedelta(seconds=seconds)).timestamp())
    assert refuses(pushed(b"body", settings, str(moment)), settings)
    assert refuses(pushed(b"body", settings, str(moment * 1000)), settings)
    assert not refuses(pushed(b"body", settings, str(int(AT.timestamp()) * 1000 + 5)), settings)


@pytest.mark.parametrize("name", ["x-app-key", "x-timestamp", "x-nonce", "x-sign"])
@pytest.mark.parametrize("value", [None, "", "x", "²", "9" * 400, "\udcff"])
def test_a_part_that_is_missing_or_odd_is_refused(name: str, value: str | None) -> None:
    settings = SignatureSettings()
    asked = pushed(b"body", settings)
    told = {key: each for key, each in asked.headers.items() if key != name} | ({} if value is None else {name: value})
    assert refuses(msgspec.structs.replace(asked, headers=told), settings)
