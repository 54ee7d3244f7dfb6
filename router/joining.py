"""What a person's word about an event does to cases (并单, 拆单): one order to act on, and everybody keeps their case.

A member whose unit does not hold the order keeps its own order: both units that were addressed hear of it. So does one
that is about who holds the order: they would be told of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from normalizer.appeal import Appeal, appeal_of
from router.cases.carrying import carried, carry, let_go, may_go_under, put_under
from router.cases.case import Case, holders
from router.cases.moves import Because, State
from router.errors import NoSuchCase
from router.flow import Claim, Room, accuses_holder, claimed, deliver, stand_alone
from router.rounds import every, newest
from router.store import CaseStore


async def join(order: str, members: Sequence[str], person: str, reason: str, room: Room) -> list[Case]:
    """Put what may go under an order under it, and tell; give those that now are."""
    main = (await _rounds(order, room.store))[-1]
    if main.goal is not State.DELIVERED or not holders(main):
        return []
    at, nobody = room.moment(), Claim(room.fence(), None)
    cases = [case for case in (await newest(members, room.store)).values() if case.id != main.id]
    able = [case for case in cases if may_go_under(case, main)]
    appeals = await room.load_appeals([(case.id, case.revision) for case in able]) if able else {}
    under = [case for case in able if not _accuses_holder(main, appeals.get((case.id, case.revision)), room)]

    def with_members(now: Case) -> Case:
        after = now
        for case in under:
            after = carry(after, case, Because.SAME_EVENT, at)
        return claimed(now, after, nobody)

    # First the order says that it carries them; then they are under it.
    await room.store.change(main, with_members)
    moved = await room.store.change_all(
        under, lambda now: claimed(now, put_under(now, main.id, person, reason, at), nobody)
    )
    await deliver([main.id, *(case.id for case in moved)], room)
    return [case for case in (await room.store.load([case.id for case in moved])).values() if case.goal is State.LINKED]


async def split(order: str, members: Sequence[str], person: str, reason: str, room: Room) -> list[Case]:
    """Give members an order of their own again, whichever round carries them; give those that now have one."""
    mains = await _rounds(order, room.store)
    at, claim = room.moment(), Claim(room.fence(), None)
    wanted = {appeal_of(id_) for id_ in members}
    leaving = [id_ for main in mains for id_ in carried(main) if appeal_of(id_) in wanted]

    def without(now: Case) -> Case:
        for id_ in leaving:
            now = let_go(now, id_, at, person, reason)
        return now

    alone = await stand_alone(leaving, room, claim)
    for main in mains:
        await room.store.change(main, without)
    await deliver([case.id for case in alone], room)
    return list((await room.store.load([case.id for case in alone])).values())


def _accuses_holder(order: Case, appeal: Appeal | None, room: Room) -> bool:
    return appeal is not None and accuses_holder(order, appeal, room)


async def _rounds(order: str, store: CaseStore) -> list[Case]:
    """Give the cases of the appeal that is acted on; the last one is the one that stands."""
    found = await every([appeal_of(order)], store)
    if not found:
        raise NoSuchCase(f"no case has the id {order}")
    return found
