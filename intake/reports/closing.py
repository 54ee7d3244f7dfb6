"""What stands at the end of every report: the health of its sources, what is set aside, definitions, versions. Pure."""

from __future__ import annotations

from intake.reports.document import Cell, Table
from intake.reports.lists import moment
from intake.reports.material import Material
from intake.reports.words import STAGES
from router.cases.figures import FIGURES, of_sources, reckon
from router.cases.measures import Score

GOOD = 80  #: 数据质量分 below which somebody should look
_PARTS = {
    "complete": "必填完整",
    "placed": "可定位",
    "grounded": "分类有依据",
    "dated": "时间正确",
    "fresh": "及时",
    "readable": "可读取",
}


def sources(of: Material) -> Table:
    """各来源健康: quality of the data, and whether it is read."""
    groups = of_sources(of.facts)
    states = {state.name: state for state in of.sources}
    rows: list[tuple[Cell, ...]] = []
    for name in sorted({*groups, *states}):
        score = reckon(groups.get(name, []), of.span)["dq_score"]
        assert isinstance(score, Score)
        state = states.get(name)
        standing = "" if state is None else "已暂停" if state.paused else (state.stopped or state.reason or "正常")
        low = "低于 80，请查" if score.value is not None and score.value < GOOD else ""
        parts = [None if (share := score.parts.get(part)) is None else f"{share:.1f}%" for part in _PARTS]
        rows.append((name, score.text(), low, *parts, standing, moment(state.last_page_at) if state else None))
    headings = ("来源", "数据质量分", "提示", *_PARTS.values(), "读取状态", "上次有新件")
    return Table(name="各来源健康", headings=headings, rows=rows)


def parked(of: Material) -> Table:
    """失败与人工队列."""
    rows = [(STAGES[stage], n) for stage, n in of.parked.items()]
    notes = ["用 intake parked list 查看，retry 重试。"]
    return Table(name="挂起待处理", headings=("环节", "件数"), rows=rows, notes=notes)


def duty_gaps(of: Material) -> Table:
    """值班缺岗: units that hold something open and have no telephone on duty."""
    holding = {fact.unit for fact in of.open}
    rows = [
        (code, unit.name)
        for code, unit in sorted(of.units.items())
        if code in holding and not (unit.duty_phone or (unit.liaison and unit.liaison.phone))
    ]
    notes = ["手里有在办件、名录 directory.toml 里没有值班电话的单位。"] if rows else ["无。"]
    return Table(name="值班电话缺失", headings=("代码", "单位"), rows=rows, notes=notes)


def definitions() -> Table:
    """口径."""
    rows = [(figure.title, figure.name, figure.definition) for figure in FIGURES]
    notes = [
        "率类只算派单件；表扬、无效、并单、不予受理、撤回、已剔除的件不计入。样本不足 20 件只列分子、分母。",
        "用 intake export ledger 导出一本账，可在系统外逐项复算；接通率由话务平台统计，本系统没有数据。",
    ]
    return Table(name="口径", headings=("指标", "代码", "定义"), rows=rows, notes=notes)


def about(of: Material) -> Table:
    """制表说明."""
    rows: list[tuple[Cell, ...]] = [
        ("报告期", of.period.title),
        ("制表时间（数据截至）", moment(of.now)),
        ("清单", "在办、到期、超期、牌、待研判、挂起各表是制表时的现状，不是报告期末的；指标、业务量按报告期"),
        *of.versions.items(),
        ("脱敏", "不含姓名、电话、门牌、车牌；事项标题取自已脱敏的正文"),
    ]
    return Table(name="制表说明", headings=("项目", "内容"), rows=rows)
