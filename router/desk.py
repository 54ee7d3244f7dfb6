"""What a person at the desk does to a case, or the clock when nobody does: assign, retry, discard, escalate.

Each is one conditional write and then the same delivery that a page gets (router/flow.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial

import structlog
from msgspec.structs import replace

from router.cases import deciding, delivery
from router.cases.answering import again, give_up, with_answer
from router.cases.case import Case, needs_duty
from router.cases.clock import Clock, next_look
from router.cases.following import has_news
from router.cases.moves import Kind, Sent, State
from router.dispatch import Context
from router.dispatching.accused import Accused
from router.dispatching.directory import Unit
from router.dispatching.topology import receives
from router.errors import NoSuchCase, NoSuchUnit, UnitAccused
from router.flow import Claim, Room, RoutedPage, claimed, decided, deliver, tell_duty

logger = structlog.get_logger(__name__)

#: After how long a critical case in triage goes to the fallback owner of its place (promise 7).
PATIENCE = timedelta(minutes=15)
#: How long an answer may take whose source is not in the settings any more.
ANSWER_WITHIN = timedelta(hours=24)


async def find_case(name: str, room: Room) -> Case:
    """Find the one case that a person means: by case id, case number, native id or message id."""
    found = await room.store.lists.find(name)
    if not found:
        raise NoSuchCase(f"no case has the id, number, native id or message id {name!r}")
    if len(found) > 1:
        ids = ", ".join(case.id for case in found)
        raise NoSuchCase(f"{name!r} may be any of {len(found)} cases: {ids}; say which by its id")
    return found[0]


async def assign(name: str, department: str, person: str, reason: str, room: Room, *, despite: bool = False) -> Case:
    """Give a case that waits for a person to a department, and send it there.

    `despite`: the person knows that the appeal is about this very department; the case remembers it.
    """
    unit = room.tables.directory.get(department)
    if unit is None or not receives(unit):
        raise NoSuchUnit(f"the directory has no unit {department} that takes orders: see `intake departments list`")
    case = await find_case(name, room)
    if await _is_accused(unit, case, room):
        if not despite:
            raise UnitAccused(f"case {case.id} is about {department} itself: name its superior, or say --despite")
        reason = f"{reason}（被反映单位即承办单位，经办人已知 · despite being accused）"
    at, versions = room.moment(), room.tables.versions
    return await change(case, lambda now: deciding.assign(now, department, person, reason, versions, at), room)


async def _is_accused(unit: Unit, case: Case, room: Room) -> bool:
    appeal = (await room.load_appeals([(case.id, case.revision)])).get((case.id, case.revision))
    return appeal is not None and unit in Accused(appeal, room.tables.directory)


async def retry_parked(case_ids: Sequence[str], actor: str, room: Room) -> RoutedPage:
    """Send again what is parked in these cases; decide again where deciding had failed."""
    changed = []
    for case in (await room.store.load(case_ids)).values():
        after = await _decide_again(case, room) if _undecided(case) else case
        at = room.moment()
        after = await write(after, lambda now, at=at: delivery.retry(now, actor, at), room)  # type: ignore[misc]
        changed.append(after)
    return await deliver([case.id for case in changed], room)


async def discard_parked(case_ids: Sequence[str], actor: str, reason: str, room: Room) -> list[Case]:
    """Give up what is parked in these cases; an order given up leaves its case parked, with the reason."""
    at = room.moment()
    cases = (await room.store.load(case_ids)).values()
    return [await change(case, lambda now: delivery.discard(now, actor, reason, at), room) for case in cases]


async def retry_answers(case_ids: Sequence[str], room: Room) -> list[Case]:
    """Let answers to the source that are parked be sent again, under the same ids and with a new deadline."""
    at, cases = room.moment(), (await room.store.load(case_ids)).values()
    return [
        await room.store.change(case, partial(again, at=at, within=room.answering.get(case.source, ANSWER_WITHIN)))
        for case in cases
    ]


async def discard_answers(case_ids: Sequence[str], reason: str, room: Room) -> list[Case]:
    """Give up answers to the source that are parked."""
    cases = (await room.store.load(case_ids)).values()
    return [await room.store.change(case, partial(give_up, reason=reason)) for case in cases]


async def escalate(room: Room) -> list[Case]:
    """Give critical cases that lay in triage too long to the fallback owner of their place.

    Where the directory has no fallback for a place the case stays in triage and is told each time.
    """
    given = []
    waiting = await room.store.lists.waiting_critical(room.moment() - PATIENCE)
    appeals = await room.load_appeals([(case.id, case.revision) for case in waiting]) if waiting else {}
    for case in waiting:
        appeal = appeals.get((case.id, case.revision))
        unit = None if appeal is None else room.fallback(appeal)
        if unit is None:
            logger.error("A critical case waits and its place has no fallback unit", action="no_fallback", case=case.id)
            continue
        after = await change(case, _fall_back(unit, room), room)
        if after.state is not State.TRIAGE:
            logger.warning("Gave a critical case to the fallback", action="fell_back", case=case.id, department=unit)
        given.append(after)
    return given


def parked_rows(cases: Iterable[Case]) -> list[tuple[Case, str | None, str]]:
    """Give what is parked in these cases for a list: case, message id (None: the decision itself), reason."""
    rows: list[tuple[Case, str | None, str]] = []
    for case in cases:
        rows += [(case, row.id, row.parked or "") for row in case.dispatches if row.state is Sent.PARKED]
        if _undecided(case):
            notes = (event.note for event in reversed(case.events) if event.kind is Kind.UNDECIDED)
            rows.append((case, None, next(notes, None) or ""))
    return rows


def _undecided(case: Case) -> bool:
    """Say whether it is parked for want of a decision, and not because its order was given up."""
    if case.goal is not State.PARKED:
        return False
    kinds = (event.kind for event in reversed(case.events))
    return next((kind for kind in kinds if kind in {Kind.UNDECIDED, Kind.GIVEN_UP}), None) is Kind.UNDECIDED


def _fall_back(unit: str, room: Room) -> Callable[[Case], Case]:
    at = room.moment()

    def give(case: Case) -> Case:
        # Read again after a lost race: somebody may have assigned it meanwhile.
        if case.state is not State.TRIAGE:
            return case
        return deciding.fall_back(
            case, unit, "特急件 15 分钟无人研判，按规定先交属地兜底单位", room.tables.versions, at
        )

    return give


async def _decide_again(case: Case, room: Room) -> Case:
    appeal = (await room.load_appeals([(case.id, case.revision)])).get((case.id, case.revision))
    if appeal is None:
        raise NoSuchCase(f"revision {case.revision} of appeal {case.id} is not in the store: nothing to decide on")
    context = Context(mode=case.mode, holder=case.holder)
    if case.decision is not None:
        context = replace(case.decision.context, holder=case.holder)
    decision = decided(appeal, context, room)
    at = room.moment()

    def again(now: Case) -> Case:
        if not _undecided(now):
            return now
        after = deciding.decide_again(now, decision, context, at)
        return deciding.call_duty(after, room.fallback(appeal), at) if needs_duty(after) else after

    after = await write(case, again, room)
    if after.version != case.version:
        tell_duty(after)
    return after


async def change(case: Case, function: Callable[[Case], Case], room: Room) -> Case:
    """Write what a person does to a case, and send what follows from it."""
    after = await write(case, function, room)
    if after.unsent:
        await deliver([after.id], room)
        return await room.store.get(after.id) or after
    return after


async def write(case: Case, function: Callable[[Case], Case], room: Room, clock: Clock | None = None) -> Case:
    """Write it unclaimed: the delivery that follows claims it, or whoever comes first.

    Without its clock at hand the case is due at once: the next look reckons when the one after is.
    """
    nobody = Claim(room.fence(), None)
    at = room.moment()

    def changed(now: Case) -> Case:
        after = function(now)
        if after is now:
            return now
        due = next_look(after, clock) if clock else at if after.goal is State.DELIVERED else None
        if has_news(now, after) or (now.due is not None and now.due <= at):
            due = at  # the next look tells those that it carries, and does what was due before
        told = with_answer(now, replace(after, due=due), at, room.answering.get(now.source))
        return claimed(now, told, nobody)

    return await room.store.change(case, changed)
