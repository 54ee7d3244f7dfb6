"""Which messages departments would get (发布会发出的消息), told before anything is done.

The very functions that move cases are asked, on copies, with the tables that are to be released: so what is told here
is what is sent, unless a case moves in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, Handed, Mode
from normalizer.settle import change_between
from normalizer.store import AppealStore, Standing
from router.cases.carrying import carry
from router.cases.case import Case
from router.cases.redeciding import newly_sent, redecide, stays_because
from router.flow import Claim, Room, Text, amended, begun, decided
from router.linking import Carrier, carriers

_NOBODY = Claim(0, None)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """One message that would be sent."""

    case: str
    department: str
    sequence: int
    type: str
    id: str
    #: `release`: an open order that is decided again; `pending`: what is stored and not yet routed (在途).
    because: Literal["release", "pending"]


class Stored(msgspec.Struct, frozen=True):
    """A page of what is stored: appeals as they stand, and their cases."""

    standing: Mapping[str, Standing]
    cases: Mapping[str, Case]


class Oracle:
    """Says what a release would send."""

    def __init__(self, room: Room, appeals: AppealStore, modes: Mapping[str, Mode], *, reassign: bool) -> None:
        """`room` has the tables that are to be released; `modes` are those of the sources."""
        self._room = room
        self._appeals = appeals
        self._modes = modes
        self._reassign = reassign

    async def tell(self, page: Stored) -> list[Expected]:
        """Tell of one page."""
        open_ = [case for case in page.cases.values() if self._reassign and stays_because(case) is None]
        texts = await self._texts(open_, page)
        told: list[Expected] = []
        cases: dict[str, Case] = dict(page.cases)
        for case in open_:
            appeal = texts.get((case.id, case.revision))
            if appeal is not None:
                cases[case.id] = self._released(case, appeal)
                told += _told(case, cases[case.id], "release")
        for before, after in await self._pending(page, cases):
            told += _told(before, after, "pending")
        return told

    async def _texts(self, cases: Sequence[Case], page: Stored) -> Mapping[Text, Appeal]:
        found = {(id_, one.appeal.revision): one.appeal for id_, one in page.standing.items()}
        missing = [(case.id, case.revision) for case in cases if (case.id, case.revision) not in found]
        return found | dict(await self._room.load_appeals(missing)) if missing else found

    def _released(self, case: Case, appeal: Appeal) -> Case:
        assert case.decision is not None
        context = replace(case.decision.context, holder=case.holder, linked_to=None)
        made = decided(appeal, context, self._room)
        if isinstance(made, Exception):
            return case
        return redecide(case, made, context, 0, "", self._room.moment())

    # ------------------------------------------------------------ what is stored and not yet routed

    async def _pending(self, page: Stored, cases: Mapping[str, Case]) -> list[tuple[Case | None, Case]]:
        late = [one for id_, one in page.standing.items() if _is_late(one, cases.get(id_))]
        if not late:
            return []
        older = await self._appeals.superseded([one.appeal.id for one in late])
        at = self._room.moment()
        moved: list[tuple[Case | None, Case]] = []
        new: list[Handed] = []
        for one in late:
            case = cases.get(one.appeal.id)
            if case is None:
                new += self._handed(one, Change.NEW)
                continue
            revised = self._handed(one, _change(one, older.get(one.appeal.id)), case.mode)
            moved += [(case, amended(case, item, self._room, _NOBODY, at)) for item in revised]
        return moved + (await self._begun(new) if new else [])

    def _handed(self, one: Standing, change: Change, mode: Mode | None = None) -> Iterator[Handed]:
        known = mode or self._modes.get(one.appeal.source)
        if known is not None:
            yield Handed(appeal=one.appeal, mode=known, change=Change.WITHDRAWN if one.withdrawn else change)

    async def _begun(self, new: Sequence[Handed]) -> list[tuple[Case | None, Case]]:
        at, linked = self._room.moment(), dict[str, tuple[Case, Carrier]]()
        candidates = await carriers(new, self._room.store)
        moved: list[tuple[Case | None, Case]] = [
            (None, begun(item, self._room, _NOBODY, at, candidates, linked)) for item in new
        ]
        orders = {carrier.order.id: carrier.order for _, carrier in linked.values()}
        for member, carrier in linked.values():
            before = orders[carrier.order.id]
            orders[before.id] = carry(before, member, carrier.because, at)
            moved.append((before, orders[before.id]))
        return moved


def _is_late(one: Standing, case: Case | None) -> bool:
    if case is None:
        return one.appeal.quality.is_appeal
    return one.appeal.revision > case.revision


def _change(one: Standing, older: Standing | None) -> Change:
    return Change.CHANGED if older is None else change_between(older, one.appeal)


def _told(before: Case | None, after: Case, because: Literal["release", "pending"]) -> Iterator[Expected]:
    rows = newly_sent(before, after) if before is not None else after.dispatches
    for row in rows:
        yield Expected(
            case=after.id,
            department=row.department,
            sequence=row.sequence,
            type=row.type.value,
            id=row.id,
            because=because,
        )
