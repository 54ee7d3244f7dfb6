"""What the centre does to an order that departments have (中心处置): each a pure function, a case in, the next one out.

A move that the tables do not have from where the case stands raises MoveNotAllowed and says where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from normalizer.appeal import DecidedBy, Versions
from router.cases.case import Case, Event, feedback_of, holders
from router.cases.deciding import by_hand, settle
from router.cases.ledger import count, draft_of, record
from router.cases.moves import Kind
from router.cases.sending import append, recall_all, send_to
from router.cases.standing import standing
from router.cases.track import Handling
from router.cases.work import CENTRE, NAMES, Ask, Work
from router.dispatch import MessageType, Role
from router.errors import MoveNotAllowed

Solved = Literal["yes", "explained", "partly", "no"]
Satisfied = Literal["very", "yes", "basically", "no", "not_at_all"]

_EVENTS: Mapping[tuple[Ask, bool], Kind] = {
    (Ask.RETURN, True): Kind.RETURN_UPHELD,
    (Ask.RETURN, False): Kind.RETURN_REFUSED,
    (Ask.EXTENSION, True): Kind.EXTENSION_GRANTED,
    (Ask.EXTENSION, False): Kind.EXTENSION_REFUSED,
    (Ask.SUSPENSION, True): Kind.SUSPENSION_GRANTED,
    (Ask.SUSPENSION, False): Kind.SUSPENSION_REFUSED,
}


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A call-back (回访): was the citizen contacted, is it solved, are they satisfied."""

    reached: bool
    contacted: bool | None = None  #: by the department
    solved: Solved | None = None
    satisfied: Satisfied | None = None
    objective: bool = False  #: unsolved for reasons that are not the department's
    channel: str = "phone"
    comment: str | None = None  #: masked


# ---------------------------------------------------------------- to press


def urge(case: Case, person: str, reason: str, at: datetime) -> Case:
    """Press its lead (催办)."""
    return _press(case, Kind.URGED, MessageType.URGED, person, reason, at)


def supervise(case: Case, person: str, reason: str, at: datetime) -> Case:
    """Put it under supervision (督办): a flag beside the state."""
    return _press(case, Kind.SUPERVISED, MessageType.SUPERVISED, person, reason, at)


# ---------------------------------------------------------------- to take away


def take_back(case: Case, person: str, reason: str, at: datetime) -> Case:
    """Take it back from everybody; it waits for a person (收回)."""
    after = _draft(case)
    record(after, Kind.TAKEN_BACK, at, actor=person, note=reason)
    recall_all(after, {}, at, reason)
    after.holder = None
    record(after, Kind.TRIAGED, at, actor=person, note=reason)
    return after


def reassign(case: Case, department: str, person: str, reason: str, versions: Versions, at: datetime) -> Case:  # noqa: PLR0917
    """Give it to another department on a person's word; what a person gave stays there (改派)."""
    if case.holder == department and list(holders(case)) == [department]:
        return case
    after = _draft(case)
    record(after, Kind.REASSIGNED, at, actor=person, department=department, note=reason)
    settle(after, by_hand(after, department, DecidedBy.PERSON, reason, versions))
    send_to(after, {department: Role.LEAD}, at)
    after.assigned_by_person = True
    return after


# ---------------------------------------------------------------- to decide what was asked for


def open_asks(case: Case) -> list[tuple[str, Ask, str]]:
    """Give what departments ask for and nobody has decided: department, what, feedback id."""
    held, tracks = holders(case), case.handling.tracks if case.handling else {}
    return [
        (code, ask, feedback)
        for code, track in tracks.items()
        if code in held  # who was told of the end asks for nothing any more
        for ask, feedback in track.asks.items()
    ]


def decide_ask(  # noqa: PLR0917 - a decision has that many parts
    case: Case, department: str, ask: Ask, person: str, reason: str, at: datetime, *, granted: bool
) -> Case:
    """Grant or refuse what a department asks for, and tell it. A return that is upheld is then routed anew."""
    feedback = next((id_ for code, what, id_ in open_asks(case) if (code, what) == (department, ask)), None)
    if feedback is None:
        raise MoveNotAllowed(f"case {case.id}: {department} has no open request for {ask}")
    days = next((event.data.get("working_days") for event in case.events if _is(event, department, feedback)), None)
    after = _draft(case)
    data: dict[str, Any] = {"feedback": feedback, "ask": ask.value}
    if ask is Ask.EXTENSION:
        data["working_days"] = days
    kind = _EVENTS[ask, granted]
    record(after, kind, at, actor=person, department=department, note=reason, data=data)
    told = {"ask": ask.value, "feedback": feedback, "granted": granted, "working_days": data.get("working_days")}
    append(
        after,
        department,
        MessageType.DECIDED,
        holders(case)[department],
        at,
        reason,
        told={"decided": told},
    )
    count(after)
    return after


# ---------------------------------------------------------------- the reply and the end


def review(case: Case, person: str, text: str | None, at: datetime, reason: str | None = None) -> Case:
    """Let the lead's public reply out, in these words; without words it is sent back to the department."""
    handling = standing(case)
    feedback = handling.waits_review
    if feedback is None:
        raise MoveNotAllowed(f"case {case.id} has no public reply that waits for a review")
    after = _draft(case)
    lead = case.holder or ""
    data = {"feedback": feedback, "approved": text is not None} | ({} if text is None else {"text": text})
    record(after, Kind.REVIEWED, at, actor=person, department=lead, note=reason, data=data)
    if text is None and (role := holders(case).get(lead)) is not None:
        why = reason or "答复未通过审核，请修改后重新答复"
        if handling.work in CENTRE[Kind.REOPENED].before:
            _append_reopened(after, lead, role, person, why, at)
        else:
            append(after, lead, MessageType.URGED, role, at, why)
            count(after)
    return after


def reply_of(case: Case) -> str | None:
    """Give the words of the lead's public reply that waits for its review."""
    handling = standing(case)
    return next(
        (
            event.data.get("reply_public")
            for event in case.events
            if handling.waits_review is not None and _is(event, case.holder, handling.waits_review)
        ),
        None,
    )


def visit(case: Case, said: Visit, person: str, at: datetime) -> Case:
    """Write down a call-back: what is solved is closed, what is not goes back to its lead (重办)."""
    _must_stand(case, Kind.CLOSED)
    after = _draft(case)
    data = {name: value for name in said.__struct_fields__ if (value := getattr(said, name)) is not None}
    note = data.pop("comment", None)
    record(after, Kind.VISITED if said.reached else Kind.RECORDED, at, actor=person, note=note, data=data)
    if not said.reached:
        return after
    if said.solved in {"yes", "explained"} or said.objective:
        return close(after, person, "回访后办结", at)
    return reopen(after, person, "回访反映未解决，请重新办理", at)


def reopen(case: Case, person: str, reason: str, at: datetime) -> Case:
    """Give it back to its lead for another round (重办)."""
    _must_stand(case, Kind.REOPENED)
    lead = case.holder
    assert lead is not None
    after = _draft(case)
    _append_reopened(after, lead, Role.LEAD, person, reason, at)
    return after


def close(case: Case, person: str, reason: str, at: datetime, *, expired: bool = False) -> Case:
    """End it: only after a call-back, or when its time for one is over."""
    _must_stand(case, Kind.CLOSED)
    if not expired and not standing(case).visited:
        raise MoveNotAllowed(f"case {case.id} was not visited: only the call-back, or its expiry, closes a case")
    after = _draft(case)
    record(after, Kind.CLOSED, at, actor=person, note=reason, data={"expired": expired})
    for code, role in holders(case).items():
        append(after, code, MessageType.CLOSED, role, at, reason)
    count(after)
    return after


# ---------------------------------------------------------------- inside


def _draft(case: Case) -> Case:
    after = draft_of(case)
    after.handling = after.handling or Handling()
    return after


def _is(event: Event, department: str | None, feedback: str) -> bool:
    return "said_at" in event.data and feedback_of(event) == (department, feedback)


def _press(case: Case, kind: Kind, message: MessageType, person: str, reason: str, at: datetime) -> Case:  # noqa: PLR0917
    role = holders(case).get(case.holder or "")
    if case.holder is None or role is None:
        raise MoveNotAllowed(f"case {case.id} is {case.state}: no department has it, so there is nobody to press")
    after = _draft(case)
    record(after, kind, at, actor=person, department=case.holder, note=reason)
    append(after, case.holder, message, role, at, reason)
    count(after)
    return after


def _append_reopened(draft: Case, lead: str, role: Role, person: str, reason: str, at: datetime) -> None:  # noqa: PLR0917
    record(draft, Kind.REOPENED, at, actor=person, department=lead, note=reason, data={"departments": [lead]})
    append(draft, lead, MessageType.REOPENED, role, at, reason)
    count(draft)


def _must_stand(case: Case, kind: Kind) -> None:
    """The table's filter (work.py), in words."""
    work = standing(case).work
    before = CENTRE[kind].before
    if work not in before:
        now = "-" if work is None else NAMES[work][1]
        wanted = "、".join(NAMES[each][1] for each in Work if each in before)
        raise MoveNotAllowed(f"case {case.id} is {work} ({now}): {kind} needs {wanted}")
