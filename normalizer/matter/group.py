"""A group of appeals as one (簇): what its members bear, use and say together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from itertools import combinations

from normalizer.matter.likeness import Count, Lexicon, apart, dot, is_subject, norm, other_school, topic, without
from normalizer.matter.portrait import APART, Portrait, Subjects
from normalizer.matter.rarity import rarity

#: In how much of a group a name must stand to be its name, and how rare it must be.
BORNE, TELLING = 0.7, 15.0
ALONG = frozenset("路街道线站")
#: In how much of it a run must stand to belong to that name, and how far names run on.
PART, PART_TELLING, STEPS = 0.15, 18.0, 3
#: In how many of the titles a subject must stand.
TITLED = 0.2
#: From which size, with so many naming subjects, and none of these in so many letters, a group is scattered.
SCATTERED_FROM, SCATTERED_NAMING, SCATTERED_SHARE = 4, 0.8, 0.4
#: Written about the same time.
MONTH = timedelta(days=30)
#: What agreement of the classes adds to that of the words.
CLASSES = 0.1


class Group:
    """Members and what they have together; made anew where members leave."""

    __slots__ = ("_lexicon", "classes", "districts", "members", "names", "schools", "titled", "words")

    def __init__(self, members: Iterable[Portrait], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self.members: dict[str, Portrait] = {}
        self.names: Counter[str] = Counter()
        self.words: dict[str, float] = {}
        self.classes: Counter[str] = Counter()
        self.titled: Counter[str] = Counter()
        self.schools: Counter[str] = Counter()
        self.districts: set[str] = set()
        self.take(members)

    def __len__(self) -> int:
        return len(self.members)

    def take(self, members: Iterable[Portrait]) -> None:
        """Take more members in."""
        for one in members:
            self.members[one.id] = one
            self.names.update(one.names)
            for pair, weight in one.words.items():
                self.words[pair] = self.words.get(pair, 0.0) + weight
            self.classes[one.category] += 1
            self.titled.update(one.titled)
            self.schools.update(one.schools)
            if one.district:
                self.districts.add(one.district)

    def subjects(self) -> Subjects:
        """Say what its titles name."""
        least = TITLED * len(self)
        return frozenset(subject for subject, times in self.titled.items() if times >= least)

    def is_apart_from(self, other: Group) -> bool:
        """Say whether both name different subjects of one kind."""
        return apart(self.subjects(), other.subjects()) or other_school(
            frozenset(self.schools), frozenset(other.schools)
        )

    def is_of_one_class_with(self, other: Group) -> bool:
        """Say whether all members of both are of one class."""
        return len(self.classes.keys() | other.classes.keys()) == 1

    def nearness(self, other: Group) -> float:
        """Say what part of the pairs between both were written within a month of each other."""
        pairs = [
            one.at is not None and far.at is not None and abs(one.at - far.at) <= MONTH
            for one in self.members.values()
            for far in other.members.values()
        ]
        return sum(pairs) / len(pairs)

    def is_scattered(self) -> bool:
        """Say whether its letters name a subject each of their own: they share a word of the trade, and no matter."""
        naming = [one.about for one in self.members.values() if one.about]
        if len(self) < SCATTERED_FROM or len(naming) < SCATTERED_NAMING * len(self):
            return False
        said = Counter(subject for about in naming for subject in about)
        return max(said.values()) < SCATTERED_SHARE * len(naming)

    def is_of_one_hand(self) -> bool:
        """Say whether one person wrote all of it."""
        people = {one.person for one in self.members.values()}
        return len(people) == 1 and None not in people

    def one_by_one(self) -> float:
        """Say how alike any two members are on the average, what they bear together set aside."""
        names = self.own_names()
        each = [
            topic(one.words, other.words, {*names, *(one.names & other.names)})
            for one, other in combinations(self.members.values(), 2)
        ]
        return sum(each) / len(each)

    def own_names(self) -> list[str]:
        """Give the names that nearly all of its members bear."""
        least = BORNE * len(self)
        return [name for name, times in self.names.items() if times >= least and self.is_name(name)]

    def shared_names(self, other: Group) -> list[str]:
        """Give the names that nearly all members of both bear."""
        few, many = (self, other) if len(self.names) < len(other.names) else (other, self)
        least = BORNE * (len(self) + len(other))
        return [
            name
            for name, times in few.names.items()
            if (more := many.names.get(name, 0)) and times + more >= least and self.is_name(name)
        ]

    def is_name(self, name: str) -> bool:
        """Say whether this run or subject can be the name of one matter."""
        if is_subject(name):
            return name[-1] in APART
        # Along a road, a line or at a stop many things happen: it says where, not what.
        return name[-1] not in ALONG and name not in self._lexicon.runs and rarity(name) >= TELLING

    def agreement(self, other: Group, names: Collection[str]) -> float:
        """Say how much both are about the same thing, their common name set aside."""
        whole = self._whole_names(other, names)
        here, there = without(self.words, whole), without(other.words, whole)
        length = norm(here) * norm(there)
        return (dot(here, there) / length if length else 0.0) + CLASSES * _overlap(self, other)

    def _whole_names(self, other: Group, names: Collection[str]) -> set[str]:
        """Let names run on as far as they do in either: 魅力之 is a part of 万科魅力之城."""
        whole = {name for name in names if not is_subject(name)}
        pool = self._parts() | other._parts()
        for _ in range(STEPS):
            ends, begins = {name[1:] for name in whole}, {name[:2] for name in whole}
            more = {run for run in pool - whole if run[:2] in ends or run[1:] in begins}
            if not more:
                break
            whole |= more
        return whole

    def _parts(self) -> set[str]:
        least = PART * len(self)
        return {
            run
            for run, times in self.names.items()
            if times >= least and not is_subject(run) and run not in self._lexicon.runs and rarity(run) >= PART_TELLING
        }

    def agreements(self) -> Mapping[str, float]:
        """Say of each member how much it is about what the others are about."""
        names = self.own_names()
        found = {}
        for one in self.members.values():
            others = Group((), self._lexicon)
            others.members = {id_: other for id_, other in self.members.items() if id_ != one.id}
            others.names = self.names
            others.words = {pair: weight - one.words.get(pair, 0.0) for pair, weight in self.words.items()}
            others.classes = self.classes - Counter([one.category])
            found[one.id] = others.agreement(Group([one], self._lexicon), names)
        return found


def borne_alone(names: Iterable[str], groups: Collection[Group], count: Count) -> float:
    """Say what part of all that bear one of these names is in these groups: near 1, the name means this matter."""
    return max(
        (sum(group.names[name] for group in groups) / max(count(name), 1) for name in names),
        default=0.0,
    )


def _overlap(one: Group, other: Group) -> float:
    return sum(min(times / len(one), other.classes[code] / len(other)) for code, times in one.classes.items())
