"""Figures (指标), each a written definition with numerator, denominator and exclusions; each opens to its cases. Pure.

A figure is reckoned from facts, one a case, that are read off the ledger: `intake export ledger` writes the same facts,
so that anybody can reckon it again. Praise, linked, declined and withdrawn cases are in no rate; a case counts for its
present lead. A rate of fewer than 20 is shown as n/N and says that it is small; of none it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from math import sqrt
from typing import Any, NamedTuple

import msgspec

from router.cases.case import Case
from router.cases.clock import Clock, dues_of
from router.cases.moves import Kind, State
from router.cases.standing import standing
from router.cases.track import Track
from router.cases.work import Work

SMALL = 20
_Z = 1.96


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of one case; nobody's words."""

    case: str
    case_no: str
    unit: str | None  #: its present lead
    category: str
    urgency: str
    excluded: str | None  #: why it is in no rate
    opened_at: datetime
    dispatched_at: datetime | None = None
    sign_due: datetime | None = None
    signed_at: datetime | None = None
    contact_due: datetime | None = None
    contacted_at: datetime | None = None
    close_due: datetime | None = None  #: as extended and suspended
    resolved_at: datetime | None = None  #: of the last round
    closed_at: datetime | None = None
    dispatches: int = 0  #: how often it was given to a lead
    returns_asked: int = 0
    returns_upheld: int = 0
    reopened: int = 0
    urged: int = 0
    visited_at: datetime | None = None
    solved: str | None = None
    satisfied: str | None = None
    waits_visit: bool = False
    expired: bool = False  #: closed without a visit


class Rate(NamedTuple):
    """So many of so many, and which."""

    numerator: int
    denominator: int
    cases: tuple[str, ...] = ()  #: of the denominator that are not in the numerator

    @property
    def percent(self) -> float | None:
        """In hundredths of a percent, as it is published; None where there was none."""
        return round(100 * self.numerator / self.denominator, 2) if self.denominator else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval at 95 %, in percent."""
        if not self.denominator:
            return None
        n, share = self.denominator, self.numerator / self.denominator
        middle, spread = share + _Z * _Z / (2 * n), _Z * sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
        low, high = ((middle + sign * spread) / (1 + _Z * _Z / n) for sign in (-1, 1))
        return round(100 * max(low, 0.0), 2), round(100 * min(high, 1.0), 2)

    def text(self) -> str:
        """As people may read it: a small sample is no percentage."""
        if self.percent is None:
            return "无件"
        whole = f"{self.numerator}/{self.denominator}"
        return f"{whole}（样本少）" if self.denominator < SMALL else f"{self.percent:.2f}%（{whole}）"


class Figure(NamedTuple):
    """One definition: which facts are asked about, and which of them count."""

    name: str
    title: str
    definition: str  #: 分子、分母、时间口径
    asked: Callable[[Fact, datetime, datetime], bool]
    counts: Callable[[Fact], bool]


def _in(moment: datetime | None, since: datetime, until: datetime) -> bool:
    return moment is not None and since <= moment < until


def _by(done: datetime | None, due: datetime | None) -> bool:
    return done is not None and due is not None and done <= due


FIGURES: tuple[Figure, ...] = (
    Figure(
        "sign_on_time",
        "签收及时率",
        "分母：签收时限在期内的派单件；分子：其中按时签收的；到期未签收计入分母",
        lambda fact, since, until: _in(fact.sign_due, since, until),
        lambda fact: _by(fact.signed_at, fact.sign_due),
    ),
    Figure(
        "response",
        "响应率",
        "分母：首联时限在期内的派单件；分子：按时联系到诉求人，或三次未接通且有记录的",
        lambda fact, since, until: _in(fact.contact_due, since, until),
        lambda fact: _by(fact.contacted_at, fact.contact_due),
    ),
    Figure(
        "on_time_close",
        "按时办结率",
        "分母：办结时限（延期、挂起后的）在期内的派单件，即应办结；分子：其中按时办结的",
        lambda fact, since, until: _in(fact.close_due, since, until),
        lambda fact: _by(fact.resolved_at, fact.close_due),
    ),
    Figure(
        "close_rate",
        "办结率",
        "分母：应办结；分子：其中已办结的，不论是否按时",
        lambda fact, since, until: _in(fact.close_due, since, until),
        lambda fact: fact.resolved_at is not None,
    ),
    Figure(
        "reopened",
        "重办率",
        "分母：期内办结的派单件；分子：其中被退回重办过的",
        lambda fact, since, until: _in(fact.resolved_at, since, until),
        lambda fact: fact.reopened > 0,
    ),
    Figure(
        "visited",
        "回访覆盖率",
        "分母：期内办结、应回访的派单件；分子：其中回访到诉求人的",
        lambda fact, since, until: (
            _in(fact.resolved_at, since, until) and (fact.visited_at is not None or fact.waits_visit or fact.expired)
        ),
        lambda fact: fact.visited_at is not None,
    ),
    Figure(
        "solved",
        "解决率",
        "分母：期内回访到的；分子：其中已解决，或已依法说明、诉求人认可的",
        lambda fact, since, until: _in(fact.visited_at, since, until),
        lambda fact: fact.solved in {"yes", "explained"},
    ),
    Figure(
        "satisfied",
        "满意率（窄口径）",
        "分母：期内回访并作评价的；分子：非常满意与满意",
        lambda fact, since, until: _in(fact.visited_at, since, until) and fact.satisfied is not None,
        lambda fact: fact.satisfied in {"very", "yes"},
    ),
    Figure(
        "satisfied_wide",
        "满意率（宽口径）",
        "分母：期内回访并作评价的；分子：非常满意、满意与基本满意",
        lambda fact, since, until: _in(fact.visited_at, since, until) and fact.satisfied is not None,
        lambda fact: fact.satisfied in {"very", "yes", "basically"},
    ),
    Figure(
        "first_route",
        "首派准确率",
        "分母：期内首次派单的件；分子：其中没有退单成立的",
        lambda fact, since, until: _in(fact.dispatched_at, since, until),
        lambda fact: fact.returns_upheld == 0,
    ),
)


def rate(figure: Figure, facts: Sequence[Fact], since: datetime, until: datetime) -> Rate:
    """Reckon one figure over a span of time; the end is not in it."""
    asked = [fact for fact in facts if fact.excluded is None and figure.asked(fact, since, until)]
    lacking = tuple(fact.case for fact in asked if not figure.counts(fact))
    return Rate(len(asked) - len(lacking), len(asked), lacking)


def fact_of(case: Case, clock: Clock | None, *, praise: bool) -> Fact:
    """Read the facts of one case off its ledger."""
    handling = standing(case)
    lead = case.holder
    track = handling.tracks.get(lead or "")
    due = {each.kind: each.at for each in dues_of(lead or "", track, clock)} if clock and track else {}
    kinds = [event.kind for event in case.events]
    visit = _last(case, Kind.VISITED)
    closed = _last(case, Kind.CLOSED) if handling.work is Work.CLOSED else None
    return Fact(
        case=case.id,
        case_no=case.case_no,
        unit=lead,
        category=case.category,
        urgency=case.urgency.value,
        excluded=_excluded(case, praise=praise),
        opened_at=case.opened_at,
        dispatched_at=next((event.at for event in case.events if event.kind is Kind.DISPATCHED), None),
        sign_due=due.get("sign"),
        contact_due=due.get("contact"),
        close_due=due.get("close"),
        **_moments(track),
        closed_at=None if closed is None else closed.at,
        dispatches=kinds.count(Kind.DISPATCHED),
        returns_asked=kinds.count(Kind.RETURN_ASKED),
        returns_upheld=len(handling.returns),
        reopened=handling.reopened,
        urged=handling.urged,
        visited_at=None if visit is None else visit.at,
        solved=None if visit is None else visit.data.get("solved"),
        satisfied=None if visit is None else visit.data.get("satisfied"),
        waits_visit=handling.work is Work.CALLBACK,
        expired=closed is not None and bool(closed.data.get("expired")),
    )


def _moments(track: Track | None) -> dict[str, Any]:
    if track is None:
        return {}
    return {"signed_at": track.signed, "contacted_at": track.contacted, "resolved_at": track.resolved}


def _last(case: Case, kind: Kind) -> Any:  # noqa: ANN401 - an event, or none
    return next((event for event in reversed(case.events) if event.kind is kind), None)


def _excluded(case: Case, *, praise: bool) -> str | None:
    if praise:
        return "praise"
    if case.goal is not State.DELIVERED:
        return case.goal.value  # linked, informed, handed over, withdrawn, observed, or in triage: not a department's
    return None
