"""What a rule is made of as people write it, and what the rules say of an appeal (派单规则). Records only."""

from __future__ import annotations

import msgspec

from normalizer.appeal import Evidence, RequestType


class Parts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """主办 and 协办 of one category, as roles."""

    lead: str
    assist: list[str] = []


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule's own test, written beside it: an appeal of the rule's first category with this text."""

    text: str
    category: str | None = None
    type: RequestType = RequestType.COMPLAIN
    lead: str
    assist: list[str] | None = None
    rule: str | None = None  #: the rule that must win; None: the one it stands under


class RuleText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finer rule as people write it. Every condition that is given must hold."""

    id: str
    category: list[str]
    why: str
    any: list[str] = []  #: one of these words is in title or text; "A…B" is A and soon after B; "@list" is a word list
    also: list[str] = []  #: and one of these too
    none: list[str] = []  #: and none of these
    types: list[RequestType] = []
    lead: str | None = None  #: None: the category's
    assist: list[str] | None = None  #: None: the category's
    test: list[Example] = []


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on a decision is unsure (promise 7)."""

    confidence: float = 0.45  #: of the unit that would lead
    margin: float = 0.15  #: by which it must be ahead of the next unit


class Ruling(msgspec.Struct, frozen=True):
    """What the rules say of an appeal: roles and reasons."""

    rule: str  #: id of the rule; the category code where the category alone decides
    lead: str
    assist: tuple[str, ...]
    named: bool  #: the assistants are named by a finer rule
    evidence: list[Evidence]
    why: str | None


class Tie(msgspec.Struct, frozen=True):
    """Rules that nothing tells apart, and that name different leads."""

    rules: tuple[str, ...]
    leads: tuple[str, ...]
