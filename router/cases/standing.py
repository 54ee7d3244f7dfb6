"""Read off the ledger where the work stands (读台账): a pure function of the events, whatever their order of arrival.

What a department says is put in the order in which it says that it happened, then goes through the one table. So a
repeat, a straggler or a whole replay in any order gives the same state; only what the centre did stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from router.cases.carded import carded, gravest
from router.cases.case import Case, Event, feedback_of
from router.cases.moves import Because, Kind, State
from router.cases.track import Handling, Reply, Track
from router.cases.work import FEEDBACK_EVENTS, STEPS, Ask, Step, Work

ENOUGH = 3  #: tries to reach a citizen
#: A request that is open is shown before what was: the gravest first.
_SHOWN = {
    Ask.RETURN: Work.RETURN_REQUESTED,
    Ask.SUSPENSION: Work.SUSPENSION_REQUESTED,
    Ask.EXTENSION: Work.EXTENSION_REQUESTED,
}
_DECIDED: Mapping[Kind, bool] = {
    Kind.RETURN_UPHELD: True,
    Kind.RETURN_REFUSED: False,
    Kind.EXTENSION_GRANTED: True,
    Kind.EXTENSION_REFUSED: False,
    Kind.SUSPENSION_GRANTED: True,
    Kind.SUSPENSION_REFUSED: False,
}


_Feedback = tuple[str | None, str]  #: feedback_of


@dataclass(kw_only=True)
class _Round:
    """One department's order, or one round of it."""

    begun: datetime
    base: Work = Work.DISPATCHED
    said: list[Event] = field(default_factory=list)


@dataclass(kw_only=True)
class _Read:
    """What one reading of the ledger gathers."""

    rounds: dict[str, _Round] = field(default_factory=dict)
    decided: dict[_Feedback, Event] = field(default_factory=dict)  #: a request → its decision
    over: dict[_Feedback, Event] = field(default_factory=dict)  #: a suspension → the end of its time
    closed: bool = False
    consulting: bool = False
    followed: Work | None = None  #: how far the order is that carries this case
    replies: list[Reply] = field(default_factory=list)
    reviewed: set[_Feedback] = field(default_factory=set)


def standing(case: Case) -> Handling:
    """Say where everything stands; the answers to the source are kept as they are."""
    read = _read(case.events)
    tracks = carded({code: _track(of, read) for code, of in read.rounds.items()}, case.events)
    work = _work(case, read, tracks)
    kinds = [event.kind for event in case.events]
    before = case.handling or Handling()
    lead = tracks.get(case.holder or "")
    waits = lead.reply if lead is not None and (case.holder, lead.reply) not in read.reviewed else None
    return replace(
        before,
        work=work,
        since=before.since if work is before.work else case.events[-1].at,
        tracks=tracks,
        returns=[event.department or "" for event in case.events if event.kind is Kind.RETURN_UPHELD],
        urged=kinds.count(Kind.URGED) + _said_again(case.events),
        supervised=Kind.SUPERVISED in kinds,
        reopened=kinds.count(Kind.REOPENED),
        visited=Kind.VISITED in kinds,
        card=gravest(track.card for track in tracks.values()),
        waits_review=waits,
        reply=read.replies[-1] if read.replies else None,
    )


def _said_again(events: Iterable[Event]) -> int:
    """Count the times that its own author said it again, which is one case with one more urge (催办)."""
    now: set[str] = set()
    for event in events:
        if event.kind is Kind.CARRIES and event.data["because"] == Because.SAME_PERSON:
            now.add(event.data["case"])
        elif event.kind is Kind.LETS_GO:
            now.discard(event.data["case"])
    return len(now)


def said_at(event: Event) -> tuple[datetime, str]:
    """When a department says that something happened; its id settles what happened at the same moment."""
    moment: datetime = event.data["said_at"]
    return moment.replace(tzinfo=moment.tzinfo or UTC), event.data["feedback"]


def _read(events: Iterable[Event]) -> _Read:
    read = _Read()
    for event in events:
        if event.kind in FEEDBACK_EVENTS:
            if event.department in read.rounds:
                read.rounds[event.department].said.append(event)
        elif event.kind is Kind.FOLLOWED:
            read.followed = Work(event.data["work"]) if event.data["work"] else None
            if "text" in event.data and event.data["text"] not in {reply.text for reply in read.replies[-1:]}:
                read.replies.append(_reply(event))
        elif event.kind in _DECIDED:
            read.decided[feedback_of(event)] = event
        elif event.kind is Kind.SUSPENSION_ENDED:
            read.over[feedback_of(event)] = event
        elif event.kind is Kind.REVIEWED:
            read.reviewed.add(feedback_of(event))
            if event.data["approved"]:
                read.replies.append(_reply(event))
        else:
            _begin_or_end(read, event)
    return read


def _begin_or_end(read: _Read, event: Event) -> None:
    """Take in what begins or ends an order."""
    match event.kind:
        case Kind.DISPATCHED:
            read.closed = read.consulting = False
            for code in event.data.get("departments", ()):
                read.rounds[code] = _Round(begun=event.at)
        case Kind.RECALLED:
            read.rounds.pop(event.department or "", None)
        case Kind.WITHDRAWN:
            read.rounds.clear()
        case Kind.CONSULTED:
            read.consulting = True
        case Kind.REOPENED:
            read.closed = False
            for code in event.data["departments"]:
                read.rounds[code] = _Round(begun=event.at, base=Work.REOPENED)
        case Kind.CLOSED:
            read.closed = True


def _reply(event: Event) -> Reply:
    return Reply(
        text=event.data["text"],
        feedback=event.data["feedback"],
        department=event.department or "",
        by=event.actor,
        at=event.at,
    )


def _work(case: Case, read: _Read, tracks: Mapping[str, Track]) -> Work | None:
    if case.goal is State.TRIAGE:
        return Work.CONSULTATION if read.consulting else None
    if case.goal is State.LINKED:
        return read.followed
    if case.goal is not State.DELIVERED:
        return None
    if read.closed:
        return Work.CLOSED
    lead = tracks.get(case.holder or "")
    return Work.DISPATCHED if lead is None else lead.state


@dataclass(kw_only=True)
class _Fold:
    """What one round comes to, step by step."""

    base: Work
    asks: dict[Ask, str] = field(default_factory=dict)
    extended: int = 0
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    over: Event | None = None  #: the end of the time that was granted for the present suspension

    def go_on(self, at: datetime) -> None:
        """Let the clock run again, from the first moment at which anybody said so."""
        if self.over is not None:
            at = min(at, self.over.at)
        self.over = None
        self.pauses = [(begin, end or at) for begin, end in self.pauses]

    def wake(self) -> None:
        """Work goes on: the time granted is over."""
        assert self.over is not None
        self.go_on(self.over.at)
        self.base = Work.HANDLING

    def grant(self, ask: Ask, answer: Event, over: Event | None) -> None:
        if ask is Ask.EXTENSION:
            self.extended += int(answer.data.get("working_days", 0))
        elif ask is Ask.SUSPENSION:
            self.base, self.over = Work.SUSPENDED, over
            self.pauses.append((answer.at, None))


def _track(of: _Round, read: _Read) -> Track:
    fold = _Fold(base=of.base)
    for event in sorted(of.said, key=said_at):
        if fold.over is not None and said_at(event)[0] >= fold.over.at:
            fold.wake()
        step = STEPS[FEEDBACK_EVENTS[event.kind]]
        if fold.base in step.before:
            _take(fold, event, step, read)
    if fold.over is not None:
        fold.wake()
    return _with_moments(of, fold)


def _take(fold: _Fold, event: Event, step: Step, read: _Read) -> None:
    if step.ask is None:
        fold.base = step.after or fold.base
        if event.kind is Kind.RESUMED:
            fold.go_on(event.at)
        elif event.kind in {Kind.REPLIED, Kind.RESOLVED}:
            fold.asks.clear()  # whoever answers no longer wants to give it back
            fold.go_on(event.at)
        return
    answer = read.decided.get(feedback_of(event))
    if answer is None:
        fold.asks[step.ask] = event.data["feedback"]
        return
    fold.asks.pop(step.ask, None)
    if _DECIDED[answer.kind]:
        fold.grant(step.ask, answer, read.over.get(feedback_of(event)))


def _with_moments(of: _Round, fold: _Fold) -> Track:
    first: dict[Kind, datetime] = {}
    for event in of.said:
        first[event.kind] = min(first.get(event.kind, event.at), event.at)
    replies = sorted((event for event in of.said if _says_publicly(event)), key=said_at)
    beyond = [at for kind, at in first.items() if kind is not Kind.TAKEN_IN]
    return Track(
        state=next((state for ask, state in _SHOWN.items() if ask in fold.asks), fold.base),
        begun=of.begun,
        asks=fold.asks,
        extended=fold.extended,
        pauses=fold.pauses,
        received=min(first.values(), default=None),
        signed=min(beyond, default=None),  # whoever works on it has taken it on
        contacted=_contacted(of.said),
        interim=_earliest(first, Kind.INTERIM_REPLIED, Kind.REPLIED, Kind.RESOLVED),
        resolved=first.get(Kind.RESOLVED),
        reply=replies[-1].data["feedback"] if replies else None,
    )


def _says_publicly(event: Event) -> bool:
    return event.kind in {Kind.INTERIM_REPLIED, Kind.REPLIED} and bool(event.data.get("reply_public"))


def _contacted(said: Iterable[Event]) -> datetime | None:
    """Reached, or tried three times: that is what is asked of a department (KPIS.md 3.7), at once or one by one."""
    tries = sorted((event for event in said if event.kind is Kind.CONTACTED), key=lambda event: event.at)
    done = [event.at for event in tries if event.data.get("reached", True) or event.data.get("attempts", 0) >= ENOUGH]
    return min([*done, *(event.at for event in tries[ENOUGH - 1 : ENOUGH])], default=None)


def _earliest(first: Mapping[Kind, datetime], *kinds: Kind) -> datetime | None:
    return min((first[kind] for kind in kinds if kind in first), default=None)
