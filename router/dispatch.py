"""The gate of this room: what the router decides and hands on (派单)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from normalizer.appeal import Mode, Routing


class Outcome(StrEnum):
    """What a case begins as."""

    DISPATCH = "dispatch"  #: 派单
    TRIAGE = "triage"  #: 待研判: a person decides
    INFORMED = "informed"  #: answered at the desk or declined with its code; praise too
    HANDED_OVER = "handed_over"  #: 110, 119, 120, 122, petition, another city
    OBSERVED = "observed"  #: modes observe and history: decided, nothing sent


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision depends on beside the appeal itself; stored with the decision."""

    mode: Mode = Mode.ROUTE
    linked_to: str | None = None  #: the order that carries it (并单)
    returns: list[str] = []  #: departments whose return was upheld
    hops: int = 0
    holder: str | None = None  #: who holds the case now


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of `decide` and its reasons."""

    outcome: Outcome
    routing: Routing
    code: str | None = None  #: N1 … N9, 110, 119, 120, 122, petition, praise
    sentence: str  #: why, in Chinese, for people
