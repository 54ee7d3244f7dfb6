"""The cases of this room (`cases`, and the `rolls` of their ledgers): the only place that writes them.

What people and the clock ask of them is in `lists` (list_store.py); what belongs to no case in `strays`.

A case is written on (_id, version) and on the states that the table of moves allows; many first moves are one bulk
insert; the confirmation of a page is one update for each group of cases that look alike, mostly one. Whoever loses a
race reads the case again and does the same function again.

A case with something unsent belongs for a while to whoever put its `fence` there. What lapses (`until`, compared
with the database's own clock) is anyone's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from bson import CodecOptions, encode
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorDatabase
from msgspec.structs import replace
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from router.cases.case import Case, Event, changes, from_document, to_document
from router.cases.delivery import all_sent
from router.cases.ledger import BROKER
from router.cases.moves import MOVES, Kind, Sent, State
from router.cases.stamps import BEGIN, Made, Stamper
from router.list_store import CaseLists
from router.stray_store import StrayStore

Database = AsyncIOMotorDatabase[dict[str, Any]]
Change = Callable[[Case], Case]

_DUPLICATE = 11000


class Claimed(NamedTuple):
    """Cases that this worker may deliver, and those that somebody else is at."""

    mine: list[Case]
    theirs: int


class CaseStore:
    """`cases` and `rolls`. Who has no stamper can only read."""

    def __init__(self, database: Database, stamper: Stamper | None = None) -> None:
        self._cases = database["cases"]
        self._rolls = database["rolls"]
        self._stamper = stamper or Stamper({})
        self.lists = CaseLists(database)
        self.strays = StrayStore(database)

    # ------------------------------------------------------------ writing

    async def insert(self, cases: Sequence[Case]) -> set[str]:
        """Write the first moves of a page at once, and stamp them; give the ids that were there already."""
        if not cases:
            return set()
        try:
            # Encoded one by one while each is still warm: a page of dicts is slower to encode than to make.
            last: dict[int, tuple[dict[str, Any], RawBSONDocument]] = {}
            documents = [RawBSONDocument(encode(self._stamped(case, last))) for case in cases]
            await self._cases.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failed = error.details["writeErrors"]
            if any(each["code"] != _DUPLICATE for each in failed):
                raise
            return {cases[each["index"]].id for each in failed}
        return set()

    def _stamped(self, case: Case, last: dict[int, tuple[dict[str, Any], RawBSONDocument]]) -> dict[str, Any]:
        """Give the document of a new case. Its stamps are kept in the case too: they are no move of it."""
        document = to_document(case)
        for place, event in enumerate(document["events"]):
            # Cases of a page begin alike: what reads as in the one before is not encoded again.
            if place not in last or last[place][0] != event:
                last[place] = event, RawBSONDocument(encode(event))
        events = [last[place][1] for place in range(len(document["events"]))]
        document["events"] = events
        document["stamps"] = case.stamps = self._stamper.stamps(case.id, [bytes(event.raw) for event in events], BEGIN)
        return document

    def _update(self, before: Case, after: Case) -> tuple[dict[str, Any], Case]:
        """Give the update that makes one out of the other, stamped, and the case that it makes."""
        update = changes(before, after)
        new = update.get("$push", {}).get("events")
        stamps = before.stamps
        if new is not None:
            events = [encode(event) for event in new["$each"]]
            made = self._stamper.stamps(before.id, events, stamps[-1] if stamps else BEGIN)
            update["$push"]["stamps"] = {"$each": made}
            stamps = stamps + made
        return update, replace(after, version=before.version + 1, stamps=stamps)

    async def stamp_late(self, ids: Sequence[str]) -> int:
        """Stamp what stands there without a stamp, written before there were any; give in how many cases."""
        raw = self._cases.with_options(codec_options=CodecOptions(document_class=RawBSONDocument))
        writes = []
        async for found in raw.find({"_id": {"$in": list(ids)}}, {"version": 1, "events": 1, "stamps": 1}):
            stamps = [bytes(stamp) for stamp in found.get("stamps", [])]
            events = [event.raw for event in found["events"]][len(stamps) :]
            if not events:
                continue
            stamps += self._stamper.stamps(found["_id"], events, stamps[-1] if stamps else BEGIN, Made.LATE)
            # A new version: whoever has read it without its stamps reads it again.
            version = found["version"]
            after = {"$set": {"stamps": stamps, "version": version + 1}}
            writes.append(UpdateOne({"_id": found["_id"], "version": version}, after))
        if not writes:
            return 0
        return int((await self._cases.bulk_write(writes, ordered=False)).matched_count)

    async def change(self, case: Case, function: Change, kinds: Iterable[Kind] = ()) -> Case:
        """Do a pure function to a case and write what it changed; if somebody was faster, read and do it again.

        `kinds` are the moves that the function makes: their states are part of the write's filter.
        """
        states = frozenset[State]().union(*(MOVES[kind].before for kind in kinds))
        while True:
            after = function(case)
            if after is case or after == case:
                return case
            if len(case.stamps) < len(case.events):
                await self.stamp_late([case.id])
                stamped = await self.get(case.id)
                if stamped is None:
                    return case
                case = stamped
                continue
            guard: dict[str, Any] = {"_id": case.id, "version": case.version}
            if states:
                guard["state"] = {"$in": [state.value for state in states]}
            update, done = self._update(case, after)
            written = await self._cases.update_one(guard, update)
            if written.matched_count:
                return done
            fresh = await self.get(case.id)
            if fresh is None or fresh.version == case.version:
                return case
            case = fresh

    async def change_all(self, cases: Sequence[Case], function: Change) -> list[Case]:
        """Do `change` to many cases with one round trip; only those that somebody was faster at are done one by one."""
        moves = [(case, function(case)) for case in cases]
        wanted = {case.id: (case, after) for case, after in moves if after is not case and after != case}
        if not wanted:
            return list(cases)
        if any(len(case.stamps) < len(case.events) for case, _ in wanted.values()):
            return [await self.change(case, function) for case in cases]
        updates = {id_: self._update(case, after) for id_, (case, after) in wanted.items()}
        writes = [
            UpdateOne({"_id": id_, "version": case.version}, updates[id_][0]) for id_, (case, _) in wanted.items()
        ]
        done = await self._cases.bulk_write(writes, ordered=False)
        changed = {id_: after for id_, (_, after) in updates.items()}
        if done.matched_count < len(wanted):
            # Whose write has arrived reads exactly as it was meant to; the others do theirs on what is there now.
            fresh = await self.load(list(wanted))
            for id_, (case, _) in wanted.items():
                now = fresh.get(id_, case)
                changed[id_] = now if now == changed[id_] else await self.change(now, function)
        return [changed.get(case.id, case) for case in cases]

    async def confirm_all(self, cases: Sequence[Case], at: datetime) -> tuple[list[Case], list[Case]]:
        """Confirm all that is pending in these cases, one write for those alike. Gives winners and losers."""
        groups: dict[tuple[int, int, State], list[Case]] = defaultdict(list)
        for case in cases:
            groups[case.version, len(case.events), case.goal].append(case)
        won: list[Case] = []
        lost: list[Case] = []
        for (version, events, goal), group in groups.items():
            if any(len(case.stamps) < events for case in group):
                lost += group
                continue
            stamp = await self._confirm_group(group, version, events, goal, at)
            if stamp is not None:
                won += [
                    replace(all_sent(case, at), version=version + 1, stamps=[*case.stamps, stamp]) for case in group
                ]
                continue
            # Some were changed meanwhile. Those that this write has reached show it in their version.
            fresh = await self.load([case.id for case in group])
            for case in group:
                now = fresh.get(case.id, case)
                done = (
                    now.version == version + 1
                    and now.events[-1].kind is Kind.DELIVERED
                    and now.events[-1].n == events + 1
                )
                (won if done else lost).append(now)
        return won, lost

    async def _confirm_group(
        self, group: Sequence[Case], version: int, events: int, goal: State, at: datetime
    ) -> bytes | None:
        """Give the stamp that all of them now bear; None where some were changed meanwhile."""
        # The event reads the same for all of a group: everything that was pending is delivered.
        event = delivered(events + 1, at)
        roll = self._stamper.together(encode(event), [case.id for case in group], [case.stamps[-1] for case in group])
        # First the roll, then the stamps: who dies here leaves a roll that names cases without it, which harms nothing.
        with suppress(DuplicateKeyError):
            await self._rolls.insert_one(
                {"_id": roll.stamp, "at": at, "n": events + 1, "cases": roll.cases, "before": b"".join(roll.before)}
            )
        states = [state.value for state in MOVES[Kind.DELIVERED].before]
        done = await self._cases.update_many(
            {"_id": {"$in": [case.id for case in group]}, "version": version, "state": {"$in": states}},
            confirmation(version, goal, event, roll.stamp),
            array_filters=[PENDING],
        )
        return roll.stamp if done.matched_count == len(group) else None

    async def postpone(self, cases: Sequence[Case], fence: int, until: datetime) -> None:
        """Leave these for later. Nothing happened to them, so this is no move; only their claim changes."""
        if cases:
            await self._cases.update_many(
                {"_id": {"$in": [case.id for case in cases]}, "fence": fence, "unsent": {"$gt": 0}},
                {"$set": {"until": until}},
            )

    # ------------------------------------------------------------ claims

    async def claim(self, ids: Sequence[str], fence: int, until: datetime | None) -> Claimed:
        """Claim those of these cases that have something to send and that nobody is at."""
        if not ids:
            return Claimed([], 0)
        await self._cases.update_many(
            {
                "_id": {"$in": list(ids)},
                "unsent": {"$gt": 0},
                "$or": [{"fence": fence}, {"until": None}, {"$expr": {"$lt": ["$until", "$$NOW"]}}],
            },
            {"$set": {"fence": fence, "until": until}},
        )
        found = [
            from_document(document)
            async for document in self._cases.find({"_id": {"$in": list(ids)}, "unsent": {"$gt": 0}})
        ]
        mine = [case for case in found if case.fence == fence]
        return Claimed(mine, len(found) - len(mine))

    async def claim_forgotten(self, fence: int, until: datetime | None, limit: int = 500) -> Claimed:
        """Claim what has something to send and whose claim has lapsed, the longest forgotten first."""
        lapsed = self._cases.find(
            {"unsent": {"$gt": 0}, "$expr": {"$lt": ["$until", "$$NOW"]}},
            {"_id": 1},
            sort=[("until", ASCENDING)],
            limit=limit,
        )
        return await self.claim([document["_id"] async for document in lapsed], fence, until)

    # ------------------------------------------------------------ reading

    async def get(self, case: str) -> Case | None:
        """Give one case by its id."""
        document = await self._cases.find_one({"_id": case})
        return None if document is None else from_document(document)

    async def load(self, ids: Sequence[str]) -> dict[str, Case]:
        """Give those of these cases that there are."""
        if not ids:
            return {}
        found = self._cases.find({"_id": {"$in": list(ids)}})
        return {document["_id"]: from_document(document) async for document in found}

    async def by_message(self, case: str, message: str) -> Case | None:
        """Give this case, if this message is one of its."""
        document = await self._cases.find_one({"_id": case, "dispatches.id": message})
        return None if document is None else from_document(document)


#: Which rows of a case a confirmation is about.
PENDING = {"pending.state": Sent.PENDING.value}


def confirmation(version: int, goal: State, event: dict[str, Any], stamp: bytes) -> dict[str, Any]:
    """Give the update that confirms all that is pending in cases of this version (array filter: `PENDING`)."""
    return {
        "$set": {
            "version": version + 1,
            "state": goal.value,
            "unsent": 0,
            "until": None,
            "fence": None,
            "dispatches.$[pending].state": Sent.SENT.value,
            "dispatches.$[pending].sent_at": event["at"],
        },
        "$push": {"events": event, "stamps": stamp},
    }


def delivered(n: int, at: datetime) -> dict[str, Any]:
    """Give the event of a confirmation (入队列), as it is stored."""
    event = Event(n=n, at=at, kind=Kind.DELIVERED, actor=BROKER)
    return {name: getattr(event, name) for name in event.__struct_fields__} | {"kind": event.kind.value}
