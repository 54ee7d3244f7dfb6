"""A call-back that comes by itself (自助回访): taken down once, and only about the answer that it was asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from router.cases import centre
from router.cases.case import Case
from router.cases.centre import Visit
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind
from router.desk import change
from router.errors import MoveNotAllowed
from router.flow import Room


async def visit_once(case: Case, answer: int, said: Visit, person: str, room: Room) -> Case:
    """Write it down if its department has said nothing newer; MoveNotAllowed where it was visited, closed, reopened."""
    at = room.moment()

    def move(now: Case) -> Case:
        if max((event.n for event in now.events if event.kind is Kind.RESOLVED), default=0) != answer:
            raise MoveNotAllowed(f"case {now.id}: its department has answered anew since it was asked about")
        return centre.visit(now, said, person, at)

    return await change(case, move, room)


async def note_asked(cases: Sequence[Case], person: str, until: Callable[[Case], datetime], room: Room) -> list[Case]:
    """Write down that a link was made for each of these: who, and until when it holds."""
    at = room.moment()

    def asked(case: Case) -> Case:
        after = draft_of(case)
        record(after, Kind.RECORDED, at, actor=person, note="发回访链接", data={"visit_link_until": until(case)})
        return after

    return await room.store.change_all(cases, asked)
