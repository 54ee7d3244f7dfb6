"""What gathering works with, and when many who write at once are one matter (集中反映). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from normalizer.matter.group import Group
from normalizer.matter.likeness import Count, Lexicon
from normalizer.matter.portrait import Portrait

#: A burst: more than so many, nearly all that bear a name, and so many of them within a month. It asks for little.
BURST, BURST_ALONE, BURST_NEAR, BURST_AGREES = 5, 0.85, 0.5, 0.03


class Scene(msgspec.Struct, frozen=True):
    """What gathering works with."""

    portraits: Mapping[str, Portrait]
    count: Count
    lexicon: Lexicon
    fixed: frozenset[str] = frozenset()  #: whom a person put where they are

    def group(self, members: Iterable[str]) -> Group:
        return Group((self.portraits[id_] for id_ in members), self.lexicon)


def is_burst(one: Group, other: Group, alone: float) -> bool:
    """Say whether these are many who bear a name of their own and wrote about the same time."""
    return alone >= BURST_ALONE and len(one) + len(other) > BURST and one.nearness(other) >= BURST_NEAR
