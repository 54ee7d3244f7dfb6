"""What an operator says of a department that files are exchanged with: a table `[[exchange]]` each."""

from __future__ import annotations

import base64
import binascii

import msgspec

KEY_BYTES = 32


class Exchange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """离线交换 with one department."""

    department: str
    public_key: str  #: what its program printed: Ed25519, base64

    @property
    def key(self) -> bytes:
        """The key that its bundles are signed with."""
        return base64.b64decode(self.public_key, validate=True)

    def problems(self) -> list[str]:
        """What can't be used; the first word names the setting."""
        try:
            whole = len(self.key) == KEY_BYTES
        except (binascii.Error, ValueError):
            whole = False
        return (
            [] if whole else ["public_key 应是 32 字节的 base64 · must be base64 of 32 bytes, as its program prints it"]
        )
