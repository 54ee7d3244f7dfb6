"""The sentinel on the street: a watch beside each source that is read, with the calendar of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from connectors.base import Fetch
from connectors.source import Source
from connectors.watching.rhythm import SHANGHAI, DayKind, DayKindOf
from connectors.watching.watch import Offers, Watch
from intake.street.rooms import Rooms
from router.cases.calendar import Calendar

LOOK_AT_PUSHES_EVERY = 300.0  #: seconds; what is pushed to us is judged by the five minutes
_SATURDAY = 5


def day_kind_of(calendar: Calendar) -> DayKindOf:
    """A holiday is one by law; a make-up day is a workday, whatever the week says."""

    def kind(moment: datetime) -> DayKind:
        day = moment.astimezone(SHANGHAI).date()
        if calendar.is_working(day):
            return "workday"
        return "holiday" if calendar.is_holiday(day) or day.weekday() < _SATURDAY else "weekend"

    return kind


def watches_of(sources: Iterable[Source], rooms: Rooms) -> dict[str, Watch]:
    """A watch for each."""
    kind, store = day_kind_of(rooms.tables.router.calendar), rooms.connectors.store.watches
    return {source.name: Watch(source, store, now=rooms.clock.now, day_kind=kind) for source in sources}


async def look_at_pushes(watches: Mapping[str, Watch], rooms: Rooms, offers: Offers) -> bool:
    """One worker looks at each source that is pushed to us; it holds the source's lease while it does."""
    sources = rooms.connectors.store.sources
    for name, watch in watches.items():
        claim = await sources.claim(name, rooms.connectors.owner)
        if claim is None:
            continue  # another worker looks, or it is paused
        try:
            await watch.looks(claim, offers)
        finally:
            await sources.release(claim)
    return False


def overheard(watches: Mapping[str, Watch]) -> Callable[[Source, Fetch], Fetch]:
    """Lay each watch over its source's way to the network."""
    return lambda source, fetch: watches[source.name].over(fetch) if source.name in watches else fetch
