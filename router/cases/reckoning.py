"""How a figure is reckoned from facts: counted, as a rate, as a spread of hours, as a score. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from router.cases import asked as ask
from router.cases.asked import How, Span
from router.cases.facts import Fact
from router.cases.measures import Count, Measure, Rate, Score, Spread

#: 数据质量分: what each part weighs.
QUALITY: Mapping[str, float] = MappingProxyType(
    {"complete": 40, "placed": 15, "grounded": 15, "dated": 10, "fresh": 10, "readable": 10}
)
Kind = Literal["count", "rate", "spread", "score"]


class Figure(NamedTuple):
    """One definition, and how it is reckoned."""

    name: str
    title: str
    definition: str  #: 分子、分母、时间口径、排除
    kind: Kind
    reckon: Callable[[Sequence[Fact], Span], Measure]


def count(name: str, title: str, definition: str, how: How) -> Figure:
    """Give a figure that adds up; it opens to whatever was counted."""

    def counted(facts: Sequence[Fact], span: Span) -> Count:
        of = {fact.case: int(how(fact, span)) for fact in facts}
        return Count(sum(of.values()), tuple(case for case, n in of.items() if n))

    return Figure(name, title, definition, "count", counted)


def rate(name: str, title: str, definition: str, asked: How, counts: How, *, bad: bool = False) -> Figure:
    """Give a rate. `bad`: it opens to the cases that count, for the others to those that do not."""

    def rated(facts: Sequence[Fact], span: Span) -> Rate:
        rows = [(fact.case, int(of), int(counts(fact, span))) for fact in facts if (of := asked(fact, span))]
        opened = tuple(case for case, of, n in rows if (n if bad else n < of))
        return Rate(sum(row[2] for row in rows), sum(row[1] for row in rows), opened)

    return Figure(name, title, definition, "rate", rated)


def spread(name: str, title: str, definition: str, asked: How) -> Figure:
    """Give a figure of hours; it opens to what it asks about, the longest first."""

    def spread(facts: Sequence[Fact], span: Span) -> Spread:
        return Spread.of(
            {fact.case: fact.worked_seconds for fact in facts if asked(fact, span) and fact.worked_seconds is not None}
        )

    return Figure(name, title, definition, "spread", spread)


def people(facts: Sequence[Fact], span: Span) -> Count:
    """诉求人数."""
    mine = [fact for fact in facts if ask.accepted(fact, span)]
    known = {fact.person for fact in mine if fact.person is not None}
    return Count(len(known) + sum(fact.person is None for fact in mine), tuple(fact.case for fact in mine))


def quality(facts: Sequence[Fact], span: Span) -> Score:
    """数据质量分; it opens to what lacks anything."""
    mine = [
        fact
        for fact in facts
        if span.owns(fact) and span.has(fact.opened_at) and (fact.way is not None or fact.excluded == "unreadable")
    ]
    # What could not be read says nothing of its fields.
    read = [fact for fact in mine if fact.excluded != "unreadable"]
    parts = {
        part: Rate(sum(part not in fact.lacks for fact in of), len(of))
        for part in QUALITY
        for of in [mine if part == "readable" else read]
    }
    return Score.of(QUALITY, parts, [fact.case for fact in mine if fact.lacks])


def composite(parts: Sequence[Figure]) -> Callable[[Sequence[Fact], Span], Score]:
    """Weigh some rates; who looks into it sees what any of them lacks."""

    def scored(facts: Sequence[Fact], span: Span) -> Score:
        found = {part.name: part.reckon(facts, span) for part in parts}
        rates = {name: part for name, part in found.items() if isinstance(part, Rate)}
        cases = dict.fromkeys(case for rate in rates.values() for case in rate.cases)
        return Score.of(span.weights, rates, list(cases))

    return scored


def when(of: How, *tests: Callable[[Fact], object]) -> How:
    """Narrow what is asked about."""
    return lambda fact, span: bool(of(fact, span)) and all(test(fact) for test in tests)
