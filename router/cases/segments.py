"""Whose time it was (时间归属): every moment of a case has one owner, and the parts add up to the whole.

Read off the ledger alone, by our clock: what a department's clock says is kept and does not count. The time of
messages that could not be delivered, and of what was parked, is ours and credited (outage).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from router.cases.case import Case, Event, feedback_of
from router.cases.moves import Kind
from router.cases.standing import standing
from router.cases.work import Ask
from router.dispatch import MessageType, Role

INTAKE = "intake"  #: 受理派单
TRIAGE = "triage"  #: 研判、会商
RETURN = "return"  #: 退单审核
CITIZEN = "citizen"  #: 等诉求人或外部条件、回访
OUTAGE = "outage"  #: 本系统或队列故障
DONE = "done"  #: 已有结果：不再计时

#: What is nobody's department.
CENTRE = frozenset({INTAKE, TRIAGE, RETURN, CITIZEN, OUTAGE, DONE})

_BECOMES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.TRIAGED: TRIAGE,
        Kind.CONSULTED: TRIAGE,
        Kind.UNDECIDED: OUTAGE,
        Kind.GIVEN_UP: OUTAGE,
        Kind.INFORMED: DONE,
        Kind.HANDED_OVER: DONE,
        Kind.OBSERVED: DONE,
        Kind.LINKED: DONE,
        Kind.WITHDRAWN: DONE,
        Kind.CLOSED: DONE,
    }
)
#: What the lead says or is told, and whose time it then is; None is the lead's.
_OF_LEAD: Mapping[Kind, str | None] = MappingProxyType(
    {
        Kind.RETURN_REFUSED: None,
        Kind.SUSPENSION_GRANTED: CITIZEN,
        Kind.RESUMED: None,
        Kind.SUSPENSION_ENDED: None,
        Kind.RESOLVED: CITIZEN,
        Kind.REOPENED: None,
    }
)
_UNDELIVERED = frozenset({Kind.DEAD_LETTERED, Kind.RETURNED})


class Segment(NamedTuple):
    """A stretch of time and whose it was: one of the names above, or a department's code."""

    owner: str
    begin: datetime
    end: datetime


def segments(case: Case, now: datetime) -> list[Segment]:
    """Give the whole time of a case up to now, without gaps; neighbours with the same owner are one."""
    found: list[Segment] = []
    owner, begin = INTAKE, case.opened_at
    for at, after in _turns(case):
        moment = min(max(at, begin), max(now, begin))
        if after != owner:
            if moment > begin:
                found.append(Segment(owner, begin, moment))
            owner, begin = after, moment
    end = max(now, begin)
    if end > begin:
        found.append(Segment(owner, begin, end))
    return _joined(found)


def totals(case: Case, now: datetime) -> dict[str, timedelta]:
    """Add up whose time it was."""
    sums: dict[str, timedelta] = {}
    for each in segments(case, now):
        sums[each.owner] = sums.get(each.owner, timedelta(0)) + (each.end - each.begin)
    return sums


# ---------------------------------------------------------------- inside


def _turns(case: Case) -> Iterator[tuple[datetime, str]]:
    """Give at each event whose time it is from then on."""
    owner, lead = INTAKE, ""
    asked = _asks_of_return(case)
    for event in case.events:
        before = lead
        lead = _lead(case, event) or lead
        if event.kind in _BECOMES:
            owner = _BECOMES[event.kind]
        elif event.kind is Kind.DISPATCHED:
            # Until it has arrived it is still ours.
            owner = INTAKE if lead != before or owner in {TRIAGE, DONE} else owner
        elif event.kind is Kind.DELIVERED and event.department in {None, lead} and owner in {INTAKE, OUTAGE} and lead:
            owner = lead
        elif event.kind is Kind.DISCARDED and owner == OUTAGE and lead:
            owner = lead  # nobody waits for that message any more
        elif event.kind in _UNDELIVERED and event.department == lead and owner in {INTAKE, lead}:
            owner = OUTAGE  # what is the citizen's or nobody's stays theirs
        elif event.kind is Kind.RETURN_ASKED and event.department == lead and feedback_of(event) in asked:
            owner = RETURN
        elif event.kind in _OF_LEAD and event.department == lead:
            owner = _OF_LEAD[event.kind] or lead
        elif event.kind is Kind.REPLIED and event.department == lead and owner == RETURN:
            owner = lead  # it answered after all
        yield event.at, owner


def _asks_of_return(case: Case) -> frozenset[tuple[str | None, str]]:
    """The requests that really were open, or were decided: what came too late never stopped its clock."""
    tracks = standing(case).tracks.items()
    decided = {feedback_of(event) for event in case.events if event.kind in {Kind.RETURN_UPHELD, Kind.RETURN_REFUSED}}
    return frozenset(decided | {(code, track.asks[Ask.RETURN]) for code, track in tracks if Ask.RETURN in track.asks})


def _lead(case: Case, event: Event) -> str | None:
    """Who was given the lead with this event."""
    if event.kind is not Kind.DISPATCHED:
        return None
    return next(
        (
            row.department
            for row in case.dispatches
            if row.at == event.at and MessageType.DISPATCHED in {row.type, row.stands_for} and row.role is Role.LEAD
        ),
        None,
    )


def _joined(found: list[Segment]) -> list[Segment]:
    joined: list[Segment] = []
    for each in found:
        if joined and joined[-1].owner == each.owner:
            joined[-1] = Segment(each.owner, joined[-1].begin, each.end)
        else:
            joined.append(each)
    return joined
