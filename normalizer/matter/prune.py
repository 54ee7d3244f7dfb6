"""Let go of who is in a group and about something else, and of groups that are about nothing in particular. Pure."""

from __future__ import annotations

from normalizer.matter.group import Group, borne_alone
from normalizer.matter.likeness import likeness, topic
from normalizer.matter.portrait import Portrait
from normalizer.matter.scene import BURST_AGREES, Scene, is_burst

#: A member that agrees less leaves; a group that agrees less on the average dissolves; two must be this alike.
STAYS, HOLDS, TWO = 0.07, 0.15, 4.2
#: More is asked of those that have no proper name in common; two must be of one class, or this much on one topic.
HOLDS_UNNAMED, ONE_BY_ONE, TWO_UNNAMED, SAME_TOPIC = 0.20, 0.035, 5.5, 0.15
#: More is asked where one hand wrote all, and of a member that bears no proper name while the others do.
HOLDS_ONE_HAND, STRANGER = 0.30, 0.20


def pruned(group: Group, scene: Scene) -> Group:
    """Let go of whoever is about something else; of all of them, where they are about nothing in particular."""
    while len(group) > 2:  # noqa: PLR2004
        strange = {
            id_: value
            for id_, value in group.agreements().items()
            if id_ not in scene.fixed and _is_strange(id_, value, group, scene)
        }
        if not strange:
            break
        worst = min(strange, key=lambda id_: (strange[id_], id_))
        group = scene.group(id_ for id_ in group.members if id_ != worst)
    if scene.fixed & group.members.keys():
        return group
    return group if _holds(group, scene) else scene.group(())


def _is_strange(id_: str, value: float, group: Group, scene: Scene) -> bool:
    """Say whether a member that agrees so much with the others is about something else."""
    if value < STAYS:
        return value < BURST_AGREES or not _bursts(id_, group, scene)
    if value < STRANGER:
        proper = [name for name in group.own_names() if scene.lexicon.is_proper(name)]
        return bool(proper) and not any(name in group.members[id_].names for name in proper)
    return False


def _bursts(id_: str, group: Group, scene: Scene) -> bool:
    """Say whether this member is one of a burst."""
    others = scene.group(other for other in group.members if other != id_)
    return is_burst(scene.group([id_]), others, borne_alone(group.own_names(), (group,), scene.count))


def _holds(group: Group, scene: Scene) -> bool:
    if len(group) <= 1:
        return False
    if len(group) == 2:  # noqa: PLR2004
        one, other = group.members.values()
        return _two_hold(one, other, scene)
    if group.is_scattered():
        return False
    agreements = group.agreements().values()
    mean = sum(agreements) / len(agreements)
    if group.is_of_one_hand() and mean < HOLDS_ONE_HAND:
        return False
    if any(scene.lexicon.is_proper(name) for name in group.own_names()):
        return mean >= HOLDS
    return mean >= HOLDS_UNNAMED and group.one_by_one() >= ONE_BY_ONE


def _two_hold(one: Portrait, other: Portrait, scene: Scene) -> bool:
    """Ask more of two: a proper name in common or nearly the same words, and that they are about the same thing."""
    alike = likeness(one, other, scene.count, scene.lexicon)
    shared = one.names & other.names
    named = any(scene.lexicon.is_proper(name) for name in shared)
    agreed = one.category == other.category or topic(one.words, other.words, shared) >= SAME_TOPIC
    return alike >= TWO and agreed and (named or alike >= TWO_UNNAMED)
