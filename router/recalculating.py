"""A page of open orders under a new calendar (批量重算时限): one write for all, and then the same delivery as ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from router.cases.calendar import Calendar
from router.cases.case import Case
from router.cases.clock import Clock
from router.cases.recomputing import as_told, recompute
from router.flow import Claim, Room, claimed, deliver
from router.looking import clocks_of

logger = structlog.get_logger(__name__)


async def recompute_page(cases: Sequence[Case], known: Callable[[Case], Calendar], change: int, room: Room) -> int:
    """Tell the departments of these whose deadlines have moved; gives how many cases that were.

    `known` says with which calendar the departments of a case have reckoned so far.
    """
    at, nobody = room.moment(), Claim(room.fence(), None)
    clocks = await clocks_of([as_told(case) for case in cases], room)

    def recomputed(case: Case) -> Case:
        clock = clocks.get(case.id)
        return case if clock is None else claimed(case, _one(case, clock, known, change, at), nobody)

    versions = {case.id: case.version for case in cases}
    after = await room.store.change_all(cases, recomputed)
    moved = [case.id for case in after if case.version != versions[case.id]]
    if moved:
        await deliver(moved, room)
    return len(moved)


def _one(case: Case, clock: Clock, known: Callable[[Case], Calendar], change: int, at: datetime) -> Case:
    try:
        return recompute(case, clock._replace(calendar=known(case)), clock, change, at)
    except Exception as error:  # noqa: BLE001 - one case that cannot be reckoned holds up no other
        logger.error("Recomputing failed", action="recompute_failed", case=case.id, error=type(error).__name__)  # noqa: TRY400
        return case
