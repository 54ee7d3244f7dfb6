"""Which messages departments would get (发布会发出的消息), told before anything is done.

The very functions that move cases are asked, on copies, with the tables that are to be released: so what is told here
is what is sent, unless a case moves in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, Handed, Mode, appeal_of
from normalizer.settle import change_between
from normalizer.store import AppealStore, Standing
from router.cases.carrying import bring_news, carry
from router.cases.case import Case
from router.cases.moves import State
from router.cases.redeciding import newly_sent, redecide, stays_because
from router.flow import Claim, Room, amended, begun, carries_on, decided, standing_alone
from router.linking import Carrier, named, orphans
from router.rounds import newest

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
    """A page of what is stored: appeals as they stand, and the newest case of each."""

    standing: Mapping[str, Standing]
    cases: Mapping[str, Case]


class Oracle:
    """Says what a release would send: page by page, and at the end what hangs on more than one page."""

    def __init__(self, room: Room, appeals: AppealStore, modes: Mapping[str, Mode], *, reassign: bool) -> None:
        """`room` has the tables that are to be released; `modes` are those of the sources."""
        self._room = room
        self._appeals = appeals
        self._modes = modes
        self._reassign = reassign
        #: Cases that a revision in hand will change, and orders that new ones in hand name: as they then are.
        self._then: dict[str, Case] = {}
        self._newest: dict[str, str] = {}  #: … and which case of an appeal that is
        self._closed: dict[str, Case] = {}  #: by appeal: what was said after their end will have a case of its own
        self._orphans: list[str] = []  #: carried by orders that will be withdrawn
        self._naming: list[Handed] = []  #: new ones that name an order
        self._news: list[tuple[Case, Handed]] = []  #: new texts of cases that an order carries

    async def tell(self, page: Stored) -> list[Expected]:
        """Tell of one page."""
        released = await self._released(list(page.cases.values()), page.standing)
        after = {id_: released.get(case.id, case) for id_, case in page.cases.items()}
        told = [each for id_, case in page.cases.items() for each in _told(case, after[id_], "release")]
        late = [one for id_, one in page.standing.items() if _is_late(one, page.cases.get(id_))]
        for before, then in await self._revised([one for one in late if one.appeal.id in after], after, self._news):
            self._orphans += orphans(before, then)
            told += _told(before, then, "pending")
        new = [item for one in late if one.appeal.id not in after for item in self._handed(one, Change.NEW)]
        again = [one for one in late if one.appeal.id in after and one.appeal.id in self._closed]
        new += [item for one in again for item in self._handed(one, Change.CHANGED, after[one.appeal.id].mode)]
        self._naming += [item for item in new if named(item)]
        return told + await self._opened([item for item in new if not named(item)])

    async def rest(self) -> list[Expected]:
        """Tell of what hangs on other pages: who is left alone, and who may be carried."""
        told = await self._brought() + await self._left_alone()
        for turn in _in_turn(self._naming):
            told += await self._opened(turn)
        return told

    # ------------------------------------------------------------ orders that are decided again

    async def _released(self, cases: Sequence[Case], standing: Mapping[str, Standing]) -> dict[str, Case]:
        open_ = [case for case in cases if self._reassign and stays_because(case) is None]
        texts = {(id_, one.appeal.revision): one.appeal for id_, one in standing.items()}
        wanted = [(appeal_of(case.id), case.revision) for case in open_]
        missing = [text for text in wanted if text not in texts]
        texts |= await self._room.load_appeals(missing) if missing else {}
        found = [(case, texts.get(text)) for case, text in zip(open_, wanted, strict=True)]
        return {case.id: self._again(case, appeal) for case, appeal in found if appeal is not None}

    def _again(self, case: Case, appeal: Appeal) -> Case:
        assert case.decision is not None
        context = replace(case.decision.context, holder=case.holder, linked_to=None)
        made = decided(appeal, context, self._room)
        return case if isinstance(made, Exception) else redecide(case, made, context, 0, "", self._room.moment())

    # ------------------------------------------------------------ what is stored and not yet routed

    async def _revised(
        self, late: Sequence[Standing], cases: Mapping[str, Case], news: list[tuple[Case, Handed]]
    ) -> list[tuple[Case, Case]]:
        """Take revisions in; what an order carries is left for `news`."""
        older = await self._appeals.superseded([one.appeal.id for one in late]) if late else {}
        at, moved = self._room.moment(), list[tuple[Case, Case]]()
        for one in late:
            case = cases[one.appeal.id]
            for item in self._handed(one, _change(one, older.get(one.appeal.id)), case.mode):
                if case.goal is State.LINKED and item.change in {Change.CHANGED, Change.BACK}:
                    news.append((case, item))
                    continue
                self._then[case.id] = amended(case, item, self._room, _NOBODY, at)
                if self._then[case.id].continued:
                    self._closed[one.appeal.id] = self._then[case.id]
                moved.append((case, self._then[case.id]))
        return moved

    def _handed(self, one: Standing, change: Change, mode: Mode | None = None) -> Iterator[Handed]:
        known = mode or self._modes.get(one.appeal.source)
        if known is not None:
            yield Handed(appeal=one.appeal, mode=known, change=Change.WITHDRAWN if one.withdrawn else change)

    async def _opened(self, new: Sequence[Handed]) -> list[Expected]:
        at, linked = self._room.moment(), dict[str, tuple[Case, Carrier]]()
        await self._know_newest([id_ for item in new for id_, _ in named(item)])
        candidates = {
            item.appeal.id: [
                Carrier(self._then[self._newest[id_]], why) for id_, why in named(item) if id_ in self._newest
            ]
            for item in new
        }
        told: list[Expected] = []
        for item in new:
            case = begun(item, self._room, _NOBODY, at, candidates, linked, self._closed.get(item.appeal.id))
            self._then[case.id], self._newest[item.appeal.id] = case, case.id
            told += _told(None, case, "pending")
        for member, carrier in linked.values():
            order = self._then[carrier.order.id]
            self._then[order.id] = carry(order, member, carrier.because, at)
            told += _told(order, self._then[order.id], "pending")
        return told

    async def _know_newest(self, appeals: Sequence[str]) -> None:
        """Have the orders of these appeals that stand, as they then are."""
        unknown = [id_ for id_ in dict.fromkeys(appeals) if id_ not in self._newest]
        if unknown:
            found = await newest(unknown, self._room.store)
            await self._know([case.id for case in found.values()])
            self._newest |= {id_: case.id for id_, case in found.items()}

    async def _know(self, orders: Sequence[str]) -> None:
        """Have these orders as they are after the release and after what is in hand."""
        unknown = [id_ for id_ in dict.fromkeys(orders) if id_ not in self._then]
        if not unknown:
            return
        fresh = await self._room.store.load(unknown)
        standing = await self._appeals.standing([appeal_of(id_) for id_ in fresh])
        fresh |= await self._released(list(fresh.values()), standing)
        by_appeal = {appeal_of(id_): case for id_, case in fresh.items()}
        await self._revised([one for id_, one in standing.items() if _is_late(one, by_appeal[id_])], by_appeal, [])
        self._then = fresh | self._then

    async def _brought(self) -> list[Expected]:
        """Bring the new texts of carried cases to their orders, or let them go their own way."""
        await self._know([_order_of(case) for case, _ in self._news])
        at, told = self._room.moment(), list[Expected]()
        for case, item in self._news:
            order = self._then.get(_order_of(case))
            stands = (
                order is not None
                and appeal_of(order.id) in dict(named(item))
                and carries_on(order, case, item, self._room)
            )
            if order is not None and stands:
                self._then[order.id] = bring_news(order, case, item.appeal, at)
                told += _told(order, self._then[order.id], "pending")
            self._then[case.id] = amended(case, item, self._room, _NOBODY, at, alone=not stands)
            told += _told(case, self._then[case.id], "pending")
        return told

    async def _left_alone(self) -> list[Expected]:
        members = {id_: self._then.get(id_, case) for id_, case in (await self._room.store.load(self._orphans)).items()}
        alone = [case for case in members.values() if case.goal is State.LINKED and case.decision is not None]
        texts = await self._room.load_appeals([(case.id, case.revision) for case in alone]) if alone else {}
        told: list[Expected] = []
        for case in alone:
            after = standing_alone(case, texts.get((case.id, case.revision)), self._room, self._room.moment())
            told += _told(case, after, "pending")
        return told


def _order_of(case: Case) -> str:
    return (case.decision.context.linked_to if case.decision else None) or ""


def _in_turn(items: Sequence[Handed]) -> Iterator[list[Handed]]:
    """Give those first whose orders are not among them, as the street does."""
    left = list(items)
    while left:
        ids = {item.appeal.id for item in left}
        waits = [item for item in left if any(id_ in ids for id_, _ in named(item))]
        now = [item for item in left if item not in waits] or waits
        yield now
        left = waits if len(waits) < len(left) else []


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
