"""What becomes of one item without the store: an appeal as it will be written, or the reason why there is none."""

from __future__ import annotations

import msgspec

from normalizer.appeal import Appeal, Secrets


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """An appeal, its secrets, and its document: serialised once, by whoever normalized it."""

    appeal: Appeal
    secrets: Secrets
    document: bytes  #: BSON
    more: list[Finished] = []  #: the other parts of a message with several requests


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why an item cannot be turned into an appeal."""

    reason: str
