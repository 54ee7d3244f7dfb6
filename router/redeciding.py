"""Deciding open orders again by released rules (按新规则改派在办件): a page at a time, one write a page, then sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from normalizer.appeal import Appeal
from router.cases.answering import with_answer
from router.cases.case import Case, needs_duty
from router.cases.deciding import call_duty
from router.cases.moves import State
from router.cases.redeciding import redecide, stays_because
from router.dispatch import Context, Decision
from router.flow import Claim, Room, claimed, decided, deliver, tell_duty


async def redecide_page(cases: Sequence[Case], room: Room, release: int, by: str) -> list[Case]:
    """Decide these again with the tables of the room, write what comes out otherwise, and send it; give what moved."""
    open_ = [case for case in cases if stays_because(case) is None]
    appeals = await room.load_appeals([(case.id, case.revision) for case in open_]) if open_ else {}
    decisions = {case.id: made for case in open_ if (made := _decision(case, appeals, room)) is not None}
    at, nobody = room.moment(), Claim(room.fence(), None)
    before = {case.id: case for case in open_ if case.id in decisions}

    def again(now: Case) -> Case:
        if stays_because(now) is not None or now.revision != before[now.id].revision:
            return now  # somebody was faster: it is theirs now, or its new text was decided by the new rules
        decision, context = decisions[now.id]
        after = redecide(now, decision, context, release, by, at)
        if after is now:
            return now
        if needs_duty(after):
            after = call_duty(after, room.fallback(appeals[now.id, now.revision]), at)
        after = replace(after, due=at if after.goal is State.DELIVERED else None)
        return claimed(now, with_answer(now, after, at, room.answering.get(now.source)), nobody)

    written = await room.store.change_all(list(before.values()), again)
    moved = [case for case in written if case.version != before[case.id].version]
    for case in moved:
        tell_duty(case)
    await deliver([case.id for case in moved if case.unsent], room)
    return moved


def _decision(case: Case, appeals: Mapping[tuple[str, int], Appeal], room: Room) -> tuple[Decision, Context] | None:
    appeal = appeals.get((case.id, case.revision))
    if appeal is None or case.decision is None:
        return None
    context = replace(case.decision.context, holder=case.holder, linked_to=None)
    made = decided(appeal, context, room)
    return None if isinstance(made, Exception) else (made, context)
