"""What a report is made of, read out of the store once: facts, cards, what is set aside, sources, the focus list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from connectors.keeping.sources import SourceState, SourceStore
from intake.cards import Held, cards
from intake.facts import Reader, within
from intake.focus import Row, focus, voices
from intake.parked import counted
from intake.reports.period import Period
from intake.screen import SHANGHAI
from router.cases.asked import COMPOSITE, Span, is_open
from router.cases.calendar import Calendar
from router.cases.facts import Fact
from router.cases.figures import reckon
from router.cases.measures import Measure
from router.dispatching.directory import Unit


class Material(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All of it."""

    period: Period
    now: datetime
    facts: Sequence[Fact]
    facts_a_year_ago: Sequence[Fact] = ()
    weights: Mapping[str, float] = COMPOSITE  #: of 综合分
    units: Mapping[str, Unit]
    categories: Mapping[str, str]
    calendar: Calendar
    versions: Mapping[str, str]
    cards: Sequence[Held] = ()
    parked: Mapping[str, int] = {}
    sources: Sequence[SourceState] = ()
    focus: Sequence[Row] = ()

    @cached_property
    def span(self) -> Span:
        return Span(self.period.since, self.period.until, weights=self.weights)

    @cached_property
    def span_before(self) -> Span:
        return Span(self.period.before, self.period.since, weights=self.weights)

    @cached_property
    def found(self) -> Mapping[str, Measure]:
        """The figures of the span."""
        return reckon(self.facts, self.span)

    @cached_property
    def found_before(self) -> Mapping[str, Measure]:
        """… and of the one before."""
        return reckon(self.facts, self.span_before)

    @cached_property
    def found_a_year_ago(self) -> Mapping[str, Measure]:
        """… and of 上年同期."""
        return reckon(self.facts_a_year_ago, Span(*self.period.a_year_ago, weights=self.weights))

    @cached_property
    def open(self) -> Sequence[Fact]:
        """What departments have and have not resolved, as it is now."""
        return [fact for fact in self.facts if is_open(fact) and fact.way == "dispatched" and self._begun(fact)]

    @cached_property
    def waiting(self) -> Sequence[Fact]:
        """What no department has yet."""
        return [fact for fact in self.facts if fact.way == "waiting" and self._begun(fact)]

    def unit(self, code: str | None) -> str | None:
        """Name a unit; one that has left the directory by its code."""
        if code is None:
            return None
        return self.units[code].short if code in self.units else code

    def category(self, code: str) -> str:
        """Name a category."""
        return f"{code} {self.categories.get(code, '')}".strip()

    def _begun(self, fact: Fact) -> bool:
        return fact.opened_at < self.period.until


async def material(reader: Reader, period: Period) -> Material:
    """Read it."""
    db, tables, now = reader.db, reader.tables, reader.now
    last = period.until.astimezone(SHANGHAI).date()
    first = period.before.astimezone(SHANGHAI).date()
    versions = tables.router.versions
    found, a_year_ago = await within(reader, Span(period.before, period.until), Span(*period.a_year_ago))
    return Material(
        period=period,
        now=now,
        facts=found,
        facts_a_year_ago=a_year_ago,
        weights=reader.settings.figures.weights,
        units=tables.router.directory.units,
        categories={code: each.name for code, each in tables.normalizer.classes.items()},
        calendar=tables.router.calendar,
        versions={
            "分类表": versions.taxonomy,
            "部门名录": versions.directory,
            "派单规则": versions.rules,
            "时限表": tables.router.deadlines.version,
            "工作日历": f"已公布 {'、'.join(map(str, sorted(tables.router.calendar.years)))} 年",
        },
        cards=await cards(db),
        parked=await counted(db),
        sources=await SourceStore(db.sources).states(),
        focus=focus(await voices(db, first, last), now) if period.length != "daily" else (),
    )
