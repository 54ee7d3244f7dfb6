"""Whose clock stands still by leave (挂起中), and until when that was asked for: read off the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from router.cases.case import Case, feedback_of, holders
from router.cases.moves import Kind
from router.feedback import read_moment


class Suspended(NamedTuple):
    """A granted suspension that nobody has ended yet."""

    department: str
    feedback: str  #: by which it was asked for
    until: datetime | None  #: None: until the department says that it goes on


def suspended(case: Case) -> Iterator[Suspended]:
    """Give those of departments that have the case."""
    tracks = case.handling.tracks if case.handling else {}
    standing = {code: track.pauses[-1][0] for code, track in tracks.items() if track.pauses and not track.pauses[-1][1]}
    if not standing:
        return
    held = holders(case)
    for event in case.events:
        code = event.department or ""
        if event.kind is Kind.SUSPENSION_GRANTED and code in held and standing.get(code) == event.at:
            feedback = event.data["feedback"]
            yield Suspended(code, feedback, _until(case, code, feedback))


def _until(case: Case, department: str, feedback: str) -> datetime | None:
    for event in case.events:
        if event.kind is Kind.SUSPENSION_ASKED and feedback_of(event) == (department, feedback):
            return read_moment(event.data.get("until", ""))
    return None
