"""What a case teaches once its returns are decided and somebody has taken it on (退单定责). Pure.

A precedent needs both: a return that was upheld, by people or by the rule that they allowed, and the next unit's own
acceptance. Only returns that are about whose a case is teach anything; so does what a unit keeps where others like it
were returned, and what a lesson brought there.
"""

from __future__ import annotations

from collections.abc import Iterable

from normalizer.appeal import Appeal, Mode
from router.cases.case import Case, Event, feedback_of
from router.cases.ledger import ROUTER
from router.cases.moves import Kind, State
from router.cases.standing import standing
from router.cases.work import Ask
from router.dispatching.decide import ruled
from router.dispatching.directory import area_of_place
from router.dispatching.lessons import PREFIX, words_of
from router.dispatching.precedents import Precedent, Spot, called
from router.dispatching.tables import Tables

#: 属地不符, 职能不符, 权属不清, 职责交叉. The other codes say that something is missing, double, or not ours at all.
TEACHING = frozenset({"R1", "R2", "R3", "R4"})


def precedent_of(case: Case, appeal: Appeal, tables: Tables) -> Precedent | None:
    """Read off the ledger what this case teaches now; None: nothing."""
    spot = spot_of(appeal, tables) if case.mode is Mode.ROUTE and case.decision is not None else None
    if spot is None:
        return None
    name = _Names(appeal, tables)
    refused, turned_down = name.all(_decided(case, Kind.RETURN_UPHELD)), name.all(_decided(case, Kind.RETURN_REFUSED))
    signed = taken_on_by(case)
    owner = None if signed is None else name.of(signed)
    if not refused and not turned_down and not _teaches_unreturned(case, owner, spot[1]):
        return None
    if owner is not None and owner in refused:
        refused = [each for each in refused if each != owner]  # it came back to it in the end
    return Precedent(
        case=case.id,
        case_no=case.case_no,
        rule=spot[0],
        sent_to=spot[1],
        owner=owner,
        refused=refused,
        turned_down=turned_down,
        words=" ".join(words_of(appeal)),
        by=_by(case, signed),
        at=case.events[-1].at,
    )


def spot_of(appeal: Appeal, tables: Tables) -> Spot | None:
    """Say which rule sends an appeal where, as precedents have it."""
    found = ruled(appeal, tables)
    return (found[0], called(found[1], area_of_place(appeal.place))) if found else None


class _Names:
    """Calls units as precedents do."""

    def __init__(self, appeal: Appeal, tables: Tables) -> None:
        self._area, self._directory = area_of_place(appeal.place), tables.directory

    def of(self, code: str) -> str:
        unit = self._directory.get(code)
        return called(unit, self._area) if unit else code

    def all(self, codes: Iterable[str]) -> list[str]:
        return [self.of(code) for code in codes]


def taken_on_by(case: Case) -> str | None:
    """Say who has signed for it as its lead and does not ask to give it back; None: nobody (yet)."""
    lead = case.holder
    if case.goal is not State.DELIVERED or lead is None:
        return None
    track = standing(case).tracks.get(lead)
    return lead if track is not None and track.signed is not None and Ask.RETURN not in track.asks else None


def _teaches_unreturned(case: Case, owner: str | None, named: str) -> bool:
    """It went where the rule or a lesson sent it, and stayed there."""
    assert case.decision is not None
    return owner is not None and (owner == named or (case.decision.routing.rule or "").startswith(PREFIX))


def _decided(case: Case, as_: Kind) -> list[str]:
    """Give whose returns were decided so, of those that are about whose the case is."""
    asked = {feedback_of(event): event for event in case.events if event.kind is Kind.RETURN_ASKED}
    return [
        event.department or ""
        for event in case.events
        if event.kind is as_
        and (request := asked.get(feedback_of(event))) is not None
        and request.data.get("code") in TEACHING
    ]


def _by(case: Case, owner: str | None) -> str:
    """Name who decided: the last person who had a say in whose it is; else the unit itself."""
    said = {Kind.RETURN_UPHELD, Kind.RETURN_REFUSED, Kind.ASSIGNED, Kind.REASSIGNED}
    people: list[Event] = [event for event in case.events if event.kind in said and event.actor != ROUTER]
    return people[-1].actor if people else owner or ROUTER
