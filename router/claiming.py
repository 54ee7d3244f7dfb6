"""What people decide of claims (剔除、申诉): one write, and the department hears of it."""

from __future__ import annotations

from router.cases.case import Case
from router.cases.claims import decide_claim
from router.desk import change, find_case
from router.flow import Room


async def judge(  # noqa: PLR0917 - a decision has that many parts
    name: str, claim: str | None, clause: str, person: str, reason: str, room: Room, *, granted: bool
) -> Case:
    """Grant or refuse a claim by a clause of the written rules."""
    at, rules, calendar = room.moment(), room.tables.claims, room.tables.calendar

    def move(now: Case) -> Case:
        return decide_claim(now, claim, clause, person, reason, at, rules, calendar, granted=granted)

    return await change(await find_case(name, room), move, room)
