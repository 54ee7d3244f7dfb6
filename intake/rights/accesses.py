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
from normalizer.steps.mask import Masker

#: Stands for every item that there was.
ALL = "*"


class Seen(StrEnum):
    """What was looked at, as people call it."""

    TEXT = "正文（脱敏）"
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


async def who_saw(db: Database, id_: str) -> list[Sight]:
    """Everybody to whom anything of this item went, in the order of time."""
    case = await db.cases.find_one({"_id": id_}, {"dispatches": 1, "opened_at": 1}) or {}
    sights = list(_deliveries(case))
    sights += [_look(line) async for line in db.accesses.find({"item": id_})]
    if case:
        everything = {"item": ALL, "at": {"$gte": case["opened_at"]}}
        sights += [_look(line) async for line in db.accesses.find(everything)]
    return sorted(sights, key=lambda sight: sight.at)


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
                reason=row.get("reason"),
            )
