"""Daily, weekly and monthly reports (日报、周报、月报), for three audiences who must not be mixed up. Pure.

调度 tells the people on duty what to do now, 汇总 the leaders what was, 通报 the departments how they did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from intake.reports import closing, departments, lists, volumes
from intake.reports.document import Document, Table
from intake.reports.material import Material
from intake.reports.period import LENGTHS, Length
from intake.reports.words import CHANNELS, TYPES

Audience = Literal["调度", "汇总", "通报"]
BY_DEFAULT: Mapping[Length, Audience] = {"daily": "调度", "weekly": "汇总", "monthly": "通报"}
TOP = 10


def report(of: Material, audience: Audience, *, ranked: bool = False) -> Document:
    """Lay it out."""
    name, _, _ = LENGTHS[of.period.length]
    tables = _LAID_OUT[audience](of, ranked)
    return Document(title=f"{name} · {audience} · {of.period.title}", tables=tables, made=of.now)


def _dispatching(of: Material, _: bool) -> Sequence[Table]:
    return (
        volumes.overview(of),
        lists.critical(of),
        departments.holders(of),
        lists.overdue(of),
        lists.due_soon(of),
        lists.unsigned(of),
        lists.triage(of),
        lists.passed_around(of),
        closing.parked(of),
        *_volumes(of),
        closing.sources(of),
        closing.duty_gaps(of),
        closing.about(of),
    )


def _summary(of: Material, _: bool) -> Sequence[Table]:
    before = LENGTHS[of.period.length][1]
    return (
        volumes.overview(of),
        *_volumes(of),
        volumes.by(of, "按街道", "街道", volumes.street, TOP),
        lists.focus(of),
        departments.rates(of, before),
        departments.holders(of),
        lists.overdue(of),
        departments.returns(of),
        lists.passed_around(of),
        departments.next_days(of),
        closing.sources(of),
        closing.definitions(),
        closing.about(of),
    )


def _bulletin(of: Material, ranked: bool) -> Sequence[Table]:
    before = LENGTHS[of.period.length][1]
    return (
        volumes.overview(of),
        departments.results(of, ranked=ranked),
        departments.rates(of, before),
        lists.late(of),
        departments.returns(of),
        departments.exclusions(of),
        volumes.by(of, "按分类", "分类", lambda fact: of.category(fact.category), TOP),
        closing.definitions(),
        closing.about(of),
        Table(
            name="签发", headings=("签发人", "日期"), rows=[("", "")], notes=["签发后生效；附件：本期超期明细、口径。"]
        ),
    )


def _volumes(of: Material) -> Sequence[Table]:
    return (
        volumes.by(of, "按渠道", "渠道", lambda fact: CHANNELS.get(fact.channel, fact.channel)),
        volumes.by(of, "按类型", "类型", lambda fact: TYPES.get(fact.type, fact.type or "")),
        volumes.by(of, "按分类", "分类", lambda fact: of.category(fact.category), TOP),
        volumes.by(of, "按区县", "区县", volumes.place),
    )


_LAID_OUT: Mapping[Audience, Callable[[Material, bool], Sequence[Table]]] = {
    "调度": _dispatching,
    "汇总": _summary,
    "通报": _bulletin,
}
