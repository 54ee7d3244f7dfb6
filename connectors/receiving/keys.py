"""Keys of our callers (接口密钥): the environment holds digests, so that nobody who reads it can call."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from connectors.receiving.contract import Refused

_ENTRY = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):([0-9a-f]{64})")


class BadKeys(ValueError):
    """A variable of keys cannot be read; the message says which, and how it is written."""


def clients_of(variable: str, environment: Mapping[str, str]) -> Mapping[str, str]:
    """Read `name:sha256-of-its-key`, several parted by blanks or commas; give name by digest."""
    clients: dict[str, str] = {}
    for entry in environment.get(variable, "").replace(",", " ").split():
        found = _ENTRY.fullmatch(entry)
        if found is None:
            raise BadKeys(
                f"环境变量 {variable} 要写成 名称:密钥的sha256，多个用空格隔开 · "
                f"variable {variable} holds name:sha256-of-the-key, several parted by blanks"
            )
        clients[found[2]] = found[1]
    return clients


def client_of(key: str, clients: Mapping[str, str]) -> str:
    """Whose key this is. Every digest is compared, so that the time taken tells nothing."""
    asked = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    found = [name for digest, name in clients.items() if hmac.compare_digest(digest, asked)]
    if not key:
        raise Refused(401, "没有带密钥 · no key was sent")
    if not found:
        raise Refused(403, "密钥不对 · the key is not known")
    return found[0]


def bearer_of(headers: Mapping[str, str]) -> str:
    """The key of a request: `Authorization: Bearer …` or `X-Api-Key`."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
