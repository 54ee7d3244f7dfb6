"""New members of confirmed events (同一事件), recognised while they are stored, before anything is dispatched.

Only what people confirmed is asked here, and only appeals in whose text its name stands: a page in a city without
confirmed events costs one empty read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from normalizer.appeal import Appeal
from normalizer.matter.flow import Room
from normalizer.matter.gather import joins
from normalizer.matter.group import Group
from normalizer.matter.portrait import Portrait, portrait_of
from normalizer.matter.scene import Scene
from normalizer.matter.web import Event


async def members_of_confirmed(appeals: Sequence[Appeal], room: Room) -> dict[str, Event]:
    """Say of each appeal that belongs to a confirmed event, to which."""
    events = {event.id: event for event in await room.store.confirmed()}
    if not events:
        return {}
    kept = await room.store.members(events)
    groups = {id_: Group((one.portrait for one in kept if one.event == id_), room.lexicon) for id_ in events}
    names = {id_: group.own_names() for id_, group in groups.items() if len(group)}
    near = _near(appeals, names)
    if not near:
        return {}
    counts = await room.store.counts({name for each in names.values() for name in each})
    return {id_: events[event] for id_, event in _joining(near, groups, counts, room).items()}


def _near(appeals: Sequence[Appeal], names: Mapping[str, Sequence[str]]) -> dict[str, tuple[Portrait, list[str]]]:
    """Give those in whose text the name of an event stands, and of which events."""
    near = {}
    for appeal in appeals:
        text = f"{appeal.title}\n{appeal.text}"
        if events := [event for event, own in names.items() if any(name.partition("/")[0] in text for name in own)]:
            near[appeal.id] = portrait_of(appeal), events
    return near


def _joining(
    near: Mapping[str, tuple[Portrait, list[str]]], groups: Mapping[str, Group], counts: Counter[str], room: Room
) -> dict[str, str]:
    found = {}
    for id_, (portrait, events) in near.items():
        scene = Scene(portraits={id_: portrait}, count=lambda name: counts[name] + 1, lexicon=room.lexicon)
        for event in events:
            if joins(portrait, groups[event], scene):
                found[id_] = event
                break
    return found
