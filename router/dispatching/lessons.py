"""What upheld returns teach (退单定责): where rules send a case of some kind to A, and B has taken such cases on.

Pure. A precedent (先例) is a case that somebody took on; of those that the same rule sends to the same unit, the ones
like a new case say who that is. They must outweigh the rule itself, so a single precedent moves only what shares its
words, and what A or B kept or sent away since counts against it. What is said here is only whose it would be: whether
that unit may have it, decide.py asks.

Every entry has a number, and `Lessons` after the first n entries are the version n: any decision can be made again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from math import exp
from operator import add
from typing import NamedTuple

from normalizer.appeal import Appeal, Evidence
from router.dispatching.directory import area_of_place
from router.dispatching.precedents import Entry, Precedent, Ruled, Settled, Spot, Undone
from router.dispatching.weighing import NOBODY, Node, alike, heard, weigh

KEPT = 80  #: precedents of one rule and unit; older ones are forgotten
MANY = 30  #: from here on what stays with the same unit, and clearly belongs there, is not written down any more
CLEAR = 1.5  #: from here on precedents speak clearly (natural logarithm of the odds)
SHOWN = 5  #: cases that a decision names
PREFIX = "lesson."  #: of `routing.rule`, where a lesson has decided

_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")


class Said(NamedTuple):
    """What the precedents say of one appeal."""

    lesson: str  #: rule, unit, and who takes such cases on: `0204.CGJ.TGJ`
    owner: str
    weight: float  #: natural logarithm of the odds
    words: tuple[str, ...]  #: by which it is like them, as they stand in the text
    like: tuple[Precedent, ...]  #: the newest first

    @property
    def confidence(self) -> float:
        return round(1.0 / (1.0 + exp(-self.weight)), 4)


_EMPTY = Node({})


class Lessons:
    """All that was learned up to one entry."""

    def __init__(
        self,
        version: int = 0,
        nodes: Mapping[Spot, Node] | None = None,
        forbidden: Mapping[str, Ruled] | None = None,
        undone: Mapping[str, Undone] | None = None,
    ) -> None:
        self.version = version
        self.nodes: Mapping[Spot, Node] = nodes or {}
        self.forbidden: Mapping[str, Ruled] = forbidden or {}
        self.undone: Mapping[str, Undone] = undone or {}
        self._rules = frozenset(rule for rule, _ in self.nodes)

    @property
    def name(self) -> str | None:
        """Name the version as decisions bear it; None: nothing was learned yet."""
        return f"lessons-{self.version}" if self.version else None

    def learn(self, entry: Entry) -> Lessons:
        """Give the lessons after one more entry."""
        nodes, forbidden, undone = self.nodes, dict(self.forbidden), dict(self.undone)
        match entry:
            case Settled(_, precedent):
                if precedent.case not in undone:
                    nodes = _with(nodes, precedent)
            case Ruled(_, lesson, allowed):
                forbidden.pop(lesson, None)
                forbidden |= {} if allowed else {lesson: entry}
            case Undone(_, case, taken_out):
                undone.pop(case, None)
                if taken_out:
                    undone[case] = entry
                    nodes = _without(nodes, case)
        return Lessons(entry.n, nodes, forbidden, undone)

    def knows(self, spot: Spot) -> bool:
        """Say whether anything was ever returned there: only then what is kept there teaches anything."""
        return spot in self.nodes

    def knows_rule(self, rule: str) -> bool:
        """Say whether anything that this rule sent was ever returned."""
        return rule in self._rules

    def has(self, lesson: str) -> bool:
        """Say whether there is a lesson of this name that is not forbidden."""
        every = (lesson_id(spot, code) for spot, node in self.nodes.items() for code in node.totals)
        return lesson not in self.forbidden and lesson in every

    def precedent(self, case: str) -> Precedent | None:
        """Give the precedent that a case is."""
        return next((node.precedents[case] for node in self.nodes.values() if case in node.precedents), None)

    def is_news(self, precedent: Precedent, appeal: Appeal) -> bool:
        """Say whether it is worth writing down: what was returned always is, what stayed where many stay is not."""
        spot, owner = (precedent.rule, precedent.sent_to), precedent.owner
        if precedent.refused or precedent.turned_down:
            return True
        if owner is None or not self.knows(spot):
            return False
        return self.nodes[spot].totals.get(owner, 0) < MANY or self.weigh(spot, owner, appeal) < CLEAR

    def says(self, spot: Spot, appeal: Appeal) -> Said | None:
        """Say who takes on what is like this appeal; None: the rule stands. Where nothing was returned, one look-up."""
        node = self.nodes.get(spot)
        return None if node is None else self._best(node, spot, appeal)

    def weigh(self, spot: Spot, owner: str, appeal: Appeal) -> float:
        """Weigh whether this unit takes on what is like this appeal, against all others and the rule."""
        node = self.nodes.get(spot, _EMPTY)
        return weigh(node, owner, [word for word in words_of(appeal) if word in node.vocabulary], spot[1])

    def unseen(self, spot: Spot, owner: str, appeal: Appeal) -> list[str]:
        """Give what is in this appeal and in nothing that the unit took on: it may be what makes the difference."""
        theirs = self.nodes.get(spot, _EMPTY).words.get(owner, {})
        return [word for word in words_of(appeal) if word not in theirs]

    def _best(self, node: Node, spot: Spot, appeal: Appeal) -> Said | None:
        owners = [code for code in node.totals if code not in {NOBODY, spot[1]}]
        if not owners:
            return None
        every, vocabulary = words_of(appeal), node.vocabulary
        known = [word for word in every if word in vocabulary]
        best, owner = 0.0, None
        for code in owners:
            if node.totals[code] == 1 and not alike(node, code, every):
                continue  # of a single one it is not known what made the difference
            weight = weigh(node, code, known, spot[1])
            if weight > best and lesson_id(spot, code) not in self.forbidden:
                best, owner = weight, code
        return None if owner is None else _said(node, spot, owner, best, known)


NOTHING = Lessons()


def lessons_of(entries: Iterable[Entry], known: Lessons = NOTHING) -> Lessons:
    """Give what these entries teach, in their order, after what is known; those up to n give the version n."""
    return reduce(Lessons.learn, entries, known)


def lesson_id(spot: Spot, owner: str) -> str:
    """Name a lesson: the rule, the unit it names, and who takes such cases on."""
    return f"{spot[0]}.{spot[1]}.{owner}"


def words_of(appeal: Appeal) -> list[str]:
    """Give what an appeal is known by: pairs of characters of its masked text, and its place."""
    found: dict[str, None] = {}
    for text in (appeal.title, appeal.text):
        for run in _HAN.findall(text):
            found |= dict.fromkeys(map(add, run, run[1:]))
    area = area_of_place(appeal.place)
    found |= dict.fromkeys("@" + "/".join(area[:depth]) for depth in range(1, min(len(area), 2) + 1))
    return list(found)


def evidence_of(said: Said, appeal: Appeal, owner: str) -> list[Evidence]:
    """Show by which words of the text it is like them, and which cases they were."""
    people = "、".join(dict.fromkeys(one.by for one in said.like[:SHOWN]))
    cases = "、".join(one.case_no for one in said.like[:SHOWN])
    why = f"近{len(said.like)}件同类由{owner}受理，退单审定：{people}（{cases}）"
    found = [_standing(run, appeal, why) for run in _runs(said.words, appeal.text)]
    return found or [_standing("", appeal, why)]


# ---------------------------------------------------------------- inside


def _said(node: Node, spot: Spot, owner: str, weight: float, known: Sequence[str]) -> Said:
    words = heard(node, owner, known)
    like = [one for one in reversed(list(node.precedents.values())) if one.owner == owner]
    return Said(lesson_id(spot, owner), owner, weight, words, tuple(like))


def _standing(run: str, appeal: Appeal, why: str) -> Evidence:
    start = appeal.text.find(run)
    return Evidence(field="text", start=start, end=start + len(run), text=run, why=why)


def _runs(words: Sequence[str], text: str) -> list[str]:
    """Join pairs that overlap in the text: 桥下, 下空, 空间 are 桥下空间."""
    pairs, runs, at = set(words), list[str](), 0
    while at < len(text) - 1:
        end = at
        while text[end : end + 2] in pairs:
            end += 1
        if end > at:
            runs.append(text[at : end + 1])
        at = max(end, at) + 1
    return list(dict.fromkeys(runs))


def _with(nodes: Mapping[Spot, Node], precedent: Precedent) -> Mapping[Spot, Node]:
    """Put a precedent where it belongs; where it stood before it stands no more."""
    after, spot = dict(_without(nodes, precedent.case)), (precedent.rule, precedent.sent_to)
    there = {**(after[spot].precedents if spot in after else {}), precedent.case: precedent}
    after[spot] = Node(dict(list(there.items())[-KEPT:]))
    return after


def _without(nodes: Mapping[Spot, Node], case: str) -> Mapping[Spot, Node]:
    spot = next((spot for spot, node in nodes.items() if case in node.precedents), None)
    if spot is None:
        return nodes
    return {**nodes, spot: Node({id_: one for id_, one in nodes[spot].precedents.items() if id_ != case})}
