"""The balance (平账): what was offered equals what ended or is open, as sets, and every difference has a name.

Nothing here is counted twice or kept apart: the end state of an item is derived from `raw`, `unmapped`, `appeals`
and `cases`, each of which says what it knows. Hiding a lost document is what a second copy of the state would do best.

Strategy: the pages that are not done are few and are read first; then `raw` is walked once in order of `_id`, a batch
at a time, joined with the other collections; then the offered ids of `pages` are looked up in `raw`. What looks like a
difference is looked at again at the end, since a page may have been finished meanwhile. Memory stays flat; for one day
it is that day's ids.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from intake.end_states import RAW_MISSING, UNKNOWN_STATE, Entry, end_state
from intake.rounds import rows as rounds

BATCH = 1000
LISTED = 1000  #: open items and differences listed by name; all are counted
OPEN_STATES = frozenset({"triage", "in_flight"})

# Motor ships no types.
Database = Any
Collection = Any
Cursor = Any


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """An item that has not ended yet."""

    id: str
    source: str
    native_id: str
    state: str
    age_seconds: int | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was offered and is nowhere."""

    id: str
    source: str
    native_id: str
    missing: str


class Balance(msgspec.Struct, kw_only=True):
    """The sum over all sources."""

    day: str | None
    sources: dict[str, dict[str, int]] = {}
    offered: int = 0
    parted: int = 0  #: items with several requests (一条多诉), and their cases
    parts: int = 0
    open_count: int = 0
    open: list[Open] = []
    difference_count: int = 0
    differences: list[Difference] = []

    @property
    def adds_up(self) -> bool:
        return self.difference_count == 0

    def totals(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for states in self.sources.values():
            for state, count in states.items():
                total[state] = total.get(state, 0) + count
        return total

    def add(self, entry: Entry, now: datetime) -> None:
        self.offered += 1
        if entry.parts > 1:
            self.parted += 1
            self.parts += entry.parts
        states = self.sources.setdefault(entry.source, {})
        if entry.state is None:
            self.difference_count += 1
            states["difference"] = states.get("difference", 0) + 1
            if len(self.differences) < LISTED:
                self.differences.append(_difference(entry))
            return
        states[entry.state] = states.get(entry.state, 0) + 1
        if entry.state in OPEN_STATES:
            self.open_count += 1
            if len(self.open) < LISTED:
                self.open.append(_open(entry, now))


def _difference(entry: Entry) -> Difference:
    return Difference(
        id=entry.id, source=entry.source, native_id=entry.native_id, missing=entry.missing or UNKNOWN_STATE
    )


def _open(entry: Entry, now: datetime) -> Open:
    age = int((now - entry.since) / timedelta(seconds=1)) if entry.since else None
    return Open(id=entry.id, source=entry.source, native_id=entry.native_id, state=entry.state or "", age_seconds=age)


async def balance(db: Database, now: datetime, *, day: str | None = None) -> Balance:
    """Walk everything that was offered (on `day`) and sum up where it ended."""
    total = Balance(day=day)
    async for entry in entries(db, day=day):
        total.add(entry, now)
    return total


async def entries(db: Database, *, day: str | None = None) -> AsyncIterator[Entry]:
    """Yield every item that was offered, once."""
    unfinished = await _unfinished(db)
    doubtful: list[Entry] = []
    async for rows in _first_offered_on(db, day) if day else _batches(db.raw.find({}, _RAW_FIELDS).sort("_id", 1)):
        for entry in await _join(db, rows, unfinished):
            if entry.state is None:
                doubtful.append(entry)
            else:
                yield entry
    async for entry in _offered_without_raw(db, day):
        yield entry
    for start in range(0, len(doubtful), BATCH):
        for entry in await _again(db, doubtful[start : start + BATCH]):
            yield entry


_RAW_FIELDS = {"source": 1, "native_id": 1, "day": 1, "parked": 1, "withdrawn": 1, "received_at": 1}
_CASE_FIELDS = {
    "state": 1,
    "holder": 1,
    "since": 1,
    "dispatches.department": 1,
    "dispatches.state": 1,
    "parts": 1,
}


async def _first_offered_on(db: Database, day: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Give the items of one day by its pages, each item once; what was offered before belongs to that earlier day."""
    told: set[str] = set()
    async for page in db.pages.find({"day": day}, {"ids": 1}).sort("_id", 1).batch_size(50):
        ids = [id_ for id_ in dict.fromkeys(page["ids"]) if id_ not in told]
        told.update(ids)
        rows = [row async for row in db.raw.find({"_id": {"$in": ids}, "day": day}, _RAW_FIELDS)]
        if rows:
            yield rows


async def _batches(cursor: Cursor) -> AsyncIterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    async for row in cursor.batch_size(BATCH):
        rows.append(row)
        if len(rows) == BATCH:
            yield rows
            rows = []
    if rows:
        yield rows


async def _unfinished(db: Database, ids: Sequence[str] | None = None) -> dict[str, datetime]:
    """Ids of pages that are stored and not done, with the moment since when."""
    wanted = None if ids is None else set(ids)
    found: dict[str, datetime] = {}
    async for page in db.pages.find({"stage": {"$in": ["stored", "normalized"]}}, {"ids": 1, "at": 1}):
        found.update((id_, page["at"]) for id_ in page["ids"] if wanted is None or id_ in wanted)
    return found


async def _join(db: Database, rows: Sequence[Mapping[str, Any]], unfinished: Mapping[str, datetime]) -> list[Entry]:
    ids = [row["_id"] for row in rows]
    unmapped = await _by_id(db.unmapped, ids, {"reason": 1, "revision": 1})
    cases = await _standing(db, ids)
    asked = [id_ for id_ in ids if id_ not in cases or id_ in unmapped]
    appeals = await _by_id(db.appeals, asked, {"quality.is_appeal": 1, "revision": 1})
    parts = await _standing(db, [part for case in cases.values() for part in case.get("parts", ())])
    return [
        end_state(
            row, unmapped.get(row["_id"]), appeals.get(row["_id"]), cases.get(row["_id"]), unfinished, parts=parts
        )
        for row in rows
    ]


async def _standing(db: Database, appeals: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the newest case of each appeal: it says where that is, and all its rounds to whom something was sent."""
    chains = await rounds(db, appeals, _CASE_FIELDS) if appeals else {}
    return {
        appeal: chain[-1]
        if len(chain) == 1
        else chain[-1] | {"dispatches": [row for case in chain for row in case["dispatches"]]}
        for appeal, chain in chains.items()
    }


async def _by_id(collection: Collection, ids: Sequence[str], fields: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    return {row["_id"]: row async for row in collection.find({"_id": {"$in": list(ids)}}, fields)}


async def _offered_without_raw(db: Database, day: str | None) -> AsyncIterator[Entry]:
    """What a page offered and `raw` does not hold: under way while its page is `offered`, else lost."""
    told: set[str] = set()
    query = {"day": day} if day else {}
    cursor = db.pages.find(query, {"ids": 1, "native_ids": 1, "source": 1, "day": 1, "at": 1, "stage": 1}).sort(
        "_id", 1
    )
    async for page in cursor.batch_size(50):
        ids = page["ids"]
        held = {row["_id"] async for row in db.raw.find({"_id": {"$in": ids}}, {"_id": 1})}
        for entry in _lost(page, held):
            if entry.id not in told:
                told.add(entry.id)
                yield entry


def _lost(page: Mapping[str, Any], held: Iterable[str]) -> list[Entry]:
    known = set(held)
    fresh = page["stage"] == "offered"
    return [
        Entry(
            id=id_,
            source=page["source"],
            native_id=native_id,
            day=page["day"],
            state="in_flight" if fresh else None,
            since=page["at"],
            missing=None if fresh else RAW_MISSING,
        )
        for id_, native_id in zip(page["ids"], page["native_ids"], strict=True)
        if id_ not in known
    ]


async def _again(db: Database, doubtful: Sequence[Entry]) -> list[Entry]:
    """Look once more: the street may have moved while we walked."""
    ids = [entry.id for entry in doubtful]
    unfinished = await _unfinished(db, ids)
    rows = await _by_id(db.raw, ids, _RAW_FIELDS)
    joined = {entry.id: entry for entry in await _join(db, list(rows.values()), unfinished)}
    return [joined.get(entry.id, entry) for entry in doubtful]
