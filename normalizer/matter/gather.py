"""Gather appeals into groups about one matter (聚簇). Pure: the same appeals and groups give the same groups.

Four steps. Merge, best first, whatever is alike on the average and bears a name together. Let groups of three and more
grow by what bears their name and is about the same thing: where nearly all that bear a name are in a group already,
little more is asked for. Let go of members that are about something else than the others, and of groups that are about
nothing in particular. Then grow once more.

New appeals are gathered with what there is: only they are compared, groups stay as they are or grow. Whom a person has
put somewhere is not moved.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import msgspec

from normalizer.matter.group import ALONG, Group, borne_alone
from normalizer.matter.likeness import Count, Lexicon, likeness, topic
from normalizer.matter.portrait import Portrait

#: How alike appeals must be on the average, how many must bear one name, and how many of its bearers they must be.
ALIKE, TOGETHER, SHARE = 3.0, 0.6, 0.25
NOT_ALONE = ALONG | {"R"}
#: Of more bearers than this a name brings no two appeals together.
TOO_COMMON = 120
#: How alike appeals must be on the average, how many must bear one name, and how many of all its bearers.
GROWS = 3
ASKED = ((0.8, 0.10), (0.6, 0.14), (0.4, 0.18), (0.0, 0.26))
#: A member that agrees less leaves; a group that agrees less on the average dissolves; two must be this alike.
STAYS, HOLDS, TWO = 0.07, 0.15, 4.2
#: More is asked of those that have no proper name in common; two must be of one class, or this much on one topic.
HOLDS_UNNAMED, TWO_UNNAMED, SAME_TOPIC = 0.20, 5.5, 0.15
ROUNDS = 12


class Scene(msgspec.Struct, frozen=True):
    """What gathering works with."""

    portraits: Mapping[str, Portrait]
    count: Count
    lexicon: Lexicon
    fixed: frozenset[str] = frozenset()  #: whom a person put where they are

    def group(self, members: Iterable[str]) -> Group:
        return Group((self.portraits[id_] for id_ in members), self.lexicon)


def gather(scene: Scene, fresh: Collection[str], known: Sequence[Collection[str]]) -> list[list[str]]:
    """Give the groups of two and more after the fresh ones came in: the known ones as they are now, and new ones."""
    groups = _merge(scene, fresh, known)
    groups = [_pruned(group, scene) for group in _grow(groups, scene)]
    groups = [_pruned(group, scene) for group in _grow([group for group in groups if len(group)], scene, loose=scene)]
    return [sorted(group.members) for group in groups if len(group) > 1]


# ---------------------------------------------------------------- merge


def _merge(scene: Scene, fresh: Collection[str], known: Sequence[Collection[str]]) -> list[Group]:
    """Merge nodes best first, by the average likeness of their members."""
    nodes, home = _nodes(scene, known)
    sums: dict[int, dict[int, float]] = defaultdict(dict)
    for one, other, score in _pairs(scene, fresh):
        here, there = home[one], home[other]
        if here != there and score > 0:
            sums[here][there] = sums[there][here] = sums[here].get(there, 0.0) + score
    heap = [
        entry
        for here, row in sums.items()
        for there in row
        if here < there
        for entry in _offer(here, there, sums, nodes)
    ]
    heapq.heapify(heap)
    while heap:
        _, here, there, size, other_size = heapq.heappop(heap)
        stale = here not in nodes or there not in nodes or (len(nodes[here]), len(nodes[there])) != (size, other_size)
        if not stale and _bound(nodes[here], nodes[there], scene):
            for entry in _one_of_two(here, there, sums, nodes):
                heapq.heappush(heap, entry)
    return list(nodes.values())


def _nodes(scene: Scene, known: Sequence[Collection[str]]) -> tuple[dict[int, Group], dict[str, int]]:
    """Give the groups that there are, and one for each appeal that is in none."""
    nodes = {number: scene.group(members) for number, members in enumerate(known)}
    home = {id_: number for number, members in enumerate(known) for id_ in members}
    for id_ in sorted(scene.portraits.keys() - home.keys()):
        home[id_] = len(nodes)
        nodes[home[id_]] = scene.group([id_])
    return nodes, home


def _one_of_two(here: int, there: int, sums: dict[int, dict[int, float]], nodes: dict[int, Group]) -> Iterator[Offer]:
    """Make one node of two, and offer it to whatever was near either."""
    if len(sums[here]) < len(sums[there]):
        here, there = there, here
    nodes[here].take(nodes.pop(there).members.values())
    for far, score in sums.pop(there).items():
        sums[far].pop(there, None)
        if far != here:
            sums[here][far] = sums[far][here] = sums[here].get(far, 0.0) + score
    for far in sums[here]:
        yield from _offer(here, far, sums, nodes)


Offer = tuple[float, int, int, int, int]


def _offer(
    here: int, there: int, sums: Mapping[int, Mapping[int, float]], nodes: Mapping[int, Group]
) -> Iterator[Offer]:
    size, other = len(nodes[here]), len(nodes[there])
    average = sums[here][there] / (size * other)
    if average >= ALIKE:
        yield -average, here, there, size, other


def _pairs(scene: Scene, fresh: Collection[str]) -> Iterator[tuple[str, str, float]]:
    """Compare each fresh appeal with whatever shares a key with it."""
    bearers: dict[str, list[str]] = defaultdict(list)
    for id_ in sorted(scene.portraits):
        for key in scene.portraits[id_].keys:
            bearers[key].append(id_)
    new = set(fresh)
    for id_ in sorted(new):
        one = scene.portraits[id_]
        others = {other for key in one.keys if len(bearers[key]) <= TOO_COMMON for other in bearers[key]}
        for other in sorted(others):
            if other != id_ and (other not in new or id_ < other):
                yield id_, other, likeness(one, scene.portraits[other], scene.count, scene.lexicon)


def _bound(one: Group, other: Group, scene: Scene) -> bool:
    """Say whether both bear a name that is not everybody's."""
    if scene.fixed & one.members.keys() and scene.fixed & other.members.keys():
        return False  # people said of both what they are
    few, many = (one, other) if len(one.names) < len(other.names) else (other, one)
    size = len(one) + len(other)
    for name, times in few.names.items():
        more = many.names.get(name, 0)
        bear = times + more
        if more and bear >= TOGETHER * size and bear >= SHARE * scene.count(name) and name[-1] not in NOT_ALONE:
            return True
    return False


# ---------------------------------------------------------------- grow


def _grow(groups: list[Group], scene: Scene, loose: Scene | None = None) -> list[Group]:
    """Let groups take in what bears their name and is about the same thing, the surest first."""
    if loose is not None:
        held = {id_ for group in groups for id_ in group.members}
        groups = groups + [loose.group([id_]) for id_ in sorted(loose.portraits.keys() - held)]
    judged: dict[frozenset[tuple[str, int]], float] = {}
    for _ in range(ROUNDS):
        offers = sorted(_growths(groups, scene, judged), key=lambda offer: (-offer[0], offer[1], offer[2]))
        gone: set[int] = set()
        for _, here, there in offers:
            if here in gone or there in gone:
                continue
            big, small = (here, there) if len(groups[here]) >= len(groups[there]) else (there, here)
            groups[big].take(groups[small].members.values())
            gone |= {here, there}
            groups[small] = scene.group(())
        groups = [group for group in groups if len(group)]
        if not offers:
            break
    return groups


def _growths(
    groups: Sequence[Group], scene: Scene, judged: dict[frozenset[tuple[str, int]], float]
) -> Iterator[tuple[float, int, int]]:
    """Offer pairs of groups by how much they agree over what is asked; what was judged once is not judged again."""
    named: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        for name in group.own_names():
            if scene.count(name) <= TOO_COMMON:
                named[name].append(number)
    marks = [(min(group.members), len(group)) for group in groups]
    pairs = {
        (here, there)
        for numbers in named.values()
        if any(len(groups[number]) >= GROWS for number in numbers)
        for here, there in combinations(numbers, 2)
        if max(len(groups[here]), len(groups[there])) >= GROWS
    }
    for here, there in sorted(pairs):
        both = frozenset((marks[here], marks[there]))
        if both not in judged:
            judged[both] = _over(groups[here], groups[there], scene)
        if judged[both] >= 0:
            yield judged[both], here, there


def _over(one: Group, other: Group, scene: Scene) -> float:
    """Say by how much two groups agree more than is asked of them; -1 where they may not meet."""
    names = one.shared_names(other) if _may_meet(one, other, scene) else []
    if not names:
        return -1.0
    return one.agreement(other, names) - _asked(borne_alone(names, (one, other), scene.count))


def joins(portrait: Portrait, group: Group, scene: Scene) -> bool:
    """Say whether one more appeal belongs to a group that stands."""
    return _over(group, scene.group([portrait.id]), scene) >= 0


def _may_meet(one: Group, other: Group, scene: Scene) -> bool:
    if one.districts and other.districts and not one.districts & other.districts:
        return False
    if one.is_apart_from(other):
        return False
    small = min(one, other, key=len)
    return not scene.fixed & small.members.keys()


def _asked(alone: float) -> float:
    return next(asked for share, asked in ASKED if alone >= share)


# ---------------------------------------------------------------- prune


def _pruned(group: Group, scene: Scene) -> Group:
    """Let go of whoever is about something else; of all of them, where they are about nothing in particular."""
    while len(group) > 2:  # noqa: PLR2004
        agreements = {id_: value for id_, value in group.agreements().items() if id_ not in scene.fixed}
        worst = min(agreements, key=lambda id_: (agreements[id_], id_), default=None)
        if worst is None or agreements[worst] >= STAYS:
            break
        group = scene.group(id_ for id_ in group.members if id_ != worst)
    if scene.fixed & group.members.keys():
        return group
    return group if _holds(group, scene) else scene.group(())


def _holds(group: Group, scene: Scene) -> bool:
    if len(group) <= 1:
        return False
    if len(group) == 2:  # noqa: PLR2004
        one, other = group.members.values()
        return _two_hold(one, other, scene)
    if group.is_scattered():
        return False
    agreements = group.agreements().values()
    named = any(scene.lexicon.is_proper(name) for name in group.own_names())
    return sum(agreements) / len(agreements) >= (HOLDS if named else HOLDS_UNNAMED)


def _two_hold(one: Portrait, other: Portrait, scene: Scene) -> bool:
    """Ask more of two: a proper name in common or nearly the same words, and that they are about the same thing."""
    alike = likeness(one, other, scene.count, scene.lexicon)
    shared = one.names & other.names
    named = any(scene.lexicon.is_proper(name) for name in shared)
    agreed = one.category == other.category or topic(one.words, other.words, shared) >= SAME_TOPIC
    return alike >= TWO and agreed and (named or alike >= TWO_UNNAMED)
