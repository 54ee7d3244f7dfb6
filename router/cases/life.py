"""What can happen to a case (工单流转), without any I/O: each function takes a case and returns the next one.

Several may be done before one write; `changes` in case.py tells what differs, and router/store.py writes it on
(_id, version). Where nothing happens, the very case that came in is returned. The case that came in is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, DecidedBy, Mode, Routing, Versions
from router.cases.case import Case, Decided, Event, Sending, holders
from router.cases.moves import MOVES, Kind, Sent, State, allowed, state_of
from router.dispatch import Context, Decision, MessageType, Outcome, Role, case_no, message_id
from router.errors import MoveNotAllowed

ROUTER = "router"
BROKER = "broker"

_OUTCOMES = {
    Outcome.TRIAGE: Kind.TRIAGED,
    Outcome.INFORMED: Kind.INFORMED,
    Outcome.HANDED_OVER: Kind.HANDED_OVER,
    Outcome.OBSERVED: Kind.OBSERVED,
}


# ---------------------------------------------------------------- the first write


def open_case(appeal: Appeal, mode: Mode, decision: Decision | Exception, context: Context, at: datetime) -> Case:
    """Begin a case: received, and what the decision makes of it."""
    case = _received(appeal, mode, at)
    _decide(case, decision, context, at)
    return case


def open_withdrawn(appeal: Appeal, mode: Mode, at: datetime) -> Case:
    """Begin a case that its author took back before it had one.

    It stands in the way of a late worker that still holds an older revision, and its absence is a loss.
    """
    case = _received(appeal, mode, at)
    _event(case, Kind.WITHDRAWN, at, data={"departments": []})
    return case


def _received(appeal: Appeal, mode: Mode, at: datetime) -> Case:
    return Case(
        id=appeal.id,
        state=State.RECEIVED,
        goal=State.RECEIVED,
        source=appeal.source,
        native_id=appeal.native_id,
        channel=appeal.channel,
        mode=mode,
        revision=appeal.revision,
        case_no=case_no(at, appeal.channel, appeal.id),
        category=appeal.category.code,
        urgency=appeal.urgency,
        district=appeal.place.district,
        street=appeal.place.street,
        opened_at=at,
        since=at,
        decision=None,
        events=[Event(n=1, at=at, kind=Kind.RECEIVED, actor=ROUTER)],
    )


# ---------------------------------------------------------------- later revisions (promise 4)


def needs_decision(case: Case, change: Change, revision: int, *, accuses_holder: bool = False) -> bool:
    """Say whether this revision is decided again, or only told or recorded.

    What a person assigned stays there, unless the new text is about whom it was assigned to (promise 8).
    """
    if revision <= case.revision or change not in {Change.NEW, Change.CHANGED}:
        return False
    return accuses_holder or not (case.assigned_by_person and case.goal is State.DELIVERED)


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
    case = _draft(case)
    case.revision = appeal.revision
    case.category, case.urgency = appeal.category.code, appeal.urgency
    case.district, case.street = appeal.place.district, appeal.place.street
    if change is Change.WITHDRAWN and allowed(Kind.WITHDRAWN, case.state):
        _withdraw(case, at)
    elif change in {Change.SAME, Change.WITHDRAWN}:
        _event(case, Kind.RECORDED, at, data={"revision": appeal.revision})
    elif decision is not None and context is not None:
        _decide(case, decision, context, at)
    else:
        _update(case, at)
    return case


def decide_again(case: Case, decision: Decision | Exception, context: Context, at: datetime) -> Case:
    """Decide a case again whose deciding failed, on a person's word."""
    case = _draft(case)
    _decide(case, decision, context, at)
    return case


def assign(case: Case, department: str, person: str, reason: str, versions: Versions, at: datetime) -> Case:  # noqa: PLR0917
    """Give a case to the department that a person named: from then on a new revision does not move it."""
    case = _assign(case, _by_hand(case, department, DecidedBy.PERSON, reason, versions), person, at)
    case.assigned_by_person = True
    return case


def fall_back(case: Case, department: str, reason: str, versions: Versions, at: datetime) -> Case:
    """Give a critical case that nobody looked at to the fallback owner of its place (promise 7)."""
    return _assign(case, _by_hand(case, department, DecidedBy.FALLBACK, reason, versions), ROUTER, at)


def call_duty(case: Case, unit: str | None, at: datetime) -> Case:
    """Note that the person on duty was called for a critical case in triage."""
    case = _draft(case)
    _event(case, Kind.DUTY_CALLED, at, department=unit)
    return case


# ---------------------------------------------------------------- what the broker said


def confirm(case: Case, message_ids: Iterable[str], at: datetime) -> Case:
    """Mark what the broker has taken. What is marked already changes nothing."""
    wanted = set(message_ids)
    rows = [row for row in case.dispatches if row.id in wanted and row.state is Sent.PENDING]
    if not rows:
        return case
    everything = len(rows) == case.unsent
    case = _draft(case)
    _mark(case, {row.id for row in rows}, lambda row: replace(row, state=Sent.SENT, sent_at=at))
    if everything:
        _event(case, Kind.DELIVERED, at, actor=BROKER)
    else:
        for row in rows:
            said = {"sequence": row.sequence}
            _event(case, Kind.DELIVERED, at, actor=BROKER, department=row.department, data=said)
    return case


def park(case: Case, message: str, reason: str, at: datetime, kind: Kind = Kind.RETURNED) -> Case:
    """Park a dispatch with the reason; what waits behind it at the same department is parked with it."""
    parkable = {Sent.PENDING, Sent.SENT} if kind is Kind.DEAD_LETTERED else {Sent.PENDING}
    row = next((row for row in case.dispatches if row.id == message and row.state in parkable), None)
    if row is None:
        return case
    case = _draft(case)
    behind = {
        other.id
        for other in case.dispatches
        if other.department == row.department and other.sequence > row.sequence and other.state is Sent.PENDING
    }
    _mark(case, {message}, lambda row: _parked(row, reason, at))
    _mark(case, behind, lambda other: _parked(other, f"waits behind sequence {row.sequence}", at))
    _event(case, kind, at, actor=BROKER, department=row.department, note=reason, data={"sequence": row.sequence})
    return case


def retry(case: Case, actor: str, at: datetime) -> Case:
    """Let everything that is parked be sent again: the same ids, the same bodies, in order."""
    parked = {row.id: row.department for row in case.dispatches if row.state is Sent.PARKED}
    if not parked:
        return case
    case = _draft(case)
    _mark(case, parked, _again)
    for department in dict.fromkeys(parked.values()):
        _event(case, Kind.RETRIED, at, actor=actor, department=department)
    return case


def discard(case: Case, actor: str, reason: str, at: datetime) -> Case:
    """Give up what is parked. A case whose order is given up stays parked: nobody has answered it."""
    parked = [row for row in case.dispatches if row.state is Sent.PARKED]
    if not parked:
        return case
    orders = any(row.type is MessageType.DISPATCHED for row in parked)
    kind = Kind.GIVEN_UP if case.goal is State.DELIVERED and orders else Kind.DISCARDED
    case = _draft(case)
    _mark(case, {row.id for row in parked}, lambda row: replace(row, state=Sent.DISCARDED))
    # One event for all: after it the case is where it was going, and nothing more is there to give up.
    which = [{"department": row.department, "sequence": row.sequence} for row in parked]
    _event(case, kind, at, actor=actor, note=reason, data={"dispatches": which})
    return case


# ---------------------------------------------------------------- inside: these change the draft they are given


def _draft(case: Case) -> Case:
    draft = copy(case)
    draft.dispatches = [*case.dispatches]
    draft.events = [*case.events]
    draft.past_decisions = [*case.past_decisions]
    draft.sequences = {**case.sequences}
    return draft


def _decide(case: Case, decision: Decision | Exception, context: Context, at: datetime) -> None:
    if isinstance(decision, Exception):
        # The class alone: an exception's text may quote the citizen.
        _event(case, Kind.UNDECIDED, at, note=f"deciding failed: {type(decision).__name__}")
        return
    born = case.state is State.RECEIVED
    decided = Decided(
        outcome=decision.outcome,
        routing=decision.routing,
        code=decision.code,
        sentence=decision.sentence,
        context=context,
        revision=case.revision,
    )
    _settle(case, decided)
    case.assigned_by_person = False
    lead, assist = decision.routing.lead, decision.routing.assist
    if decision.outcome is Outcome.DISPATCH and context.linked_to is None:
        wanted = {} if lead is None else {lead: Role.LEAD}
        for code in assist:
            wanted.setdefault(code, Role.ASSIST)
        _send_to(case, wanted, at)
        return
    if not born:
        _recall_all(case, {}, at)
    case.holder = None
    if decision.outcome is Outcome.DISPATCH:
        _event(case, Kind.LINKED, at, data={"to": context.linked_to})
    else:
        _event(case, _OUTCOMES[decision.outcome], at, note=decision.code)


def _by_hand(case: Case, department: str, by: DecidedBy, reason: str, versions: Versions) -> Decided:
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
    case = _draft(case)
    department, by = decided.routing.lead or "", decided.routing.decided_by
    said = {"by": by.value}
    _event(case, Kind.ASSIGNED, at, actor=actor, department=department, note=decided.sentence, data=said)
    _settle(case, decided)
    case.assigned_by_person = False
    _send_to(case, {department: Role.LEAD}, at)
    return case


def _settle(case: Case, decided: Decided) -> None:
    """Keep the decision before, since messages of its time are made from it."""
    if case.decision is not None:
        case.past_decisions.append(case.decision)
    case.decision = decided
    case.holder = decided.routing.lead


def _send_to(case: Case, wanted: Mapping[str, Role], at: datetime) -> None:
    """Bring it to exactly these departments: recalled elsewhere, updated where it stays, dispatched where it is new."""
    held = holders(case)
    _recall_all(case, wanted, at)
    stays = [code for code in wanted if code in held]
    new = [code for code in wanted if code not in held]
    for code in stays:
        _append(case, code, MessageType.UPDATED, wanted[code], at)
    if stays:
        _event(case, Kind.UPDATED, at, data={"departments": stays})
    for code in new:
        _append(case, code, MessageType.DISPATCHED, wanted[code], at)
    if new or case.goal is not State.DELIVERED:
        _event(case, Kind.DISPATCHED, at, data={"departments": new})


def _update(case: Case, at: datetime) -> None:
    held = holders(case)
    for code, role in held.items():
        _append(case, code, MessageType.UPDATED, role, at)
    _event(case, Kind.UPDATED if held else Kind.RECORDED, at, data={"departments": list(held)})


def _withdraw(case: Case, at: datetime) -> None:
    told = [
        code
        for code, role in holders(case).items()
        if _take_back(case, code, role, at, MessageType.WITHDRAWN, "诉求人已撤回")
    ]
    case.holder = None
    _event(case, Kind.WITHDRAWN, at, data={"departments": told})


def _recall_all(case: Case, keep: Mapping[str, Role], at: datetime) -> None:
    # Never why in the words of the decision: it may be that the appeal turned out to be about this department.
    reason = "经重新研判，不再由本单位办理"
    for code, role in holders(case).items():
        if code not in keep:
            _take_back(case, code, role, at, MessageType.RECALLED, reason)
            _event(case, Kind.RECALLED, at, department=code, note=reason)


def _take_back(case: Case, department: str, role: Role, at: datetime, kind: MessageType, reason: str) -> bool:  # noqa: PLR0917
    """Tell a department that it is not its any more; what never left (the broker returned it) is discarded instead.

    It is told in the words that it has already: what was written since may be a complaint about it (promise 8).
    """
    rows = [row for row in case.dispatches if row.department == department and row.state is not Sent.DISCARDED]
    if all(row.state is Sent.PARKED and row.sent_at is None for row in rows):
        _mark(case, {row.id for row in rows}, lambda row: replace(row, state=Sent.DISCARDED))
        return False
    _append(case, department, kind, role, at, reason, known=rows[-1])
    return True


def _append(  # noqa: PLR0917 - a row's own fields
    case: Case,
    department: str,
    kind: MessageType,
    role: Role,
    at: datetime,
    reason: str | None = None,
    *,
    known: Sending | None = None,
) -> None:
    """Append a dispatch of the present revision and decision, or of those of a row that the department knows."""
    sequence = case.sequences.get(department, 0) + 1
    row = Sending(
        id=message_id(case.id, department, sequence),
        department=department,
        sequence=sequence,
        type=kind,
        role=role,
        revision=case.revision if known is None else known.revision,
        decided=len(case.past_decisions) if known is None else known.decided,
        at=at,
        reason=reason,
    )
    for other in case.dispatches:
        if other.department == department and other.state is Sent.PARKED:
            row = _parked(row, f"waits behind sequence {other.sequence}", at)
            break
    case.dispatches.append(row)
    case.sequences[department] = sequence  # counters and state follow with the event that tells of it


def _parked(row: Sending, reason: str, at: datetime) -> Sending:
    return replace(row, state=Sent.PARKED, parked=reason, parked_at=at)


def _again(row: Sending) -> Sending:
    return replace(row, state=Sent.PENDING, sent_at=None, parked=None, parked_at=None, tries=row.tries + 1)


def _mark(case: Case, ids: Iterable[str], function: Callable[[Sending], Sending]) -> None:
    """Change rows. The state stays that of before until the event: an event is judged by where the case stood."""
    wanted = set(ids)
    case.dispatches = [function(row) if row.id in wanted else row for row in case.dispatches]


def _event(
    case: Case,
    kind: Kind,
    at: datetime,
    *,
    actor: str = ROUTER,
    department: str | None = None,
    note: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    if not allowed(kind, case.state):
        raise MoveNotAllowed(f"case {case.id} is {case.state}: the table has no move {kind} from there")
    case.events.append(
        Event(n=len(case.events) + 1, at=at, kind=kind, actor=actor, department=department, note=note, data=data or {})
    )
    goal = MOVES[kind].goal or case.goal
    if goal is not case.goal or kind is Kind.TRIAGED:
        case.since = at
    case.goal = goal
    _count(case)


def _count(case: Case) -> None:
    """Bring the counters and the state in line with the dispatches."""
    states = [row.state for row in case.dispatches]
    case.unsent = states.count(Sent.PENDING)
    case.parked = states.count(Sent.PARKED)
    if case.goal is not State.RECEIVED:
        case.state = state_of(case.goal, states)
