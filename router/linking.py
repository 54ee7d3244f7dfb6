"""Which order carries a new case (并单), written down before the case is: nothing is linked to what does not know it.

The links come with the appeal (normalizer/matter). Here it is asked whether the order that they name still stands, and
whether everyone whom the new case would go to holds it, and nobody whom it is about; else the case goes its own way,
links and all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from normalizer.appeal import Change, Handed, appeal_of
from router.cases.carrying import bring_news, carried, carry, may_carry
from router.cases.case import Case
from router.cases.moves import Because, State
from router.dispatch import Decision
from router.room import Claim, claimed
from router.rounds import newest
from router.store import CaseStore


class Carrier(NamedTuple):
    """An order that may carry a case, and why."""

    order: Case
    because: Because


def named(item: Handed) -> list[tuple[str, Because]]:
    """Give the orders that an appeal's links name, those of its own author first."""
    own = [(id_, Because.SAME_PERSON) for id_ in item.appeal.links.same_person]
    event = [(item.event_order, Because.SAME_EVENT)] if item.event_order is not None else []
    return [(id_, because) for id_, because in own + event if id_ != item.appeal.id]


async def carriers(items: Sequence[Handed], store: CaseStore) -> dict[str, list[Carrier]]:
    """Read the orders that these appeals name; most name none, and cost nothing."""
    wanted = {item.appeal.id: named(item) for item in items if item.appeal.links.same_person or item.event_order}
    orders = await newest(sorted({id_ for names in wanted.values() for id_, _ in names}), store)
    return {
        appeal: [Carrier(orders[id_], because) for id_, because in names if id_ in orders]
        for appeal, names in wanted.items()
    }


def carrier_of(decision: Decision | Exception, candidates: Sequence[Carrier]) -> Carrier | None:
    """Choose the first order that can carry what was decided so."""
    return next((one for one in candidates if may_carry(one.order, decision)), None)


async def tell_carriers(
    cases: Mapping[str, tuple[Case, Carrier]], store: CaseStore, at: datetime, claim: Claim
) -> list[Case]:
    """Have each order carry its new members: one write an order, and what it must say is in it."""
    by_order: dict[str, list[tuple[Case, Carrier]]] = {}
    for case, carrier in cases.values():
        by_order.setdefault(carrier.order.id, []).append((case, carrier))
    orders = {carrier.order.id: carrier.order for _, carrier in cases.values()}

    def with_members(order: Case) -> Case:
        after = order
        for case, carrier in by_order[order.id]:
            after = carry(after, case, carrier.because, at)
        return claimed(order, after, claim)

    return await store.change_all(list(orders.values()), with_members)


async def tell_news(
    known: Sequence[tuple[Case, Handed]],
    may_go_on: Callable[[Case, Case, Handed], bool],
    store: CaseStore,
    at: datetime,
    claim: Claim,
) -> tuple[list[Case], frozenset[str]]:
    """Bring the new texts of carried cases to whoever holds their orders, before the cases take them in.

    Gives the orders, and the cases whose order does not stand any more, does not reach who is addressed now, or
    would reach who is accused.
    """
    news = [(case, item) for case, item in known if _is_news(case, item)]
    if not news:
        return [], frozenset()
    orders = await store.load(sorted({_order_of(case) for case, _ in news}))
    by_order: dict[str, list[tuple[Case, Handed]]] = {}
    for case, item in news:
        order = orders.get(_order_of(case))
        if order is not None and appeal_of(order.id) in dict(named(item)) and may_go_on(order, case, item):
            by_order.setdefault(order.id, []).append((case, item))

    def with_news(order: Case) -> Case:
        after = order
        for case, item in by_order[order.id]:
            after = bring_news(after, case, item.appeal, at)
        return claimed(order, after, claim)

    told = await store.change_all([orders[id_] for id_ in by_order], with_news)
    carried_on = {case.id for members in by_order.values() for case, _ in members}
    return told, frozenset(case.id for case, _ in news) - carried_on


def _is_news(case: Case, item: Handed) -> bool:
    changed = item.change in {Change.NEW, Change.CHANGED, Change.BACK} and item.appeal.revision > case.revision
    return changed and case.goal is State.LINKED


def _order_of(case: Case) -> str:
    return (case.decision.context.linked_to if case.decision else None) or ""


def orphans(before: Case, after: Case) -> list[str]:
    """Give the cases that an order carried until it was withdrawn: they need an order of their own."""
    gone = after.goal is State.WITHDRAWN and before.goal is not State.WITHDRAWN
    return carried(after) if gone else []
