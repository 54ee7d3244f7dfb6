"""How much two appeals speak for being about one matter, and what in them says so (依据). Pure.

Names they share (the rarer the name among all appeals, the more), words they share beside those names, and what they
were classed as. Different schools or estates in their titles are different matters, however alike the rest reads:
people copy each other's letters.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import pairwise
from math import log

import msgspec

from normalizer.matter.portrait import APART, Portrait, Subjects
from normalizer.matter.rarity import rarity

#: A name that so many appeals bear says nothing more.
COMMON = 90.0
#: How names, words and classes are weighed against one another; found on letters, told in the tests.
NAMES_MOST, NAMES_LEAST, NAMES_FROM, NAMES_SPAN, NAMES_MORE = 1.7, 0.2, 8.0, 26.0, 0.3
TOPIC, TOPIC_MOST, WORDS = 6.0, 0.5, 2.0
SAME_CLASS, NEXT_CLASS, SAME_CHAPTER, SAME_SUBJECT = 1.2, 0.5, 0.5, 0.6
OTHER_DISTRICT = 2.0
#: How much a subject (魅力/P) is a name; a run made of domain words is hardly one.
SUBJECT_RARITY, DOMAIN_RARITY = 26.0, 14.0
#: A run as rare as this is a proper name.
PROPER = 30.0

Count = Callable[[str], int]  #: how many appeals bear a name
Words = Mapping[str, float]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """依据: why two appeals are thought to be one matter; for people."""

    names: list[str]  #: the names that both bear
    words: list[str]  #: the words that both use beside them, the most telling first
    same_class: bool
    same_district: bool
    score: float


class Lexicon(msgspec.Struct, frozen=True):
    """领域词: runs of three inside words of the trade; they tell what it is about, not where."""

    runs: frozenset[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> Lexicon:
        return cls(frozenset(word[at : at + 3] for word in words for at in range(len(word) - 2)))

    def is_proper(self, name: str) -> bool:
        """Say whether this is a name and can be nothing else."""
        return not is_subject(name) and name not in self.runs and rarity(name) >= PROPER

    def rarity(self, name: str) -> float:
        """Say how much of a name this is."""
        if is_subject(name):
            return SUBJECT_RARITY
        return min(rarity(name), DOMAIN_RARITY) if name in self.runs else rarity(name)


def is_subject(name: str) -> bool:
    """Tell what a letter says it is about (魅力/P) from a run of its characters."""
    return "/" in name


def likeness(one: Portrait, other: Portrait, count: Count, lexicon: Lexicon) -> float:
    """Say how much speaks for one matter; 0 where no name is shared, or where the subjects are different ones."""
    shared = one.keys & other.keys
    if not shared or contradict(one, other):
        return 0.0
    if one.person is not None and one.person == other.person and not _same_again(one, other, shared, lexicon):
        return 0.0
    score = min(NAMES_MOST, _names(shared, count, lexicon))
    score += TOPIC * min(TOPIC_MOST, topic(one.words, other.words, shared))
    score += WORDS * dot(one.words, other.words)
    score += _classes(one, other)
    if one.about & other.about:
        score += SAME_SUBJECT
    if one.district and other.district and one.district != other.district:
        score -= OTHER_DISTRICT
    return max(0.0, score)


def _same_again(one: Portrait, other: Portrait, shared: Collection[str], lexicon: Lexicon) -> bool:
    """Ask more where one hand wrote both: its phrases are alike whatever it writes about."""
    return one.category == other.category and any(lexicon.is_proper(name) for name in shared)


def evidence(one: Portrait, other: Portrait, count: Count, lexicon: Lexicon) -> Evidence:
    """Show what two appeals have in common."""
    shared = (one.names & other.names) - {name for name in one.names if lexicon.rarity(name) <= DOMAIN_RARITY}
    beside = without(one.words, shared)
    common = {pair: weight * other.words[pair] for pair, weight in beside.items() if pair in other.words}
    return Evidence(
        names=sorted(strings(name for name in shared if not is_subject(name)), key=len, reverse=True),
        words=sorted(common, key=lambda pair: (-common[pair], pair))[:8],
        same_class=one.category == other.category,
        same_district=bool(one.district) and one.district == other.district,
        score=round(likeness(one, other, count, lexicon), 2),
    )


def contradict(one: Portrait, other: Portrait) -> bool:
    """Say whether the letters are about different estates, schools or parks."""
    if other_school(one.schools, other.schools):
        return True
    for kind in APART:
        here, there = _of_kind(one.titled, kind), _of_kind(other.titled, kind)
        if here and there:
            unlike = not here & there
        else:
            unlike = (bool(here) and not _knows(other, here, kind)) or (bool(there) and not _knows(one, there, kind))
        if unlike:
            return True
    return False


def other_school(one: Subjects, other: Subjects) -> bool:
    """Say whether schools differ: 财政经济 and 涉外经济 do, 经济 alone may be either."""
    return bool(one) and bool(other) and not any(a.endswith(b) or b.endswith(a) for a in one for b in other)


def _knows(portrait: Portrait, titled: Subjects, kind: str) -> bool:
    """Say whether a letter whose title is silent may be about these: it names one, or nothing of this kind."""
    about = _of_kind(portrait.about, kind)
    if not about or about & titled:
        return True
    return any(subject[:-2] in portrait.words for subject in titled)


def apart(one: Subjects, other: Subjects) -> bool:
    """Say whether two groups of letters name different subjects of one kind."""
    return any(
        bool(here) and bool(there) and not here & there
        for here, there in ((_of_kind(one, kind), _of_kind(other, kind)) for kind in APART)
    )


def _of_kind(subjects: Subjects, kind: str) -> Subjects:
    return frozenset(subject for subject in subjects if subject[-1] == kind)


def _names(shared: Collection[str], count: Count, lexicon: Lexicon) -> float:
    """Weigh the names: the rarest one, and a little for others."""
    runs = [name for name in shared if not is_subject(name)]
    groups = [[name] for name in shared if is_subject(name)] + joined(runs)
    weights = sorted((_name(group, count, lexicon) for group in groups), reverse=True)
    return weights[0] + NAMES_MORE * sum(weights[1:3])


def _name(runs: Collection[str], count: Count, lexicon: Lexicon) -> float:
    bearers = min(count(run) for run in runs)
    part = (max(lexicon.rarity(run) for run in runs) - NAMES_FROM) / NAMES_SPAN
    return max(NAMES_LEAST, min(1.0, part)) * max(0.0, log(COMMON / max(bearers, 3)))


def _classes(one: Portrait, other: Portrait) -> float:
    if one.category == other.category:
        return SAME_CLASS
    chapter = SAME_CHAPTER if one.category[:2] == other.category[:2] else 0.0
    return chapter + (NEXT_CLASS if one.also & other.also else 0.0)


def joined(runs: Collection[str]) -> list[list[str]]:
    """Put runs together that overlap: they are one longer name."""
    left = sorted(runs)
    groups: list[list[str]] = []
    while left:
        group = [left.pop()]
        growing = True
        while growing:
            touching = [run for run in left if any(_touch(run, other) for other in group)]
            left = [run for run in left if run not in touching]
            group += touching
            growing = bool(touching)
        groups.append(group)
    return groups


def _touch(one: str, other: str) -> bool:
    return one[1:] == other[:-1] or one[:-1] == other[1:]


def strings(runs: Iterable[str]) -> list[str]:
    """Write overlapping runs as the longer names that they are: 丽发新, 发新城 → 丽发新城."""
    names = []
    for group in joined(list(runs)):
        left = set(group)
        name = min((run for run in group if not _goes_on(run, group)), default=group[0])
        left.discard(name)
        while after := next((run for run in sorted(left) if run[:-1] == name[-2:]), None):
            name += after[-1]
            left.discard(after)
        names.append(name)
    return names


def _goes_on(run: str, group: Collection[str]) -> bool:
    return any(run[:-1] == other[1:] for other in group if other != run)


def topic(one: Words, other: Words, names: Iterable[str]) -> float:
    """Say how alike the words of two portraits are beside the names; both are of length one."""
    inside = pairs_in(names)
    length = _beside(one, inside) * _beside(other, inside)
    if length <= 0:
        return 0.0
    few, many = (one, other) if len(one) < len(other) else (other, one)
    return sum(weight * many[pair] for pair, weight in few.items() if pair in many and pair not in inside) / length


def _beside(words: Words, inside: Collection[str]) -> float:
    return float(max(0.0, 1.0 - sum(words[pair] * words[pair] for pair in inside if pair in words)) ** 0.5)


def without(words: Words, names: Iterable[str]) -> dict[str, float]:
    """Leave out the pairs of characters that are inside these names."""
    inside = pairs_in(names)
    return {pair: weight for pair, weight in words.items() if pair not in inside}


def pairs_in(names: Iterable[str]) -> set[str]:
    """Give the pairs of characters inside these names."""
    return {before + after for name in names if not is_subject(name) for before, after in pairwise(name)}


def dot(one: Words, other: Words) -> float:
    """Multiply weights of what both have."""
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[pair] for pair, weight in one.items() if pair in other)


def norm(words: Words) -> float:
    """Give the length."""
    return float(sum(weight * weight for weight in words.values()) ** 0.5)
