"""A varied ledger for the figures: random histories of every kind of appeal, some of them said again."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache

from msgspec.structs import replace

from normalizer.appeal import Appeal, Citizen, Evidence, Links, Place, RequestType, Signals, Urgency, instant
from router.cases.case import Case
from router.cases.centre import Satisfied, Solved, Visit, visit
from router.cases.echoes import Echo, echoes
from router.cases.facts import Fact, fact_of, unreadable
from tests.router.cases.histories import CLOCK, UNITS, history
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT, appeal

NOW = AT + timedelta(days=75)


def varied(seed: int, earlier: list[str]) -> Appeal:
    """One appeal as good or bad as any source sends it."""
    chance = random.Random(seed)
    posted = AT - timedelta(hours=chance.choice([0, 1, 30, -1]))
    evidence = [Evidence(field="text", start=0, end=2, text="路灯", why="照明")]
    return replace(
        appeal(),
        channel=chance.choice(["hotline", "forum", "petition", "grid"]),
        request_type=chance.choice(
            [each for each in RequestType if each is not RequestType.INVALID] * 3 + [*RequestType]
        ),
        posted_at=chance.choice([None, instant(posted), instant(posted)]),
        place=chance.choice([Place(), Place(district="望湖区")]),
        citizen=Citizen(ref=chance.choice([None, "r1", "r2", "r3"])),
        signals=Signals(evidence=chance.choice([[], evidence])),
        links=Links(same_person=earlier),
    )


def worked_through(chance: random.Random) -> Case:
    """What random histories seldom come to: signed, contacted, resolved, and mostly visited."""
    unit = chance.choice(UNITS)
    case = delivered(f"{unit}+GAJ" if unit != "GAJ" else unit)
    for hours, kind in (
        (1, "accepted"),
        (chance.choice([20, 300]), "contacted"),
        (chance.choice([30, 700]), "resolved"),
    ):
        case = heard(case, said(case, kind, department=unit), department=unit, at=AT + timedelta(hours=hours))
    solved: Solved = chance.choice(["yes", "explained", "no"])
    satisfied: Satisfied = chance.choice(["very", "basically", "no"])
    met = Visit(reached=True, solved=solved, satisfied=satisfied, objective=chance.random() < 0.3)
    return visit(case, met, "李", AT + timedelta(days=31)) if chance.random() < 0.7 else case


@cache
def ledger(size: int = 300) -> tuple[Fact, ...]:
    """The facts of so many random cases, as the front door would read them."""
    chance, rows = random.Random(7), list[Fact]()
    for seed in range(size):
        earlier = [f"c{chance.randrange(seed)}" for _ in range(2)] if seed and chance.random() < 0.3 else []
        of, case = varied(seed, earlier), history(seed)[0] if seed % 3 else worked_through(chance)
        case.urgency = chance.choice(list(Urgency))
        fact = fact_of(case, CLOCK, NOW, appeal=of, person=seed % 40 or None, repeats=earlier)
        later = timedelta(hours=chance.choice([0, 5, 200, 900]))
        changed = {"case": f"c{seed}", "channel": of.channel, "said_at": fact.said_at + later}
        rows.append(replace(fact, **changed, source=chance.choice(["one", "two"])))
    rows += [unreadable(f"bad{number}", "two", "forum", AT, NOW) for number in range(5)]
    rows = [replace(row, **_befallen(number, row)) for number, row in enumerate(rows)]
    found = echoes({row.case: row.repeats for row in rows if row.repeats}, {row.case: row.said_at for row in rows})
    return tuple(
        replace(row, said_before=found.get(row.case, Echo()).before, said_again=found.get(row.case, Echo()).again)
        for row in rows
    )


def _befallen(number: int, row: Fact) -> dict[str, object]:
    """What random histories do not come to, and every ledger of a real city has."""
    if row.repeats and number % 11 == 0:
        return {"excluded": "linked", "way": None}
    if row.excluded is not None:
        return {"excluded": "informed", "way": "direct"} if number % 5 == 0 and row.way else {}
    rare: list[dict[str, object]] = [
        {"excluded": "exempt"},
        {"unreachable": True},
        {"suspended_at": AT + timedelta(days=3)},
        {"type": "suggest", "resolution": "solved"},
        {"opened_at": AT - timedelta(days=9)},
        {"assist": ("GAJ", "ZJJ") if row.unit == "CGJ" else ("GAJ",)},
    ]
    return rare[number % 19] if number % 19 < len(rare) else {}
