"""What figures ask of a fact (口径): whether it belongs to a span of time, to a unit, and whether it counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from router.cases.claims import EXEMPT
from router.cases.facts import Fact, Hand

#: 一次性化解: nobody came back within so many days; longer where it went to the petition office.
SETTLED = timedelta(days=60)
SETTLED_PETITION = timedelta(days=90)
MISDIALLED = timedelta(hours=24)  #: whoever says it again so soon repeats nothing
RELAPSED = timedelta(days=7)  #: 复发: said again so long after it was resolved


#: 综合分: what each rate weighs where the city has settled nothing else (domain/KPIS.md).
COMPOSITE: Mapping[str, float] = MappingProxyType({"response": 0.2, "solved": 0.4, "satisfied": 0.4})


class Span(NamedTuple):
    """A stretch of time, the end not in it, and whose figures are asked for."""

    since: datetime
    until: datetime
    unit: str | None = None  #: None: of all
    weights: Mapping[str, float] = COMPOSITE  #: of 综合分, as the city has settled them

    def has(self, moment: datetime | None) -> bool:
        """Say whether something happened in it."""
        return moment is not None and self.since <= moment < self.until

    def owns(self, fact: Fact) -> bool:
        """Say whether the lead is who is asked about."""
        return self.unit is None or fact.unit == self.unit

    def hands(self, fact: Fact) -> Iterator[Hand]:
        """Give the times that whoever is asked about had the lead."""
        return (hand for hand in fact.hands if self.unit in {None, hand.unit})


How = Callable[[Fact, Span], int]


def rated(fact: Fact, span: Span) -> bool:
    """Whether it is in the rates of whom the span asks about."""
    return fact.excluded is None and span.owns(fact)


def accepted(fact: Fact, span: Span) -> bool:
    """受理量."""
    return fact.way is not None and span.has(fact.opened_at) and span.owns(fact)


def registered(fact: Fact, span: Span) -> bool:
    """受理, and what was merged into another order because it says the same again."""
    heard = fact.way is not None or (fact.excluded == "linked" and bool(fact.repeats))
    return heard and span.has(fact.opened_at) and span.owns(fact)


def is_open(fact: Fact) -> bool:
    """在办."""
    return fact.way in {"dispatched", "waiting"} and fact.resolved_at is None


def carried_over(fact: Fact, span: Span) -> bool:
    """上期结转: begun before, and open when the span began."""
    open_then = fact.resolved_at is None or fact.resolved_at >= span.since
    return fact.way in {"dispatched", "waiting"} and span.owns(fact) and fact.opened_at < span.since and open_then


def within(name: str) -> How:
    """Something that happened in the span."""
    return lambda fact, span: rated(fact, span) and span.has(getattr(fact, name))


def due(name: str, done: str) -> How:
    """Something that had to be done in the span; what is not due yet and not done is not asked about."""
    return lambda fact, span: rated(fact, span) and span.has(getattr(fact, name)) and _is_known(fact, name, done)


def by(done: str, limit: str) -> How:
    """Done, and in time."""

    def is_by(fact: Fact, _: Span) -> bool:
        at, last = getattr(fact, done), getattr(fact, limit)
        return at is not None and last is not None and at <= last

    return is_by


DUE = due("close_due", "resolved_at")
RESOLVED, SENT, VISITED = map(within, ("resolved_at", "dispatched_at", "visited_at"))


def overdue(fact: Fact, span: Span) -> bool:
    """Past its deadline before the span ended."""
    return rated(fact, span) and fact.close_due is not None and fact.close_due < min(span.until, fact.as_of)


def is_overdue(fact: Fact, _: Span) -> bool:
    """Resolved too late, or not at all; of what is due."""
    return fact.resolved_at is None or fact.close_due is None or fact.resolved_at > fact.close_due


def to_dispatch(fact: Fact, span: Span) -> bool:
    """应派单: what departments have, and what still waits for somebody to choose one."""
    wanted = fact.way == "waiting" or (fact.way == "dispatched" and fact.excluded is None)
    is_due = span.has(fact.dispatch_due) and _is_known(fact, "dispatch_due", "dispatched_at")
    return wanted and span.owns(fact) and is_due


def sent_or_exempt(fact: Fact, span: Span) -> bool:
    """派单件, those that were excluded (剔除) among them."""
    return fact.excluded in {None, EXEMPT} and span.owns(fact) and span.has(fact.dispatched_at)


def assisted(fact: Fact, span: Span) -> int:
    """协办量: how many units assist, or whether this one does."""
    if fact.excluded is not None or not span.has(fact.dispatched_at):
        return 0
    return len(fact.assist) if span.unit is None else fact.assist.count(span.unit)


def handed(name: str) -> How:
    """How often the lead was given, or its return asked for, upheld, refused."""
    return lambda fact, span: sum(getattr(hand, name) for hand in span.hands(fact))


def handed_in(name: str) -> How:
    """The same of what was first dispatched in the span."""
    return lambda fact, span: handed(name)(fact, span) if fact.excluded is None and span.has(fact.dispatched_at) else 0


def to_visit(fact: Fact, span: Span) -> bool:
    """应回访."""
    return bool(RESOLVED(fact, span)) and (fact.visited_at is not None or fact.waits_visit or fact.expired)


def is_ripe(fact: Fact) -> bool:
    """Whether it can be known already that nobody came back."""
    return fact.resolved_at is not None and fact.resolved_at + _settled_after(fact) <= fact.as_of


def stayed_settled(fact: Fact, _: Span) -> bool:
    """一次性化解: not reopened, not moved, not said again."""
    end = fact.resolved_at
    back = end is not None and any(end < at <= end + _settled_after(fact) for at in fact.said_again)
    return not (fact.reopened or fact.moved or back)


def is_repeat(fact: Fact, _: Span) -> bool:
    """重复诉求: its author had said the same before, more than a day ago."""
    return fact.said_before is not None and fact.said_at - fact.said_before > MISDIALLED


def relapsed(fact: Fact, _: Span) -> bool:
    """复发: said again long after it was resolved."""
    return fact.resolved_at is not None and any(at >= fact.resolved_at + RELAPSED for at in fact.said_again)


def _is_known(fact: Fact, limit: str, done: str) -> bool:
    return getattr(fact, done) is not None or getattr(fact, limit) <= fact.as_of


def _settled_after(fact: Fact) -> timedelta:
    return SETTLED_PETITION if fact.channel == "petition" else SETTLED
