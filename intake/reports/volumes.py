"""How much there was (业务量): the span beside the one before it, by channel, type, category and place. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from intake.reports.document import Cell, Table
from intake.reports.material import Material
from intake.reports.period import LENGTHS
from router.cases.asked import accepted
from router.cases.facts import Fact
from router.cases.figures import FIGURES, identities

_COUNTS = ("accepted", "people", "direct", "dispatched", "waiting", "carried_over", "proactive", "urged", "assisted")
UNKNOWN = "未知"


def overview(of: Material) -> Table:
    """受理概况."""
    _, before, change = LENGTHS[of.period.length]
    rows: list[tuple[Cell, ...]] = []
    compared = (of.found, of.found_before, of.found_a_year_ago)
    total, _, year_ago = (int(found["accepted"][0] or 0) for found in compared)
    for figure in FIGURES:
        if figure.name in _COUNTS:
            now, then, long_ago = (int(found[figure.name][0] or 0) for found in compared)
            # A year of which nothing is known is no year without appeals.
            last_year = (long_ago, growth(now, long_ago)) if year_ago else (None, None)
            rows.append((figure.title, now, then, growth(now, then), *last_year))
    if of.period.days > 1:
        rows.insert(1, ("日均受理", f"{total / of.period.days:.1f}", None, None, None, None))
    notes = [
        f"报告期：{of.period.title}，按北京时间登记。{change} = （本期 − {before}）÷ {before}；{before}为 0 时不算。",
        "同比 = （本期 − 上年同期）÷ 上年同期；上年同期没有数据时不填。周报的上年同期是 52 周以前。",
    ]
    if of.now < of.period.until:
        notes.append("本期未满，数字截至制表时间。")
    notes += [each.text() for each in identities(of.facts, of.span)]
    return Table(name="受理概况", headings=("项目", "本期", before, change, "上年同期", "同比"), rows=rows, notes=notes)


def by(of: Material, name: str, heading: str, key: Callable[[Fact], str], top: int | None = None) -> Table:
    """Accepted cases by one of their properties, the most frequent first."""
    _, before, change = LENGTHS[of.period.length]
    now = Counter(key(fact) for fact in of.facts if accepted(fact, of.span))
    then = Counter(key(fact) for fact in of.facts if accepted(fact, of.span_before))
    total = now.total()
    ranked = sorted(now, key=lambda each: (-now[each], each))
    rows: list[tuple[Cell, ...]] = [
        (each, now[each], now[each] / total, then[each], growth(now[each], then[each])) for each in ranked[:top]
    ]
    notes = [f"占比的分母是受理量 {total}。"]
    if top is not None and len(ranked) > top:
        rest = sum(now[each] for each in ranked[top:])
        notes.append(f"只列前 {top} 项，其余 {len(ranked) - top} 项共 {rest} 件。")
    return Table(name=name, headings=(heading, "件数", "占比", before, change), rows=rows, notes=notes)


def growth(now: int, then: int) -> float | None:
    """环比、同比; from nothing there is no percentage."""
    return (now - then) / then if then else None


def place(fact: Fact) -> str:
    """区县."""
    return fact.district or UNKNOWN


def street(fact: Fact) -> str:
    """街道, with its district: there are many 城关镇."""
    return f"{fact.district or ''} {fact.street}".strip() if fact.street else UNKNOWN
