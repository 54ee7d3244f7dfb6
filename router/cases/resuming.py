"""A clock that stood still runs again (恢复计时): by itself when the time granted is over, or on the department's word.

Either way its department is told at once by when it now has to do what.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from router.cases.case import Case
from router.cases.clock import Clock, dues_of
from router.cases.ledger import CLOCK, count, draft_of, record
from router.cases.moves import Kind
from router.cases.recomputing import tell_moved
from router.cases.suspended import suspended
from router.cases.track import Handling, Track

OVER = "挂起期满，时限继续计算"
RESUMED = "已恢复办理，时限继续计算"


def wake(case: Case, clock: Clock, now: datetime) -> Case:
    """End the suspensions whose time is over."""
    over = [each for each in suspended(case) if each.until is not None and each.until <= now]
    if not over:
        return case
    after = draft_of(case)
    for department, feedback, until in over:
        data = {"feedback": feedback, "until": until}
        record(after, Kind.SUSPENSION_ENDED, now, actor=CLOCK, department=department, data=data)
        _tell(after, department, clock, now, OVER)
    return after


def tell_resumed(before: Case, after: Case, department: str, clock: Clock, at: datetime) -> Case:
    """Where what a department said made its clock run again, tell it."""
    stood = department in {each.department for each in suspended(before)}
    track = _track(after, department)
    if not stood or track is None or track.pauses[-1][1] is None or track.resolved is not None:
        return after
    draft = draft_of(after)
    _tell(draft, department, clock, at, RESUMED)
    return draft


def _tell(draft: Case, department: str, clock: Clock, at: datetime, why: str) -> None:
    track = _track(draft, department)
    assert track is not None
    without = {due.kind: due for due in dues_of(department, replace(track, pauses=track.pauses[:-1]), clock)}
    rows = [(without[due.kind], due) for due in dues_of(department, track, clock) if not due.met]
    tell_moved(draft, department, rows, clock, at, why)
    count(draft)


def _track(case: Case, department: str) -> Track | None:
    return (case.handling or Handling()).tracks.get(department)
