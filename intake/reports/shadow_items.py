"""The items of a shadow week, out of the store: what the source had, what we decided, what came of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

from intake.reports.shadow_figures import Compared, Unit
from normalizer.appeal import Appeal, Mode, Place, from_document
from router.cases import case as cases
from router.cases.case import Case
from router.dispatch import Outcome
from router.dispatching.directory import Directory
from router.dispatching.referral import informed_because

BATCH = 500
Database = Any  # motor ships no types
#: 市住建局、市城管局: some sources write all of them into one column; the first leads.
_SEVERAL = re.compile(r"[\s,，、;；]+")


async def items_of(db: Database, directory: Directory, source: str, first: str, last: str) -> AsyncIterator[Compared]:
    """Walk the items that were first offered on these days, in order of their ids."""
    query = {"source": source, "day": {"$gte": first, "$lte": last}, "parked": None}
    found = db["raw"].find(query, {"_id": 1}).sort("_id", 1).batch_size(BATCH)
    ids: list[str] = []
    async for row in found:
        ids.append(row["_id"])
        if len(ids) == BATCH:
            for item in await _compare(db, directory, ids):
                yield item
            ids = []
    for item in await _compare(db, directory, ids):
        yield item


async def _compare(db: Database, directory: Directory, ids: list[str]) -> list[Compared]:
    query = {"_id": {"$in": ids}}
    found = {row["_id"]: cases.from_document(row) async for row in db["cases"].find(query)}
    appeals = [from_document(row) async for row in db["appeals"].find(query).sort("_id", 1)]
    return [compared(appeal, found.get(appeal.id), directory) for appeal in appeals]


def compared(appeal: Appeal, case: Case | None, directory: Directory) -> Compared:
    """Put one item's two answers side by side."""
    signals = appeal.signals
    given = signals.handled_before[0] if signals.handled_before else signals.handler
    decided = _first_decision(case)
    routing = decided.routing if decided else None
    ours = directory.get(routing.lead) if routing and routing.lead else None
    return Compared(
        id=appeal.id,
        native_id=appeal.native_id,
        case_no=case.case_no if case else None,
        category=f"{appeal.category.code} {appeal.category.name}",
        ours=Unit(ours.code, ours.name, ours.role) if ours else None,
        assist=tuple(routing.assist) if routing else (),
        decline=_declined(appeal, decided.code if decided else None),
        follows=case is not None and case.mode is Mode.FOLLOW,
        given=given,
        theirs=named(given, appeal.place, directory),
        given_last=signals.handler,
        theirs_last=named(signals.handler, appeal.place, directory),
        sent_back=bool(signals.handled_before or signals.sent_back),
        confidence=routing.confidence if routing else 0.0,
        rule=routing.rule if routing else None,
        evidence=tuple(dict.fromkeys(word.text for word in routing.evidence)) if routing else (),
        sentence=decided.sentence if decided else "",
    )


def named(name: str | None, place: Place, directory: Directory) -> Unit | None:
    """Find the unit that a source means; of several in one column the first."""
    if not name:
        return None
    unit = directory.find(name, place) or directory.find(_SEVERAL.split(name.strip())[0], place)
    return Unit(unit.code, unit.name, unit.role) if unit else None


def names_known(directory: Directory) -> list[str]:
    """Every name that a unit of ours goes by."""
    return sorted({name for unit in directory.units.values() for name in unit.names})


def _first_decision(case: Case | None) -> cases.Decided | None:
    """What we said at first: later ones know of returns, and of what a person said."""
    if case is None:
        return None
    return case.past_decisions[0] if case.past_decisions else case.decision


def _declined(appeal: Appeal, code: str | None) -> str | None:
    if not appeal.quality.is_appeal:
        return "非诉求"
    informed = informed_because(code) if code is not None else None
    if informed is None:
        return None
    return f"{'移交' if informed.outcome is Outcome.HANDED_OVER else '告知'}（{code}）"
