"""Rehearsal of text (规整预演): what stands is normalized again from its raw text, and the difference is shown.

With other tables, or with the code of today over what an older version had made. What is shown is masked, on both
sides. What may not be opened any more is counted and left as it is. Nothing is changed and nothing is sent; that only
happens to what is applied (intake/street/again.py), by the flow that every page takes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from connectors.raw_appeal import RawAppeal
from intake.rights.accesses import Seen, note
from intake.rights.custody import Custody
from intake.settings import TableFiles
from normalizer.appeal import Appeal, Normalized, part_id
from normalizer.errors import Unmappable
from normalizer.flow import normalize_all
from normalizer.settle import Made, succeeding
from normalizer.store import AppealStore, Standing
from normalizer.tables import Tables

PAGE = 500
#: What does not come from the text alone: when it was received, what it is linked with, what was decided.
_LEFT_OUT = frozenset({"revision", "schema_version", "received_at", "links", "routing", "engagement", "official_reply"})
#: Shown part by part.
_PARTED = frozenset({"category", "place", "citizen", "quality"})


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which items: of a source, first offered on these days (Asia/Shanghai), both included."""

    source: str | None = None
    since: str | None = None
    until: str | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One item that would read otherwise: each field as it stands, and as it would be."""

    id: str
    source: str
    native_id: str
    fields: dict[str, tuple[Any, Any]]


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsal came to."""

    versions: dict[str, str]  #: of the tables that were rehearsed
    items: int
    same: int
    changed: int
    applied: int = 0  #: of these, so many were normalized again for good
    unmappable: dict[str, str]  #: id -> why it could not be mapped any more
    not_kept: int  #: their raw text was destroyed
    fields: dict[str, int]  #: in how many items each field differs
    differences: list[Difference]


def files_of(folder: Path, standing: TableFiles) -> TableFiles:
    """Lay the tables of a folder over those that stand: `taxonomy.toml`, `words.toml`, `places.toml`."""
    there = {name: folder / f"{name}.toml" for name in ("taxonomy", "words", "places")}
    return msgspec.structs.replace(standing, **{name: file for name, file in there.items() if file.is_file()})


async def rehearse(which: Which, tables: Tables, custody: Custody, most: int, apply: Apply | None = None) -> Rehearsed:
    """Normalize again, compare, and tell; at most so many differences are told one by one.

    `apply` is handed the ids of each page that would read otherwise, to have them normalized again for good. What is
    done already differs no more, so whoever is stopped begins again and goes on where they were.
    """
    store = AppealStore(custody.db)
    sum_ = _Sum(most=most)
    async for ids in _pages(which, custody):
        raws = await custody.raw.load(dict.fromkeys(ids, False))
        sum_.not_kept += len(ids) - len(raws)
        standing = await store.standing([raw.id for raw in raws])
        rows = [raw for raw in raws if raw.id in standing and standing[raw.id].appeal.revision == raw.revision]
        others = await store.standing([id_ for raw in rows for id_ in standing[raw.id].appeal.links.same_message])
        changed: list[RawAppeal] = []
        for raw, made in zip(rows, await _again(rows, tables, custody), strict=True):
            if not isinstance(made, Normalized):
                sum_.unmappable[raw.id] = str(made) if isinstance(made, Unmappable) else type(made).__name__
                continue
            found = dict(_found(raw, made, standing | others))
            if sum_.add(raw, found):
                changed.append(raw)
        if apply is not None and changed:
            sum_.applied += await apply(changed)
    return sum_.told(tables)


async def note_shown(done: Rehearsed, custody: Custody, viewer: str) -> None:
    """Write down that somebody is about to be shown what differs, in these and in the parts of their messages."""
    shown = dict.fromkeys(one.id for one in done.differences)
    for one in done.differences:
        numbers = (name.partition(".")[0] for name in one.fields)
        shown |= dict.fromkeys(part_id(one.id, int(number)) for number in numbers if number.isdecimal())
    reason = "intake rehearse --text"
    await note(custody.db, list(shown), Seen.TEXT, actor=viewer, reason=reason, at=custody.now())


#: Have these normalized again for good; says of how many that was done.
Apply = Callable[[Sequence[RawAppeal]], Awaitable[int]]


@dataclass
class _Sum:
    """What was counted so far."""

    most: int
    same: int = 0
    changed: int = 0
    applied: int = 0
    not_kept: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    unmappable: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def add(self, raw: RawAppeal, found: dict[str, tuple[Any, Any]]) -> bool:
        self.same, self.changed = self.same + (not found), self.changed + bool(found)
        self.fields.update(found.keys())
        if found and len(self.differences) < self.most:
            one = Difference(id=raw.id, source=raw.source, native_id=raw.native_id, fields=found)
            self.differences.append(one)
        return bool(found)

    def told(self, tables: Tables) -> Rehearsed:
        return Rehearsed(
            versions=dict(tables.versions),
            items=self.same + self.changed + len(self.unmappable),
            same=self.same,
            changed=self.changed,
            applied=self.applied,
            unmappable=self.unmappable,
            not_kept=self.not_kept,
            fields=dict(self.fields.most_common()),
            differences=self.differences,
        )


def _found(raw: RawAppeal, made: Normalized, standing: Mapping[str, Standing]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Give what differs in an item, and in each of its parts where it has several (一条多诉)."""
    first, *more = made.parts or [made]
    old = standing[raw.id].appeal
    yield from differing(old, succeeding(old, Made(raw, first.appeal, first.secrets)).appeal)
    before, after = old.links.same_message, [part.appeal.id for part in more]
    if before != after:
        yield "parts", (1 + len(before), 1 + len(after))
    for part in more:
        if part.appeal.id in standing:
            known = standing[part.appeal.id].appeal
            now = succeeding(known, Made(raw, part.appeal, part.secrets)).appeal
            for name, values in differing(known, now):
                yield f"{part.appeal.id.partition('-')[2]}.{name}", values


def differing(before: Appeal, after: Appeal) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Give each field that differs, as it stands and as it would be."""
    old, new = _flat(before), _flat(after)
    for name, value in old.items():
        if value != new[name]:
            yield name, (value, new[name])


def _flat(appeal: Appeal) -> Mapping[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(appeal).items():
        if name in _PARTED:
            flat |= {f"{name}.{part}": inner for part, inner in value.items()}
        elif name not in _LEFT_OUT:
            flat[name] = value
    return flat


async def _again(raws: Sequence[RawAppeal], tables: Tables, custody: Custody) -> list[Normalized | Exception]:
    await asyncio.sleep(0)
    return normalize_all(raws, tables, custody.ref_key)


async def _pages(which: Which, custody: Custody) -> AsyncIterator[list[str]]:
    """Items that are read and not taken back, by the day of their first offer."""
    query: dict[str, Any] = {"parked": None, "withdrawn": False}
    if which.source is not None:
        query["source"] = which.source
    days = {"$gte": which.since, "$lte": which.until}
    if any(days.values()):
        query["day"] = {name: day for name, day in days.items() if day is not None}
    ids: list[str] = []
    async for row in custody.db.raw.find(query, {"_id": 1}).sort("_id", 1):
        ids.append(row["_id"])
        if len(ids) == PAGE:
            yield ids
            ids = []
    if ids:
        yield ids
