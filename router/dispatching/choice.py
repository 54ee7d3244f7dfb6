"""What a decision chose, before it is asked whether it may: a unit, or nobody and why."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from normalizer.appeal import DecidedBy, Evidence
from router.dispatching.directory import Unit


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that would lead, before it is asked whether it may."""

    unit: Unit
    decided_by: DecidedBy
    rule: str
    confidence: float
    sentence: str
    assist: Sequence[str] = ()  #: roles
    assist_named: bool = False
    evidence: Sequence[Evidence] = ()


class Unsure(msgspec.Struct, frozen=True):
    """Why nobody was chosen."""

    sentence: str
    rule: str | None = None
