"""What is decided about a case, by the rules or by a person (研判与派单): pure, a case in and the next one out.

Several may be done before one write; `changes` in case.py tells what differs, and router/store.py writes it on
(_id, version). Where nothing happens, the very case that came in is returned.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, DecidedBy, Mode, Routing, Versions, next_round
from router.cases.case import BEGINS, Case, Decided, Event, holders
from router.cases.ledger import ROUTER, draft_of, record
from router.cases.moves import Kind, State, allowed
from router.cases.sending import move_to, recall_all, send_to, tell_holders, tell_withdrawn
from router.cases.work import Ask, Work
from router.dispatch import Context, Decision, Outcome, Role, case_no
from router.errors import MoveNotAllowed

_DECIDED = frozenset({Change.NEW, Change.CHANGED, Change.BACK, Change.REREAD})
_OUTCOMES = {
    Outcome.TRIAGE: Kind.TRIAGED,
    Outcome.INFORMED: Kind.INFORMED,
    Outcome.HANDED_OVER: Kind.HANDED_OVER,
    Outcome.OBSERVED: Kind.OBSERVED,
}


# ---------------------------------------------------------------- the first write


def open_case(  # noqa: PLR0917 - an appeal, what was decided about it, and what it follows
    appeal: Appeal,
    mode: Mode,
    decision: Decision | Exception,
    context: Context,
    at: datetime,
    closed: Case | None = None,
) -> Case:
    """Begin a case: received, and what the decision makes of it. `closed`: the one that it follows (再次反映)."""
    case = _received(appeal, mode, at, closed)
    decide(case, decision, context, at)
    return case


def open_withdrawn(appeal: Appeal, mode: Mode, at: datetime, closed: Case | None = None) -> Case:
    """Begin a case that its author took back before it had one.

    It stands in the way of a late worker that still holds an older revision, and its absence is a loss.
    """
    case = _received(appeal, mode, at, closed)
    record(case, Kind.WITHDRAWN, at, data={"departments": []})
    return case


def _received(appeal: Appeal, mode: Mode, at: datetime, closed: Case | None) -> Case:
    id_ = appeal.id if closed is None else next_round(closed.id)
    # With more than 15 keywords Python gathers them in a dict first, which costs more than all the rest.
    case = Case(
        id=id_,
        state=State.RECEIVED,
        goal=State.RECEIVED,
        source=appeal.source,
        native_id=appeal.native_id,
        channel=appeal.channel,
        mode=mode,
        revision=appeal.revision,
        case_no=case_no(at, appeal.channel, id_),
        category=appeal.category.code,
        urgency=appeal.urgency,
        opened_at=at,
        since=at,
        decision=None,
        events=[Event(n=1, at=at, kind=Kind.RECEIVED, actor=ROUTER)],
    )
    case.district, case.street = appeal.place.district, appeal.place.street
    case.parts = list(appeal.links.same_message)
    if closed is not None:
        case.repeat_of, case.repeat_known_to = closed.id, _had(closed)
        case.events = [replace(case.events[0], data={"repeat_of": closed.id})]
    return case


def _had(case: Case) -> list[str]:
    """Give the departments that were ever given a case."""
    given = (row.department for row in case.dispatches if row.type in BEGINS and row.sent_at is not None)
    return list(dict.fromkeys(given))


# ---------------------------------------------------------------- later revisions (promise 4)


def is_over(case: Case) -> bool:
    """Say whether it is closed (办结): by its call-back, or because nobody made one in time."""
    return case.goal is State.DELIVERED and case.handling is not None and case.handling.work is Work.CLOSED


def needs_decision(case: Case, change: Change, revision: int, *, accuses_holder: bool = False) -> bool:
    """Say whether this revision is decided again, or only told or recorded.

    What a person assigned, or its lead has taken on, stays there (promise 4), unless the new text is about who has it
    (promise 8).
    """
    if revision <= case.revision or change not in _DECIDED or is_over(case):
        return False
    return accuses_holder or not stays_put(case)


def stays_put(case: Case) -> bool:
    """Say whether a new text leaves it where it is."""
    lead = case.holder
    if case.goal is not State.DELIVERED or lead is None or lead not in holders(case):
        return False
    track = case.handling.tracks.get(lead) if case.handling else None
    taken_on = track is not None and track.signed is not None and Ask.RETURN not in track.asks
    return case.assigned_by_person or taken_on


def amend(
    case: Case,
    appeal: Appeal,
    change: Change,
    at: datetime,
    *,
    decision: Decision | Exception | None = None,
    context: Context | None = None,
) -> Case:
    """Take in a revision. What was taken in before changes nothing; likes and replies never do."""
    if appeal.revision <= case.revision or change is Change.REFRESHED:
        return case
    if is_over(case):
        return _after_the_end(case, appeal, change, at)
    case = draft_of(case)
    case.revision = appeal.revision
    case.category, case.urgency = appeal.category.code, appeal.urgency
    case.district, case.street = appeal.place.district, appeal.place.street
    case.parts = list(appeal.links.same_message)
    if change is Change.WITHDRAWN and allowed(Kind.WITHDRAWN, case.state):
        tell_withdrawn(case, at)
    elif change in {Change.SAME, Change.WITHDRAWN}:
        record(case, Kind.RECORDED, at, data={"revision": appeal.revision})
    elif decision is not None and context is not None:
        told = len(case.events)
        decide(case, decision, context, at, tell=change is not Change.REREAD)
        if len(case.events) == told:  # it stays, and nobody would read anything new
            record(case, Kind.RECORDED, at, data={"revision": appeal.revision})
    elif change is Change.REREAD:
        record(case, Kind.RECORDED, at, data={"revision": appeal.revision})
    else:
        tell_holders(case, at)
    return case


def _after_the_end(case: Case, appeal: Appeal, change: Change, at: datetime) -> Case:
    """Leave a closed case at the revision with which it was counted, whatever comes.

    What is new is for the next round: the closed case names that, before it is there. All else, also that it is gone at
    its source or there again, is written down, once.
    """
    own = (event for event in case.events if event.kind is Kind.RECORDED)
    if case.continued or any(event.data.get("revision") == appeal.revision for event in own):
        return case
    case = draft_of(case)
    case.parts = list(appeal.links.same_message)  # no figure: where the other requests of the message are
    said: dict[str, Any] = {"revision": appeal.revision}
    if change in {Change.NEW, Change.CHANGED} and appeal.quality.is_appeal:
        case.continued = next_round(case.id)
        record(case, Kind.CONTINUED, at, data={"case": case.continued} | said)
    else:
        record(case, Kind.RECORDED, at, data=said | ({"withdrawn": True} if change is Change.WITHDRAWN else {}))
    return case


def next_revision(closed: Case) -> int:
    """Give the revision for which a closed case named the next one: with an older one that does not begin."""
    named = next(event for event in reversed(closed.events) if event.kind is Kind.CONTINUED)
    revision: int = named.data["revision"]
    return revision


def decide_again(case: Case, decision: Decision | Exception, context: Context, at: datetime) -> Case:
    """Decide a case again whose deciding failed, on a person's word."""
    case = draft_of(case)
    decide(case, decision, context, at)
    return case


def assign(case: Case, department: str, person: str, reason: str, versions: Versions, at: datetime) -> Case:  # noqa: PLR0917
    """Give a case to the department that a person named: from then on a new revision does not move it."""
    case = _assign(case, by_hand(case, department, DecidedBy.PERSON, reason, versions), person, at)
    case.assigned_by_person = True
    return case


def fall_back(case: Case, department: str, reason: str, versions: Versions, at: datetime) -> Case:
    """Give a critical case that nobody looked at to the fallback owner of its place (promise 7)."""
    return _assign(case, by_hand(case, department, DecidedBy.FALLBACK, reason, versions), ROUTER, at)


def call_duty(case: Case, unit: str | None, at: datetime) -> Case:
    """Note that the person on duty was called for a critical case in triage."""
    case = draft_of(case)
    record(case, Kind.DUTY_CALLED, at, department=unit)
    return case


# ---------------------------------------------------------------- inside: these change the draft they are given


def decide(case: Case, decision: Decision | Exception, context: Context, at: datetime, *, tell: bool = True) -> None:
    """Settle a decision: recall, dispatch, or leave it to the desk; tell who keeps it, if there is news."""
    if isinstance(decision, Exception):
        # The class alone: an exception's text may quote the citizen.
        record(case, Kind.UNDECIDED, at, note=f"deciding failed: {type(decision).__name__}")
        return
    born = case.state is State.RECEIVED
    settled(case, decision, context)
    lead, assist = decision.routing.lead, decision.routing.assist
    if decision.outcome is Outcome.DISPATCH and context.linked_to is None:
        wanted = {} if lead is None else {lead: Role.LEAD}
        for code in assist:
            wanted.setdefault(code, Role.ASSIST)
        move_to(case, wanted, at, tell=[code for code in wanted if code in holders(case)] if tell else [])
        return
    if not born:
        recall_all(case, {}, at)
    case.holder = None
    if decision.outcome is Outcome.DISPATCH:
        record(case, Kind.LINKED, at, data={"to": context.linked_to})
    else:
        record(case, _OUTCOMES[decision.outcome], at, note=decision.code)


def by_hand(case: Case, department: str, by: DecidedBy, reason: str, versions: Versions) -> Decided:
    """Make the decision of a person, or of the clock."""
    before = case.decision.routing if case.decision else None
    routing = Routing(
        lead=department,
        assist=[],
        district=case.district,
        decided_by=by,
        rule=None,
        confidence=1.0,
        # What the rules saw stays readable; the chosen one is no alternative any more.
        evidence=before.evidence if before else [],
        alternatives=[other for other in before.alternatives if other.department != department] if before else [],
        versions=versions,
    )
    context = case.decision.context if case.decision else Context(mode=case.mode)
    return Decided(
        outcome=Outcome.DISPATCH, routing=routing, code=None, sentence=reason, context=context, revision=case.revision
    )


def _assign(case: Case, decided: Decided, actor: str, at: datetime) -> Case:
    if not allowed(Kind.ASSIGNED, case.state):
        raise MoveNotAllowed(f"case {case.id} is {case.state}: only what waits for a person can be assigned")
    case = draft_of(case)
    department, by = decided.routing.lead or "", decided.routing.decided_by
    said = {"by": by.value}
    record(case, Kind.ASSIGNED, at, actor=actor, department=department, note=decided.sentence, data=said)
    settle(case, decided)
    case.assigned_by_person = False
    send_to(case, {department: Role.LEAD}, at)
    return case


def settled(case: Case, decision: Decision, context: Context) -> None:
    """Keep what the rules decided, with all that it depended on."""
    decided = Decided(
        outcome=decision.outcome,
        routing=decision.routing,
        code=decision.code,
        sentence=decision.sentence,
        context=context,
        revision=case.revision,
    )
    settle(case, decided)
    case.assigned_by_person = False


def settle(case: Case, decided: Decided) -> None:
    """Keep the decision before, since messages of its time are made from it."""
    if case.decision is not None:
        case.past_decisions.append(case.decision)
    case.decision = decided
    case.holder = decided.routing.lead
