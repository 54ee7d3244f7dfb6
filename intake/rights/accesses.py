"""Who saw what (查阅留痕): every look at personal data is written down before it is opened (promise 9).

`accesses` has a line for each: `item`, `what`, `actor`, `reason`, `at`, and the `department` for which it was. Whoever
builds another way to see something (an export, an attachment) calls `note` first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from intake.house import Database
from normalizer.steps.mask import Masker


class Seen(StrEnum):
    """What was looked at, as people call it."""

    RAW = "原始记录"
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
    if lines:
        await db.accesses.insert_many(lines)


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
    case = await db.cases.find_one({"_id": id_}, {"dispatches": 1})
    sights = list(_deliveries(case or {}))
    sights += [_look(line) async for line in db.accesses.find({"item": id_})]
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
