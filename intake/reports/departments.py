"""What each department holds now, and how it did (责任单位): small samples are no percentage and have no rank. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from intake.reports.document import Cell, Table
from intake.reports.lists import SOON, moment
from intake.reports.material import Material
from intake.reports.words import EXCLUDED, GROUPS, OTHER_GROUP
from router.cases.claims import EXEMPT
from router.cases.facts import Fact
from router.cases.figures import FIGURES, of_units, reckon
from router.cases.measures import SMALL, Measure, Rate, Score
from router.feedback import RETURN_CODES

_SHOWN = (
    *("dispatched", "assisted", "on_time_close", "overdue_open", "close_rate", "sign_on_time", "response"),
    *("return_rate", "refused_returns", "reopen_rate", "visited", "solved", "satisfied", "satisfied_wide"),
    *("avg_handle_hours", "composite"),
)
TITLES = {figure.name: figure.title for figure in FIGURES}


def holders(of: Material) -> Table:
    """在办与黄牌、红牌: who holds what is open now."""
    held: dict[str, list[Fact]] = defaultdict(list)
    for fact in of.open:
        held[fact.unit or ""].append(fact)
    shown = {each.department: each for each in of.cards}
    rows: list[tuple[Cell, ...]] = []
    for code in sorted({*held, *shown}, key=lambda code: (-_red(shown.get(code)), -len(held[code]), code)):
        card, dues = shown.get(code), [fact.close_due for fact in held[code] if fact.close_due is not None]
        rows.append(
            (
                of.unit(code),
                len(held[code]),
                card.red if card else 0,
                card.yellow if card else 0,
                sum(due <= of.now for due in dues),
                sum(of.now < due <= of.now + SOON for due in dues),
                moment(card.oldest) if card else None,
                card.case_no if card else None,
            )
        )
    headings = ("单位", "主办在办", "红牌", "黄牌", "超期", "24小时内到期", "最早的牌", "工单号")
    notes = ["牌按件计，主办、协办各计各的；办完或时限后移就不再算。"] if rows else ["无件。"]
    return Table(name="各单位在办", headings=headings, rows=rows, notes=notes)


def results(of: Material, *, ranked: bool) -> Table:
    """单位办理情况; ranks only where they were asked for, within a group, by the composite."""
    found = {code: reckon(facts, of.span._replace(unit=code)) for code, facts in of_units(of.facts).items()}
    found = {code: figures for code, figures in found.items() if _did_anything(figures)}
    ranks = _ranks(of, found) if ranked else {}
    rows: list[tuple[Cell, ...]] = []
    for code in sorted(found, key=lambda code: (group(of, code), ranks.get(code, len(found) + 1), code)):
        figures = found[code]
        cells: list[Cell] = [group(of, code), of.unit(code), *(_cell(figures[name]) for name in _SHOWN)]
        if ranked:
            due = figures["on_time_close"]
            cells += [ranks.get(code), _interval(due)]
        rows.append(tuple(cells))
    headings = ["分组", "单位", *(TITLES[name] for name in _SHOWN)]
    notes = [f"应办结不足 {SMALL} 件的只列分子、分母，不排名。协办不计主办各率；退单计于退单的单位。"]
    if ranked:
        headings += ["组内名次", "按时办结率 95% 区间"]
        notes.append("名次按综合分，只在同组、应办结不少于 20 件的单位之间排；综合分无件的不排。")
    return Table(name="单位办理情况", headings=headings, rows=rows, notes=notes)


def group(of: Material, code: str) -> str:
    """分组: ranks compare like with like."""
    return GROUPS.get(of.units[code].kind, OTHER_GROUP) if code in of.units else OTHER_GROUP


def returns(of: Material) -> Table:
    """退单理由."""
    sent = [fact for fact in of.facts if fact.excluded is None and of.span.has(fact.dispatched_at)]
    reasons = Counter(code for fact in sent for code in fact.return_codes)
    rows = [(f"{code} {RETURN_CODES.get(code, '')}".strip(), n) for code, n in sorted(reasons.items())]
    notes = [f"{TITLES[name]}：{of.found[name].text()}" for name in ("return_rate", "refused_returns", "first_route")]
    return Table(name="退单", headings=("理由", "申请次数"), rows=rows, notes=notes)


def exclusions(of: Material) -> Table:
    """不计入各率的件, by reason; what was excluded by a decision (剔除) is named."""
    mine = [fact for fact in of.facts if of.span.has(fact.opened_at) and fact.excluded is not None]
    reasons = Counter(fact.excluded or "" for fact in mine)
    exempt: dict[str, list[str]] = {EXEMPT: [fact.case_no for fact in mine if fact.excluded == EXEMPT]}
    rows: list[tuple[Cell, ...]] = [
        (EXCLUDED.get(reason, reason), n, "、".join(exempt.get(reason, [])[:50])) for reason, n in reasons.most_common()
    ]
    notes = ["剔除须有规则和证据，逐件留痕（intake show 工单号）。"] if exempt[EXEMPT] else ["本期没有剔除的件。"]
    return Table(name="不计入各率的件", headings=("原因", "件数", "剔除的工单号"), rows=rows, notes=notes)


def next_days(of: Material, days: int = 7) -> Table:
    """下周提示: what falls due, and which days offices do not work."""
    ahead = [fact for fact in of.open if fact.close_due and of.now < fact.close_due <= of.now + timedelta(days=days)]
    units = Counter(fact.unit for fact in ahead)
    rows: list[tuple[Cell, ...]] = [(of.unit(code), n) for code, n in units.most_common(20)]
    dates = [(of.now + timedelta(days=each)).date() for each in range(1, days + 1)]
    off = [f"{day:%m-%d}" for day in dates if of.calendar.is_holiday(day)]
    makeup = [f"{day:%m-%d}" for day in dates if day.weekday() >= 5 and of.calendar.is_working(day)]  # noqa: PLR2004 - Saturday
    notes = [
        f"今后 {days} 天内到期 {len(ahead)} 件。",
        f"放假：{'、'.join(off) or '无'}；调休上班：{'、'.join(makeup) or '无'}。",
    ]
    return Table(name="今后七天", headings=("单位", "到期件数"), rows=rows, notes=notes)


def _did_anything(figures: Mapping[str, Measure]) -> bool:
    return any(
        found.denominator if isinstance(found, Rate) else found[0] for found in map(figures.get, _SHOWN) if found
    )


def _ranks(of: Material, found: Mapping[str, Mapping[str, Measure]]) -> dict[str, int]:
    groups: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for code, figures in found.items():
        due, score = figures["on_time_close"], figures["composite"]
        assert isinstance(due, Rate)
        assert isinstance(score, Score)
        if due.denominator >= SMALL and score.value is not None:
            groups[group(of, code)].append((score.value, code))
    # Who has the same score has the same rank.
    return {
        code: 1 + sum(other > value for other, _ in members) for members in groups.values() for value, code in members
    }


def _cell(found: Measure) -> Cell:
    return found[0] if isinstance(found[0], int) and len(found) == 2 else found.text()  # noqa: PLR2004 - a count


def _interval(found: Measure) -> str | None:
    assert isinstance(found, Rate)
    return None if found.interval is None else f"{found.interval[0]:.1f}–{found.interval[1]:.1f}%"


def _red(card: object) -> int:
    return getattr(card, "red", 0)


def rates(of: Material, before: str) -> Table:
    """各项指标, the span beside the one before it."""
    rows: Sequence[Sequence[Cell]] = [
        (figure.title, of.found[figure.name].text(), of.found_before[figure.name].text())
        for figure in FIGURES
        if figure.kind != "count" or figure.name in {"overdue_open", "first_time_pending", "hung", "unreachable"}
    ]
    notes = [f"一次性化解率：截至 {of.now:%Y-%m-%d} 未定案 {of.found['first_time_pending'].text()} 件。"]
    return Table(name="办理指标", headings=("指标", "本期", before), rows=rows, notes=notes)
