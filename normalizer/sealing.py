"""What this room asks of whoever seals: the front door has it (AES-256-GCM under a key of each item's own)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class Keys(Protocol):
    """A key for each item of a page."""

    @property
    def name(self) -> str:
        """What is stored beside a value."""
        ...

    def __contains__(self, id_: object) -> bool:
        """Say whether this item has one: it may have been destroyed meanwhile."""
        ...

    def seal(self, id_: str, bind: bytes, plain: bytes) -> bytes:
        """Seal a value, bound to what it belongs to."""
        ...


class Seal(Protocol):
    """Seals values so that only the holder of the item's key can open them."""

    async def keys_of(self, label: str, ids: Collection[str], beside: str | None = None) -> Keys:
        """Give the items' keys under this label; those that seal `beside` end at the same time."""
        ...
