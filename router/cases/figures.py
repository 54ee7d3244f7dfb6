"""Figures (指标, domain/KPIS.md): reckoned over a span of time, of all, of each unit, of each source. Pure.

What each asks stands in definitions.py. It is reckoned from facts (facts.py), one a case: `intake export ledger` writes
the same facts, and docs/figures.py reckons every figure again from them without this system. Praise, linked, declined,
withdrawn and excluded cases (剔除) are in no rate; a case counts for its present lead, a return for who made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from router.cases.asked import Span, accepted, is_open
from router.cases.definitions import FIGURES as FIGURES
from router.cases.facts import Fact
from router.cases.measures import Identity, Measure, Rate
from router.cases.reckoning import Figure as Figure

LOW_COVERAGE = 30.0  #: percent visited, below which satisfaction must not be read alone
WAYS: Mapping[str, str] = MappingProxyType({"direct": "在线直办", "dispatched": "派单", "waiting": "流转中"})


def concerns(fact: Fact, span: Span) -> bool:
    """Say whether any figure of this span could ask about it."""
    if fact.opened_at >= span.until:
        return False
    if fact.way in {"dispatched", "waiting"} and fact.resolved_at is None:
        return True
    moments = (fact.opened_at, fact.close_due, fact.contact_due, fact.sign_due, fact.dispatch_due, fact.visited_at)
    ends = (fact.resolved_at, fact.closed_at, fact.dispatched_at, fact.suspended_at)
    return any(moment is not None and moment >= span.since for moment in (*moments, *ends))


def reckon(facts: Sequence[Fact], span: Span) -> dict[str, Measure]:
    """Reckon every figure."""
    found = {figure.name: figure.reckon(facts, span) for figure in FIGURES}
    coverage = found["visited"]
    assert isinstance(coverage, Rate)
    if coverage.percent is not None and coverage.percent < LOW_COVERAGE:
        for name in ("solved", "satisfied", "satisfied_wide"):
            rate = found[name]
            assert isinstance(rate, Rate)
            found[name] = rate._replace(caveat="回访覆盖率不足 30%，不得单独发布")
    return found


def of_units(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Put the facts to the units that they count for: lead, assisting, and whoever had it before."""
    units: dict[str, list[Fact]] = {}
    for fact in facts:
        for unit in {fact.unit, *fact.assist, *(hand.unit for hand in fact.hands)} - {None}:
            units.setdefault(unit or "", []).append(fact)
    return units


def of_sources(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Put the facts to their sources: the quality of data is told of each."""
    sources: dict[str, list[Fact]] = {}
    for fact in facts:
        sources.setdefault(fact.source, []).append(fact)
    return sources


def identities(facts: Sequence[Fact], span: Span) -> list[Identity]:
    """恒等式 (domain/KPIS.md 2): what must add up."""
    mine = [fact for fact in facts if accepted(fact, span)]
    ways = {title: sum(fact.way == way for fact in mine) for way, title in WAYS.items()}
    ended = sum(fact.way == "direct" or fact.resolved_at is not None for fact in mine)
    return [
        Identity("受理量", len(mine), ways),
        Identity("受理量", len(mine), {"已办结": ended, "在办": sum(map(is_open, mine))}),
    ]
