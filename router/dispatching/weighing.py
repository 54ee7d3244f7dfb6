"""How much the precedents of one rule and unit speak for whom (先例的分量): by a few of an appeal's words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import log

from router.dispatching.precedents import Precedent

TRUST = 1.0  #: what the rule itself weighs, in precedents for the unit that it names
SHRINK = 2.0  #: how far what is seen seldom is drawn to what is seen everywhere
#: So many words for and against are heard: what one phrase says ten times over is one thing said.
HEARD = 3
#: What a word may weigh that stands in none, one, two, … precedents.
MOST = (0.0, 1.1, 2.2, 3.3)
ALIKE = 0.25  #: so many of its pairs of characters an appeal shares that reads like another
NOBODY = ""  #: who took on what nobody has taken on yet


class Node:
    """The precedents of one rule and unit; never changed, another one is made."""

    def __init__(self, precedents: Mapping[str, Precedent]) -> None:
        self.precedents = precedents  #: by case, the oldest first

    @cached_property
    def totals(self) -> Mapping[str, int]:
        """How many there are, by who took them on; "" is nobody yet."""
        return Counter(side for one in self.precedents.values() if (side := _side(one)) is not None)

    @cached_property
    def words(self) -> Mapping[str, Mapping[str, int]]:
        """Of each of those: how many of its precedents have a word."""
        found: dict[str, Counter[str]] = {side: Counter() for side in self.totals}
        for one in self.precedents.values():
            side = _side(one)
            if side is not None:
                found[side].update(one.words.split())
        return found

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word that any of them has."""
        return frozenset().union(*self.words.values())

    @cached_property
    def weights(self) -> Mapping[str, _Weights]:
        """How much each word speaks for each of those; reckoned when it is first asked for, then remembered."""
        return {side: _Weights(self, side) for side in self.totals}


class _Weights(dict[str, float]):
    def __init__(self, node: Node, owner: str) -> None:
        self._node, self._owner = node, owner

    def __missing__(self, word: str) -> float:
        weight = self[word] = word_weight(self._node, self._owner, word)
        return weight


def weigh(node: Node, owner: str, words: Iterable[str], named: str) -> float:
    """Weigh one unit against all others, by a few words for it and a few against."""
    mine = node.totals.get(owner, 0)
    others = sum(node.totals.values()) - mine + (0.0 if owner == named else TRUST)
    known = node.weights.get(owner)
    ordered = sorted([known[word] for word in words]) if known is not None else []
    for_it, against = [w for w in ordered[-HEARD:] if w > 0], [w for w in ordered[:HEARD] if w < 0]
    return log((mine + 0.5) / (others + 0.5)) + sum(for_it) + sum(against)


def heard(node: Node, owner: str, words: Sequence[str]) -> tuple[str, ...]:
    """Give the words that speak most for a unit, and those that weigh the same as the least of them."""
    weights = node.weights[owner]
    best = sorted([weights[word] for word in words if weights[word] > 0])[-HEARD:]
    return tuple(word for word in words if best and weights[word] >= best[0])


def alike(node: Node, owner: str, words: Sequence[str]) -> bool:
    """Say whether an appeal reads like the only precedent of a unit."""
    (only,) = (set(one.words.split()) for one in node.precedents.values() if one.owner == owner)
    return len(only.intersection(words)) >= ALIKE * min(len(only), len(words) or 1)


def word_weight(node: Node, owner: str, word: str) -> float:
    """Say how much a word speaks for a unit: naive Bayes, drawn to nothing where it was seen seldom."""
    mine, all_ = node.totals.get(owner, 0), sum(node.totals.values())
    with_mine = node.words.get(owner, {}).get(word, 0)
    with_all = sum(counts.get(word, 0) for counts in node.words.values())
    usual = (with_all + 0.5) / (all_ + 1.0)
    theirs = with_all - with_mine
    weight = log((with_mine + SHRINK * usual) / (mine + SHRINK) * (all_ - mine + SHRINK) / (theirs + SHRINK * usual))
    most = MOST[min(with_mine if weight > 0 else theirs, len(MOST) - 1)]
    return max(-most, min(most, weight))


def _side(precedent: Precedent) -> str | None:
    """Say for whom it counts; None: it waits. What a second unit sent back counts against all who were thought of."""
    if precedent.owner is not None:
        return precedent.owner
    return NOBODY if [code for code in precedent.refused if code != precedent.sent_to] else None
