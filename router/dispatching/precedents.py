"""Precedents (先例): cases that somebody took on after a return, or kept where others like it were returned.

They are entries of one log, numbered without gaps; what they teach is in lessons.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from router.dispatching.directory import Area, Unit, area_of

#: Behind the name of a role: the unit of that role at the place of the case, whichever it is.
OF_ITS_PLACE = "@"


class Precedent(msgspec.Struct, frozen=True, kw_only=True):
    """One case, and who took it on in the end (先例)."""

    case: str
    case_no: str
    rule: str  #: which rule sends it
    sent_to: str  #: and to which unit, as `called` says it
    owner: str | None  #: who has taken it on, as `called` says it; None: nobody yet
    refused: list[str] = []  #: whose return was upheld
    turned_down: list[str] = []  #: whose return was not
    words: str  #: of its masked text, in pairs of characters, and its place; one blank between two
    by: str  #: who decided on the return, or the unit that signed
    at: datetime


class Settled(msgspec.Struct, frozen=True, tag="settled"):
    """A precedent is new, or stands otherwise than before."""

    n: int
    precedent: Precedent


class Ruled(msgspec.Struct, frozen=True, tag="ruled"):
    """A person forbids a lesson (停用), or allows it again (恢复)."""

    n: int
    lesson: str
    allowed: bool
    by: str
    reason: str
    at: datetime


class Undone(msgspec.Struct, frozen=True, tag="undone"):
    """A person takes a precedent out (撤销先例), or lets it in again: it was no good example."""

    n: int
    case: str
    undone: bool
    by: str
    reason: str
    at: datetime


Entry = Settled | Ruled | Undone
Spot = tuple[str, str]  #: a rule, and the unit to which it sends, as `called` says it


def called(unit: Unit, area: Area) -> str:
    """Name a unit so that it means the same one elsewhere: 望湖区's own is called the one of its place."""
    own = area_of(unit.area)
    return f"{unit.role}{OF_ITS_PLACE}" if own and own == area[: len(own)] else unit.code


def to_document(entry: Entry) -> dict[str, Any]:
    """Give the BSON form; its number is its id."""
    document: dict[str, Any] = msgspec.to_builtins(entry, builtin_types=(datetime,))
    return {"_id": document.pop("n")} | document


def from_document(document: Mapping[str, Any]) -> Entry:
    """Read the BSON form back (aware datetimes)."""
    plain = {name: value for name, value in document.items() if name not in {"_id", "key"}}
    entry: Entry = msgspec.convert(plain | {"n": document["_id"]}, Entry)
    return entry
