"""Where a declared interface is read on: the cursor, as text that the store keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Going(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reading that is not at its end."""

    of: str  #: which of `each`
    token: Any = None  #: where in its list
    newest: datetime | None = None
    began: datetime | None = None
    full: bool = False


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the source is read on."""

    since: datetime | None = None
    swept: datetime | None = None
    key: Any = None  #: oldest_first by keyset: the last row's
    going: Going | None = None


def encoded(position: Position) -> str:
    """Write a position as the cursor that the store keeps."""
    return msgspec.json.encode(position).decode()
