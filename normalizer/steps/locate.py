"""Find where it is (事发地): district, street, community and well-known place, as far as that is certain.

The address is asked first, then the text. A name that can mean two places counts only where something else decides
between them; what stays open stays None.
"""

from __future__ import annotations

import re

from normalizer.draft import Draft
from normalizer.places import Gazetteer, Spot
from normalizer.tables import Tables

#: The depth of a well-known place: nothing is more exact.
POI = 4
#: Places of letters whose names were taken out before we got them: A市A3区, K9县.
_CODED_GATE = re.compile(r"[A-Z][0-9]{0,3}[市区县]")
_CODED = re.compile(r"(?<![A-Za-z0-9])(?:([A-Z])市)?([A-Z][0-9]{1,3}(?:区|县|市))")
_CODED_CITY = re.compile(r"(?<![A-Za-z0-9])[A-Z]市")


def locate(draft: Draft, tables: Tables) -> None:
    """Set the place."""
    gazetteer = tables.places
    draft.city = gazetteer.city
    spot = _spot_in(draft.address or "", gazetteer, None)
    if spot is None or spot.depth < POI:
        in_text = _spot_in(_said(draft), gazetteer, spot)
        spot = _joined(spot, in_text)
    if spot is not None:
        draft.district, draft.street = spot.district, spot.street
        draft.community, draft.poi = spot.community, spot.poi
        return
    _locate_coded(draft)


def _said(draft: Draft) -> str:
    """A part of a message is where the message's title says, if it does not say itself."""
    return f"{draft.message_title}\n{draft.body}" if draft.message_title else draft.body


def _joined(known: Spot | None, more: Spot | None) -> Spot | None:
    """Let the text add to the address, never contradict it."""
    if known is None or more is None:
        return known or more
    return more if more.depth > known.depth and _agree(known, more) else known


def _agree(one: Spot, other: Spot) -> bool:
    """Say whether two places can be the same: what both name must be equal."""
    return one.district == other.district and all(
        a is None or b is None or a == b
        for a, b in ((one.street, other.street), (one.community, other.community), (one.poi, other.poi))
    )


def _spot_in(text: str, gazetteer: Gazetteer, known: Spot | None) -> Spot | None:
    """Find the most exact place that everything named in the text allows."""
    hits = gazetteer.find(text)
    if not hits:
        return None
    named = [gazetteer.spots[number] for _, _, number in hits]
    if len(named) == 1 and len(named[0]) == 1 and known is None:
        return named[0][0]  # most texts name one place, and nothing has to decide
    certain = [spots[0] for spots in named if len(spots) == 1]
    if known is not None:
        certain = [spot for spot in certain if spot.district == known.district] or [known]
    chosen: Spot | None = None
    districts = {spot.district for spot in certain}
    if len(districts) == 1:
        chosen = _deepest(certain)
    elif len(districts) > 1:
        chosen = _deepest_alone(certain)
    for spots in named:
        if len(spots) > 1:
            chosen = _choose(spots, chosen)
    return chosen


def _deepest(spots: list[Spot]) -> Spot:
    """Take the most exact of the places of one district; two streets leave only the district."""
    best = max(spots, key=lambda spot: spot.depth)
    streets = {spot.street for spot in spots if spot.street is not None}
    return best if len(streets) <= 1 else _deepest_alone(spots) or Spot(best.district)


def _deepest_alone(spots: list[Spot]) -> Spot | None:
    """Among places that contradict, take the one that is more exact than all others, else none."""
    depth = max(spot.depth for spot in spots)
    deepest = [spot for spot in dict.fromkeys(spots) if spot.depth == depth]
    return deepest[0] if len(deepest) == 1 and depth > 1 else None


def _choose(spots: tuple[Spot, ...], chosen: Spot | None) -> Spot | None:
    """Let what is certain decide between the places of one name; without it, keep what they have in common."""
    if chosen is not None:
        fitting = [spot for spot in spots if _agree(chosen, spot)]
        if len(fitting) == 1 and fitting[0].depth > chosen.depth:
            return fitting[0]
        return chosen
    districts = {spot.district for spot in spots}
    if len(districts) > 1:
        return None
    streets = {spot.street for spot in spots}
    return Spot(next(iter(districts)), next(iter(streets)) if len(streets) == 1 else None)


def _locate_coded(draft: Draft) -> None:
    """Read codes that stand for names; two different ones leave it open."""
    for text in (draft.address or "", _said(draft)):
        if _CODED_GATE.search(text) is None:
            continue
        found = {match[2] for match in _CODED.finditer(text)}
        city = _CODED_CITY.search(text)
        if city is not None:
            draft.city = city[0]
        if found:
            if len(found) == 1:
                draft.district = found.pop()
            return
