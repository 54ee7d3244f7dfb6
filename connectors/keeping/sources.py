"""The collection `sources`: where each source is read on, who reads it, and why it waits or stands still."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from pymongo import ReturnDocument, UpdateOne

from connectors.keeping.claims import LAPSED, SOURCE_LEASE, until


class SourceClaim(msgspec.Struct, kw_only=True):
    """A source that this worker reads.

    `fence` grows with every claim of the source, and each raw item remembers the fence of its last reader: what a
    worker read before it was stopped can never overwrite what its successor read since.
    """

    name: str
    fence: int
    cursor: str | None
    waiting_until: datetime | None
    failures: int
    read_to_end_at: datetime | None


class Drifted(msgspec.Struct, frozen=True):
    """What has changed about a source, and whether it still has."""

    since: datetime
    causes: list[dict[str, str | None]]  #: each with its sentence, `says`
    well_since: datetime | None = None

    @property
    def says(self) -> str:
        return "; ".join(str(cause["says"]) for cause in self.causes)


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """A source as `intake sources list` shows it."""

    name: str
    cursor: str | None
    paused: bool
    stopped: str | None
    waiting_until: datetime | None
    reason: str | None
    failures: int
    read_to_end_at: datetime | None
    last_page_at: datetime | None
    owner: str | None
    rest_until: datetime | None = None  #: nobody asks it before: it said so (Retry-After)
    breaker: str = "closed"  #: open: left alone after too many failures; half_open: one request tries it
    open_until: datetime | None = None
    drift: Drifted | None = None  #: it is not what it was (哨兵)


class SourceStore:
    """Writes of a reader are conditional on its fence and say whether they took (False: stop reading)."""

    def __init__(self, collection: Any) -> None:  # noqa: ANN401
        self._sources = collection

    async def ensure(self, names: Iterable[str]) -> None:
        """Make the documents of the sources that the settings name."""
        blank = {
            "cursor": None, "paused": False, "stopped": None, "waiting_until": None, "reason": None, "failures": 0,
            "read_to_end_at": None, "last_page_at": None, "owner": None, "until": None, "fence": 0,
        }  # fmt: skip
        writes = [UpdateOne({"_id": name}, {"$setOnInsert": blank}, upsert=True) for name in names]
        if writes:
            await self._sources.bulk_write(writes, ordered=False)

    async def claim(self, name: str, owner: str) -> SourceClaim | None:
        """Take a source that nobody reads; None while another holds it, or it is paused or stopped."""
        document = await self._sources.find_one_and_update(
            {"_id": name, "paused": False, "stopped": None} | LAPSED,
            [{"$set": {"owner": {"$literal": owner}, "until": until(SOURCE_LEASE), "fence": {"$add": ["$fence", 1]}}}],
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            return None
        return SourceClaim(
            name=name,
            fence=document["fence"],
            cursor=document["cursor"],
            waiting_until=document["waiting_until"],
            failures=document["failures"],
            read_to_end_at=document["read_to_end_at"],
        )

    async def renew(self, claim: SourceClaim) -> bool:
        """False: another took it, or an operator paused it; stop reading."""
        return await self._write(claim, {"until": until(SOURCE_LEASE)}, paused=False)

    async def release(self, claim: SourceClaim) -> bool:
        return await self._write(claim, {"owner": None, "until": None})

    async def move(self, claim: SourceClaim, cursor: str, at: datetime) -> bool:
        """The position moves, last of all (promise 3)."""
        took = await self._write(
            claim, {"cursor": {"$literal": cursor}, "last_page_at": at, "failures": 0, "reason": None}
        )
        if took:
            claim.cursor, claim.failures = cursor, 0
        return took

    async def read_to_end(self, claim: SourceClaim, at: datetime) -> bool:
        """Nothing new was left."""
        fields = {"read_to_end_at": at, "waiting_until": None, "reason": None, "failures": 0}
        took = await self._write(claim, fields)
        if took:
            claim.read_to_end_at, claim.waiting_until, claim.failures = at, None, 0
        return took

    async def wait(self, claim: SourceClaim, moment: datetime, reason: str) -> bool:
        """The source is left alone until then, by whoever holds it."""
        failures = claim.failures + 1
        took = await self._write(claim, {"waiting_until": moment, "reason": {"$literal": reason}, "failures": failures})
        if took:
            claim.waiting_until, claim.failures = moment, failures
        return took

    async def stop(self, claim: SourceClaim, at: datetime, reason: str) -> bool:
        """The source stands still until an operator resumes it."""
        return await self._write(
            claim, {"stopped": {"reason": {"$literal": reason}, "at": at}, "owner": None, "until": None}
        )

    async def pause(self, name: str, reason: str) -> bool:
        """An operator's word: its reader lets go at its next renewal."""
        result = await self._sources.update_one({"_id": name}, {"$set": {"paused": True, "reason": reason}})
        return bool(result.matched_count)

    async def resume(self, name: str) -> bool:
        """Also forgets why it was stopped and that it had to wait; a rest that the source asked for still stands."""
        fields = {"paused": False, "stopped": None, "waiting_until": None, "reason": None, "failures": 0}
        fields |= {"budget.failures": 0, "budget.opens": 0, "budget.open_until": None, "budget.probe_until": None}
        result = await self._sources.update_one({"_id": name}, {"$set": fields})
        return bool(result.matched_count)

    async def heard(self, name: str, at: datetime | None, refused: Mapping[str, int]) -> bool:
        """Of a source that is pushed to us: say when something came, and what was turned away with which word.

        True: an operator paused it.
        """
        fields: dict[str, Any] = {"last_page_at": at} if at is not None else {}
        if refused:
            fields["refused.reason"] = max(refused, key=lambda reason: refused[reason])
        if fields:
            counted = {"$inc": {"refused.count": sum(refused.values())}} if refused else {}
            await self._sources.update_one({"_id": name}, {"$set": fields, **counted})
        document = await self._sources.find_one({"_id": name}, {"paused": 1})
        return document is not None and bool(document["paused"])

    async def rewind(self, name: str, cursor: str | None = None) -> bool:
        """Read again from there. The fence grows, so that a reader at work lets go."""
        result = await self._sources.update_one(
            {"_id": name}, {"$set": {"cursor": cursor, "owner": None, "until": None}, "$inc": {"fence": 1}}
        )
        return bool(result.matched_count)

    async def states(self) -> list[SourceState]:
        seen = self._sources.find({}, dict.fromkeys(_SHOWN, 1) | {"now": "$$NOW"}, sort=[("_id", 1)])
        return [_state(document) async for document in seen]

    async def read_to_end_at(self, name: str) -> datetime | None:
        document = await self._sources.find_one({"_id": name}, {"read_to_end_at": 1})
        return None if document is None else document["read_to_end_at"]

    async def _write(self, claim: SourceClaim, fields: dict[str, Any], **also: Any) -> bool:  # noqa: ANN401
        result = await self._sources.update_one({"_id": claim.name, "fence": claim.fence, **also}, [{"$set": fields}])
        return bool(result.matched_count)


_SHOWN = (
    "cursor", "paused", "stopped", "waiting_until", "reason", "failures", "read_to_end_at", "last_page_at", "owner",
    "drift",
    "budget.rest_until", "budget.rest_reason", "budget.open_until", "budget.failures",
)  # fmt: skip


def _state(document: dict[str, Any]) -> SourceState:
    stopped, budget, now = document["stopped"], document.get("budget") or {}, document["now"]
    rest, open_until = budget.get("rest_until"), budget.get("open_until")
    resting = rest is not None and rest > now
    breaker = "closed" if open_until is None else "open" if open_until > now else "half_open"
    broken = f"failed {budget.get('failures')} times in a row" if open_until is not None else None
    return SourceState(
        name=document["_id"],
        cursor=document["cursor"],
        paused=document["paused"],
        stopped=stopped["reason"] if stopped else None,
        waiting_until=document["waiting_until"],
        reason=(budget["rest_reason"] if resting else None) or document["reason"] or broken,
        failures=document["failures"],
        rest_until=rest if resting else None,
        breaker=breaker,
        open_until=open_until,
        read_to_end_at=document["read_to_end_at"],
        last_page_at=document["last_page_at"],
        owner=document["owner"],
        drift=_drifted(document.get("drift")),
    )


def _drifted(flag: dict[str, Any] | None) -> Drifted | None:
    return None if flag is None else Drifted(flag["since"], flag["causes"], flag["well_since"])
