"""START HERE for what belongs together. The second look (复核): pages that were stored are compared, off the hot path.

A page leaves a note when it is stored. One worker at a time takes what was noted, draws portraits, asks the database
for those that share the rarest names, gathers, and writes down who is in which event. Two workers that stored at the
same moment need not have seen each other: this look sees both. Running it again changes nothing.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from normalizer.matter.gather import TOO_COMMON, gather
from normalizer.matter.likeness import Lexicon
from normalizer.matter.portrait import Portrait, portrait_of
from normalizer.matter.scene import Scene
from normalizer.matter.store import Kept, MatterStore

logger = structlog.get_logger(__name__)

#: How many appeals are gathered at once at most, and how many that lie near them are held beside them.
MOST, HELD = 5_000, 1_000
#: How many appeals are read, by their keys alone, to find those.
MOST_BEARERS = 20_000
#: Groups of up to so many are gathered anew with what comes; larger ones only grow.
SMALL = 8


@dataclass(frozen=True, slots=True)
class Room:
    """What this part works with."""

    store: MatterStore
    lexicon: Lexicon


async def second_look(room: Room, at_once: int = MOST) -> int:
    """Compare what nobody compared yet; return how many appeals that were. 0: nothing waits, or another is at it."""
    keys, ids = await room.store.waiting(at_once)
    if not keys:
        return 0
    owner = await room.store.claim()
    if owner is None:
        return 0
    moved = 0
    try:
        keys, ids = await room.store.waiting(at_once)
        for start in range(0, len(ids), at_once):
            homes = await _compare(ids[start : start + at_once], room)
            if not await room.store.keeps(owner):
                return 0
            await room.store.place(homes)
            moved += len(homes)
        await room.store.compared(keys)
    finally:
        await room.store.release(owner)
    logger.info("compared appeals with one another", action="second_look", appeals=len(ids), moved=moved)
    return len(ids)


async def _compare(ids: Sequence[str], room: Room) -> dict[str, str | None]:
    """Draw and keep portraits, gather them with what is like them; give who is in another event than before."""
    appeals = await room.store.appeals(ids)
    portraits = await asyncio.to_thread(lambda: [portrait_of(appeal) for appeal, counts in appeals if counts])
    await room.store.keep(portraits)
    await room.store.forget([appeal.id for appeal, counts in appeals if not counts])
    if not portraits:
        return {}
    pool = await _pool(portraits, room)
    free, known = _parted(pool)
    count = await _counts(pool, portraits, room)
    scene = Scene(
        portraits={id_: one.portrait for id_, one in pool.items()},
        count=lambda name: count[name],
        lexicon=room.lexicon,
        fixed=frozenset(id_ for id_, one in pool.items() if one.fixed),
    )
    groups = await asyncio.to_thread(gather, scene, free, known)
    return moves(pool, groups)


async def _pool(portraits: Sequence[Portrait], room: Room) -> dict[str, Kept]:
    """Gather whatever may have to do with the fresh ones: who shares rare keys with them, and the events of those."""
    fresh = {one.id for one in portraits}
    sharing: dict[str, list[str]] = defaultdict(list)
    for one in portraits:
        for key in one.keys:
            sharing[key].append(one.id)
    count = await room.store.counts(sharing)
    bearers = await room.store.bearing(telling(count))
    near = {one.portrait.id: one for one in await room.store.portraits(fresh | nearest(fresh, sharing, count, bearers))}
    events = {one.event for one in near.values() if one.event is not None}
    near |= {one.portrait.id: one for one in await room.store.members(events)}
    # Whom a person has set apart from everything is compared with nobody.
    return {id_: one for id_, one in near.items() if not (one.fixed and one.event is None)}


def telling(count: Mapping[str, int]) -> list[str]:
    """Say by which keys others are looked for: the rarest first, and no more than can be read."""
    found, bearers = [], 0
    for key in sorted(count, key=lambda key: (count[key], key)):
        bearers += count[key]
        if count[key] > TOO_COMMON or bearers > MOST_BEARERS:
            break
        found.append(key)
    return found


def nearest(
    fresh: Collection[str],
    sharing: Mapping[str, Collection[str]],
    count: Mapping[str, int],
    bearers: Iterable[tuple[str, Collection[str]]],
) -> set[str]:
    """Give those that share the most telling keys with each fresh one: the fewer bear a key, the more it tells.

    One of an event is enough to bring all of it.
    """
    most = max(2, HELD // len(fresh))
    points: dict[str, dict[str, float]] = {id_: defaultdict(float) for id_ in fresh}
    for other, keys in bearers:
        if other not in fresh:
            for key in keys:
                for id_ in sharing.get(key, ()):
                    points[id_][other] += 1 / max(1, count[key])  # it may have gone since
    rows = (heapq.nlargest(most, row.items(), key=lambda one: (one[1], one[0])) for row in points.values())
    return {other for row in rows for other, _ in row}


def _parted(pool: Mapping[str, Kept]) -> tuple[set[str], list[list[str]]]:
    """Part what is gathered anew from groups that stay together: the large ones, and those that people made."""
    events: dict[str, list[str]] = {}
    for id_, one in sorted(pool.items()):
        if one.event is not None:
            events.setdefault(one.event, []).append(id_)
    known = [ids for ids in events.values() if len(ids) > SMALL or any(pool[id_].fixed for id_ in ids)]
    held = {id_ for ids in known for id_ in ids}
    return set(pool) - held, known


async def _counts(pool: Mapping[str, Kept], fresh: Sequence[Portrait], room: Room) -> Counter[str]:
    """Count the bearers of names: where several here bear one, it is asked how many there are in all."""
    counts: Counter[str] = Counter(name for one in pool.values() for name in one.portrait.names)
    asked = {name for one in fresh for name in one.names}
    asked |= {name for name, times in counts.items() if times > 1}
    exact = await room.store.counts({name for name in asked if counts[name] > 1})
    return counts | exact


def moves(pool: Mapping[str, Kept], groups: Iterable[Collection[str]]) -> dict[str, str | None]:
    """Name the groups and give who is elsewhere than before: a group keeps the name that most of its members have."""
    homes: dict[str, str | None] = {}
    taken: set[str] = set()
    for ids in sorted(groups, key=lambda ids: (not any(pool[id_].fixed for id_ in ids), -len(ids), min(ids))):
        event = _name(ids, pool, taken)
        taken.add(event)
        homes |= dict.fromkeys(ids, event)
    return {id_: homes.get(id_) for id_, one in pool.items() if homes.get(id_) != one.event}


def _name(ids: Collection[str], pool: Mapping[str, Kept], taken: Collection[str]) -> str:
    """Name an event after the first appeal of it, and stay with that name; with the one that people gave, first."""
    said = Counter(pool[id_].event for id_ in ids if pool[id_].fixed)
    before = said or Counter(event for id_ in ids if (event := pool[id_].event) is not None and event not in taken)
    if before:
        return min(filter(None, before), key=lambda event: (-before[event], event))
    # Not after one that another event is named after.
    names = {one.event for one in pool.values()} | set(taken)
    first = sorted(ids, key=lambda id_: (_moment(pool[id_].portrait), id_))
    return next((id_ for id_ in first if id_ not in names), first[0])


def _moment(portrait: Portrait) -> str:
    return "" if portrait.at is None else portrait.at.isoformat()
