"""What becomes of the personal data of a case (个人信息): each look, and its end, is a line of the ledger. Pure."""

from __future__ import annotations

from datetime import datetime

from router.cases.case import Case
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind


def reveal(case: Case, what: str, *, department: str | None, actor: str, reason: str, at: datetime) -> Case:
    """Write down that somebody is about to see the caller's contact, or the matter's data."""
    case = draft_of(case)
    record(case, Kind.REVEALED, at, actor=actor, department=department, note=reason, data={"what": what})
    return case


def destroyed(case: Case, why: str, *, actor: str, reason: str, at: datetime) -> Case:
    """Write down, once for each cause, that the personal data of a case is no longer there."""
    if any(event.kind is Kind.DESTROYED and event.data.get("why") == why for event in case.events):
        return case
    case = draft_of(case)
    record(case, Kind.DESTROYED, at, actor=actor, note=reason, data={"why": why})
    return case
