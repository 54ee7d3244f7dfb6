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
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from normalizer.matter.group import ALONG, Group, borne_alone
from normalizer.matter.likeness import likeness
from normalizer.matter.portrait import Portrait
from normalizer.matter.prune import pruned
from normalizer.matter.scene import BURST_AGREES, Scene, is_burst

#: How alike appeals must be on the average, how many must bear one name, and how many of its bearers they must be.
ALIKE, TOGETHER, SHARE = 3.0, 0.6, 0.25
NOT_ALONE = ALONG | {"R"}
#: Of more bearers than this a name brings no two appeals together.
TOO_COMMON = 120
#: How alike appeals must be on the average, how many must bear one name, and how many of all its bearers.
GROWS = 3
ASKED = ((0.8, 0.10), (0.6, 0.14), (0.4, 0.18), (0.0, 0.26))
ROUNDS = 12


def gather(scene: Scene, fresh: Collection[str], known: Sequence[Collection[str]]) -> list[list[str]]:
    """Give the groups of two and more after the fresh ones came in: the known ones as they are now, and new ones."""
    groups = _merge(scene, fresh, known)
    groups = [pruned(group, scene) for group in _grow(groups, scene)]
    groups = [pruned(group, scene) for group in _grow([group for group in groups if len(group)], scene, loose=scene)]
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
    along = False
    for name, times in few.names.items():
        more = many.names.get(name, 0)
        bear = times + more
        if more and bear >= TOGETHER * size and bear >= SHARE * scene.count(name):
            if name[-1] not in NOT_ALONE:
                return True
            along = along or name.endswith("/R")
    # Along a road many things happen: there, of one class and in one month it is one thing.
    return along and max(len(one), len(other)) >= GROWS and _is_one_thing(one, other)


def _is_one_thing(one: Group, other: Group) -> bool:
    return one.is_of_one_class_with(other) and one.nearness(other) == 1


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
    alone = borne_alone(names, (one, other), scene.count)
    asked = BURST_AGREES if is_burst(one, other, alone) else _asked(alone)
    return one.agreement(other, names) - asked


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
