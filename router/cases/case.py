"""A case (工单) as one document, and what can happen to it, without any I/O.

Every function here takes a case and returns the next one; nothing else in this room makes events or dispatches.
Several may be applied before one write: `changes` tells what differs, and router/store.py writes that on (_id,
version).

A dispatch is here before it is on the wire. Its sequence counts per case and department, from 1 and without gaps,
and is fixed by the write that appends it; its message id follows from the two (promise 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from normalizer.appeal import Alternative, Appeal, Change, DecidedBy, Mode, Routing, Urgency
from router.cases.moves import MOVES, Kind, Sent, State, allowed, state_of
from router.dispatch import CaseFacts, Context, Decision, Dispatch, MessageType, Outcome, Role, case_no, message_id
from router.errors import MoveNotAllowed

ROUTER = "router"
BROKER = "broker"


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with all that it depended on."""

    outcome: Outcome
    routing: Routing
    code: str | None
    sentence: str
    context: Context
    revision: int


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: appended, never changed."""

    n: int
    at: datetime
    kind: Kind
    actor: str
    department: str | None = None
    note: str | None = None
    data: dict[str, Any] = {}


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatch and how far it has come."""

    id: str
    department: str
    sequence: int
    type: MessageType
    role: Role
    revision: int  #: of the appeal that it carries
    decided: int  #: which decision it carries: index into past decisions, or their number for the present one
    at: datetime
    reason: str | None = None  #: said to the department: why it was recalled, withdrawn, …
    state: Sent = Sent.PENDING
    sent_at: datetime | None = None
    parked: str | None = None  #: why it is parked
    parked_at: datetime | None = None
    tries: int = 0  #: how often a person or a sweep had it sent again


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The document of `cases`."""

    id: str = msgspec.field(name="_id")
    version: int = 1
    state: State
    goal: State
    source: str
    native_id: str
    channel: str
    mode: Mode
    revision: int  #: of the appeal, as last taken in
    case_no: str
    category: str
    urgency: Urgency
    district: str | None = None
    street: str | None = None
    opened_at: datetime
    since: datetime  #: since when it has its goal: the age of what is in triage
    decision: Decided | None
    past_decisions: list[Decided] = []
    holder: str | None = None
    assigned_by_person: bool = False
    dispatches: list[Sending] = []
    sequences: dict[str, int] = {}
    events: list[Event] = []
    unsent: int = 0
    parked: int = 0
    until: datetime | None = None  #: until when whoever has `fence` delivers it (the database's clock)
    fence: int | None = None


# ---------------------------------------------------------------- the first write


def open_case(appeal: Appeal, mode: Mode, decision: Decision | Exception, context: Context, at: datetime) -> Case:
    """Begin a case: received, and what the decision makes of it."""
    case = Case(
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
    return _decide(case, appeal, decision, context, at)


# ---------------------------------------------------------------- later revisions (promise 4)


def needs_decision(case: Case, change: Change, revision: int) -> bool:
    """Say whether this revision is decided again, or only told or recorded."""
    if revision <= case.revision or change not in {Change.NEW, Change.CHANGED}:
        return False
    return not case.assigned_by_person or case.goal is not State.DELIVERED


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
    seen = replace(
        case,
        revision=appeal.revision,
        category=appeal.category.code,
        urgency=appeal.urgency,
        district=appeal.place.district,
        street=appeal.place.street,
    )
    if change is Change.SAME:
        return _event(seen, Kind.RECORDED, at, data={"revision": appeal.revision})
    if change is Change.WITHDRAWN:
        return _withdraw(seen, at)
    if decision is not None and context is not None:
        return _decide(seen, appeal, decision, context, at)
    return _update(seen, at)


def decided_again(case: Case, appeal: Appeal, decision: Decision | Exception, context: Context, at: datetime) -> Case:
    """Decide a case whose deciding failed, on a person's word."""
    return _decide(case, appeal, decision, context, at)


def assign(
    case: Case, department: str, person: str, reason: str, at: datetime, by: DecidedBy = DecidedBy.PERSON
) -> Case:
    """Give a case to the department that a person named, or the fallback when nobody did in time (promise 7)."""
    decision = case.decision
    if not allowed(Kind.ASSIGNED, case.state) or decision is None:
        raise MoveNotAllowed(f"case {case.id} is {case.state}: only what waits for a person can be assigned")
    routing = replace(
        decision.routing,
        lead=department,
        assist=[],
        decided_by=by,
        rule=None,
        confidence=1.0,
        alternatives=_others(decision.routing, department),
    )
    case = _event(case, Kind.ASSIGNED, at, actor=person, department=department, note=reason, data={"by": by.value})
    case = _settled(
        case, Decided(**{**_fields(decision), "outcome": Outcome.DISPATCH, "routing": routing, "sentence": reason})
    )
    case = replace(case, assigned_by_person=by is DecidedBy.PERSON, holder=department)
    return _send_to(case, {department: Role.LEAD}, at)


def call_duty(case: Case, unit: str | None, at: datetime) -> Case:
    """Note that the person on duty was called for a critical case in triage."""
    return _event(case, Kind.DUTY_CALLED, at, department=unit)


def needs_duty(case: Case) -> bool:
    """Say whether a critical case is in triage and nobody was called yet (promise 7)."""
    if case.goal is not State.TRIAGE or case.urgency is not Urgency.CRITICAL:
        return False
    return not any(event.kind is Kind.DUTY_CALLED and event.at >= case.since for event in case.events)


# ---------------------------------------------------------------- what the broker said


def sendable(case: Case) -> list[Sending]:
    """Give what may be on the wire now: of each department the first that is not confirmed (promise 5)."""
    first: dict[str, Sending] = {}
    for row in case.dispatches:
        if row.state in {Sent.PENDING, Sent.PARKED}:
            first.setdefault(row.department, row)
    return [row for row in first.values() if row.state is Sent.PENDING]


def confirm(case: Case, message_ids: Iterable[str], at: datetime) -> Case:
    """Mark what the broker has taken. What is marked already changes nothing."""
    wanted = set(message_ids)
    rows = [row for row in case.dispatches if row.id in wanted and row.state is Sent.PENDING]
    if not rows:
        return case
    everything = len(rows) == case.unsent
    case = _mark(case, {row.id for row in rows}, state=Sent.SENT, sent_at=at)
    if everything:
        return _event(case, Kind.DELIVERED, at, actor=BROKER)
    for row in rows:
        case = _event(
            case, Kind.DELIVERED, at, actor=BROKER, department=row.department, data={"sequence": row.sequence}
        )
    return case


def park(case: Case, message: str, reason: str, at: datetime, kind: Kind = Kind.RETURNED) -> Case:
    """Park a dispatch with the reason; what waits behind it at the same department is parked with it."""
    row = next((row for row in case.dispatches if row.id == message), None)
    parkable = {Sent.PENDING, Sent.SENT} if kind is Kind.DEAD_LETTERED else {Sent.PENDING}
    if row is None or row.state not in parkable:
        return case
    case = _mark(case, {message}, state=Sent.PARKED, parked=reason, parked_at=at)
    behind = {
        other.id
        for other in case.dispatches
        if other.department == row.department and other.sequence > row.sequence and other.state is Sent.PENDING
    }
    case = _mark(case, behind, state=Sent.PARKED, parked=f"waits behind sequence {row.sequence}", parked_at=at)
    return _event(case, kind, at, actor=BROKER, department=row.department, note=reason, data={"sequence": row.sequence})


def retry(case: Case, actor: str, at: datetime) -> Case:
    """Let everything that is parked be sent again: the same ids, the same bodies, in order."""
    parked = [row for row in case.dispatches if row.state is Sent.PARKED]
    for row in parked:
        case = _mark(case, {row.id}, state=Sent.PENDING, parked=None, parked_at=None, sent_at=None, tries=row.tries + 1)
    for department in dict.fromkeys(row.department for row in parked):
        case = _event(case, Kind.RETRIED, at, actor=actor, department=department)
    return case


def discard(case: Case, actor: str, reason: str, at: datetime) -> Case:
    """Give up what is parked. A case whose order is given up stays parked: it has been answered by nobody."""
    parked = [row for row in case.dispatches if row.state is Sent.PARKED]
    given_up = case.goal is State.DELIVERED
    case = _mark(case, {row.id for row in parked}, state=Sent.DISCARDED)
    for row in parked:
        kind = Kind.GIVEN_UP if given_up else Kind.DISCARDED
        case = _event(
            case, kind, at, actor=actor, department=row.department, note=reason, data={"sequence": row.sequence}
        )
    return case


# ---------------------------------------------------------------- what the messages need


def dispatch_of(case: Case, row: Sending) -> Dispatch:
    """Give a row as the gate's type; everything in it is fixed, so the body is the same however often it is made."""
    first = order = None
    for other in case.dispatches:
        if (
            other.department == row.department
            and other.sequence < row.sequence
            and other.type is MessageType.DISPATCHED
        ):
            first, order = first or other, other
    return Dispatch(
        message_id=row.id,
        department=row.department,
        sequence=row.sequence,
        type=row.type,
        role=row.role,
        revision=row.revision,
        at=row.at,
        reason=row.reason,
        dispatch=None if row.type is MessageType.DISPATCHED or order is None else order.id,
        since=None if first is None else first.at,
    )


def facts_of(case: Case, row: Sending) -> CaseFacts:
    """Give what a message says of its case: the decision of its own moment, not of today."""
    assert case.decision is not None
    decided = case.past_decisions[row.decided] if row.decided < len(case.past_decisions) else case.decision
    first = case.dispatches[0]
    return CaseFacts(
        id=case.id,
        case_no=case.case_no,
        mode=case.mode,
        opened_at=case.opened_at,
        routing=decided.routing,
        first_dispatched_at=None if first.at == row.at else first.at,
    )


def holders(case: Case) -> dict[str, Role]:
    """Give the departments that have the case now, with their roles."""
    held: dict[str, Role] = {}
    for row in case.dispatches:
        if row.state is Sent.DISCARDED:
            continue
        if row.type in {MessageType.RECALLED, MessageType.WITHDRAWN, MessageType.CLOSED}:
            held.pop(row.department, None)
        elif row.type is MessageType.DISPATCHED or row.department in held:
            held[row.department] = row.role
    return held


# ---------------------------------------------------------------- the document


def to_document(case: Case) -> dict[str, Any]:
    """Give the BSON form."""
    document: dict[str, Any] = msgspec.to_builtins(case, builtin_types=(datetime,))
    return document


def from_document(document: Mapping[str, Any]) -> Case:
    """Read the BSON form back (aware datetimes)."""
    return msgspec.convert(document, Case)


def changes(before: Case, after: Case) -> dict[str, Any]:
    """Give the update that makes one out of the other; what is appended is pushed, so that writes stay small."""
    old, new = to_document(before), to_document(after)
    update: dict[str, Any] = {}
    values = {name: value for name, value in new.items() if value != old[name]}
    for name in ("events", "dispatches", "past_decisions"):
        known = len(old[name])
        if name in values and new[name][:known] == old[name]:
            update.setdefault("$push", {})[name] = {"$each": values.pop(name)[known:]}
    values["version"] = before.version + 1
    update["$set"] = values
    return update


# ---------------------------------------------------------------- inside

_OUTCOMES = {
    Outcome.TRIAGE: Kind.TRIAGED,
    Outcome.INFORMED: Kind.INFORMED,
    Outcome.HANDED_OVER: Kind.HANDED_OVER,
    Outcome.OBSERVED: Kind.OBSERVED,
}


def _decide(case: Case, appeal: Appeal, decision: Decision | Exception, context: Context, at: datetime) -> Case:
    if isinstance(decision, Exception):
        # The class alone: an exception's text may quote the citizen.
        return _event(case, Kind.UNDECIDED, at, note=f"deciding failed: {type(decision).__name__}")
    decided = Decided(
        outcome=decision.outcome,
        routing=decision.routing,
        code=decision.code,
        sentence=decision.sentence,
        context=context,
        revision=appeal.revision,
    )
    case = replace(_settled(case, decided), assigned_by_person=False)
    routing = decision.routing
    if decision.outcome is Outcome.DISPATCH:
        if context.linked_to is not None:
            return _event(_recall_all(case, {}, at), Kind.LINKED, at, data={"to": context.linked_to})
        wanted = {code: Role.ASSIST for code in routing.assist if code != routing.lead}
        return _send_to(case, {**({routing.lead: Role.LEAD} if routing.lead else {}), **wanted}, at)
    if case.state is not State.RECEIVED:
        case = _recall_all(case, {}, at, reason=decision.sentence)
    return _event(replace(case, holder=None), _OUTCOMES[decision.outcome], at, note=decision.code)


def _settled(case: Case, decided: Decided) -> Case:
    """Keep the decision before, since messages of its time are made from it."""
    past = case.past_decisions if case.decision is None else [*case.past_decisions, case.decision]
    return replace(case, decision=decided, past_decisions=past, holder=decided.routing.lead)


def _send_to(case: Case, wanted: Mapping[str, Role], at: datetime) -> Case:
    """Bring it to exactly these departments: recalled elsewhere, updated where it stays, dispatched where it is new."""
    held = holders(case)
    case = _recall_all(case, wanted, at)
    stays = [code for code in wanted if code in held]
    new = [code for code in wanted if code not in held]
    for code in stays:
        case = _append(case, code, MessageType.UPDATED, wanted[code], at)
    if stays:
        case = _event(case, Kind.UPDATED, at, data={"departments": stays})
    for code in new:
        case = _append(case, code, MessageType.DISPATCHED, wanted[code], at)
    if new or case.goal is not State.DELIVERED:
        case = _event(case, Kind.DISPATCHED, at, data={"departments": new})
    return case


def _update(case: Case, at: datetime) -> Case:
    held = holders(case)
    for code, role in held.items():
        case = _append(case, code, MessageType.UPDATED, role, at)
    return _event(case, Kind.UPDATED if held else Kind.RECORDED, at, data={"departments": list(held)})


def _withdraw(case: Case, at: datetime) -> Case:
    if not allowed(Kind.WITHDRAWN, case.state):
        return _event(case, Kind.RECORDED, at, data={"revision": case.revision})
    told = []
    for code, role in holders(case).items():
        case, left = _take_back(case, code, role, MessageType.WITHDRAWN, "诉求人已撤回", at)
        told += [code] if left else []
    return _event(replace(case, holder=None), Kind.WITHDRAWN, at, data={"departments": told})


def _recall_all(
    case: Case, keep: Mapping[str, Role], at: datetime, reason: str = "经重新研判，转由其他单位办理"
) -> Case:
    for code, role in holders(case).items():
        if code not in keep:
            case, _ = _take_back(case, code, role, MessageType.RECALLED, reason, at)
            case = _event(case, Kind.RECALLED, at, department=code, note=reason)
    return case


def _take_back(
    case: Case, department: str, role: Role, kind: MessageType, reason: str, at: datetime
) -> tuple[Case, bool]:
    """Tell a department that it is not its any more; what never left (the broker returned it) is discarded instead."""
    rows = [row for row in case.dispatches if row.department == department and row.state is not Sent.DISCARDED]
    if all(row.state is Sent.PARKED and row.sent_at is None for row in rows):
        return _mark(case, {row.id for row in rows}, state=Sent.DISCARDED), False
    return _append(case, department, kind, role, at, reason), True


def _append(
    case: Case, department: str, kind: MessageType, role: Role, at: datetime, reason: str | None = None
) -> Case:
    sequence = case.sequences.get(department, 0) + 1
    stuck = next((r for r in case.dispatches if r.department == department and r.state is Sent.PARKED), None)
    row = Sending(
        id=message_id(case.id, department, sequence),
        department=department,
        sequence=sequence,
        type=kind,
        role=role,
        revision=case.revision,
        decided=len(case.past_decisions),
        at=at,
        reason=reason,
        state=Sent.PENDING if stuck is None else Sent.PARKED,
        parked=None if stuck is None else f"waits behind sequence {stuck.sequence}",
        parked_at=None if stuck is None else at,
    )
    return _counted(
        replace(case, dispatches=[*case.dispatches, row], sequences={**case.sequences, department: sequence}), case.goal
    )


def _mark(case: Case, ids: set[str], **fields: Any) -> Case:  # noqa: ANN401 - fields of Sending
    if not ids:
        return case
    rows = [replace(row, **fields) if row.id in ids else row for row in case.dispatches]
    # The state is that of before until the event is appended: an event is judged by where the case stood.
    return replace(case, dispatches=rows)


def _event(
    case: Case,
    kind: Kind,
    at: datetime,
    *,
    actor: str = ROUTER,
    department: str | None = None,
    note: str | None = None,
    data: dict[str, Any] | None = None,
) -> Case:
    if not allowed(kind, case.state):
        raise MoveNotAllowed(f"case {case.id} is {case.state}: no move {kind} from there")
    event = Event(
        n=len(case.events) + 1, at=at, kind=kind, actor=actor, department=department, note=note, data=data or {}
    )
    goal = MOVES[kind].goal or case.goal
    since = at if goal is not case.goal or kind is Kind.TRIAGED else case.since
    return _counted(replace(case, events=[*case.events, event], goal=goal, since=since), goal)


def _counted(case: Case, goal: State) -> Case:
    """Bring the counters and the state in line with the dispatches."""
    states = [row.state for row in case.dispatches]
    state = case.state if goal is State.RECEIVED else state_of(goal, states)
    return replace(case, state=state, unsent=states.count(Sent.PENDING), parked=states.count(Sent.PARKED))


def _others(routing: Routing, department: str) -> list[Alternative]:
    """Keep what the rules thought of: the chosen one no longer is an alternative."""
    return [other for other in routing.alternatives if other.department != department]


def _fields(decided: Decided) -> dict[str, Any]:
    return {name: getattr(decided, name) for name in decided.__struct_fields__}


__all__ = (
    "Case",
    "Decided",
    "Event",
    "Sending",
    "amend",
    "assign",
    "call_duty",
    "changes",
    "confirm",
    "decided_again",
    "discard",
    "dispatch_of",
    "facts_of",
    "from_document",
    "holders",
    "needs_decision",
    "needs_duty",
    "open_case",
    "park",
    "retry",
    "sendable",
    "to_document",
)
