"""Who saw what (查阅留痕): every look at personal data is written down before it is opened (promise 9).

`accesses` has a line for each: `item` (`*`: all that there were), `what`, `actor`, `reason`, `at`, and the `department`
for which it was. Whoever builds another way to see something (an export, an attachment) calls `note` first.

The lines are numbered, and each has a hash over itself and the one before: one that is changed or gone shows
(`intake audit verify`), and the daily anchor says how many there were (intake/ledger).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from bson import encode
from pymongo.errors import BulkWriteError

from connectors.keeping.raw import DUPLICATE_KEY
from intake.house import Database
from intake.rounds import every_row
from normalizer.appeal import RequestType, appeal_of, message_of
from normalizer.steps.mask import Masker

#: Stands for every item that there was.
ALL = "*"


class Seen(StrEnum):
    """What was looked at, as people call it."""

    TEXT = "正文（脱敏）"
    REPLY = "答复（脱敏）"
    EVIDENCE = "申请的证据（脱敏）"
    RAW = "原始记录"
    MENDED = "修改原始记录"
    CONTACT = "联系方式"
    MATTER = "事项信息"
    VAULT = "隐私库全部号码（机器核对）"
    PERSON = "个人信息查询"
    ERASURE = "个人信息删除"
    ATTACHMENT = "附件"
    EXPORT = "导出"
    REPLAY = "补发"


async def note(
    db: Database,
    items: Collection[str],
    what: Seen,
    *,
    actor: str,
    reason: str,
    at: datetime,
    department: str | None = None,
) -> None:
    """Write down that somebody is about to see these."""
    line = {"what": what.value, "actor": actor, "reason": masked(reason), "at": at, "department": department}
    lines = [{"item": item, **line} for item in items]
    while lines:
        last = await last_line(db)
        try:
            await db.accesses.insert_many(_chained(lines, last))
        except BulkWriteError as error:
            if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise
            # Somebody else's line came between: those before it stand, the others go behind it.
            lines = lines[error.details["nInserted"] :]
        else:
            return


class Line(NamedTuple):
    """The end of the chain."""

    number: int
    hash: str


async def last_line(db: Database) -> Line:
    """Give the last line; 0 where there is none. Lines of before they were numbered have other ids."""
    found = await db.accesses.find_one({"_id": {"$type": "number"}}, {"hash": 1}, sort=[("_id", -1)])
    return Line(0, "") if found is None else Line(found["_id"], found["hash"])


def hash_of(line: Mapping[str, Any], before: str) -> str:
    """Give the hash of a line behind the one before, from the line itself or as the store gives it back."""
    said = {name: line[name] for name in ("_id", "item", "what", "actor", "reason", "at", "department")}
    return blake2b(before.encode() + encode(said), digest_size=16).hexdigest()


def _chained(lines: Collection[Mapping[str, Any]], last: Line) -> list[dict[str, Any]]:
    number, before = last
    chained = []
    for line in lines:
        number += 1
        numbered = {"_id": number, **line}
        before = hash_of(numbered, before)
        chained.append({**numbered, "hash": before})
    return chained


def masked(words: str) -> str:
    """Mask what a person wrote as a reason: it may hold the very number that was asked for."""
    return Masker().mask("reason", words)


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `intake who-saw`."""

    at: datetime
    what: str
    who: str
    department: str | None = None
    reason: str | None = None


#: What is looked at as one, though its message has several requests (一条多诉).
_WHOLE = [Seen.RAW.value, Seen.MENDED.value]


async def who_saw(db: Database, id_: str) -> list[Sight]:
    """Everybody to whom anything of this item went, whichever of its cases it was, in the order of time."""
    appeal = appeal_of(id_)
    cases = await every_row(db, [appeal], _READ)
    items = [appeal, *(case["_id"] for case in cases)]
    looks = {"$or": [{"item": {"$in": items}}, {"item": message_of(id_), "what": {"$in": _WHOLE}}]}
    sights = [_look(line) async for line in db.accesses.find(looks)]
    for case in cases:
        sights += [*_deliveries(case), *_answers(case)]
        orders = [event["data"]["to"] for event in case["events"] if event["kind"] == "linked"]
        async for order in db.cases.find({"_id": {"$in": orders}}, _READ):
            sights += _news(order, case)
    if cases:
        everything = {"item": ALL, "at": {"$gte": cases[0]["opened_at"]}}
        sights += [_look(line) async for line in db.accesses.find(everything)]
        sights += await _asked_at_the_door(db, cases[0])
    return sorted(sights, key=lambda sight: sight.at)


_READ = {"dispatches": 1, "opened_at": 1, "events": 1, "handling.answers": 1, "source": 1, "case_no": 1, "native_id": 1}


def _look(line: Mapping[str, Any]) -> Sight:
    what = f"查看{line['what']}"
    return Sight(at=line["at"], what=what, who=line["actor"], department=line.get("department"), reason=line["reason"])


def _deliveries(case: Mapping[str, Any]) -> Iterator[Sight]:
    """Only what the broker took: what is parked nobody saw. Repeats of it, and the department's users, are its own."""
    for row in case.get("dispatches", []):
        if row["sent_at"] is not None:
            yield Sight(
                at=row["sent_at"],
                what=f"收到消息 {row['type']}（第 {row['revision']} 版，脱敏）",
                who=f"dept.{row['department']}",
                department=row["department"],
                # What an update says may be the very words of a case that this order carries.
                reason=None if row["type"] == "updated" else row.get("reason"),
            )


def _news(order: Mapping[str, Any], case: Mapping[str, Any]) -> Iterator[Sight]:
    """Whom the order that carries it told its new text."""
    events = (event for event in order["events"] if event["kind"] == "updated")
    told = {event["at"]: event["data"]["revision"] for event in events if event["data"].get("case") == case["_id"]}
    for row in order["dispatches"]:
        of_it = row["type"] == "updated" and row["at"] in told and case["case_no"] in (row["reason"] or "")
        if of_it and row["sent_at"] is not None:
            what = f"随主单收到新内容（第 {told[row['at']]} 版，脱敏）"
            yield Sight(at=row["sent_at"], what=what, who=f"dept.{row['department']}", department=row["department"])


def _answers(case: Mapping[str, Any]) -> Iterator[Sight]:
    """What went back to the citizen's own channel."""
    for row in (case.get("handling") or {}).get("answers", []):
        if row.get("sent_at") is not None:
            yield Sight(at=row["sent_at"], what=f"收到回写 {row['status']}", who=case["source"])


async def _asked_at_the_door(db: Database, case: Mapping[str, Any]) -> list[Sight]:
    """Who may ask the door how it stands: told once, not with each request, so that nobody can flood these lines."""
    raw = await db.raw.find_one({"_id": message_of(case["_id"])}, {"kind": 1}) or {}
    why = "自此时起可查，不逐次记 · may be asked for from now on"
    if raw.get("kind") == "app_intake":
        client, _, _ = case["native_id"].partition(":")
        return [Sight(at=case["opened_at"], what="可查进度、已审核的答复", who=client, reason=why)]
    if raw.get("kind") != "open311_server":
        return []
    secret = {"$or": [{"citizen.confidential": True}, {"request_type": RequestType.REPORT.value}]}
    if await db.appeals.find_one({"_id": case["_id"], **secret}, {"_id": 1}) is not None:
        return []
    return [Sight(at=case["opened_at"], what="可查正文、已审核的答复（脱敏）", who="公众（Open311）", reason=why)]
