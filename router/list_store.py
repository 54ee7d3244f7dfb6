"""`cases` as people and the clock ask for them: lists and counts. Nothing is written here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING

from router.cases.case import Case, from_document
from router.cases.moves import Kind, Sent, State

Database = AsyncIOMotorDatabase[dict[str, Any]]

#: An index over those that have a field at all is used only where the question says so itself: without it every look
#: of the clock would read the whole collection.
DATE, TEXT = {"$type": "date"}, {"$type": "string"}


class CaseLists:
    """`cases`, read only."""

    def __init__(self, database: Database) -> None:
        self._cases = database["cases"]

    async def find(self, name: str) -> list[Case]:
        """Give the cases that a person may mean by this: a case id, a case number, a native id or a message id.

        The latter two look through all cases, the newest first; they are asked for by a person, now and then. A native
        id means the newest round alone.
        """
        either = {"$or": [{"_id": name}, {"case_no": name.upper()}]}
        seldom = {"$or": [{"native_id": name}, {"dispatches.id": name}]}
        for query, order in ((either, None), (seldom, [("$natural", DESCENDING)])):
            found = [from_document(document) async for document in self._cases.find(query, sort=order, limit=20)]
            if found:
                ids = {case.id for case in found}
                return [case for case in found if case.continued not in ids]
        return []

    async def all(self) -> AsyncIterator[Case]:
        """Give every case, one after the other, about in the order in which they began."""
        # In small answers: the driver decodes a whole one at once, and 16 MiB of cases become ten times that.
        async for document in self._cases.find({}, sort=[("$natural", ASCENDING)], batch_size=500):
            yield from_document(document)

    async def triage(self, limit: int = 100) -> list[Case]:
        """Give what waits for a person, the most urgent first, then the oldest."""
        found = [
            from_document(document)
            for urgency in ("critical", "urgent", "normal")
            async for document in self._cases.find(
                {"goal": State.TRIAGE.value, "urgency": urgency}, sort=[("since", ASCENDING)], limit=limit
            )
        ]
        return found[:limit]

    async def waiting_critical(self, since: datetime) -> list[Case]:
        """Give the critical ones that are in triage since before this moment."""
        found = self._cases.find({"goal": State.TRIAGE.value, "urgency": "critical", "since": {"$lte": since}})
        return [from_document(document) async for document in found]

    async def parked(self, limit: int = 100, department: str | None = None) -> list[Case]:
        """Give the cases of which something is parked: a dispatch, or the decision itself."""
        either: dict[str, Any] = {"$or": [{"parked": {"$gt": 0}}, {"goal": State.PARKED.value}]}
        if department is not None:
            either = {
                "parked": {"$gt": 0},
                "dispatches": {"$elemMatch": {"department": department, "state": Sent.PARKED.value}},
            }
        found = self._cases.find(either, sort=[("opened_at", ASCENDING)], limit=limit)
        return [from_document(document) async for document in found]

    async def due(self, now: datetime, limit: int = 200) -> list[Case]:
        """Give those that the clock must look at, the longest due first."""
        found = self._cases.find({"due": {"$lte": now} | DATE}, sort=[("due", ASCENDING)], limit=limit)
        return [from_document(document) async for document in found]

    async def to_answer(self, now: datetime, limit: int = 100) -> list[Case]:
        """Give those of which the source is to be told something now."""
        query = {"handling.answer_at": {"$lte": now} | DATE}
        found = self._cases.find(query, sort=[("handling.answer_at", ASCENDING)], limit=limit)
        return [from_document(document) async for document in found]

    async def answers_parked(self, limit: int = 1000) -> list[Case]:
        """Give those of which an answer could not be delivered."""
        found = self._cases.find({"handling.answers_parked": {"$gt": 0}}, limit=limit)
        return [from_document(document) async for document in found]

    async def at_work(self, work: Sequence[str], limit: int = 100, department: str | None = None) -> list[Case]:
        """Give those of which the work stands so, the longest first."""
        query: dict[str, Any] = {"handling.work": {"$in": list(work)} | TEXT}
        if department is not None:
            query["holder"] = department
        found = self._cases.find(query, sort=[("handling.since", ASCENDING)], limit=limit)
        return [from_document(document) async for document in found]

    async def claimed(self) -> list[Case]:
        """Give those of which somebody claimed something (剔除、申诉); looks through all cases, for a person."""
        claims = {"$in": [Kind.EXCLUSION_ASKED.value, Kind.DISPUTED.value]}
        return [from_document(document) async for document in self._cases.find({"events.kind": claims})]

    async def chosen(
        self,
        rule: str | None,
        department: str | None,
        since: datetime | None,
        until: datetime | None,
        limit: int,
    ) -> list[Case]:
        """Give those that departments have, by the rule, the lead and the time of their present decision.

        Looks through all cases: a person asks for it after a bad rule, now and then.
        """
        query: dict[str, Any] = {"goal": State.DELIVERED.value, "handling.work": {"$ne": "closed"}}
        if rule is not None:
            query["decision.routing.rule"] = rule
        if department is not None:
            query["holder"] = department
        span = {name: moment for name, moment in (("$gte", since), ("$lt", until)) if moment is not None}
        if span:
            query["since"] = span
        found = self._cases.find(query, sort=[("$natural", ASCENDING)], limit=limit)
        return [from_document(document) async for document in found]

    async def sent_to(self, department: str, since: datetime, case: str | None = None) -> AsyncIterator[Case]:
        """Give the cases of which this department was sent something since then, the oldest first.

        Looks through all cases since that day: a person asks for it, now and then.
        """
        sent = {"department": department, "state": Sent.SENT.value, "at": {"$gte": since}}
        query: dict[str, Any] = {"dispatches": {"$elemMatch": sent}}
        if case is not None:
            query["$or"] = [{"_id": case}, {"case_no": case.upper()}]
        async for document in self._cases.find(query, sort=[("opened_at", ASCENDING)]).allow_disk_use(True):  # noqa: FBT003
            yield from_document(document)

    # ------------------------------------------------------------ counts

    async def visits(self, since: datetime | None = None) -> dict[str, int]:
        """Count the orders that were to be visited, by what became of that."""
        span = {"handling.since": {"$gte": since}} if since else {}
        groups = self._cases.aggregate(
            [
                {"$match": {"handling.work": {"$in": ["callback", "closed", "reopened"]} | TEXT} | span},
                {"$group": {"_id": {"work": "$handling.work", "visited": "$handling.visited"}, "n": {"$sum": 1}}},
            ]
        )
        counts = {"waiting": 0, "visited": 0, "expired": 0}
        async for group in groups:
            if group["_id"]["visited"]:
                counts["visited"] += group["n"]
            else:
                counts["waiting" if group["_id"]["work"] == "callback" else "expired"] += group["n"]
        return counts

    async def unsent(self) -> int:
        """Count the cases of which something is not confirmed yet."""
        # The index is over `until`, of which this says nothing: it has to be named.
        return await self._cases.count_documents({"unsent": {"$gt": 0}}, hint="unsent")

    async def counts(self) -> dict[str, int]:
        """Count the cases by their state."""
        groups = self._cases.aggregate([{"$group": {"_id": "$state", "n": {"$sum": 1}}}])
        return {group["_id"]: group["n"] async for group in groups}

    async def counts_by_work(self) -> dict[str, int]:
        """Count the cases of which something was heard, by where their work stands; the others are as delivered."""
        groups = self._cases.aggregate(
            [
                {"$match": {"handling.work": TEXT}},
                {"$group": {"_id": "$handling.work", "n": {"$sum": 1}}},
            ]
        )
        return {group["_id"]: group["n"] async for group in groups}
