"""The rounds of appeals (各轮工单) as rows of `cases`: which is the newest, and all of them (router/rounds.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from intake.house import Database
from router.rounds import followed

Row = dict[str, Any]


async def newest_rows(db: Database, appeals: Collection[str], fields: Mapping[str, int]) -> dict[str, Row]:
    """Give the newest case of each of these appeals, by the appeal's id."""
    return {appeal: chain[-1] for appeal, chain in (await rows(db, appeals, fields)).items()}


async def every_row(db: Database, appeals: Collection[str], fields: Mapping[str, int]) -> list[Row]:
    """Give all cases of these appeals, those of before too."""
    return [row for chain in (await rows(db, appeals, fields)).values() for row in chain]


async def rows(db: Database, appeals: Collection[str], fields: Mapping[str, int]) -> dict[str, list[Row]]:
    """Give the cases of each of these appeals, the first of them first; without `fields` the whole documents."""
    shown = {**fields, "continued": 1} if fields else None

    async def load(ids: Collection[str]) -> dict[str, Row]:
        if not ids:
            return {}
        return {row["_id"]: row async for row in db.cases.find({"_id": {"$in": list(ids)}}, shown)}

    return await followed(await load(appeals), load, lambda row: row.get("continued"))
