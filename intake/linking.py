"""What people say about what belongs together (并单与拆单): both rooms are told, each word is kept with its speaker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from intake.house import Database
from intake.rounds import newest_rows
from normalizer.appeal import from_document
from normalizer.matter.flow import Room
from normalizer.matter.likeness import evidence
from normalizer.matter.portrait import portrait_of
from normalizer.matter.store import Kept
from normalizer.matter.web import Event, Homes, join, split, take_out
from router import joining
from router.cases.case import Case
from router.flow import Room as RouterRoom


class NotLinked(Exception):
    """What was asked for cannot be done; the text says why, in Chinese and English."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal that belongs with another, and what says so."""

    id: str
    native_id: str
    title: str
    state: str | None
    names: list[str]
    words: list[str]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of what one appeal belongs with."""

    id: str
    native_id: str
    title: str
    same_person: list[Link]
    event: str | None
    confirmed: bool
    order: str | None  #: the appeal whose order is acted on (主单)
    said: list[dict[str, Any]]  #: who joined what, when and why
    members: list[Link]


async def show(db: Database, room: Room, id_: str) -> Shown | None:
    """Show what an appeal belongs with, with the evidence."""
    found = await db.appeals.find_one({"_id": id_})
    if found is None:
        return None
    appeal = from_document(found)
    event_id = appeal.links.same_event
    event = None if event_id is None else await room.store.event(event_id)
    members = [] if event_id is None else await room.store.members([event_id])
    others = [one.portrait.id for one in members if one.portrait.id != id_]
    rows = {one["_id"]: one async for one in db.appeals.find({"_id": {"$in": [*others, *appeal.links.same_person]}})}
    states = {id_: one["state"] for id_, one in (await newest_rows(db, list(rows), {"state": 1})).items()}
    portrait = portrait_of(appeal)

    def link(other: str) -> Link:
        row = rows[other]
        why = evidence(portrait, portrait_of(from_document(row)), lambda _: 1, room.lexicon)
        return Link(
            id=other,
            native_id=row["native_id"],
            title=row["title"],
            state=states.get(other),
            names=why.names,
            words=why.words,
        )

    return Shown(
        id=id_,
        native_id=appeal.native_id,
        title=appeal.title,
        same_person=[link(other) for other in appeal.links.same_person if other in rows],
        event=event_id,
        confirmed=event is not None and event.order is not None,
        order=None if event is None else event.order,
        said=[] if event is None else [msgspec.to_builtins(one) for one in event.joinings],
        members=[link(other) for other in others if other in rows],
    )


async def join_all(
    room: Room, router: RouterRoom, order: str, members: Sequence[str], said: tuple[str, str, datetime]
) -> tuple[Event, list[Case]]:
    """Confirm an event: these appeals, or without any all that are suspected with the first; its order is acted on."""
    kept = await _homes(room, [order, *members])
    if order not in kept:
        raise NotLinked(f"{order} 没有可以并单的诉求 · no appeal that can be joined")
    event = await _event_of(room, order, kept[order])
    if not members and event.id == kept[order].event:
        members = [one.portrait.id for one in await room.store.members([event.id]) if one.portrait.id != order]
        kept |= await _homes(room, members)
    wanted = [id_ for id_ in dict.fromkeys([order, *members]) if id_ in kept]
    if len(wanted) < 2:  # noqa: PLR2004
        raise NotLinked("并单至少要两件 · an event has two appeals at least")
    homes: Homes = {id_: one.event for id_, one in kept.items()}
    after, moved = join(event, wanted, homes, said)
    await room.store.keep_event(after)
    await room.store.place({id_: moved[id_] for id_ in wanted})
    await room.store.fix(wanted, fixed=True)
    by, reason, _ = said
    return after, await joining.join(after.order or order, wanted, by, reason, router)


async def split_last(
    room: Room, router: RouterRoom, id_: str, said: tuple[str, str, datetime]
) -> tuple[Event, list[Case]]:
    """Undo the last joining of the event that an appeal is in: everybody is where they were."""
    kept = await _homes(room, [id_])
    event = await room.store.event(kept[id_].event or "") if id_ in kept else None
    if event is None or not event.joinings:
        raise NotLinked(f"{id_} 不在已确认的同一事件中，无可拆分 · not in a confirmed event: nothing to split")
    members = await room.store.members([event.id])
    homes: Mapping[str, str | None] = {one.portrait.id: one.event for one in members}
    came = list(event.joinings[-1].members)
    after, moved = split(event, homes)
    if not after.joinings:
        came = list(dict.fromkeys([*came, *homes]))  # those that were put under the order without a word of anybody's
    await room.store.place({one: home for one, home in moved.items() if homes.get(one) != home})
    await room.store.fix(came, fixed=False)
    if after.joinings:
        await room.store.keep_event(after)
    else:
        await room.store.drop_event(event.id)
    by, reason, _ = said
    return after, await joining.split(event.order or event.id, came, by, reason, router)


async def split_one(
    room: Room, router: RouterRoom, id_: str, said: tuple[str, str, datetime]
) -> tuple[Event, list[Case]]:
    """Take one appeal out of its event; the others stay. What is left of two is no event any more."""
    kept = await _homes(room, [id_])
    event = await room.store.event(kept[id_].event or "") if id_ in kept else None
    if event is None:
        raise NotLinked(f"{id_} 不在已确认的同一事件中，无可拆分 · not in a confirmed event: nothing to split")
    if event.order == id_:
        raise NotLinked(f"{id_} 是主单，不能单独拆出；不带 --only 撤销并单 · the order that is acted on stays")
    members = await room.store.members([event.id])
    homes: Homes = {one.portrait.id: one.event for one in members}
    after, moved = take_out(event, id_, homes)
    await room.store.place({id_: moved[id_]})
    await room.store.fix([id_], fixed=True)  # a person put it there: no later look brings it back
    await room.store.keep_event(after)
    by, reason, _ = said
    alone = await joining.split(event.order or event.id, [id_], by, reason, router)
    if len(members) > 2:  # noqa: PLR2004 - the order, the one that left, and others
        return after, alone
    while after.joinings:
        after, _ = await split_last(room, router, event.order or event.id, said)
    return after, alone


async def _homes(room: Room, ids: Sequence[str]) -> dict[str, Kept]:
    return {one.portrait.id: one for one in await room.store.portraits(ids)}


async def _event_of(room: Room, order: str, kept: Kept) -> Event:
    """Give the confirmed event of an appeal, or one that is named after what it is in, or after itself."""
    if kept.event is not None:
        found = await room.store.event(kept.event)
        return found or Event(id=kept.event, order=order)
    return Event(id=order, order=order)
