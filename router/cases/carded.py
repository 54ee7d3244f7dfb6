"""Which departments stand under a card (黄牌、红牌) for what they still have to do, read off the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from router.cases.case import Event
from router.cases.moves import Kind
from router.cases.track import Colour, Track

#: What ends a card: the step that was due, or the end of it all.
_MET: Mapping[str, str] = MappingProxyType(
    {"sign": "signed", "contact": "contacted", "interim": "interim", "close": "resolved"}
)
_GRANTS = frozenset({Kind.EXTENSION_GRANTED, Kind.SUSPENSION_GRANTED, Kind.RECOMPUTED})


def carded(tracks: dict[str, Track], events: Sequence[Event]) -> dict[str, Track]:
    """Put to each track the gravest card that it stands under; most cases were shown none."""
    shown = [event for event in events if event.kind is Kind.CARDED]
    if not shown:
        return tracks
    granted = [event for event in events if event.kind in _GRANTS]
    return {code: _with_card(code, track, shown, granted) for code, track in tracks.items()}


def gravest(colours: Iterable[Colour | None]) -> Colour | None:
    """Red before yellow."""
    shown = set(colours)
    return "red" if "red" in shown else "yellow" if "yellow" in shown else None


def _with_card(code: str, track: Track, shown: Iterable[Event], granted: Sequence[Event]) -> Track:
    if track.resolved is not None:
        return track
    left = [
        event
        for event in shown
        if event.department == code
        and event.at >= track.begun
        and getattr(track, _MET[event.data["kind"]]) is None
        # What was granted, or announced, after it has moved its deadline.
        and not any(grant.department == code and grant.n > event.n and _moves(grant, event) for grant in granted)
    ]
    colour = gravest(event.data["colour"] for event in left)
    since = min((event.at for event in left if event.data["colour"] == colour), default=None)
    return replace(track, card=colour, carded_at=since)


def _moves(grant: Event, card: Event) -> bool:
    if grant.kind is Kind.RECOMPUTED:
        return any(
            row["kind"] == card.data["kind"] and row["before"] != row["after"] for row in grant.data["deadlines"]
        )
    if grant.kind is Kind.SUSPENSION_GRANTED:
        return bool(card.data["deadline"] > grant.at)  # what was over before the clock stood still stays over
    return bool(card.data["kind"] == "close")
