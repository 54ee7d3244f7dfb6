"""How a raw item is sealed and opened: its payload, and what the page knew of it, as one value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import msgspec


class Keys(Protocol):
    """A key for each item of a page."""

    @property
    def name(self) -> str:
        """What is stored beside a value."""
        ...

    def seal(self, id_: str, bind: bytes, plain: bytes) -> bytes:
        """Seal; `bind` must be the same when it is opened."""
        ...


class Seal(Protocol):
    """Sealing at rest, handed in by the front door."""

    async def keys_of(self, label: str, ids: Collection[str]) -> Keys:
        """Make a key for each of these items."""
        ...

    async def open_item(self, name: str, id_: str, bind: bytes, sealed: bytes) -> bytes | None:
        """Open what was sealed with the keys of this name; None: the item's key was destroyed."""
        ...


def sealed(keys: Keys, id_: str, revision: int, payload: bytes, context: Mapping[str, str]) -> bytes:
    """Seal both as one: the context may be a citizen's words as well, the title of a thread."""
    # JSON has no bare end of line.
    return keys.seal(id_, _bind(id_, revision), (_encode(context) if context else b"{}") + b"\n" + payload)


async def opened(seal: Seal, document: Mapping[str, Any]) -> tuple[bytes, dict[str, str]] | None:
    """Open an item or a superseded revision of one; None where it was destroyed."""
    id_ = document.get("of") or document["_id"]
    if not document["payload"]:
        return None
    found = await seal.open_item(document["key"], id_, _bind(id_, document["revision"]), document["payload"])
    if found is None:
        return None
    if "#" not in document["key"]:  # sealed by version 6 of the schema or older
        return found, document["context"]
    context, _, payload = found.partition(b"\n")
    return payload, msgspec.json.decode(context, type=dict[str, str])


_encode = msgspec.json.Encoder().encode


def _bind(id_: str, revision: int) -> bytes:
    return f"raw/{id_}/{revision}".encode()
