"""How long personal data is kept (保存期限): what is due today, and its end.

* Of a case that is closed for so many days, by its class: contact, the matter's data, and the raw texts, which hold
  both. The masked appeal stays. As long as any part of a case is open nothing of it is destroyed.
* The raw text of what is no appeal, after a few days.
* Raw texts altogether, by whole months of a source: the month's key goes, as soon as no case of that month is open and
  no contact of it is still to be kept.

One worker a day does it (`sweeps` holds the claim), or a person by hand. It is written into each case and into
`retention_runs`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import structlog

from connectors.keeping.compare import Destroyed
from connectors.keeping.raw_documents import SHANGHAI
from intake import daily
from intake.rights.custody import Custody
from intake.rights.destroying import destroy, tell_cases
from intake.rights.endings import ENDED, FIELDS, ending, has_ended, is_over, orders_of
from intake.rights.resealing import reseal
from intake.rounds import every_row
from intake.settings import Retention
from normalizer.appeal import family, message_of
from router.cases.moves import Kind, State
from router.cases.work import Work

log = structlog.get_logger()

#: Destroyed at one time; what is left goes with the next look.
AT_ONCE = 5000
#: A worker that dies while it destroys is followed by another one after this.
CLAIM = timedelta(minutes=30)
REASON = "保存期满"
_LABEL = re.compile(r"(?:raw/(?P<source>[^/#]+)|strays)/(?P<month>[0-9]{4}-[0-9]{2})")


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What is due."""

    closed: list[str]  #: ids of items whose cases are closed long enough
    chatter: list[str]  #: ids of items that are no appeals
    chatter_until: str | None  #: the last day that was looked through for these
    months: list[str]  #: labels of data keys
    #: Labels that would be due, but cases of that month are open, contacts still to be kept, or discs out.
    held: list[str]


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What was destroyed."""

    at: datetime
    actor: str
    closed: int
    chatter: int
    months: list[str]
    keys: int


async def plan(terms: Retention, custody: Custody) -> Due:
    """Say what is due; changes nothing."""
    now = custody.now()
    months, held = await _months(terms, custody, now)
    chatter, until = await _chatter(terms, custody, now)
    return Due(
        closed=await _closed(terms, custody, now), chatter=chatter, chatter_until=until, months=months, held=held
    )


async def run(terms: Retention, custody: Custody, actor: str) -> Ran:
    """Destroy what is due."""
    due = await plan(terms, custody)
    keys = (await destroy([*due.closed, *due.chatter], Destroyed.EXPIRED, custody)).keys
    await tell_cases(due.closed, Destroyed.EXPIRED, custody, actor=actor, reason=REASON)
    for label in due.months:
        await _destroy_month(label, custody)
    if due.chatter_until is not None:
        await _remember(custody, {"chatter_until": due.chatter_until})
    ran = Ran(
        at=custody.now(),
        actor=actor,
        closed=len(due.closed),
        chatter=len(due.chatter),
        months=due.months,
        keys=keys,
    )
    if ran.closed or ran.chatter or ran.months:
        await custody.db.retention_runs.insert_one(msgspec.to_builtins(ran, builtin_types=(datetime,)))
        log.info(
            "personal data was destroyed as its time was over",
            action="retention_ran",
            closed=ran.closed,
            chatter=ran.chatter,
            months=ran.months,
        )
    return ran


async def once_a_day(terms: Retention, custody: Custody, owner: str) -> bool:
    """Do it, if nobody has done so today; say whether there may be more."""
    today = f"{custody.now().astimezone(SHANGHAI):%Y-%m-%d}"
    if not await daily.claim(custody.db, "retention", today, owner, CLAIM):
        return False
    resealed = await _reseal(custody)
    ran = await run(terms, custody, owner)
    more = max(ran.closed, ran.chatter) >= AT_ONCE or resealed > 0
    if not more:
        await _remember(custody, {"day": today})
    await daily.hand_back(custody.db, "retention")
    return more


async def _reseal(custody: Custody) -> int:
    """Seal anew what an earlier version had sealed, until nothing is left; older workers are refused since."""
    if (await custody.db.sweeps.find_one({"_id": "retention"}) or {}).get("resealed"):
        return 0
    count = await reseal(custody)
    if not count:
        await _remember(custody, {"resealed": True})
    return count


# ---------------------------------------------------------------- closed cases


async def _closed(terms: Retention, custody: Custody, now: datetime) -> list[str]:
    coarse = now - timedelta(days=min([terms.contact_days, *terms.categories.values()]))
    over: dict[str, Any] = {
        "$or": [
            {"state": {"$in": [state.value for state in ENDED]}, "since": {"$lte": coarse}},
            {"handling.work": Work.CLOSED.value, "handling.since": {"$lte": coarse}},
            {"state": State.LINKED.value, "since": {"$lte": coarse}},
        ],
        "events": {"$not": {"$elemMatch": {"kind": Kind.DESTROYED.value, "data.why": Destroyed.EXPIRED.value}}},
    }
    due: list[str] = []
    async for rows in _some(custody.db.cases.find(over, FIELDS)):
        orders = await orders_of(rows, custody)
        due += [row["_id"] for row in rows if is_over(ending(row, orders), terms, now)]
        if len(due) >= AT_ONCE:
            break
    return await _whole(due[:AT_ONCE], terms, custody, now)


async def _some(cursor: Any) -> AsyncIterator[list[dict[str, Any]]]:  # noqa: ANN401 - motor ships no types
    while rows := await cursor.to_list(500):
        yield rows


async def _whole(due: Sequence[str], terms: Retention, custody: Custody, now: datetime) -> list[str]:
    """Leave out items of which another part or round is not due yet: they share one vault."""
    bases = dict.fromkeys(message_of(id_) for id_ in due)
    open_: set[str] = set()
    listed = list(bases)
    for at in range(0, len(listed), 500):
        rows = await every_row(custody.db, family(listed[at : at + 500]), FIELDS)
        orders = await orders_of(rows, custody)
        open_ |= {message_of(row["_id"]) for row in rows if not is_over(ending(row, orders), terms, now)}
    return [base for base in bases if base not in open_]


# ---------------------------------------------------------------- chatter


async def _chatter(terms: Retention, custody: Custody, now: datetime) -> tuple[list[str], str | None]:
    """Look through the pages of the days that became old enough since the last look."""
    last = (await custody.db.sweeps.find_one({"_id": "retention"}) or {}).get("chatter_until", "")
    oldest = (now - timedelta(days=terms.chatter_days)).astimezone(SHANGHAI).date() - timedelta(days=1)
    found: list[str] = []
    until = None
    for day in await custody.db.pages.distinct("day", {"day": {"$gt": last, "$lte": f"{oldest:%Y-%m-%d}"}}):
        found += [id_ async for id_ in _chatter_of(day, custody, now - timedelta(days=terms.chatter_days))]
        until = day
        if len(found) >= AT_ONCE:
            break
    return list(dict.fromkeys(found)), until


async def _chatter_of(day: str, custody: Custody, before: datetime) -> AsyncIterator[str]:
    async for page in custody.db.pages.find({"day": day}, {"ids": 1}):
        no_appeal = {"_id": {"$in": page["ids"]}, "quality.is_appeal": False, "received_at": {"$lte": before}}
        ids = [row["_id"] async for row in custody.db.appeals.find(no_appeal, {"_id": 1})]
        cases = {row["_id"] async for row in custody.db.cases.find({"_id": {"$in": ids}}, {"_id": 1})}
        kept = {"_id": {"$in": [id_ for id_ in ids if id_ not in cases]}, "destroyed": None}
        async for row in custody.db.raw.find(kept, {"_id": 1}):
            yield row["_id"]


# ---------------------------------------------------------------- whole months


async def _months(terms: Retention, custody: Custody, now: datetime) -> tuple[list[str], list[str]]:
    local = now.astimezone(SHANGHAI)
    before = local.year * 12 + local.month - 1 - terms.raw_months
    oldest = f"{before // 12:04}-{before % 12 + 1:02}"
    due: list[str] = []
    held: list[str] = []
    labels = {"_id": {"$regex": "^(raw|strays)/"}, "destroyed_at": None}
    async for row in custody.db.data_keys.find(labels, {"_id": 1}).sort("_id", 1):
        match = _LABEL.fullmatch(row["_id"])
        if match is not None and match["month"] < oldest:
            (held if await _is_needed(row["_id"], match, custody) else due).append(row["_id"])
    return due, held


async def _is_needed(label: str, match: re.Match[str], custody: Custody) -> bool:
    if match["source"] is None:
        # What is out to a department by disc has left its queue: until the receipt it lies there alone.
        return await custody.db.exchanges.find_one({"key": label, "state": "out"}, {"_id": 1}) is not None
    kept = {"key": {"$regex": f"^{re.escape(label)}#"}}
    if await custody.db.vault.find_one(kept, {"_id": 1}) is not None:
        return True
    return await _has_open(match["source"], match["month"], custody)


async def _has_open(source: str, month: str, custody: Custody) -> bool:
    first = date.fromisoformat(f"{month}-01")
    begin = datetime(first.year, first.month, 1, tzinfo=SHANGHAI).astimezone(UTC)
    end = (begin + timedelta(days=32)).astimezone(SHANGHAI).replace(day=1, hour=0).astimezone(UTC)
    still: dict[str, Any] = {
        "source": source,
        "opened_at": {"$gte": begin, "$lt": end},
        "state": {"$nin": [state.value for state in ENDED]},
        "handling.work": {"$ne": Work.CLOSED.value},
    }
    async for rows in _some(custody.db.cases.find(still, FIELDS)):
        orders = await orders_of(rows, custody)
        if not all(has_ended(ending(row, orders)) for row in rows):
            return True
    return False


async def _destroy_month(label: str, custody: Custody) -> None:
    await custody.sealer.destroy(label)
    mine = {"key": {"$regex": f"^{re.escape(label)}(#|$)"}, "destroyed": None}
    empty = {"payload": b"", "destroyed": {"why": Destroyed.EXPIRED.value, "at": custody.now()}}
    for name in ("raw", "raw_revisions"):
        await custody.db[name].update_many(mine, {"$set": empty, "$unset": {"context": ""}})
    await custody.db.media.delete_many({"key": mine["key"]})
    await custody.db.strays.update_many(mine, {"$set": {"body": b"", "destroyed": empty["destroyed"]}})


async def _remember(custody: Custody, fields: Mapping[str, Any]) -> None:
    await daily.remember(custody.db, "retention", fields)
