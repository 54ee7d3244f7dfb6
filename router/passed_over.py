"""New words that nobody was told (漏读的修订): who stored them died before routing, and what came next says the same.

Against the revision before it, that one is no news; against what the case was told, it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from normalizer.appeal import Change, Handed, as_read
from router.cases.case import Case
from router.cases.moves import Kind
from router.room import Room

_NO_NEWS = frozenset({Change.SAME, Change.REREAD})


async def told_after_all(known: Sequence[tuple[Case, Handed]], room: Room) -> list[tuple[Case, Handed]]:
    """Call changed what says nothing new against a revision that its case never had; most come one by one."""
    skipping = {case.id: case.revision for case, item in known if _skips(case, item)}
    if not skipping:
        return list(known)
    had = await room.load_appeals(list(skipping.items()))
    unread = {
        case.id
        for case, item in known
        if (old := had.get((case.id, case.revision))) is not None
        and case.id in skipping
        and as_read(old) != as_read(item.appeal)
    }
    return [(case, replace(item, change=Change.CHANGED) if case.id in unread else item) for case, item in known]


def _skips(case: Case, item: Handed) -> bool:
    return item.change in _NO_NEWS and item.appeal.revision > _last_taken_in(case) + 1


def _last_taken_in(case: Case) -> int:
    """Give its last revision; a closed case stays at the one with which it was counted, and writes later ones down."""
    written: list[int] = [event.data.get("revision", 0) for event in case.events if event.kind is Kind.RECORDED]
    return max([case.revision, *written])
