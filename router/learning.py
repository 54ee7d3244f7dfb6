"""What returns teach, as the street learns it (退单定责): written to the log, read by every worker within seconds.

A worker that writes an entry knows it at once; the others look every two seconds (`look`, one read by id). Deciding
reads the lessons from the room's tables and asks nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import structlog

from normalizer.appeal import Appeal
from router.cases.advice import Advice, advise
from router.cases.case import Case
from router.cases.moves import Kind
from router.cases.teaching import precedent_of, spot_of
from router.dispatching.lessons import PREFIX, Lessons, lessons_of
from router.dispatching.precedents import Entry, Precedent, Ruled, Settled, Spot, Undone
from router.errors import MoveNotAllowed, NoSuchLesson
from router.flow import Room

logger = structlog.get_logger(__name__)

KEPT_WITHIN = timedelta(days=60)  #: how far back it is looked what a unit keeps, where it returned nothing before
KEPT_MOST = 30


async def look(room: Room) -> bool:
    """Take in what was learned since; also after a release has put other tables there."""
    if room.lessons is not None:
        known = room.tables.lessons
        new = await room.lessons.after(known.version)
        if new:
            _put(lessons_of(new, known), room)
    return False


async def learn(case: Case, room: Room) -> None:
    """Learn what this case teaches now; taught again it teaches nothing new."""
    if room.lessons is None or not may_teach(case, room.tables.lessons):
        return
    try:
        await _learn(case, room)
    except Exception as error:
        # What a department said is taken in all the same; the next that is heard of the case teaches again.
        logger.exception("Learning failed", action="learn_failed", case=case.id, error=type(error).__name__)


def may_teach(case: Case, lessons: Lessons) -> bool:
    """Say whether a case can teach anything, without reading more than it: of most none can."""
    rule = (case.decision.routing.rule if case.decision else None) or ""
    if rule.startswith(PREFIX) or lessons.knows_rule(rule):
        return True
    return any(event.kind in {Kind.RETURN_UPHELD, Kind.RETURN_REFUSED} for event in case.events)


async def advise_on(case: Case, department: str, room: Room) -> Advice:
    """Advise whoever reviews the return that this department asks for."""
    await look(room)
    appeal = await _appeal(case, room)
    spot = spot_of(appeal, room.tables)
    lessons = room.tables.lessons
    if spot is not None and not lessons.knows(spot):
        kept = await _kept(spot, room)
        lessons = lessons_of((Settled(lessons.version, one) for one in kept), lessons)
    return advise(case, appeal, department, room.tables, lessons)


async def rule_on(lesson: str, person: str, reason: str, room: Room, *, allowed: bool) -> Lessons:
    """Forbid a lesson, or allow it again."""
    await look(room)
    known = room.tables.lessons
    if not (lesson in known.forbidden if allowed else known.has(lesson)):
        raise NoSuchLesson(f"no lesson {lesson} can be {'allowed' if allowed else 'forbidden'}: see triage lessons")
    at = room.moment()
    return await _append(room, lambda n: Ruled(n, lesson, allowed=allowed, by=person, reason=reason, at=at))


async def undo(case: Case, person: str, reason: str, room: Room, *, undone: bool) -> Lessons:
    """Let a case teach nothing, or let it teach again."""
    await look(room)
    known = room.tables.lessons
    if not (known.precedent(case.id) if undone else case.id in known.undone):
        raise NoSuchLesson(f"case {case.id} is no precedent that can be {'undone' if undone else 'restored'}")
    at = room.moment()
    after = await _append(room, lambda n: Undone(n, case.id, undone=undone, by=person, reason=reason, at=at))
    if not undone:
        await learn(case, room)
    return room.tables.lessons if not undone else after


# ---------------------------------------------------------------- inside


async def _learn(case: Case, room: Room) -> None:
    await look(room)
    appeal = await _appeal(case, room)
    found = precedent_of(case, appeal, room.tables)
    if found is None or not room.tables.lessons.is_news(found, appeal):
        return
    spot = (found.rule, found.sent_to)
    if not room.tables.lessons.knows(spot):
        for one in reversed(await _kept(spot, room)):
            await _settle(one, room)
    await _settle(found, room)


async def _settle(precedent: Precedent, room: Room) -> None:
    known = room.tables.lessons.precedent(precedent.case)
    if known is not None and msgspec.structs.replace(known, at=precedent.at, by=precedent.by) == precedent:
        return
    after = await _append(room, lambda n: Settled(n, precedent))
    logger.info(
        "Learned from a return",
        action="lesson_learned",
        case=precedent.case,
        rule=precedent.rule,
        sent_to=precedent.sent_to,
        owner=precedent.owner,
        version=after.version,
    )


async def _kept(spot: Spot, room: Room) -> list[Precedent]:
    """Look up what is kept where it was sent, the newest first: that counts against moving the next one."""
    if room.lessons is None:
        return []
    ids = await room.lessons.recently_taken_on(spot[0], room.moment() - KEPT_WITHIN, KEPT_MOST)
    cases = await room.store.load(ids)
    appeals = await room.load_appeals([(case.id, case.revision) for case in cases.values()]) if cases else {}
    found = [
        precedent_of(cases[id_], appeal, room.tables)
        for id_ in ids
        if id_ in cases and (appeal := appeals.get((id_, cases[id_].revision))) is not None
    ]
    return [one for one in found if one is not None and (one.rule, one.sent_to) == spot and one.owner == spot[1]]


async def _append(room: Room, make: Callable[[int], Entry]) -> Lessons:
    assert room.lessons is not None
    await room.lessons.append(make)
    await look(room)
    return room.tables.lessons


async def _appeal(case: Case, room: Room) -> Appeal:
    key = (case.id, case.revision)
    found = (await room.load_appeals([key])).get(key)
    if found is None:
        raise MoveNotAllowed(f"revision {case.revision} of appeal {case.id} is not in the store: nothing to compare")
    return found


def _put(lessons: Lessons, room: Room) -> None:
    room.tables = replace(room.tables, lessons=lessons)
