"""A place in a text that identifies a person."""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """Code points of the text, the kind, and whether it tells of the matter (which flat, which car), not the caller."""

    start: int
    end: int
    kind: str
    matter: bool = False
