"""The automatic review of returns (退单自动审核): where the settings allow it, clear precedents decide at once.

All else waits for a person, who sees the same advice (`intake case advice`).
"""

from __future__ import annotations

import structlog

from router import centre
from router.cases.advice import AUTOMATIC
from router.cases.case import Case
from router.cases.work import Ask
from router.errors import NotPossible
from router.flow import Room
from router.learning import advise_on

logger = structlog.get_logger(__name__)

_REASONS = {"uphold": "与已经审定的先例相同，退单成立", "refuse": "同类工单一向由本单位办理，退单不成立"}


async def review(case: Case, department: str, room: Room, arbiter: str) -> Case:
    """Decide on the return that this department asks for, if precedents are clear; else nothing happens."""
    asks = case.handling.tracks[department].asks if case.handling and department in case.handling.tracks else {}
    if Ask.RETURN not in asks or case.holder != department:
        return case
    try:
        advice = await advise_on(case, department, room)
        if not advice.clear:
            return case
        granted = advice.suggest == "uphold"
        after = await centre.decide(
            case.id,
            department,
            Ask.RETURN,
            AUTOMATIC,
            _REASONS[advice.suggest],
            room,
            granted=granted,
            arbiter=arbiter,
        )
    except NotPossible as error:
        # A person was faster, or the appeal is not kept any more: it waits for a person.
        logger.info("A return was not reviewed", action="return_left", case=case.id, error=type(error).__name__)
        return case
    logger.info(
        "Decided a return by precedents", action="return_reviewed", case=case.id, department=department, granted=granted
    )
    return after
