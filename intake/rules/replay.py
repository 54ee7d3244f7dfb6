"""Replaying what is stored with two sets of rules (规则预演): who gets what, and what departments' load becomes.

Nothing is changed. Page by page, so that a month of a large city takes no more memory than a page; what is listed one
by one is limited, and handed on as it is found (`Tell`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from msgspec.structs import replace

from intake.house import Database
from intake.rules.prediction import Expected, Oracle, Stored
from normalizer.appeal import Appeal, Mode, from_document
from normalizer.store import Standing
from router.cases.case import Case
from router.cases.redeciding import Stays, stays_because
from router.dispatch import Context, Decision, Outcome
from router.dispatching.decide import decide
from router.dispatching.tables import Tables
from router.rounds import newest
from router.store import CaseStore

PAGE = 500
TRIAGE = "triage"


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal that the new rules send elsewhere."""

    case: str
    case_no: str | None
    category: str
    before: str  #: the unit that leads, `triage`, or why it is not dispatched
    after: str
    rule_before: str | None
    rule_after: str | None
    #: What the order itself would do at the release: `moves` if open orders are decided again, else why it stays.
    order: str | None


Found = Moved | Expected
Tell = Callable[[Found], None]


@dataclass(kw_only=True)
class Replayed:
    """What a replay counted."""

    appeals: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    assist_changed: int = 0
    signed_moved: int = 0  #: of those that a department has taken on: what the new rules would undo
    before: Counter[str] = field(default_factory=Counter)  #: leads and `triage`
    after: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)  #: of the open ones that move: `moves`, or why they stay
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)  #: by what brings them, and type

    @property
    def moved(self) -> int:
        return self.moves.total()

    @property
    def to_triage(self) -> int:
        return sum(count for (_, to), count in self.moves.items() if to == TRIAGE)

    @property
    def from_triage(self) -> int:
        return sum(count for (of, _), count in self.moves.items() if of == TRIAGE)


async def replay(  # noqa: PLR0917 - what is replayed, with what, and for whom
    pages: AsyncIterator[Stored],
    tables: tuple[Tables, Tables],
    oracle: Oracle,
    modes: Mapping[str, Mode],
    tell: Tell,
    count: Callable[[int], None],
) -> Replayed:
    """Decide every appeal with both tables, those in force and the new ones, and count."""
    done, read = Replayed(), 0
    async for page in pages:
        for id_, one in page.standing.items():
            if one.appeal.quality.is_appeal and not one.withdrawn:
                case = page.cases.get(id_)
                mode = case.mode if case is not None else modes.get(one.appeal.source, Mode.ROUTE)
                _count(done, one.appeal, case, mode, tables, tell)
        _expect(done, await oracle.tell(page), tell)
        read += len(page.standing)
        count(read)
        await asyncio.sleep(0)
    _expect(done, await oracle.rest(), tell)
    return done


def _expect(done: Replayed, messages: Sequence[Expected], tell: Tell) -> None:
    for each in messages:
        done.messages[each.because, each.type] += 1
        tell(each)


async def count_since(db: Database, since: datetime) -> int:
    """Count what was received since then."""
    return int(await db.appeals.count_documents({"received_at": {"$gte": since}}))


async def stored_since(db: Database, cases: CaseStore, since: datetime) -> AsyncIterator[Stored]:
    """Read what was received since then, with its cases, a page at a time."""
    page: dict[str, Standing] = {}
    async for row in db.appeals.find({"received_at": {"$gte": since}}, batch_size=PAGE).sort("_id", 1):
        page[row["_id"]] = Standing(from_document(row), bool(row.get("withdrawn")))
        if len(page) == PAGE:
            yield Stored(page, await newest(page, cases))
            page = {}
    if page:
        yield Stored(page, await newest(page, cases))


def _count(  # noqa: PLR0917 - an appeal, its case, and both sets of rules
    done: Replayed, appeal: Appeal, case: Case | None, mode: Mode, tables: tuple[Tables, Tables], tell: Tell
) -> None:
    context = Context(mode=mode)
    if case is not None and case.decision is not None:
        context = replace(case.decision.context, linked_to=None)
    old, new = (decide(appeal, context, each) for each in tables)
    before, after = lands(old), lands(new)
    done.appeals += 1
    done.before[before] += 1
    done.after[after] += 1
    if before == after:
        done.assist_changed += sorted(old.routing.assist) != sorted(new.routing.assist)
        return
    done.moves[before, after] += 1
    order = _order(case)
    if order is not None:
        done.orders[order] += 1
        done.signed_moved += order == Stays.HEARD and case is not None and case.holder == before
    tell(
        Moved(
            case=appeal.id if case is None else case.id,
            case_no=None if case is None else case.case_no,
            category=appeal.category.code,
            before=before,
            after=after,
            rule_before=old.routing.rule,
            rule_after=new.routing.rule,
            order=order,
        )
    )


def lands(decision: Decision) -> str:
    """Say where a decision brings an appeal: the lead, `triage`, or the code by which it is not dispatched."""
    if decision.code is not None and decision.outcome in {Outcome.INFORMED, Outcome.HANDED_OVER, Outcome.OBSERVED}:
        return decision.code
    return decision.routing.lead or TRIAGE


def _order(case: Case | None) -> str | None:
    """Say what the order would do at the release; None: there is none that is open."""
    stays = None if case is None else stays_because(case)
    if case is None or stays is Stays.NOT_OPEN:
        return None
    return "moves" if stays is None else stays.value
