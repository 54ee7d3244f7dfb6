"""When a case is at its end, for its contact to end too (办结): a carried one ends with the order that carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from intake.rights.custody import Custody
from intake.settings import Retention
from router.cases.moves import State
from router.cases.work import Work

#: Where a case ends at the desk. What was only observed is nobody's work; what is linked ends with its order.
ENDED = (State.INFORMED, State.HANDED_OVER, State.WITHDRAWN, State.OBSERVED)

FIELDS = {
    "state": 1,
    "category": 1,
    "since": 1,
    "handling.since": 1,
    "handling.work": 1,
    "decision.context.linked_to": 1,
}
Row = Mapping[str, Any]


async def orders_of(rows: Sequence[Row], custody: Custody) -> dict[str, Row]:
    """Read the orders that carry these cases, and the ones that carry those."""
    found: dict[str, Row] = {}
    asked = {order for row in rows if (order := _carrier(row)) is not None}
    while asked:
        for row in await custody.db.cases.find({"_id": {"$in": list(asked)}}, FIELDS).to_list(None):
            found[row["_id"]] = row
        asked = {order for id_ in asked & found.keys() if (order := _carrier(found[id_])) is not None} - found.keys()
    return found


def _carrier(case: Row) -> str | None:
    if case["state"] != State.LINKED or (case.get("handling") or {}).get("work") == Work.CLOSED.value:
        return None
    order = ((case.get("decision") or {}).get("context") or {}).get("linked_to")
    return None if order is None else str(order)


def ending(case: Row, orders: Mapping[str, Row]) -> Row:
    """Say where a case ends: a carried one with the order that carries it, for as long as its own class is kept."""
    seen: set[str] = set()
    last = case
    while (order := _carrier(last)) is not None and order in orders and order not in seen:
        seen.add(order)
        last = orders[order]
    return {**last, "category": case["category"]}


def is_over(case: Row, terms: Retention, now: datetime) -> bool:
    """Say whether it is over for as long as its contact is kept."""
    handling = case.get("handling") or {}
    if handling.get("work") == Work.CLOSED.value:
        since = handling["since"]
    elif case["state"] in ENDED:
        since = case["since"]
    else:
        return False
    return bool(since <= now - timedelta(days=days_of(case["category"], terms)))


def days_of(category: str, terms: Retention) -> int:
    """How long the contact of a closed case of this class is kept: the nearest word on it counts."""
    for length in range(len(category), 0, -1):
        if category[:length] in terms.categories:
            return terms.categories[category[:length]]
    return terms.contact_days


def has_ended(case: Row) -> bool:
    """Say whether nobody works on it any more."""
    return case["state"] in ENDED or (case.get("handling") or {}).get("work") == Work.CLOSED.value
