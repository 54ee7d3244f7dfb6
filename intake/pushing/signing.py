"""How what is pushed is signed (签名), as Standard Webhooks has it. Pure.

HMAC-SHA256 over `<id>.<seconds>.<body>`, one `v1,<base64>` for each key: while keys change there are two, and whoever
verifies takes the message if one of them fits. The time is signed too, so that an old request can't be played again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
SHORTEST = 24  #: bytes of a key
MOST_KEYS = 2  #: the one before and the one after
WINDOW = 300  #: seconds that a time may lie off; whoever verifies refuses what is older


class BadKey(Exception):
    """The keys in the environment can't be used; the message says why and never shows one."""


def keys_of(text: str) -> tuple[bytes, ...]:
    """Read one key or two: `whsec_` and base64, blanks between."""
    written = text.split()
    if not 1 <= len(written) <= MOST_KEYS:
        raise BadKey(f"应有一把或两把密钥，现有 {len(written)} 把 · holds {len(written)} keys, one or two are needed")
    return tuple(_key(each) for each in written)


def _key(written: str) -> bytes:
    try:
        key = base64.b64decode(written.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST:
        raise BadKey(
            f"密钥要写成 {PREFIX} 加 base64，至少 {SHORTEST} 字节 · a key is {PREFIX} and base64 of {SHORTEST} bytes"
        )
    return key


def signature(keys: Sequence[bytes], name: str, seconds: int, body: bytes) -> str:
    """Sign a message with every key."""
    signed = b".".join((name.encode(), str(seconds).encode(), body))
    return " ".join(f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys)
