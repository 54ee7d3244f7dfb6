"""START HERE: RawAppeal in, Appeal out.

`normalize` (normalize.py) is pure: it maps the channel's fields into a draft and sends the draft through the steps.
`normalize_page` does that for a page and stores what came of it: secrets first, then appeals, so that a crash between
the two is mended by running the same page again. What stands already is handed on as it stands.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from connectors.raw_appeal import RawAppeal
from normalizer import vault
from normalizer.appeal import Change, Handed, Secrets
from normalizer.finished import Failed, Finished
from normalizer.matter import flow as matter
from normalizer.matter.again import WINDOW, repeats, said_of
from normalizer.matter.confirmed import members_of_confirmed
from normalizer.normalize import GROUP, finish_all
from normalizer.normalize import normalize as normalize  # handed on: whoever starts here finds it here
from normalizer.normalize import normalize_all as normalize_all
from normalizer.parting.standing import taken_back_parts, without_unnamed
from normalizer.sealing import Seal
from normalizer.settle import Made, linked, settle
from normalizer.store import AppealStore
from normalizer.tables import Tables

Document = dict[str, Any]
Finish = Callable[[Sequence[RawAppeal]], Awaitable[list[Finished | Failed]]]

#: What is compared with the other appeals in the second look: what is new, or says something else, or nothing any more.
COMPARED = frozenset({Change.NEW, Change.CHANGED, Change.BACK, Change.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Room:
    """What this room works with, handed in by the front door."""

    tables: Tables
    ref_key: bytes
    store: AppealStore
    seal: Seal
    now: Callable[[], datetime]
    finish: Finish | None = None  #: who normalizes a page, where it is not done here
    matters: matter.Room | None = None  #: who knows confirmed events; None: nobody is asked


async def normalize_page(raws: Sequence[RawAppeal], room: Room) -> list[Handed]:
    """Normalize a page, store what came of it, and hand it on in the order of the page.

    A failure of one is the failure of one: it goes to `unmapped` with its reason. Run again, it changes nothing and
    hands on the same.
    """
    made: list[Made] = []
    failed: list[tuple[RawAppeal, str]] = []
    for raw, one in zip(raws, await _finished(raws, room), strict=True):
        if isinstance(one, Finished):
            # Parts first: whoever sees the first one, which names the others, finds them.
            made += [Made(raw, part.appeal, part.secrets, part.document) for part in (*one.more, one)]
        else:
            failed.append((raw, one.reason))
    await room.store.set_aside([_failure(raw, reason, room) for raw, reason in failed if not raw.withdrawn])
    gone = [raw for raw, _ in failed if raw.withdrawn]
    await room.store.resolve([raw.id for raw in gone])  # taken back: what could not be mapped need not be any more
    made += await _taken_back(gone, room)
    places = {id(raw): at for at, raw in enumerate(raws)}
    made.sort(key=lambda one: places[id(one.raw)])
    made = await without_unnamed(made, room.store)
    await room.store.keep_secrets(await vault.sealed(made, room.seal, room.ref_key, room.now()))
    made, orders = await _with_event(await _with_repeats(made, room), room)
    settled = await settle(made, room.store)
    settled += await taken_back_parts(made, settled, room.store)
    handed = [_with_order(one, orders) for one in settled]
    await room.store.note_for_second_look([one.appeal.id for one in handed if one.change in COMPARED])
    await room.store.resolve([one.appeal.id for one in made if one.raw.revision > 1])
    return handed


async def _with_repeats(made: list[Made], room: Room) -> list[Made]:
    """Say of each appeal which earlier ones its author wrote about the same (`links.same_person`)."""
    people = Counter(one.appeal.citizen.ref for one in made if one.appeal.citizen.ref and one.appeal.posted_at)
    if not people:
        return made
    first = min(one.appeal.posted_at for one in made if one.appeal.posted_at)
    earlier = await room.store.said_before(list(filter(None, people)), datetime.fromisoformat(first) - WINDOW)
    # Most wrote once: only those who wrote more are looked at.
    more = {one.person for one in earlier} | {ref for ref, times in people.items() if times > 1}
    wrote = [one.appeal for one in made if one.appeal.citizen.ref in more and one.appeal.quality.is_appeal]
    said = [one for appeal in wrote if (one := said_of(appeal)) is not None]
    again = repeats(said, earlier)
    return [linked(one, same_person=again[one.appeal.id]) if one.appeal.id in again else one for one in made]


async def _with_event(made: list[Made], room: Room) -> tuple[list[Made], dict[str, str]]:
    """Say of each appeal to which confirmed event it belongs; and of those events, which order is acted on."""
    if room.matters is None:
        return made, {}
    fresh = [one.appeal for one in made if one.appeal.quality.is_appeal]
    events = await members_of_confirmed(fresh, room.matters)
    orders = {event.id: event.order for event in events.values() if event.order is not None}
    return [
        linked(one, same_event=events[one.appeal.id].id) if one.appeal.id in events else one for one in made
    ], orders


def _with_order(handed: Handed, orders: Mapping[str, str]) -> Handed:
    order = orders.get(handed.appeal.links.same_event or "")
    return handed if order is None else msgspec.structs.replace(handed, event_order=order)


async def _finished(raws: Sequence[RawAppeal], room: Room) -> list[Finished | Failed]:
    if room.finish is not None:
        return await room.finish(raws)
    return await finish_in_turns(raws, room.tables, room.ref_key)


async def finish_in_turns(raws: Sequence[RawAppeal], tables: Tables, ref_key: bytes) -> list[Finished | Failed]:
    """Normalize a page and let the other pages' answers in between groups: they would wait for the whole of it."""
    done: list[Finished | Failed] = []
    for start in range(0, len(raws), GROUP):
        done += finish_all(raws[start : start + GROUP], tables, ref_key)
        await asyncio.sleep(0)
    return done


async def retry_page(raws: Sequence[RawAppeal], room: Room) -> list[Handed]:
    """Normalize again what was set aside (`intake parked retry`); what is mapped now leaves `unmapped`."""
    handed = await normalize_page(raws, room)
    await room.store.resolve([one.appeal.id for one in handed])
    return handed


async def _taken_back(raws: Sequence[RawAppeal], room: Room) -> list[Made]:
    """Let what was taken back be told by what we have: a source that deletes a row often sends no row."""
    standing = await room.store.standing([raw.id for raw in raws])
    return [
        Made(raw, msgspec.structs.replace(standing[raw.id].appeal, revision=raw.revision), Secrets())
        for raw in raws
        if raw.id in standing
    ]


def _failure(raw: RawAppeal, reason: str, room: Room) -> Document:
    return {
        "_id": raw.id,
        "source": raw.source,
        "native_id": raw.native_id,
        "revision": raw.revision,
        "stage": "normalize",
        "reason": reason,
        "at": room.now(),
    }
