"""A case (工单) as one document: its types, what can be read off it, and its BSON form.

What happens to it stands beside: deciding.py, delivery.py and their neighbours.

A dispatch is here before it is on the wire. Its sequence counts per case and department, from 1 and without gaps, and
is fixed by the write that appends it; its message id follows from the two (promise 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from normalizer.appeal import Mode, Routing, Urgency
from router.cases.moves import Kind, Sent, State
from router.cases.track import Handling
from router.dispatch import CaseFacts, Context, Dispatch, MessageType, Outcome, Role

#: With these a department's own deadline begins: its order, and each round of it (重办).
BEGINS = frozenset({MessageType.DISPATCHED, MessageType.REOPENED})
#: With these it is no longer the department's.
ENDS = frozenset({MessageType.RECALLED, MessageType.WITHDRAWN, MessageType.CLOSED})


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with all that it depended on."""

    outcome: Outcome
    routing: Routing
    code: str | None
    sentence: str
    context: Context
    revision: int


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the ledger: appended, never changed."""

    n: int
    at: datetime
    kind: Kind
    actor: str
    department: str | None = None
    note: str | None = None
    data: dict[str, Any] = {}


def feedback_of(event: Event) -> tuple[str | None, str]:
    """Which feedback an event is or answers: departments choose the ids, and two may choose the same."""
    return event.department, event.data["feedback"]


class Sending(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    told: dict[str, Any] | None = None  #: what only this message says: an outcome, a decision, a card
    stands_for: MessageType | msgspec.UnsetType = msgspec.UNSET  #: what was given up and whose number this one has


class Case(msgspec.Struct, kw_only=True):
    """The document of `cases`.

    Not frozen, because a frozen one costs a copy of thirty fields for each step of a move (35 µs a case, measured).
    Only a draft (ledger.py) is changed, a copy that was just made; the tests hold it to that.
    """

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
    stamps: list[bytes] = []  #: one for each event (stamps.py): made by the store in the write of the event
    unsent: int = 0
    parked: int = 0
    until: datetime | None = None  #: until when whoever has `fence` delivers it (the database's clock)
    fence: int | None = None
    due: datetime | None = None  #: when the clock must look at it again: a card, the end of the call-back
    parts: list[str] = []  #: the cases of the other requests of the same message (一条多诉)
    handling: Handling | None = None  #: None as long as nothing but the dispatch has happened
    #: The closed case of the same appeal that this one follows (再次反映), and who had that one. Most have none.
    repeat_of: str | msgspec.UnsetType = msgspec.UNSET
    repeat_known_to: list[str] | msgspec.UnsetType = msgspec.UNSET
    continued: str | msgspec.UnsetType = msgspec.UNSET  #: the case that follows this closed one


# ---------------------------------------------------------------- reading


def sendable(case: Case) -> list[Sending]:
    """Give what may be on the wire now: of each department the first that is not confirmed (promise 5)."""
    first: dict[str, Sending] = {}
    for row in case.dispatches:
        if row.state in {Sent.PENDING, Sent.PARKED}:
            first.setdefault(row.department, row)
    return [row for row in first.values() if row.state is Sent.PENDING]


def needs_duty(case: Case) -> bool:
    """Say whether a critical case is in triage and nobody was called yet (promise 7)."""
    if case.goal is not State.TRIAGE or case.urgency is not Urgency.CRITICAL:
        return False
    return not any(event.kind is Kind.DUTY_CALLED and event.at >= case.since for event in case.events)


# ---------------------------------------------------------------- what the messages need


def dispatch_of(case: Case, row: Sending) -> Dispatch:
    """Give a row as the gate's type; everything in it is fixed, so the body is the same however often it is made."""
    begun = order = None
    for other in case.dispatches:
        if other.department == row.department and other.sequence < row.sequence and other.type in BEGINS:
            begun = other
            order = other if other.type is MessageType.DISPATCHED else order
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
        since=None if row.type in BEGINS or begun is None else begun.at,
        told=row.told,
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
        sentence=decided.sentence,
        first_dispatched_at=None if first.at == row.at else first.at,
        repeat_of=case.repeat_of if case.repeat_of and row.department in (case.repeat_known_to or ()) else None,
    )


def holders(case: Case) -> dict[str, Role]:
    """Give the departments that have the case now, with their roles."""
    held: dict[str, Role] = {}
    for row in case.dispatches:
        if row.state is Sent.DISCARDED:
            continue
        if row.type in ENDS:
            held.pop(row.department, None)
        elif row.type in BEGINS or row.department in held:
            held[row.department] = row.role
    return held


# ---------------------------------------------------------------- the document


def to_document(case: Case) -> dict[str, Any]:
    """Give the BSON form."""
    document: dict[str, Any] = msgspec.to_builtins(case, builtin_types=(datetime, bytes))
    return document


def from_document(document: Mapping[str, Any]) -> Case:
    """Read the BSON form back (aware datetimes)."""
    return msgspec.convert(document, Case)


def changes(before: Case, after: Case) -> dict[str, Any]:
    """Give the update that makes one out of the other; what is appended is pushed, so that writes stay small."""
    old, new = to_document(before), to_document(after)
    update: dict[str, Any] = {}
    values = {name: value for name, value in new.items() if name not in old or value != old[name]}
    for name in ("events", "dispatches", "past_decisions"):
        known = len(old[name])
        if name in values and new[name][:known] == old[name]:
            update.setdefault("$push", {})[name] = {"$each": values.pop(name)[known:]}
    values["version"] = before.version + 1
    update["$set"] = values
    return update
