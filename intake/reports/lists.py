"""Lists of cases (清单): each row opens by its number, nobody's words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from intake.reports.document import Cell, Table
from intake.reports.material import Material
from intake.reports.words import CARDS, urgency, work
from intake.screen import SHANGHAI
from router.cases.asked import accepted
from router.cases.deadlines import local
from router.cases.facts import Fact
from router.cases.measures import Rate

MOST = 300  #: rows of a list; the rest is counted
SOON = timedelta(hours=24)
UNSIGNED = timedelta(hours=4)
PING_PONG = 2  #: units that had it one after another
HEADINGS = ("工单号", "分类", "区县", "紧急程度", "主办", "状态", "登记", "办结时限", "牌", "还剩或超过（小时）")


def critical(of: Material) -> Table:
    """特急、紧急未结."""
    found = [fact for fact in (*of.open, *of.waiting) if fact.urgency != "normal"]
    return _listed(of, "特急紧急未结", found, lambda fact: (fact.urgency != "critical", fact.opened_at))


def overdue(of: Material) -> Table:
    """超期未办, the longest first."""
    found = [fact for fact in of.open if fact.close_due is not None and fact.close_due <= of.now]
    return _listed(of, "超期未办", found, lambda fact: fact.close_due or of.now)


def due_soon(of: Material) -> Table:
    """24 小时内到期."""
    found = [fact for fact in of.open if fact.close_due is not None and of.now < fact.close_due <= of.now + SOON]
    return _listed(of, "24小时内到期", found, lambda fact: fact.close_due or of.now)


def unsigned(of: Material) -> Table:
    """未签收超 4 小时."""
    found = [
        fact
        for fact in of.open
        if fact.signed_at is None and fact.dispatched_at is not None and fact.dispatched_at + UNSIGNED < of.now
    ]
    return _listed(of, "未签收超4小时", found, lambda fact: fact.dispatched_at or of.now)


def triage(of: Material) -> Table:
    """待研判、会商 and what could not be decided."""
    return _listed(of, "待研判和挂起的件", of.waiting, lambda fact: fact.opened_at)


def late(of: Material) -> Table:
    """超期明细 of the span: closed too late, or not at all."""
    rate = of.found["overdue_rate"]
    assert isinstance(rate, Rate)
    names = set(rate.cases)
    found = [fact for fact in of.facts if fact.case in names]
    return _listed(of, "本期超期明细", found, lambda fact: (fact.unit or "", fact.close_due or of.now))


def passed_around(of: Material) -> Table:
    """转办退单较多的件: open or begun in the span, and more than one unit had it."""
    found = [
        fact
        for fact in of.facts
        if sum(hand.given for hand in fact.hands) >= PING_PONG
        and (accepted(fact, of.span) or fact.resolved_at is None)
        and fact.excluded is None
    ]
    found.sort(key=lambda fact: (-sum(hand.given for hand in fact.hands), fact.opened_at, fact.case_no))
    rows: list[tuple[Cell, ...]] = [
        (
            fact.case_no,
            of.category(fact.category),
            "、".join(f"{of.unit(hand.unit)}×{hand.given}" for hand in fact.hands),
            sum(hand.given for hand in fact.hands),
            sum(hand.asked for hand in fact.hands),
            sum(hand.upheld for hand in fact.hands),
            fact.reopened,
            work(fact.work),
            moment(fact.opened_at),
        )
        for fact in found[:MOST]
    ]
    headings = ("工单号", "分类", "先后主办（次数）", "派单次数", "退单申请", "退单成立", "重办", "状态", "登记")
    return Table(name="多次转办的件", headings=headings, rows=rows, notes=_notes(found))


def focus(of: Material, top: int = 10) -> Table:
    """重点关注."""
    rows: list[tuple[Cell, ...]] = [
        (row.rank, row.title, row.place, row.people, row.voices, row.days, row.why, "、".join(row.members[:5]))
        for row in of.focus[:top]
    ]
    headings = ("序", "事项（已脱敏）", "地点", "人数", "件数", "持续天数", "为什么", "来源编号（前 5 件）")
    notes = [f"共 {len(of.focus)} 项，列前 {len(rows)} 项；全部用 intake focus 查看。" if of.focus else "无。"]
    return Table(name="重点关注", headings=headings, rows=rows, notes=notes)


def moment(at: datetime | None) -> str | None:
    """As people write it here."""
    return None if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _listed(of: Material, name: str, found: Iterable[Fact], order: Callable[[Fact], object]) -> Table:
    ranked = sorted(found, key=lambda fact: (order(fact), fact.case_no))
    rows = [_row(of, fact) for fact in ranked[:MOST]]
    return Table(name=name, headings=HEADINGS, rows=rows, notes=_notes(ranked))


def _row(of: Material, fact: Fact) -> tuple[Cell, ...]:
    left = None if fact.close_due is None else (fact.close_due - (fact.resolved_at or of.now)) / timedelta(hours=1)
    return (
        fact.case_no,
        of.category(fact.category),
        fact.district,
        urgency(fact.urgency),
        of.unit(fact.unit),
        "流转中" if fact.way == "waiting" else work(fact.work),
        moment(fact.opened_at),
        None if fact.close_due is None else local(fact.close_due),
        CARDS[fact.card],
        None if left is None else f"{left:.1f}",
    )


def _notes(found: Sequence[Fact]) -> list[str]:
    if not found:
        return ["无件。"]
    if len(found) > MOST:
        return [f"共 {len(found)} 件，只列前 {MOST} 件；全部用 intake export ledger 导出。"]
    return [f"共 {len(found)} 件。逐件用 intake show 工单号 查看。"]
