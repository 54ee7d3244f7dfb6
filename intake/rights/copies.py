"""What was kept whole and belongs to no item: pages that the sentinel kept, and messages of no case (无主消息).

Whose they are nobody knows before they are opened. A number is looked for in them, as in what no mapper has read;
where there is none to look for, or one cannot be opened, they are counted: nobody is told that nothing is held there.
Such a page or message is destroyed whole. Its other rows stand at their source, which is read again for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import structlog

from connectors.keeping.compare import Destroyed
from connectors.watching.reading import Exchange
from intake.rights.custody import Custody
from intake.rights.numbers import numbers_in
from intake.sealing import KeyDestroyed, SealBroken

log = structlog.get_logger()

Where = Literal["kept", "strays"]


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """One page or message in which the number stands."""

    where: Where
    id: str
    source: str | None  #: of a page
    at: datetime


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """What the look came to."""

    found: list[Copy]
    unsearched: int  #: pages and messages in which nobody could look


async def search(digits: str | None, custody: Custody) -> Copies:
    """Look for a number in everything that was kept whole."""
    found: list[Copy] = []
    unsearched = 0
    async for copy, text in _each(custody, opened=digits is not None):
        if text is None:
            unsearched += 1
        elif digits in numbers_in(text):
            found.append(copy)
    return Copies(found=found, unsearched=unsearched)


async def destroy(copies: Sequence[Copy], custody: Custody) -> int:
    """Destroy them; says how many were there."""
    pages = [copy.id for copy in copies if copy.where == "kept"]
    letters = [copy.id for copy in copies if copy.where == "strays"]
    count = int((await custody.db.kept.delete_many({"_id": {"$in": pages}})).deleted_count)
    gone = {"body": b"", "destroyed": {"why": Destroyed.ERASED.value, "at": custody.now()}}
    done = await custody.db.strays.update_many({"_id": {"$in": letters}}, {"$set": gone})
    return count + int(done.modified_count)


async def _each(custody: Custody, *, opened: bool) -> AsyncIterator[tuple[Copy, str | None]]:
    """Give each with its text; None: nobody can look there. What was destroyed is not there any more."""
    async for row in custody.db.kept.find({}):
        copy = Copy(where="kept", id=row["_id"], source=row["source"], at=row["at"])
        try:
            yield copy, await _text(row, f"kept/{row['_id']}", row["sealed"], custody) if opened else None
        except KeyDestroyed:
            continue
    async for row in custody.db.strays.find({"destroyed": None}):
        copy = Copy(where="strays", id=row["_id"], source=None, at=row["at"])
        try:
            yield copy, await _text(row, f"strays/{row['_id']}", row["body"], custody) if opened else None
        except KeyDestroyed:
            continue


async def _text(row: Mapping[str, Any], bind: str, sealed: bytes, custody: Custody) -> str | None:
    try:
        plain = await custody.sealer.open(row["key"], bind.encode(), bytes(sealed))
        return _answers(plain) if bind.startswith("kept/") else plain.decode("utf-8", "replace")
    except (SealBroken, msgspec.DecodeError) as error:
        log.warning("could not look there", action="copy_unread", copy=row["_id"], error=type(error).__name__)
        return None


def _answers(plain: bytes) -> str:
    """Give what a source answered; in every encoding that we know digits are written the same."""
    _, exchanges = msgspec.json.decode(plain, type=tuple[str | None, tuple[Exchange, ...]])
    return "\n".join(each.response.body.decode("utf-8", "replace") for each in exchanges)
