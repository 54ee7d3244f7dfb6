"""What is counted of one case (事实): read off its ledger, nobody's words. Pure.

`intake export ledger` writes these, one line a case; whatever is published is reckoned from them alone (figures.py), so
that anybody can do it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from normalizer.appeal import Appeal, DecidedBy, RequestType, Urgency
from router.cases.case import Case, Event
from router.cases.claims import EXEMPT, granted, overturned
from router.cases.clock import Clock, dues_of
from router.cases.deadlines import OFFICE_HOURS, is_office_hour, worked
from router.cases.moves import Kind, Sent, State
from router.cases.segments import segments
from router.cases.standing import standing
from router.cases.track import Track
from router.cases.work import Work
from router.dispatch import MessageType, Outcome, Role

#: 派单及时: critical and urgent ones; in office hours; at other times (domain/KPIS.md 3.2).
DISPATCH_WITHIN = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=2))
#: 数据及时: so long after it was posted it should be here.
FRESH = timedelta(hours=24)
_CLOCKS_DIFFER = timedelta(minutes=5)
_UNPLACED_CLASS = "1309"  #: 其他与待研判

_LEADS = frozenset({MessageType.DISPATCHED, MessageType.UPDATED, MessageType.REOPENED})

Way = Literal["dispatched", "direct", "waiting"]
#: 派单办理, 在线直办 (告知、移交), 流转中; what is in no other state was merged, withdrawn or never to be sent.
_WAYS: dict[State, Way] = {
    State.DELIVERED: "dispatched",
    State.INFORMED: "direct",
    State.HANDED_OVER: "direct",
    State.TRIAGE: "waiting",
    State.PARKED: "waiting",
}
AUTOMATIC = frozenset({DecidedBy.RULE, DecidedBy.MODEL, DecidedBy.SOURCE})
_MOVED = frozenset({Kind.RETURN_UPHELD, Kind.REASSIGNED, Kind.TAKEN_BACK})


class Hand(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How often a unit was given the lead, and what came of its returns (退单)."""

    unit: str
    given: int = 0
    asked: int = 0
    upheld: int = 0
    refused: int = 0


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the one ledger (一本账)."""

    case: str
    case_no: str
    as_of: datetime  #: when the ledger was read
    source: str
    channel: str
    type: str | None  #: 诉求类型
    category: str
    urgency: str
    district: str | None
    street: str | None = None
    unit: str | None  #: its present lead
    assist: tuple[str, ...] = ()
    person: int | None = None  #: the same number is the same citizen, in this ledger alone; None: nobody knows
    way: Way | None = None
    excluded: str | None  #: why it is in no rate
    clause: str | None = None  #: of the written rules, by which it was excluded (剔除)
    opened_at: datetime
    said_at: datetime  #: when it was posted, else when it was taken in
    repeats: tuple[str, ...] = ()  #: what its author had said before about the same
    said_before: datetime | None = None  #: … the last time
    said_again: tuple[datetime, ...] = ()  #: when its author came back with the same
    lacks: tuple[str, ...] = ()  #: of the quality of its data (dq_score)
    automatic: bool = False  #: no person chose its first unit
    return_codes: tuple[str, ...] = ()  #: the reasons given for returns (退单)
    moved: bool = False  #: taken from a unit again: returned, reassigned, taken back
    dispatch_due: datetime | None = None
    dispatched_at: datetime | None = None
    sign_due: datetime | None = None
    signed_at: datetime | None = None
    contact_due: datetime | None = None
    contacted_at: datetime | None = None
    unreachable: bool = False  #: tried three times and never reached: counts as done, and is told apart
    suspended_at: datetime | None = None  #: 挂账: first put aside with leave
    close_due: datetime | None = None  #: as extended and suspended
    resolved_at: datetime | None = None  #: of the last round
    resolution: str | None = None
    worked_seconds: int | None = None  #: working time that was the lead's own
    closed_at: datetime | None = None
    hands: tuple[Hand, ...] = ()
    reopened: int = 0
    urged: int = 0
    card: str | None = None  #: the gravest card that its lead stands under
    carded_at: datetime | None = None
    work: str | None = None  #: where the work stands
    visited_at: datetime | None = None
    solved: str | None = None
    satisfied: str | None = None
    disputed: str | None = None  #: by which clause its rating is left out (申诉)
    hung: bool = False  #: unsolved for reasons that are nobody's: told apart, not counted
    waits_visit: bool = False
    expired: bool = False  #: closed without a visit


def fact_of(
    case: Case,
    clock: Clock | None,
    now: datetime,
    *,
    appeal: Appeal | None = None,
    person: int | None = None,
    repeats: Sequence[str] = (),
    said_before: datetime | None = None,
    said_again: Sequence[datetime] = (),
) -> Fact:
    """Read the facts of one case; without its appeal (it was destroyed) those of its ledger alone."""
    handling = standing(case)
    track = handling.tracks.get(case.holder or "")
    kinds = [event.kind for event in case.events]
    left_out = granted(case)
    closed = _last(case, Kind.CLOSED) if handling.work is Work.CLOSED else None
    return Fact(
        case=case.id,
        case_no=case.case_no,
        as_of=now,
        source=case.source,
        channel=case.channel,
        type=None if appeal is None else appeal.request_type.value,
        category=case.category,
        urgency=case.urgency.value,
        district=case.district,
        street=case.street,
        unit=case.holder,
        assist=tuple(code for code in handling.tracks if code != case.holder),
        person=person,
        way=None if _is_void(appeal) else _WAYS.get(case.goal),
        excluded=_excluded(case, appeal) or (EXEMPT if left_out.exclusion else None),
        clause=left_out.exclusion,
        disputed=left_out.rating,
        opened_at=case.opened_at,
        # A later round was said when its revision came: the appeal bears the moment of the first.
        said_at=case.opened_at if case.repeat_of else _posted(appeal) or case.opened_at,
        repeats=tuple(repeats),
        said_before=said_before,
        said_again=tuple(said_again),
        lacks=()
        if appeal is None
        else tuple(part for part in lacking(appeal) if not (case.repeat_of and part == "fresh")),
        automatic=_first_by(case) in AUTOMATIC,
        return_codes=tuple(event.data["code"] for event in case.events if event.kind is Kind.RETURN_ASKED),
        moved=not _MOVED.isdisjoint(kinds),
        dispatch_due=_dispatch_due(case, clock),
        dispatched_at=next((event.at for event in case.events if event.kind is Kind.DISPATCHED), None),
        **_of_track(case, track, clock, now),
        closed_at=None if closed is None else closed.at,
        hands=_hands(case),
        reopened=handling.reopened,
        urged=handling.urged,
        **_of_visit(case, rated=left_out.rating is None),
        work=None if handling.work is None else handling.work.value,
        waits_visit=handling.work is Work.CALLBACK,
        expired=closed is not None and bool(closed.data.get("expired")),
    )


def unreadable(case: str, source: str, channel: str, at: datetime, now: datetime) -> Fact:
    """The line of what was offered and could not be read: it has no case, and its source's quality suffers."""
    return Fact(
        case=case,
        case_no="",
        as_of=now,
        source=source,
        channel=channel,
        type=None,
        category="",
        urgency="normal",
        district=None,
        unit=None,
        excluded="unreadable",
        opened_at=at,
        said_at=at,
        lacks=("readable",),
    )


def lacking(appeal: Appeal) -> Iterable[str]:
    """Say of which parts of its quality the data lacks something (domain/KPIS.md 3.12)."""
    posted, received = _posted(appeal), _moment(appeal.received_at)
    place, known = appeal.place, appeal.citizen.ref is not None or appeal.citizen.has_contact
    if not (appeal.text.strip() and known):
        yield "complete"
    if not (place.district or place.street or place.location):
        yield "placed"
    if appeal.category.code == _UNPLACED_CLASS or not (appeal.signals.evidence or appeal.category.given):
        yield "grounded"
    if posted is None or (received is not None and posted > received + _CLOCKS_DIFFER):
        yield "dated"
    if posted is None or (received is not None and received - posted > FRESH):
        yield "fresh"


# ---------------------------------------------------------------- inside


def _of_track(case: Case, track: Track | None, clock: Clock | None, now: datetime) -> dict[str, Any]:
    """What the present lead did, and by when it had to."""
    if track is None:
        return {}
    lead = case.holder or ""
    due = _dues(track, clock) if clock else {}
    own = [event for event in case.events if event.department == lead]
    resolved = next((event for event in reversed(own) if event.kind is Kind.RESOLVED), None)
    reached = [bool(event.data.get("reached", True)) for event in own if event.kind is Kind.CONTACTED]
    return {
        "sign_due": due.get("sign"),
        "contact_due": due.get("contact"),
        "close_due": due.get("close"),
        "signed_at": track.signed,
        "contacted_at": track.contacted,
        "unreachable": track.contacted is not None and bool(reached) and not any(reached),
        "suspended_at": next((event.at for event in own if event.kind is Kind.SUSPENSION_GRANTED), None),
        "resolved_at": track.resolved,
        "resolution": resolved.data.get("resolution") if resolved and track.resolved else None,
        "card": track.card,
        "carded_at": track.carded_at,
        "worked_seconds": _worked(case, clock, now),
    }


def _dues(track: Track, clock: Clock) -> dict[str, datetime]:
    """By when it had to; while the clock stands still, what was due before that stays due, done or not."""
    stands = track.pauses[-1][0] if track.pauses and track.pauses[-1][1] is None else None
    if stands is None:
        return {each.kind: each.at for each in dues_of("", track, clock)}
    before = msgspec.structs.replace(track, pauses=track.pauses[:-1])
    return {each.kind: each.at for each in dues_of("", before, clock) if each.at <= stands}


def _worked(case: Case, clock: Clock | None, now: datetime) -> int | None:
    """The lead's own working time: what was the centre's, a citizen's, a return's or an outage's is not in it."""
    if clock is None:
        return None
    spans = [(each.begin, each.end) for each in segments(case, now) if each.owner == case.holder]
    shifts = clock.deadlines.shifts
    return int(sum((worked(*span, clock.calendar, shifts) for span in spans), timedelta(0)).total_seconds())


def _of_visit(case: Case, *, rated: bool) -> dict[str, Any]:
    visit = _last(case, Kind.VISITED)
    if visit is None or _lead_at(case, visit.at) != case.holder:
        return {}  # what was said of another unit's work is not said of this one's
    said = visit.data
    return {
        "visited_at": visit.at,
        "solved": said.get("solved"),
        "satisfied": said.get("satisfied") if rated else None,
        "hung": bool(said.get("objective")),
    }


def _lead_at(case: Case, at: datetime) -> str | None:
    told = (row for row in case.dispatches if row.role is Role.LEAD and row.type in _LEADS and row.at <= at)
    return next((row.department for row in reversed(list(told))), None)


def _hands(case: Case) -> tuple[Hand, ...]:
    given: dict[str, int] = {}
    for row in case.dispatches:
        if row.type is MessageType.DISPATCHED and row.role is Role.LEAD and row.state is not Sent.DISCARDED:
            given[row.department] = given.get(row.department, 0) + 1
    told = [(event.department, event.kind) for event in case.events]
    return tuple(
        Hand(
            unit=unit,
            given=times,
            asked=told.count((unit, Kind.RETURN_ASKED)),
            upheld=told.count((unit, Kind.RETURN_UPHELD)) + overturned(case, unit),
            refused=told.count((unit, Kind.RETURN_REFUSED)) - overturned(case, unit),
        )
        for unit, times in given.items()
    )


def _first_by(case: Case) -> DecidedBy | None:
    """Who or what chose its first unit."""
    for decided in (*case.past_decisions, *([case.decision] if case.decision else [])):
        if decided.outcome is Outcome.DISPATCH and decided.routing.lead is not None:
            return decided.routing.decided_by
    return None


def _dispatch_due(case: Case, clock: Clock | None) -> datetime | None:
    if clock is None:
        return None
    soon, in_hours, otherwise = DISPATCH_WITHIN
    if case.urgency is not Urgency.NORMAL:
        return case.opened_at + soon
    open_ = is_office_hour(case.opened_at, clock.calendar, clock.deadlines.shifts or OFFICE_HOURS)
    return case.opened_at + (in_hours if open_ else otherwise)


def _excluded(case: Case, appeal: Appeal | None) -> str | None:
    if appeal is not None and appeal.request_type is RequestType.PRAISE:
        return "praise"
    if _is_void(appeal):
        return "invalid"
    if case.goal is not State.DELIVERED:
        return case.goal.value  # linked, informed, handed over, withdrawn, observed, or in triage: not a department's
    return None


def _is_void(appeal: Appeal | None) -> bool:
    return appeal is not None and appeal.request_type is RequestType.INVALID


def _posted(appeal: Appeal | None) -> datetime | None:
    return None if appeal is None else _moment(appeal.posted_at)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _last(case: Case, kind: Kind) -> Event | None:
    return next((event for event in reversed(case.events) if event.kind is kind), None)
