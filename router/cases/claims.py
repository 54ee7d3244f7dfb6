"""剔除 and 申诉: a department claims that a case should not count, or that a rating or a refusal was wrong. Pure.

A claim cites a clause of the city's written rules (data/claims.toml) and its evidence, within a window after the month
in which the case counts. A person decides it by a clause before that month is signed off (核定); after that nothing
moves. Figures leave out only what was granted (`granted`), and say by which clause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from router.cases.calendar import Calendar
from router.cases.case import Case, Event, feedback_of
from router.cases.deadlines import end_of
from router.cases.hearing import Verdict, answer, data_of, is_known, refuse, unfit_for
from router.cases.ledger import count, draft_of, record
from router.cases.moves import Kind, allowed
from router.cases.sending import append
from router.cases.standing import standing
from router.cases.track import Handling
from router.cases.work import STEPS
from router.dispatch import SHANGHAI, MessageType
from router.dispatching.sheet import DATA, read_sheet
from router.errors import MoveNotAllowed
from router.feedback import Disputed, ExclusionRequested

About = Literal["exclusion", "rating", "return"]
Claim = ExclusionRequested | Disputed

EXEMPT = "exempt"  #: what figures call a case that was left out by a decision
PENDING = "已收到，核定前由热线中心依据规则决定"
ASKED = frozenset({Kind.EXCLUSION_ASKED, Kind.DISPUTED})
_DECIDED = frozenset({Kind.CLAIM_GRANTED, Kind.CLAIM_REFUSED})
#: What ends a case's month: the last of these says in which month it counts.
_COUNTS = frozenset({Kind.RESOLVED, Kind.VISITED, Kind.CLOSED})


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One clause of the written rules."""

    code: str
    about: About
    name: str
    needs: str  #: which evidence
    basis: str
    confirmed: bool  #: a public document says so; else it is from memory until the city confirms it


class ClaimRules(msgspec.Struct, frozen=True):
    """The written rules of a city."""

    version: str
    clauses: Mapping[str, Clause]
    claim_days: int
    sign_off_days: int


class Granted(NamedTuple):
    """What was granted to the present lead: by which clause."""

    exclusion: str | None = None
    rating: str | None = None


# ---------------------------------------------------------------- claiming


def hear_claim(case: Case, department: str, said: Claim, at: datetime, rules: ClaimRules, calendar: Calendar) -> Case:  # noqa: PLR0917
    """Take in a claim of a department that has or had the case; free text is masked already."""
    if is_known(case, department, said.id) or not may_claim(case, department):
        return case
    refused = _refusal(case, department, said, at, rules, calendar)
    after = draft_of(case)
    after.handling = after.handling or Handling()
    if refused is not None:
        return refuse(case, after, department, said, at, refused)
    event = STEPS[str(said.__struct_config__.tag)].event
    data = data_of(said) | {"about": about(said), "rules": rules.version}
    record(after, event, at, actor=department, department=department, note=said.note, data=data)
    verdict = Verdict(outcome="pending", code="pending", sentence=PENDING)
    return answer(case, after, department, said, at, verdict)


def may_claim(case: Case, department: str) -> bool:
    """Say whether it is one of those whose work on the case counts: also after the end, while it is an order."""
    return allowed(Kind.EXCLUSION_ASKED, case.state) and department in standing(case).tracks


def about(said: Claim) -> About:
    """Say what a claim is about."""
    return "exclusion" if isinstance(said, ExclusionRequested) else said.against


def closes(case: Case, working_days: int, at: datetime, calendar: Calendar) -> datetime:
    """Give the end of a working day of the month after the one in which the case counts."""
    counts = max((event.at for event in case.events if event.kind in _COUNTS), default=at)
    month = counts.astimezone(SHANGHAI).date().replace(day=1)
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return end_of(calendar.after(last, working_days).day)


# ---------------------------------------------------------------- deciding


def open_claims(case: Case) -> list[Event]:
    """Give the claims that nobody has decided."""
    decided = {feedback_of(event) for event in case.events if event.kind in _DECIDED}
    return [event for event in case.events if event.kind in ASKED and feedback_of(event) not in decided]


def decide_claim(  # noqa: PLR0917 - a decision has that many parts
    case: Case,
    feedback: str | None,
    clause: str,
    person: str,
    reason: str,
    at: datetime,
    rules: ClaimRules,
    calendar: Calendar,
    *,
    granted: bool,
) -> Case:
    """Grant or refuse a claim by a clause, and tell the department."""
    found = [event for event in open_claims(case) if feedback in {None, event.data["feedback"], _whole_name(event)}]
    if len(found) != 1:
        told = ", ".join(map(_whole_name, found)) or "none"
        raise MoveNotAllowed(f"case {case.id}: say which claim is meant; open: {told}")
    (claim,) = found
    cited = rules.clauses.get(clause)
    if cited is None or cited.about != claim.data["about"]:
        fitting = ", ".join(each.code for each in rules.clauses.values() if each.about == claim.data["about"])
        raise MoveNotAllowed(f"case {case.id}: {clause} is no clause for this claim: {fitting}")
    if at > (end := closes(case, rules.sign_off_days, claim.at, calendar)):
        raise MoveNotAllowed(f"case {case.id}: its month was signed off at {end:%Y-%m-%d %H:%M}: nothing moves now")
    department = claim.department or ""
    after = draft_of(case)
    after.handling = after.handling or Handling()
    data = {"feedback": claim.data["feedback"], "about": cited.about, "clause": clause, "rules": rules.version}
    kind = Kind.CLAIM_GRANTED if granted else Kind.CLAIM_REFUSED
    record(after, kind, at, actor=person, department=department, note=reason, data=data)
    # Of an order that went elsewhere since, the answer to its claim may have been written over words that it never got.
    known = [row for row in case.dispatches if row.department == department and row.type is not MessageType.OUTCOME][-1]
    ask = "exclusion" if cited.about == "exclusion" else "dispute"
    told_it = {"ask": ask, "feedback": claim.data["feedback"], "granted": granted, "clause": clause}
    append(after, department, MessageType.DECIDED, known.role, at, reason, known=known, told={"decided": told_it})
    count(after)
    return after


# ---------------------------------------------------------------- what figures ask


def _whole_name(claim: Event) -> str:
    """Name a claim so that there is no other: two departments may choose the same id."""
    return "/".join(map(str, feedback_of(claim)))


def granted(case: Case) -> Granted:
    """Say what figures leave out of this case: what was granted to its present lead, and is not overtaken since."""
    found: dict[str, str] = {}
    visited = max((event.at for event in case.events if event.kind is Kind.VISITED), default=None)
    for event in case.events:
        if event.kind is not Kind.CLAIM_GRANTED or event.department != case.holder:
            continue
        # A rating given after the decision is another one.
        if event.data["about"] != "rating" or visited is None or visited <= event.at:
            found[event.data["about"]] = event.data["clause"]
    return Granted(found.get("exclusion"), found.get("rating"))


def overturned(case: Case, department: str) -> int:
    """Count the refusals of returns that were found wrong afterwards."""
    return sum(
        event.kind is Kind.CLAIM_GRANTED and event.department == department and event.data["about"] == "return"
        for event in case.events
    )


# ---------------------------------------------------------------- inside


def _refusal(  # noqa: PLR0917 - a claim, and what it is judged by
    case: Case, department: str, said: Claim, at: datetime, rules: ClaimRules, calendar: Calendar
) -> str | None:
    unfit = unfit_for(case, department, said, at)
    if unfit is not None:
        return unfit
    clause, what = rules.clauses.get(said.clause), about(said)
    if clause is None or clause.about != what:
        return "no_clause"
    if at > closes(case, rules.claim_days, at, calendar):
        return "claim_late"
    mine = [event for event in case.events if event.department == department]
    if any(event.kind in ASKED and event.data["about"] == what for event in mine):
        return "claim_again"
    return _groundless(case, department, what, mine)


def _groundless(case: Case, department: str, what: About, mine: Sequence[Event]) -> str | None:
    """Whoever disputes a decision must have got one."""
    if what == "return":
        return None if any(event.kind is Kind.RETURN_REFUSED for event in mine) else "no_decision"
    if department != case.holder:
        return "not_lead"
    if what == "rating" and not any(event.kind is Kind.VISITED for event in case.events):
        return "no_decision"
    return None


# ---------------------------------------------------------------- the table


class _Sheet(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    claim_days: int
    sign_off_days: int


def load_claims(path: Path | None, problems: list[str]) -> ClaimRules | None:
    """Read the written rules; every problem is added to `problems`. Without a path the packaged ones are read."""
    sheet = read_sheet(path or DATA / "claims.toml", problems)
    if sheet is None:
        return None
    before = len(problems)
    clauses: dict[str, Clause] = {}
    for line, clause in sheet.entries("clause", Clause, problems):
        if clause.code in clauses:
            problems.append(sheet.says(line, f"clause {clause.code} is there twice"))
        clauses[clause.code] = clause
    try:
        head = msgspec.convert(sheet.content, _Sheet)
    except msgspec.ValidationError as error:
        problems.append(sheet.says(1, str(error)))
        return None
    if not 0 < head.claim_days <= head.sign_off_days:
        problems.append(
            sheet.says(sheet.key_line("claim_days"), "claim_days must be at least 1 and at most sign_off_days")
        )
    if len(problems) > before:
        return None
    return ClaimRules(head.version, clauses, head.claim_days, head.sign_off_days)
