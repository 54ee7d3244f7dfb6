"""Links, never rewrites (并单与拆单): who belongs to which event by people's word. Pure.

A web says of each appeal in which event it is. Joining writes down where everybody was before; splitting puts everybody
back there, so the two are exact inverses, whatever was joined and split in between in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """One joining: who came, from where, and who said so."""

    members: dict[str, str | None]  #: appeal -> the event that it was in before, and None where in none
    by: str
    reason: str
    at: datetime


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed event (同一事件): one order to act on (主单), and the joinings that made it."""

    id: str
    order: str | None  #: the appeal whose order is acted on
    joinings: list[Joined] = []


Homes = Mapping[str, str | None]  #: appeal -> event


def join(
    event: Event, members: Sequence[str], homes: Homes, said: tuple[str, str, datetime]
) -> tuple[Event, dict[str, str | None]]:
    """Join appeals to an event; give the event with this joining written down, and who is where now."""
    confirmed = {id_ for joined in event.joinings for id_ in joined.members if homes.get(id_) == event.id}
    came = {id_: homes.get(id_) for id_ in members if id_ not in confirmed}
    if not came:
        return event, dict(homes)
    by, reason, at = said
    joined = Joined(members=came, by=by, reason=reason, at=at)
    after = msgspec.structs.replace(event, joinings=[*event.joinings, joined])
    return after, {**homes, **dict.fromkeys(came, event.id)}


def split(event: Event, homes: Homes) -> tuple[Event, dict[str, str | None]]:
    """Undo the last joining: everybody is again where they were."""
    if not event.joinings:
        return event, dict(homes)
    *before, last = event.joinings
    back = {id_: home for id_, home in last.members.items() if homes.get(id_) == event.id}
    return msgspec.structs.replace(event, joinings=before), {**homes, **back}


def take_out(event: Event, member: str, homes: Homes) -> tuple[Event, dict[str, str | None]]:
    """Take one out of an event, and leave the others: it is again where it was, and never in this event.

    Joining it and taking it out again leaves everything as it was; what others joined before and since stands.
    """
    if homes.get(member) != event.id:
        return event, dict(homes)
    came = [joined.members[member] for joined in event.joinings if member in joined.members]
    home = came[-1] if came and came[-1] != event.id else None  # who was only suspected to belong there does not
    left = [
        msgspec.structs.replace(joined, members={id_: home for id_, home in joined.members.items() if id_ != member})
        for joined in event.joinings
    ]
    after = msgspec.structs.replace(event, joinings=[joined for joined in left if joined.members])
    return after, {**homes, member: home}
