"""What may be told of items that were pushed to us: the case's public face beside the masked appeal, nothing sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any

import msgspec

from intake.house import Database
from intake.rounds import newest_rows
from normalizer.appeal import Appeal, from_document
from router.cases import case as cases
from router.cases.public import PublicFace, public_face

BATCH = 200


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One item."""

    appeal: Appeal
    case_no: str
    department: str | None  #: the code of the one that has it
    face: PublicFace


class Look:
    """Looks up items of one source alone."""

    def __init__(self, db: Database, source: str) -> None:
        self._db = db
        self._source = source

    async def native_id(self, id_: str) -> str | None:
        """Tell whose it is; None: no such item of this source."""
        raw = await self._db.raw.find_one({"_id": id_, "source": self._source}, {"native_id": 1})
        return None if raw is None else str(raw["native_id"])

    async def by_ids(self, ids: Collection[str]) -> list[Shown]:
        """Give those that have a case."""
        found = [each async for each in self._db.appeals.find({"_id": {"$in": list(ids)}, "source": self._source})]
        return await self._joined(found)

    async def posted(self, since: datetime, until: datetime, codes: Collection[str]) -> AsyncIterator[Shown]:
        """Give what was posted in a span, the newest first, of these categories or of all."""
        query: dict[str, Any] = {
            "source": self._source,
            "transport": "push",
            "posted_at": {"$gte": since, "$lte": until},
        } | ({"category.code": {"$in": list(codes)}} if codes else {})
        rows: list[dict[str, Any]] = []
        async for row in self._db.appeals.find(query).sort([("posted_at", -1), ("_id", 1)]).batch_size(BATCH):
            rows.append(row)
            if len(rows) == BATCH:
                for each in await self._joined(rows):
                    yield each
                rows = []
        for each in await self._joined(rows):
            yield each

    async def _joined(self, rows: list[dict[str, Any]]) -> list[Shown]:
        """Beside their newest cases; what is no appeal has none."""
        found = await newest_rows(self._db, [row["_id"] for row in rows], {})
        return [_shown(row, cases.from_document(found[row["_id"]])) for row in rows if row["_id"] in found]


def _shown(row: dict[str, Any], case: cases.Case) -> Shown:
    appeal = from_document(row)
    return Shown(appeal=appeal, case_no=case.case_no, department=case.holder, face=public_face(case))
