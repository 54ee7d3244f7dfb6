"""The way of a case that is sent back (退单流转): decided anew, seen when it goes in circles, and ended by one person.

Pure. The second upheld return goes to a joint review (会商); after the third hop an arbiter names the unit (裁定), and
what was arbitrated is not sent back any more. So at most `MOST_LEADS` units lead a case, and three returns of it are
upheld, also where people give it to the same unit again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from normalizer.appeal import Versions
from router.cases.case import Case, holders
from router.cases.centre import reassign
from router.cases.deciding import decide
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind
from router.cases.sending import move_to
from router.cases.standing import standing
from router.cases.track import Handling
from router.dispatch import Context, Decision, Outcome, Role

ARBITER_AFTER = 3  #: hops: then one person decides (裁定)
MOST_LEADS = ARBITER_AFTER + 1  #: so many units lead a case, however often it is returned

Decide = Callable[[Context], Decision | Exception]


def decided_anew(case: Case, returned_by: str, decide: Decide) -> tuple[Decision | Exception, Context]:
    """Decide on a case whose return by this unit is upheld; a way in circles (A→B→A) is left to people."""
    before = case.decision.context if case.decision else Context(mode=case.mode)
    returns = [*standing(case).returns, returned_by]
    context = replace(before, mode=case.mode, holder=None, returns=returns, hops=max(len(path(case)), len(returns)))
    decision = decide(context)
    lead = None if isinstance(decision, Exception) else decision.routing.lead
    if lead is not None and goes_in_circles(case, lead):
        # A to B and back to A: the rules have nothing new to say, so people do.
        context = replace(context, returns=[*returns, lead])
        decision = decide(context)
    return decision, context


def route_anew(case: Case, decision: Decision | Exception, context: Context, arbiter: str, at: datetime) -> Case:
    """Settle that decision; from the second upheld return on people settle it together (会商)."""
    after = _draft(case)
    decide(after, decision, context, at)
    failed = isinstance(decision, Exception) or decision.outcome is not Outcome.DISPATCH
    if failed and len(context.returns) > 1:
        record(after, Kind.CONSULTED, at, note="、".join(context.returns))
    if context.hops >= ARBITER_AFTER:
        _arbitrate(after, arbiter, at)
    return after


def give_to(  # noqa: PLR0917 - as `reassign`, and who arbitrates
    case: Case,
    returned_by: str,
    department: str,
    person: str,
    reason: str,
    versions: Versions,
    arbiter: str,
    at: datetime,
) -> Case:
    """Give a case whose return was upheld to the unit that a person names; after the third hop that is final.

    Who returned it as an assistant is replaced as one: its lead works on.
    """
    held = holders(case)
    if held.get(returned_by) is Role.ASSIST:
        after, wanted = _draft(case), {code: role for code, role in held.items() if code != returned_by}
        move_to(after, {department: Role.ASSIST} | wanted, at, tell=[])
        return after
    after = case
    if max(len(path(case)), len(standing(case).returns)) >= ARBITER_AFTER:
        after = _draft(case)
        _arbitrate(after, arbiter, at)
    return reassign(after, department, person, reason, versions, at)


def is_arbitrated(case: Case) -> bool:
    """Say whether whose it is was decided for good."""
    return any(event.kind is Kind.ARBITRATED for event in case.events)


def path(case: Case) -> list[str]:
    """Give who led it, one after the other (转办路径)."""
    leads: list[str] = []
    for decided in [*case.past_decisions, *([case.decision] if case.decision else [])]:
        lead = decided.routing.lead if decided.outcome is Outcome.DISPATCH else None
        if lead is not None and leads[-1:] != [lead]:
            leads.append(lead)
    return leads


def goes_in_circles(case: Case, next_one: str) -> bool:
    """Say whether this would bring it back to somebody who had it (A→B→A)."""
    return next_one in path(case)[:-1]


def _arbitrate(draft: Case, arbiter: str, at: datetime) -> None:
    if not is_arbitrated(draft):
        record(draft, Kind.ARBITRATED, at, note=arbiter)


def _draft(case: Case) -> Case:
    after = draft_of(case)
    after.handling = after.handling or Handling()
    return after
