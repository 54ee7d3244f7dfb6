"""When a department must have done what (时限): its own deadlines, moved by what was granted, and yellow before red.

The clock of an order starts with its arrival. Yellow is at 80 % of a span, red at its end. An extension counts from
the old deadline; a granted suspension stops the clock, and what was left goes on after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from normalizer.appeal import RequestType, instant
from router.cases.calendar import Calendar
from router.cases.case import Case, holders
from router.cases.deadlines import Deadline, Deadlines, Kind, due, end_of, in_working_hours, local, worked
from router.cases.moves import Kind as EventKind
from router.cases.moves import State
from router.cases.suspended import suspended
from router.cases.track import Handling, Track
from router.cases.work import Work
from router.dispatch import SHANGHAI, MessageType, Role

YELLOW = 0.8  #: of the span
CALLBACK_WITHIN = timedelta(days=7)  #: then a case that nobody visited is closed (回访期满)
MOST_EXTENSION = 60  #: working days, where the span to close is not in working days
RETURN_WITHIN = "d1"  #: later no return is possible (退单时限)

Colour = Literal["yellow", "red"]
Pauses = Sequence[tuple[datetime, datetime | None]]


class Due(NamedTuple):
    """One deadline of one department."""

    department: str
    kind: Kind
    yellow: datetime
    at: datetime
    rule: str
    provisional: bool
    met: bool


class Limits(NamedTuple):
    """Until when a department may ask for what, and how much (时限规则)."""

    return_until: datetime | None = None
    extend_until: datetime | None = None  #: the deadline to close
    extend_most: int = MOST_EXTENSION  #: working days


class Card(NamedTuple):
    """黄牌 or 红牌: a deadline that comes near, or is over."""

    due: Due
    colour: Colour


class Moves(NamedTuple):
    """What was granted to a department, as its messages carry it."""

    extended: int
    pauses: Pauses

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Moves:
        """Read it off what a message tells."""
        return cls(told.get("extended", 0), [(begin, end) for begin, end in told.get("pauses", ())])


class Clock(NamedTuple):
    """What a case's deadlines depend on beside the case."""

    deadline_class: str
    request_type: RequestType
    deadlines: Deadlines
    calendar: Calendar


@lru_cache(maxsize=4096)
def first_look(clock: Clock, begun: datetime) -> datetime | None:
    """When a new order gets its first card if nobody does anything."""
    return min(
        (yellow for _, _, yellow, _ in _reckoned(clock, Track(state=Work.DISPATCHED, begun=begun))), default=None
    )


def dues(case: Case, clock: Clock) -> list[Due]:
    """Give every deadline of every department that has the case to act on."""
    return [each for code, track in tracks_of(case).items() for each in dues_of(code, track, clock)]


def dues_of(department: str, track: Track, clock: Clock) -> list[Due]:
    """Give every deadline of one department's order."""
    return [
        Due(department, kind, yellow, at, rule, provisional, _is_met(kind, track))
        for kind, rule, yellow, (at, provisional) in _reckoned(clock, track)
    ]


def tracks_of(case: Case) -> dict[str, Track]:
    """Give the tracks of lead and assisting departments, also where nothing was heard yet."""
    heard = case.handling.tracks if case.handling else {}
    begun = {row.department: row.at for row in case.dispatches if row.type is MessageType.DISPATCHED}
    return {
        code: heard.get(code) or Track(state=Work.DISPATCHED, begun=begun[code])
        for code, role in holders(case).items()
        if role is not Role.COPY and code in begun
    }


def cards(case: Case, clock: Clock, now: datetime) -> list[Card]:
    """Give the cards that are to be shown now and were not shown yet; red makes yellow needless."""
    shown = _shown(case)
    found = []
    for each in dues(case, clock):
        if each.met or each.yellow > now:
            continue
        colour: Colour = "red" if each.at <= now else "yellow"
        if (each.department, each.kind, colour, each.at) not in shown:
            found.append(Card(each, colour))
    return found


def next_look(case: Case, clock: Clock) -> datetime | None:
    """When the clock must look at this case again."""
    if case.goal is not State.DELIVERED:
        return None
    handling = case.handling or Handling()
    if handling.work is Work.CLOSED:
        return None
    shown = _shown(case)
    moments = [
        moment
        for each in dues(case, clock)
        if not each.met
        for colour, moment in (("yellow", each.yellow), ("red", each.at))
        if (each.department, each.kind, colour, each.at) not in shown
        and (each.department, each.kind, "red", each.at) not in shown
    ]
    moments += [each.until for each in suspended(case) if each.until is not None]
    if handling.work is Work.CALLBACK and handling.since is not None:
        moments.append(handling.since + CALLBACK_WITHIN)
    return min(moments, default=None)


def limits_of(case: Case, department: str, clock: Clock | None) -> Limits:
    """Say until when this department may ask for what, on this case."""
    track = tracks_of(case).get(department)
    if clock is None or track is None:
        return Limits()
    close = [each.at for each in dues(case, clock) if (each.department, each.kind) == (department, "close")]
    spans = {kind: span for _, kind, span in clock.deadlines.spans(clock.deadline_class, clock.request_type)}
    span = spans.get("close", "")
    return Limits(
        return_until=due(RETURN_WITHIN, track.begun, clock.calendar)[0],
        extend_until=close[0] if close else None,
        extend_most=int(span[1:]) if span.startswith("d") else MOST_EXTENSION,
    )


def extended(at: datetime, working_days: int, calendar: Calendar) -> tuple[datetime, bool]:
    """Move a deadline by working days, counted from itself; an announcement may still change it."""
    day, provisional = calendar.after(_last_day(at), working_days)
    return end_of(day), provisional


def moved(deadlines: list[Deadline], begun: datetime, moves: Moves, clock: Clock) -> list[Deadline]:
    """Give these deadlines as they are after what was granted; while the clock stands still there are none."""
    if not moves.extended and not moves.pauses:
        return deadlines
    track = Track(state=Work.DISPATCHED, begun=begun, extended=moves.extended, pauses=list(moves.pauses))
    now = {kind: found for kind, _, _, found in _reckoned(clock, track)}
    return [
        replace(each, at=instant(now[each.kind][0]), local=local(now[each.kind][0]), provisional=now[each.kind][1])
        for each in deadlines
        if each.kind in now
    ]


# ---------------------------------------------------------------- inside


def _shown(case: Case) -> set[tuple[str | None, str, str, datetime]]:
    return {
        (event.department, event.data["kind"], event.data["colour"], event.data["deadline"])
        for event in case.events
        if event.kind is EventKind.CARDED
    }


def _reckoned(clock: Clock, track: Track) -> Iterator[tuple[Kind, str, datetime, tuple[datetime, bool]]]:
    if track.pauses and track.pauses[-1][1] is None:
        return  # the clock stands still
    for found, kind, span in clock.deadlines.spans(clock.deadline_class, clock.request_type):
        shifts = clock.deadlines.shifts
        at, provisional = due(span, track.begun, clock.calendar, shifts)
        yellow, _ = due(span, track.begun, clock.calendar, shifts, share=YELLOW)
        if kind == "close" and track.extended:
            # What was granted is warned of when it is as far gone as the rest was.
            yellow, (at, open_) = at, extended(at, track.extended, clock.calendar)
            provisional = provisional or open_
        yellow, _ = _after(yellow, span[0], track.pauses, clock)
        at, open_ = _after(at, span[0], track.pauses, clock)
        yield kind, f"{found.code} {span}", yellow, (at, provisional or open_)


def _after(moment: datetime, unit: str, pauses: Pauses, clock: Clock) -> tuple[datetime, bool]:
    """Move a moment by the pauses before it, in the unit in which its span counts; as exact in its day as it was."""
    provisional = False
    for begin, end in pauses:
        if end is None or begin >= moment:
            continue
        if unit == "d":
            day, stood = _last_day(moment), _working_days(begin, end, clock.calendar)
            to, open_ = clock.calendar.after(day, stood)
            moment, provisional = moment + (to - day), provisional or open_
        elif unit == "h":
            shifts = clock.deadlines.shifts
            stood_still = worked(begin, end, clock.calendar, shifts)
            if stood_still:
                moment, open_ = in_working_hours(moment.astimezone(SHANGHAI), stood_still, clock.calendar, shifts)
                provisional = provisional or open_
        else:
            moment += timedelta(days=len(_days(begin, end))) if unit == "D" else end - begin
    return moment, provisional


def _last_day(moment: datetime) -> date:
    """The day whose 24:00 a deadline may be."""
    return (moment - timedelta(microseconds=1)).astimezone(SHANGHAI).date()


def _days(begin: datetime, end: datetime) -> list[date]:
    first, last = (each.astimezone(SHANGHAI).date() for each in (begin, end))
    return [first + timedelta(days=each + 1) for each in range((last - first).days)]


def _working_days(begin: datetime, end: datetime, calendar: Calendar) -> int:
    return sum(map(calendar.is_working, _days(begin, end)))


def _is_met(kind: Kind, track: Track) -> bool:
    done = {"sign": track.signed, "contact": track.contacted, "interim": track.interim, "close": track.resolved}
    return done[kind] is not None or track.resolved is not None
