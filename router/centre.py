"""What people at the centre do to orders that departments have (中心处置), one case or many: one write each, then sent.

Free text of people is masked by who calls; the reasons go to departments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from router.cases import centre, returns
from router.cases.carrying import carried
from router.cases.case import Case
from router.cases.centre import Visit
from router.cases.work import Ask
from router.desk import change, find_case
from router.dispatch import Context, Decision
from router.dispatching.accused import Accused
from router.dispatching.topology import receives
from router.errors import MoveNotAllowed, NoSuchUnit, NotPossible, UnitAccused
from router.flow import Room, decided
from router.joining import split
from router.learning import learn

ARBITER = "热线中心值班负责人"


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases, when many are meant: by what sent them there, and when."""

    rule: str | None = None
    department: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one of many."""

    case: str
    case_no: str
    why_not: str | None = None  #: None: it was done


Act = Callable[[Case], Awaitable[Case]]


async def urge(name: str, person: str, reason: str, room: Room) -> Case:
    """Press the department that has it (催办)."""
    at = room.moment()
    return await change(await find_case(name, room), lambda now: centre.urge(now, person, reason, at), room)


async def supervise(name: str, person: str, reason: str, room: Room) -> Case:
    """Put it under supervision (督办)."""
    at = room.moment()
    return await change(await find_case(name, room), lambda now: centre.supervise(now, person, reason, at), room)


async def recall(case: Case, person: str, reason: str, room: Room) -> Case:
    """Take it back; it waits for a person, and what it carried goes its own way (收回)."""
    at = room.moment()
    after = await change(case, lambda now: centre.take_back(now, person, reason, at), room)
    if members := carried(after):
        await split(after.id, members, person, reason, room)
    return await room.store.get(after.id) or after


async def reassign(case: Case, department: str, person: str, reason: str, room: Room, *, despite: bool = False) -> Case:
    """Give it to another department (改派); `despite`: the person knows that the appeal is about that department."""
    await _may_have(case, department, room, despite=despite)
    at, versions = room.moment(), room.tables.versions
    return await change(case, lambda now: centre.reassign(now, department, person, reason, versions, at), room)


async def each(cases: Sequence[Case], act: Act) -> AsyncIterator[Done]:
    """Do the same to many; what cannot be done to one is said and holds up no other."""
    for case in cases:
        try:
            await act(case)
        except NotPossible as error:
            yield Done(case=case.id, case_no=case.case_no, why_not=str(error))
        else:
            yield Done(case=case.id, case_no=case.case_no)


async def decide(  # noqa: PLR0917 - a decision has that many parts
    name: str,
    department: str | None,
    ask: Ask | None,
    person: str,
    reason: str,
    room: Room,
    *,
    granted: bool,
    to: str | None = None,
    despite: bool = False,
    arbiter: str = ARBITER,
) -> Case:
    """Grant or refuse what a department asks for; an upheld return goes where a person says, or is routed anew."""
    case = await find_case(name, room)
    code, what = _meant(case, department, ask)
    if to is not None:
        await _may_have(case, to, room, despite=despite)
    anew = await _anew(case, code, room) if granted and what is Ask.RETURN and to is None else None
    at, versions = room.moment(), room.tables.versions

    def move(now: Case) -> Case:
        after = centre.decide_ask(now, code, what, person, reason, at, granted=granted)
        if not granted or what is not Ask.RETURN:
            return after
        if anew is None:
            return returns.give_to(after, code, to or "", person, reason, versions, arbiter, at)
        decision, context = anew
        return returns.route_anew(after, decision, context, arbiter, at)

    after = await change(case, move, room)
    if what is Ask.RETURN:
        await learn(after, room)
    return after


async def review(name: str, person: str, room: Room, *, text: str | None, reason: str | None = None) -> Case:
    """Let a public reply out in these words (审核通过), or send it back (退回) where there are none."""
    at = room.moment()
    return await change(await find_case(name, room), lambda now: centre.review(now, person, text, at, reason), room)


async def visit(name: str, said: Visit, person: str, room: Room) -> Case:
    """Write down a call-back (回访) and what follows from it."""
    at = room.moment()
    return await change(await find_case(name, room), lambda now: centre.visit(now, said, person, at), room)


async def close(name: str, person: str, reason: str, room: Room) -> Case:
    """End a case that was visited."""
    at = room.moment()
    return await change(await find_case(name, room), lambda now: centre.close(now, person, reason, at), room)


async def reopen(name: str, person: str, reason: str, room: Room) -> Case:
    """Give a case back to its lead for another round (重办)."""
    at = room.moment()
    return await change(await find_case(name, room), lambda now: centre.reopen(now, person, reason, at), room)


async def chosen(which: Chosen, room: Room, limit: int) -> list[Case]:
    """Give the cases that departments have and that were sent there so."""
    return await room.store.lists.chosen(which.rule, which.department, which.since, which.until, limit)


# ---------------------------------------------------------------- inside


def _meant(case: Case, department: str | None, ask: Ask | None) -> tuple[str, Ask]:
    """Find the one open request that is meant; where there are several, each must be named."""
    found = [
        (code, what) for code, what, _ in centre.open_asks(case) if department in {None, code} and ask in {None, what}
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise MoveNotAllowed(f"case {case.id} has no such open request: see `intake case list`")
    several = ", ".join(f"{code} {what}" for code, what in found)
    raise MoveNotAllowed(f"case {case.id} has {len(found)} open requests: {several}; name department and kind")


async def _anew(case: Case, returned_by: str, room: Room) -> tuple[Decision | Exception, Context]:
    appeal = (await room.load_appeals([(case.id, case.revision)])).get((case.id, case.revision))
    if appeal is None:
        raise MoveNotAllowed(f"revision {case.revision} of appeal {case.id} is not in the store: name a department")
    return returns.decided_anew(case, returned_by, lambda context: decided(appeal, context, room))


async def _may_have(case: Case, department: str, room: Room, *, despite: bool) -> None:
    unit = room.tables.directory.get(department)
    if unit is None or not receives(unit):
        raise NoSuchUnit(f"the directory has no unit {department} that takes orders: see `intake departments list`")
    appeal = (await room.load_appeals([(case.id, case.revision)])).get((case.id, case.revision))
    if appeal is not None and unit in Accused(appeal, room.tables.directory) and not despite:
        raise UnitAccused(f"case {case.id} is about {department} itself: name its superior, or say --despite")
