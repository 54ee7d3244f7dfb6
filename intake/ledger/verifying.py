"""Does the ledger still say what was written (台账校验): stamps, rolls, anchors and the lines of who saw what.

Nothing here is trusted because it is in the database: stamps are made again with the key, what an anchor or a roll
names must be there, and whoever kept an anchor's digest elsewhere may hold it against ours.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument

from intake.house import Database
from intake.ledger import anchoring
from intake.ledger.anchoring import Digest, Ends
from intake.rights import accesses
from router.cases.moves import Kind
from router.cases.stamps import BEGIN, Flaw, Made, Roll, Stamper, flaws, split

ROLLS = 64  #: kept at hand: neighbours in the collection were confirmed together
AT_ONCE = 500
MOST = 2_000  #: places that are listed
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument, tz_aware=True, tzinfo=UTC)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place that does not fit."""

    where: str  #: a case, `anchor 3`, `accesses`
    event: int | None  #: which event of the case, or line
    what: str
    case_no: str | None = None


class Verified(msgspec.Struct, kw_only=True):
    """What was looked at, and what was found."""

    cases: int = 0
    events: int = 0
    late: int = 0  #: events that were stamped as they stood, before there were stamps
    unstamped: int = 0  #: ledgers without any stamp, before the first anchor
    rolls: int = 0
    anchors: int = 0
    accesses: int = 0
    last: anchoring.Anchor | None = None
    findings: list[Finding] = []
    more: int = 0  #: that were found and are not listed: then everything is wrong, mostly the key

    def add(self, where: str, event: int | None, what: str, case_no: str | None = None) -> None:
        """Add a place once; what is said of it first is nearest to the cause."""
        if len(self.findings) >= MOST:
            self.more += 1
        elif not any((each.where, each.event) == (where, event) for each in self.findings):
            self.findings.append(Finding(where=where, event=event, what=what, case_no=case_no))


async def verify(
    db: Database,
    stamper: Stamper,
    *,
    ids: Sequence[str] | None = None,
    since: datetime | None = None,
    kept: Mapping[int, str] | None = None,
) -> Verified:
    """Look at these ledgers, at those that have grown since then, or at all; and then at what binds them together."""
    done = Verified()
    anchors = await anchoring.all_anchors(db)
    await _ledgers(db, stamper, done, ids, since, anchors[0]["at"] if anchors else None)
    if ids is None:
        await _rolls(db, done, since)
        await _accesses(db, done, anchors)
    await _anchors(db, stamper, done, anchors, ids, since)
    for number, digest in (kept or {}).items():
        if not any(each["_id"] == number and each["digest"] == digest for each in anchors):
            done.add(f"anchor {number}", None, "与留存的摘要不符，或已不在 · it is not the one whose digest was kept")
    return done


# ---------------------------------------------------------------- ledgers


async def _ledgers(  # noqa: PLR0917 - what is looked at, and against what
    db: Database,
    stamper: Stamper,
    done: Verified,
    ids: Sequence[str] | None,
    since: datetime | None,
    begun: datetime | None,
) -> None:
    query: dict[str, Any] = {} if ids is None else {"_id": {"$in": list(ids)}}
    if since is not None:
        query["events.at"] = {"$gte": since}
    rolls = _Rolls(db)
    kept = {"case_no": 1, "events": 1, "stamps": 1, "dispatches": 1, "sequences": 1}
    async for case in db.cases.with_options(codec_options=_RAW).find(query, kept):
        events = [(int(event["n"]), event.raw) for event in case["events"]]
        stamps = [bytes(stamp) for stamp in case.get("stamps", [])]
        done.cases += 1
        done.events += len(events)
        if not stamps and begun is None:
            done.unstamped += 1
            continue
        near = {stamp: roll for stamp in stamps if stamp[:1] == _TOGETHER and (roll := await rolls.get(stamp))}
        found = [*flaws(stamper, case["_id"], events, stamps, near), *_late(case, stamps, begun, done)]
        for flaw in found or unsaid(case):
            done.add(case["_id"], flaw.event or None, flaw.what, case["case_no"])


_TOGETHER = bytes((Made.TOGETHER,))


def _late(case: RawBSONDocument, stamps: Sequence[bytes], begun: datetime | None, done: Verified) -> Iterator[Flaw]:
    """What was stamped late may be older than the first anchor, and no younger."""
    for event, stamp in zip(case["events"], stamps, strict=False):
        if stamp[:1] == bytes((Made.LATE,)):
            done.late += 1
            if begun is not None and event["at"] > begun:
                yield Flaw(
                    int(event["n"]),
                    "事后补盖的章：章曾被去掉，或由旧版程序写入 · stamped late: its stamp had been taken off, "
                    "or a worker of an earlier version wrote it",
                )


def unsaid(case: Mapping[str, Any]) -> Iterator[Flaw]:
    """Messages that do not agree with the ledger: `who-saw` tells of deliveries by them."""
    delivered = {event["at"] for event in case["events"] if event["kind"] == Kind.DELIVERED.value}
    numbers: dict[str, list[int]] = {}
    for row in case.get("dispatches", []):
        numbers.setdefault(row["department"], []).append(row["sequence"])
        if row["sent_at"] is not None and row["sent_at"] not in delivered:
            yield Flaw(
                0,
                f"{row['department']} 第 {row['sequence']} 条的送达时间，台账里没有 · the ledger has no such delivery",
            )
    told = dict(case.get("sequences", {}))
    for department in sorted({*numbers, *told}):
        if numbers.get(department, []) != list(range(1, told.get(department, 0) + 1)):
            yield Flaw(0, f"发给 {department} 的消息不全，或被改动 · messages to it are gone, or were changed")


class _Rolls:
    """The rolls last asked for."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._near: OrderedDict[bytes, Roll | None] = OrderedDict()

    async def get(self, stamp: bytes) -> Roll | None:
        if stamp not in self._near:
            found = await self._db.rolls.find_one({"_id": stamp})
            self._near[stamp] = None if found is None else _roll(found)
            if len(self._near) > ROLLS:
                self._near.popitem(last=False)
        return self._near[stamp]


def _roll(found: Mapping[str, Any]) -> Roll:
    return Roll(bytes(found["_id"]), found["cases"], split(found["before"]))


# ---------------------------------------------------------------- what binds them together


async def _rolls(db: Database, done: Verified, since: datetime | None) -> None:
    """Whoever was confirmed with others is there, and has its event, unless it is still to be sent."""
    async for roll in db.rolls.find({} if since is None else {"at": {"$gte": since}}):
        done.rolls += 1
        there = await _lengths(db, roll["cases"])
        for case in roll["cases"]:
            if case not in there:
                done.add(case, None, GONE)
            elif there[case]["n"] < roll["n"] and not there[case]["unsent"]:
                done.add(case, there[case]["n"] + 1, SHORT)


GONE = "整件工单不见了 · the whole case is gone"
SHORT = "此后的事项被删除 · the events from here on are gone"


async def _lengths(db: Database, cases: Sequence[str]) -> dict[str, dict[str, Any]]:
    shown = {"n": {"$size": "$events"}, "unsent": 1, "stamps": 1, "case_no": 1}
    found = db.cases.aggregate([{"$match": {"_id": {"$in": list(cases)}}}, {"$project": shown}])
    return {case["_id"]: case async for case in found}


async def _anchors(  # noqa: PLR0917 - what is looked at, and against what
    db: Database,
    stamper: Stamper,
    done: Verified,
    anchors: Sequence[Mapping[str, Any]],
    ids: Sequence[str] | None,
    since: datetime | None,
) -> None:
    before, digest = BEGIN, ""
    for place, anchor in enumerate(anchors, 1):
        name = f"anchor {anchor['_id']}"
        if anchor["_id"] != place:
            done.add(f"anchor {place}", None, "这次锚定不见了 · this anchor is gone")
            break
        found = Digest(digest)
        async for part in anchoring.parts_of(db, anchor["_id"]):
            found.add(part)
            if since is None or anchor["at"] >= since:
                await _ends(db, done, part, ids, name)
        if found.end(anchor) != anchor["digest"] or not _made_by_us(stamper, anchor, before):
            done.add(name, None, "锚定被改动 · this anchor was changed")
        before, digest = bytes(anchor["stamp"]), anchor["digest"]
        done.anchors += 1
        done.last = anchoring.shown(anchor)


def _made_by_us(stamper: Stamper, anchor: Mapping[str, Any], before: bytes) -> bool:
    stamp = bytes(anchor["stamp"])
    return stamper.fits(stamp, "anchors", bytes.fromhex(anchor["digest"]), before, None)


async def _ends(db: Database, done: Verified, part: Ends, ids: Sequence[str] | None, anchor: str) -> None:
    """What an anchor saw at the end of a ledger still stands there."""
    wanted = [
        row for row in zip(part.cases, part.events, part.stamps, strict=True) if ids is None or row[0] in set(ids)
    ]
    for first in range(0, len(wanted), AT_ONCE):
        rows = wanted[first : first + AT_ONCE]
        there = await _lengths(db, [case for case, _, _ in rows])
        for case, events, stamp in rows:
            if case not in there:
                done.add(case, None, f"{GONE}（{anchor}：{events}）")
                continue
            stamps = [bytes(each) for each in there[case].get("stamps", [])]
            if there[case]["n"] < events:
                done.add(case, there[case]["n"] + 1, f"{SHORT}（{anchor}：{events}）", there[case]["case_no"])
            elif len(stamps) < events or stamps[events - 1] != stamp:
                done.add(case, events, f"与锚定时不同 · not as it was anchored（{anchor}）", there[case]["case_no"])


async def _accesses(db: Database, done: Verified, anchors: Sequence[Mapping[str, Any]]) -> None:
    """The lines of who saw what are all there, as they were written."""
    known = {anchor["accesses"]: anchor["accesses_hash"] for anchor in anchors}
    number, before = 0, ""
    async for line in _lines(db):
        if line["_id"] != number + 1:
            done.add("accesses", number + 1, "有查阅记录被删除 · lines of who saw what are gone")
        elif accesses.hash_of(line, before) != line["hash"]:
            done.add("accesses", line["_id"], "查阅记录被改动 · this line of who saw what was changed")
        number, before = line["_id"], line["hash"]
        if known.get(number, before) != before:
            done.add("accesses", number, "与锚定时不同 · not as it was anchored")
        done.accesses += 1
    if max(known, default=0) > number:
        done.add("accesses", number + 1, "其后的查阅记录被删除 · the lines from here on are gone")
    if anchors:
        slipped_in = {"_id": {"$not": {"$type": "number"}}, "at": {"$gt": anchors[0]["at"]}}
        if await db.accesses.find_one(slipped_in, {"_id": 1}) is not None:
            done.add("accesses", None, "有未编号的查阅记录 · a line was put in by hand")


async def _lines(db: Database) -> AsyncIterator[dict[str, Any]]:
    async for line in db.accesses.find({"_id": {"$type": "number"}}).sort("_id", 1):
        yield line
