"""The daily statement (对账单): made once a day by one worker, written down, then sent until the queues took it.

`statements` has a document for each department and day, with the very bytes that are sent: whoever goes on after a
crash sends the same under the same ids. They hold ids and deadlines alone, and are kept for a month.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta
from typing import Any

import structlog
from pymongo.errors import BulkWriteError

from connectors.keeping.raw import DUPLICATE_KEY
from intake import daily
from intake.house import Database
from router.cases import case as cases
from router.cases.moves import State
from router.cases.work import Work
from router.dispatch import SHANGHAI
from router.dispatching.publish_page import Fate, Message
from router.dispatching.statement import StatedCase, by_department, routing_key, stated, statement
from router.dispatching.topology import receives
from router.flow import Room
from router.looking import clocks_of

log = structlog.get_logger()

TURN = "statement"
HOUR = 7  #: local time: there when the offices open
LEASE = timedelta(minutes=10)
KEPT = timedelta(days=31)
_PAGE = 500  #: cases looked at together
_AT_ONCE = 20  #: departments whose statements are sent together
_OPEN = [work.value for work in Work if work is not Work.CLOSED]


async def once_a_day(db: Database, room: Room, owner: str) -> bool:
    """Do it, if today's is not out yet. Never says that there is more: what a queue refused waits for the next look."""
    at = room.moment()
    local = at.astimezone(SHANGHAI)
    today = f"{local:%Y-%m-%d}"
    if local.hour < HOUR or not await daily.claim(db, TURN, today, owner, LEASE):
        return False
    try:
        if (await db.sweeps.find_one({"_id": TURN}) or {}).get("written") != today:
            await _write_down(db, room, today, at)
            await daily.remember(db, TURN, {"written": today})
        if not await _send(db, room, today):
            await daily.remember(db, TURN, {"day": today})
    finally:
        await daily.hand_back(db, TURN)
    return False


async def _write_down(db: Database, room: Room, today: str, at: datetime) -> None:
    """Write down all of today's; what a worker that died had written stands."""
    rows: list[tuple[str, StatedCase]] = []
    # Whoever had something open when it was last told is told what is left, be it nothing.
    told = set(await _had_open(db, today, at))
    async for page in _open_cases(db):
        clocks = await clocks_of(page, room)
        for case in page:
            mine = list(stated(case, clocks.get(case.id)))
            rows += mine
            told |= {code for code, _ in mine} if case.opened_at < _seven(at) else set()
    found, units = by_department(rows), room.tables.directory.units
    documents = [
        _document(code, today, at, found.get(code, []))
        for code in sorted(told)
        if code in units and receives(units[code])
    ]
    await db.statements.delete_many({"_id": {"$lt": f"{(at - KEPT).astimezone(SHANGHAI):%Y-%m-%d}"}})
    for begin in range(0, len(documents), _AT_ONCE):
        try:
            await db.statements.insert_many(documents[begin : begin + _AT_ONCE], ordered=False)
        except BulkWriteError as error:
            if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise


def _seven(at: datetime) -> datetime:
    """When the day begins: who had nothing open then gets no statement, and a street that began today sends none.

    Whoever gets one is told of everything that is open when it is made, also of what came since: what is not in it is
    over, and a worker that was away in the morning makes it in the afternoon.
    """
    return at.astimezone(SHANGHAI).replace(hour=HOUR, minute=0, second=0, microsecond=0)


async def _open_cases(db: Database) -> AsyncIterator[list[cases.Case]]:
    """Give what is open: the clock has something to do about it, or its work stands somewhere before its end."""
    # The types are those of the two small indexes: without them the whole collection would be read.
    either = [{"due": {"$type": "date"}}, {"handling.work": {"$in": _OPEN, "$type": "string"}}]
    page: list[cases.Case] = []
    async for document in db.cases.find({"$or": either, "goal": State.DELIVERED.value}).batch_size(_PAGE):
        page.append(cases.from_document(document))
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


async def _had_open(db: Database, today: str, at: datetime) -> Collection[str]:
    since = f"{(at - KEPT).astimezone(SHANGHAI):%Y-%m-%d}"
    last = db.statements.aggregate(
        [
            {"$match": {"_id": {"$gte": since, "$lt": today}}},
            {"$sort": {"_id": 1}},
            {"$group": {"_id": "$department", "open": {"$last": "$open"}}},
            {"$match": {"open": {"$gt": 0}}},
        ]
    )
    return [row["_id"] async for row in last]


def _document(code: str, today: str, at: datetime, listed: list[StatedCase]) -> dict[str, Any]:
    parts = [{"id": name, "body": body} for name, body in statement(code, today, at, listed)]
    return {
        "_id": f"{today}/{code}",
        "department": code,
        "at": at,
        "open": len(listed),
        "parts": parts,
        "state": "pending",
    }


async def _send(db: Database, room: Room, today: str) -> int:
    """Send what is written and not out; gives how many departments are left for later."""
    waiting = {"_id": {"$gte": f"{today}/", "$lt": f"{today}0"}, "state": "pending"}
    sent = left = 0
    documents: list[dict[str, Any]] = []
    async for document in db.statements.find(waiting).batch_size(_AT_ONCE):
        documents.append(document)
        if len(documents) == _AT_ONCE:
            done = await _send_some(db, room, documents)
            sent, left, documents = sent + done, left + len(documents) - done, []
    if documents:
        done = await _send_some(db, room, documents)
        sent, left = sent + done, left + len(documents) - done
    if sent or left:
        log.info("daily statements", action="statements_sent", day=today, sent=sent, left=left)
    return left


async def _send_some(db: Database, room: Room, documents: list[dict[str, Any]]) -> int:
    messages = [
        Message(part["id"], document["department"], routing_key(document["department"]), bytes(part["body"]))
        for document in documents
        for part in document["parts"]
    ]
    fates = {
        message.id: receipt.fate
        for message, receipt in zip(messages, await room.publisher.publish(messages), strict=True)
    }
    done = 0
    for document in documents:
        theirs = {fates[part["id"]] for part in document["parts"]}
        # Where there is no queue, waiting helps nobody: `departments apply` makes it, and tomorrow brings another.
        state = "sent" if theirs == {Fate.SENT} else "no_queue" if Fate.RETURNED in theirs else None
        if state is not None:
            await db.statements.update_one({"_id": document["_id"]}, {"$set": {"state": state}})
            done += 1
    return done
