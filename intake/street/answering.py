"""Answers to where the appeals came from (回写): what cases have to tell, source by source, within its own budget.

An answer is taken up before it is sent and marked after it: who dies in between leaves it to the next, who sends it
under the same id. What is refused for good, or misses its deadline, is parked and seen (`intake parked list`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import NamedTuple, cast

import structlog

from connectors.answering.declared import DeclaredAnswers
from connectors.answering.table import not_for
from connectors.asking.budget import SharedBudget
from connectors.asking.http import fetch_for
from connectors.asking.session import addresses_of, open_session
from connectors.base import Answer, Answers, Fetch
from connectors.errors import Resting, StopSource, TryLater
from connectors.keeping.store import Store
from connectors.registry import REGISTRY
from connectors.source import Source
from intake.house import House
from intake.street.asking import CONTACT, budget_of
from intake.street.clock import Clock
from intake.street.patience import fault
from normalizer.appeal import Appeal, RequestType, message_of
from router.cases import answering
from router.cases.case import Case
from router.cases.track import Answering as Row
from router.flow import Room
from router.rounds import newest
from router.store import CaseStore

log = structlog.get_logger()

MOST = 50  #: answers taken up in one look


@dataclass(frozen=True, kw_only=True)
class Answering:
    """What answering needs of the street."""

    house: House
    cases: CaseStore
    room: Room
    reading: Store
    clock: Clock


class Due(NamedTuple):
    """One case and the answer that is to be sent."""

    case: Case
    row: Row


def spans(sources: Iterable[Source]) -> dict[str, timedelta]:
    """Give the sources that can be answered, and within which time an answer must have reached them."""
    return {
        source.name: timedelta(hours=terms.within_hours)
        for source in sources
        if (terms := source.answer_terms()) is not None
    }


async def answer_due(street: Answering) -> int:
    """Send what is due; gives how many were taken up."""
    now = street.room.moment()
    by_source: dict[str, list[Case]] = {}
    for case in await street.cases.lists.to_answer(now, MOST):
        by_source.setdefault(case.source, []).append(case)
    count = 0
    for source in street.house.settings.sources:
        if source.name in by_source:
            count += await _answer_source(source, by_source[source.name], street)
    return count


async def _answer_source(source: Source, cases: Sequence[Case], street: Answering) -> int:
    terms = source.answer_terms()
    if terms is None:
        return 0
    appeals = await street.room.load_appeals([(case.id, case.revision) for case in cases])
    count = 0
    async with _way(source, street) as way:
        for case in cases:
            due = await _take_up(case, street)
            if due is None:
                continue
            count += 1
            appeal = appeals.get((case.id, case.revision))
            why_not = not_for(due.row.reply, public=terms.public, confidential=_confidential(appeal))
            if why_not is None:
                await _send(due, way, await street.reading.raw.context(message_of(due.case.id)), street)
            else:
                at = street.room.moment()
                await _write(due, street, partial(answering.needless, answer=due.row.id, reason=why_not, at=at))
    return count


@asynccontextmanager
async def _way(source: Source, street: Answering) -> AsyncIterator[Answers]:
    """Open the way back to a source: as its settings declare it, or as its kind knows it."""
    budget = budget_of(source, street.clock, street.reading.budgets, 1.0)
    try:
        async with open_session([source]) as session:
            contact = street.house.settings.contact or CONTACT
            fetch = fetch_for(
                source, addresses_of(source), session, contact=contact, now=street.clock.now, budget=budget
            )
            yield _answers(source, fetch, street.house.settings.environment)
    finally:
        if isinstance(budget, SharedBudget):
            await budget.close()


def _answers(source: Source, fetch: Fetch, environment: Mapping[str, str]) -> Answers:
    table = source.answers()
    if table is not None:
        return DeclaredAnswers(source.name, table, fetch, environment)
    connect = REGISTRY[source.kind].open
    assert connect is not None, "only kinds that are read know of themselves how to answer"
    return cast("Answers", connect(source, fetch, environment))


async def _take_up(case: Case, street: Answering) -> Due | None:
    """Keep other workers from it while we send; None: another one was faster."""
    now = street.room.moment()
    row = answering.due(case, now)
    if row is None:
        return None
    mine = False

    def take(found: Case) -> Case:
        nonlocal mine
        after = answering.take_up(found, row.id, now)
        mine = after is not found
        return after

    after = await street.cases.change(case, take)
    return Due(after, row) if mine else None


async def _send(due: Due, way: Answers, context: Mapping[str, str], street: Answering) -> None:
    case, row = due
    others = await newest(answering.others_of(case), street.cases)
    told = answering.of_message(case, row, others.values())
    if told is None:
        at, reason = (
            street.room.moment(),
            "同一来件的其余诉求还在办，或未曾告知 · others are open, or none was told",
        )
        await _write(due, street, partial(answering.needless, answer=row.id, reason=reason, at=at))
        return
    status, reply = told
    answer = Answer(id=row.id, status=status, reply=reply, at=row.at)
    try:
        receipt = await way.answer(case.native_id, context, answer)
    except StopSource as error:
        await _failed(due, str(error), None, street)
    except TryLater as error:
        wait = timedelta(seconds=error.seconds) if isinstance(error, Resting) else answering.wait_after(row.tries)
        await _failed(due, str(error), wait, street)
    except Exception as error:  # noqa: BLE001 - one answer that fails holds up no other
        await _failed(due, f"程序出错 · fault {fault(error)}", answering.wait_after(row.tries), street)
    else:
        at = street.room.moment()
        await _write(due, street, partial(answering.sent, answer=row.id, receipt=receipt.id, at=at))
        log.info("answered", action="answered", case=case.id, source=case.source, status=row.status, answer=row.id)


async def _failed(due: Due, reason: str, wait: timedelta | None, street: Answering) -> None:
    case, row = due
    at = street.room.moment()
    after = await _write(due, street, partial(answering.failed, answer=row.id, reason=reason, at=at, wait=wait))
    parked = after.handling is not None and any(
        each.id == row.id and each.state == "parked" for each in after.handling.answers
    )
    if parked:
        log.warning("not answered", action="answer_parked", case=case.id, source=case.source, reason=reason)
    else:
        log.info("not answered yet", action="answer_waits", case=case.id, source=case.source, reason=reason)


async def _write(due: Due, street: Answering, move: Callable[[Case], Case]) -> Case:
    return await street.cases.change(due.case, move)


def _confidential(appeal: Appeal | None) -> bool:
    """What is not known is not shown."""
    return appeal is None or appeal.citizen.confidential or appeal.request_type is RequestType.REPORT
