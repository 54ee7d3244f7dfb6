"""The clock's look at cases that are due (时限巡查): yellow and red cards, and the end of a call-back nobody made."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from normalizer.appeal import Appeal
from router.cases.answering import with_answer
from router.cases.carrying import carried
from router.cases.case import Case
from router.cases.clock import Clock
from router.cases.following import follow, has_news
from router.cases.looking import look
from router.flow import Claim, Room, claimed, deliver

logger = structlog.get_logger(__name__)

AGAIN_AFTER = timedelta(minutes=10)  #: where a look failed


async def look_at_due(room: Room, limit: int = 200) -> int:
    """Look at what is due now; gives how many there were."""
    now = room.moment()
    cases = await room.store.lists.due(now, limit)
    clocks = await clocks_of(cases, room)
    for case in cases:
        # Before the look says when to look again: who dies here leaves it due.
        await tell_carried(case, room)
    nobody = Claim(room.fence(), None)
    looked = await room.store.change_all(
        cases, lambda case: _looked(case, clocks.get(case.id), now, nobody=nobody, room=room)
    )
    to_send = [case.id for case in looked if case.unsent]
    if to_send:
        await deliver(to_send, room)
    return len(cases)


async def tell_carried(order: Case, room: Room) -> None:
    """Bring the cases that an order carries to where it is."""
    ids = carried(order)
    if not ids:
        return
    at = room.moment()

    def followed(member: Case) -> Case:
        return with_answer(member, follow(member, order, at), at, room.answering.get(member.source))

    members = list((await room.store.load(ids)).values())
    await room.store.change_all(members, followed)


def _looked(case: Case, clock: Clock | None, now: datetime, *, nobody: Claim, room: Room) -> Case:
    try:
        after = look(case, clock, now)
    except Exception as error:  # noqa: BLE001 - one case that cannot be looked at holds up no other
        logger.error("Looking failed", action="look_failed", case=case.id, error=type(error).__name__)  # noqa: TRY400
        return replace(case, due=now + AGAIN_AFTER)
    if has_news(case, after):
        after = replace(after, due=now)  # looked at once more: those that it carries are told
    after = with_answer(case, after, now, room.answering.get(case.source))
    return claimed(case, after, nobody)


async def clocks_of(cases: list[Case], room: Room) -> dict[str, Clock]:
    """Give what the deadlines of these cases depend on beside them, by case."""
    appeals = await room.load_appeals([(case.id, case.revision) for case in cases]) if cases else {}
    return {id_: clock_of(appeal, room) for (id_, _), appeal in appeals.items()}


def clock_of(appeal: Appeal, room: Room) -> Clock:
    """Give what a case's deadlines depend on beside the case."""
    tables = room.tables
    return Clock(appeal.deadline_class, appeal.request_type, tables.deadlines, tables.calendar)
