"""What this room asks of whoever seals: the front door has it (AES-256-GCM under data keys by source and month)."""

from __future__ import annotations

from typing import Protocol


class Seal(Protocol):
    """Seals values so that only the holder of the label's data key can open them."""

    async def ready(self, label: str) -> None:
        """Make or load the data key of this label; `seal` needs it."""

    def seal(self, label: str, bind: bytes, plain: bytes) -> bytes:
        """Seal a value, bound to what it belongs to."""
        ...

    async def open(self, label: str, bind: bytes, sealed: bytes) -> bytes:
        """Open a sealed value; fails when its key is destroyed."""
        ...
