"""The gate of this room: what a connector hands on, one item of one source, as it came (原始诉求)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class Mode(StrEnum):
    """What may happen to a source's items (promise 2)."""

    ROUTE = "route"  #: decide and send
    FOLLOW = "follow"  #: the source's own 承办单位 stands
    OBSERVE = "observe"  #: decide and compare, send nothing: the shadow week (影子运行)
    HISTORY = "history"  #: learn and link only: last year's letters


class RawAppeal(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a source as the source sent it, with what the settings say of that source."""

    id: str  #: stable over all revisions: appeal_id(source, native_id)
    source: str  #: its name in the settings
    kind: str  #: the connector's registry name; it picks the mapper
    channel: str  #: hotline, forum, … (DESIGN section 4)
    native_id: str
    revision: int = 1  #: counts changes of content, from 1
    payload: bytes  #: the item itself, mostly JSON
    context: Mapping[str, str] = {}  #: what the page knew and the item does not: the article commented on, the board
    zone: str = "Asia/Shanghai"  #: the zone of local times without an offset
    mode: Mode = Mode.ROUTE
    transport: str = "pull"  #: pull, push or import
    received_at: datetime | None = None  #: UTC; None from `intake normalize`, which needs no clock
    withdrawn: bool = False  #: its author or the source took it back, and that was proved (promise 4)
    refreshed: bool = False  #: the same content with new likes, views, replies or official reply
    keys: str | None = None  #: the name of the keys that seal it at rest: what comes of it ends with it


_DIGITS = "0123456789abcdefghijklmnopqrstuv"  #: base 32 "extended hex" (RFC 4648), in small letters
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_HALF = (1 << 60) - 1
KEY_BYTES = 15  #: of a digest, for 24 characters


def appeal_id(source: str, native_id: str) -> str:
    """Derive the identity of an item: 24 characters, the same on every machine and in every revision."""
    return written(hashlib.blake2b(f"{source}\0{native_id}".encode(), digest_size=KEY_BYTES).digest())


def written(digest: bytes) -> str:
    """Write 15 bytes as 24 characters."""
    pairs, bits = _PAIRS, int.from_bytes(digest, "big")
    # Ten bits at a time, of each half apart and written out: every item has several, and this is three times as fast as
    # base64.b32hexencode, which is written in Python.
    high, low = bits >> 60, bits & _HALF
    return "".join(
        (
            pairs[high >> 50], pairs[high >> 40 & 1023], pairs[high >> 30 & 1023],
            pairs[high >> 20 & 1023], pairs[high >> 10 & 1023], pairs[high & 1023],
            pairs[low >> 50], pairs[low >> 40 & 1023], pairs[low >> 30 & 1023],
            pairs[low >> 20 & 1023], pairs[low >> 10 & 1023], pairs[low & 1023],
        )
    )  # fmt: skip
