"""Yellow and red cards (黄牌、红牌) by department as they stand now: few cases have one, an index holds just those."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from rich.table import Table

from intake.house import Database
from intake.screen import table
from router.cases.case import from_document
from router.cases.standing import standing

#: Only what stands under a card is in it: the question costs what there is to tell, however many cases there are.
INDEX = ([("handling.card", 1)], {"name": "card", "partialFilterExpression": {"handling.card": {"$type": "string"}}})


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The cards of one department."""

    department: str
    red: int = 0
    yellow: int = 0
    oldest: datetime | None = None  #: since when the oldest of them stands
    case_no: str | None = None  #: … and on which case


async def cards(db: Database) -> list[Held]:
    """Count the open orders of each department that stand under a card, the most red ones first."""
    found = db.cases.aggregate(
        [
            {"$match": {"handling.card": {"$type": "string"}, "goal": "delivered"}},
            {"$project": {"case_no": 1, "track": {"$objectToArray": "$handling.tracks"}}},
            {"$unwind": "$track"},
            {"$match": {"track.v.card": {"$type": "string"}}},
            {"$sort": {"track.v.carded_at": 1, "case_no": 1}},
            {
                "$group": {
                    "_id": "$track.k",
                    "red": {"$sum": {"$cond": [{"$eq": ["$track.v.card", "red"]}, 1, 0]}},
                    "yellow": {"$sum": {"$cond": [{"$eq": ["$track.v.card", "yellow"]}, 1, 0]}},
                    "oldest": {"$first": "$track.v.carded_at"},
                    "case_no": {"$first": "$case_no"},
                }
            },
            {"$sort": {"red": -1, "yellow": -1, "_id": 1}},
        ]
    )
    return [
        Held(
            department=row["_id"],
            red=row["red"],
            yellow=row["yellow"],
            oldest=row["oldest"],
            case_no=row["case_no"],
        )
        async for row in found
    ]


def cards_table(held: Sequence[Held], most: int = 20) -> Table:
    """Who stands under which cards, the most red ones first."""
    title = f"黄牌、红牌 {sum(each.red + each.yellow for each in held)} 件，{len(held)} 个单位"
    rows = [[each.department, each.red, each.yellow, each.oldest, each.case_no] for each in held[:most]]
    return table(title, ["单位", "红牌", "黄牌", "最早的牌", "工单号"], rows)


async def fill(db: Database) -> None:
    """Read the cards of before off the ledgers, once; a case that moves meanwhile reads its own by its next move."""
    async for row in db.cases.find({"events.kind": "carded", "goal": "delivered", "handling.card": {"$exists": False}}):
        handling = msgspec.to_builtins(standing(from_document(row)), builtin_types=(datetime,))
        await db.cases.update_one(
            {"_id": row["_id"], "version": row["version"]},
            {"$set": {"handling": handling, "version": row["version"] + 1}},
        )
