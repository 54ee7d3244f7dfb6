"""A small city for the tests of this room: five units, appeals with chosen fates, a room on real servers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from normalizer.appeal import (
    Appeal,
    Category,
    Change,
    Citizen,
    DecidedBy,
    Engagement,
    Handed,
    Mode,
    Place,
    Quality,
    RequestType,
    Routing,
    Signals,
    Thread,
    Urgency,
    Versions,
    appeal_of,
)
from router.cases.stamps import Stamper
from router.dispatch import Context, Decision, Outcome
from router.dispatching.directory import Directory, Unit
from router.dispatching.tables import Tables, load_tables

STAMPER = Stamper({1: b"stamps of a test"})
AT = datetime(2026, 11, 22, 1, 2, 3, 4000, tzinfo=UTC)

UNITS = (
    Unit(code="ZJJ", name="住房和城乡建设局", short="住建局", role="ZJJ"),
    Unit(code="CGJ", name="城市管理局", short="城管局", role="CGJ"),
    Unit(code="GAJ", name="公安局", short="公安局", role="GAJ", urgent_lane=True),
    Unit(code="QZF", name="望湖区政府", short="望湖区", role="QXZF", area="望湖区", kind="terr", fallback=True),
    Unit(code="XFJ", name="信访局", short="信访局", role="XFJ", kind="na"),
)


def tables() -> Tables:
    """The packaged rules and clock over our five units."""
    packaged = load_tables(taxonomy_version="t1")
    return Tables(
        directory=Directory("d1", "云泽市", UNITS),
        rules=packaged.rules,
        taxonomy_version="t1",
        thresholds=packaged.thresholds,
        calendar=packaged.calendar,
        deadlines=packaged.deadlines,
        claims=packaged.claims,
        ref_key=b"k" * 32,
    )


def appeal(
    name: str = "a1", to: str = "ZJJ", revision: int = 1, urgency: Urgency = Urgency.NORMAL, text: str = "路灯不亮"
) -> Appeal:
    """An appeal whose fate stands in its subject entity: units joined by +, or triage, informed, broken."""
    return Appeal(
        id=name,
        revision=revision,
        channel="hotline",
        transport="pull",
        source="s",
        native_id=f"n-{name}",
        received_at="2026-11-22T01:02:03.000Z",
        title="路灯",
        text=text,
        request_type=RequestType.HELP,
        category=Category(code="0104", name="照明", path=["城建", "照明"], confidence=0.9),
        urgency=urgency,
        deadline_class="P2",
        place=Place(district="望湖区"),
        citizen=Citizen(ref="r"),
        engagement=Engagement(),
        thread=Thread(),
        quality=Quality(),
        fingerprint="f",
        signals=Signals(subject_entity=to),
    )


def decide(of: Appeal, context: Context, _tables: object = None) -> Decision:
    """Read the fate off the appeal."""
    fate = of.signals.subject_entity or "triage"
    if fate == "broken":
        raise ValueError("小区门口的路灯不亮")  # a text that must not be seen anywhere
    outcome = {"triage": Outcome.TRIAGE, "informed": Outcome.INFORMED}.get(fate, Outcome.DISPATCH)
    if context.mode in {Mode.OBSERVE, Mode.HISTORY}:
        outcome = Outcome.OBSERVED
    units = fate.split("+") if outcome is Outcome.DISPATCH else []
    routing = Routing(
        lead=units[0] if units else None,
        assist=units[1:],
        district="望湖区",
        decided_by=DecidedBy.RULE if units else DecidedBy.TRIAGE,
        rule="r",
        confidence=0.9,
        evidence=[],
        alternatives=[],
        versions=Versions(taxonomy="t1", directory="d1", rules="r1"),
    )
    return Decision(outcome=outcome, routing=routing, sentence="照明归住建局")


def handed(of: Appeal, change: Change = Change.NEW, mode: Mode = Mode.ROUTE) -> Handed:
    return Handed(appeal=of, mode=mode, change=change)


def revised(of: Appeal, to: str | None = None, **fields: Any) -> Appeal:
    """The next revision, perhaps for somebody else."""
    signals = of.signals if to is None else Signals(subject_entity=to)
    return replace(of, revision=of.revision + 1, signals=signals, **fields)


@dataclass
class Appeals:
    """Stands for the collections of the normalizer: every revision that was ever handed on."""

    kept: dict[tuple[str, int], Appeal] = field(default_factory=dict)

    def keep(self, *items: Handed) -> list[Handed]:
        for item in items:
            self.kept[item.appeal.id, item.appeal.revision] = item.appeal
        return list(items)

    def newest(self, name: str) -> Appeal:
        return self.kept[max(key for key in self.kept if key[0] == name)]

    async def load(self, keys: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Appeal]:
        found = {key: self.kept.get((appeal_of(key[0]), key[1])) for key in keys}
        return {key: appeal for key, appeal in found.items() if appeal is not None}


def fences() -> Callable[[], int]:
    counter = itertools.count(1)
    return lambda: next(counter)
