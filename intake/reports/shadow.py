"""The sheet of a shadow week (影子周对照表): our decisions beside the source's own 承办单位, and what came of it.

Pure: items in, tables out. Nothing of a citizen's words but the evidence of the masked text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from intake.reports.document import Cell, Document, Table
from intake.reports.shadow_figures import COMPARED, DECIDED, Compared, Figures, Unit, Verdict, figures, is_same, share

FEW = 100  #: compared items below which a share says little
COLUMNS = 20  #: units of the matrix; the rest is in the list of pairs


def sheet(items: Sequence[Compared], *, source: str, period: str, known_names: Iterable[str]) -> Document:
    """Lay the week out."""
    told = figures(items)
    compared = [item for item in items if item.verdict in COMPARED]
    tables = [
        _summary(told, period),
        _by("按来源承办单位", "来源承办单位", compared, lambda item: item.theirs.name if item.theirs else ""),
        _by("按分类", "分类", compared, lambda item: item.category),
        _differing(items),
        _returned(items),
        _pairs(compared),
        _matrix(compared),
        _crosswalk(items, list(known_names)),
    ]
    return Document(title=f"影子周对照表 · 来源 {source} · {period}", tables=tables)


def _summary(told: Figures, period: str) -> Table:
    notes = [
        f"期间：{period}（按首次收到的日子，北京时间）。",
        "一致率 = 一致 ÷ 我方派到单位的；覆盖率 = 我方派到单位的 ÷ 可比较。",
        "同系统不同层级：同一职能、不同地方的单位，如市局与区局。",
    ]
    if told.decided < FEW:
        notes.append(f"注意：作出决定且可比较的只有 {told.decided} 件，不足 {FEW} 件，一致率仅供参考，请看 95% 区间。")
    rows: list[tuple[Cell, ...]] = [
        ("收到", told.total),
        *told.verdicts.items(),
        ("可比较", told.compared),
        ("一致率", told.accuracy),
        ("一致率 95% 区间下限", told.low),
        ("一致率 95% 区间上限", told.high),
        ("一致率（同系统也算）", told.kind_accuracy),
        ("覆盖率", told.coverage),
        ("其后被退回或改派", told.returned),
        ("　其中我方与被退单位相同", told.returned_as_ours),
        ("　其中我方一次就派到现承办单位", told.returned_to_ours),
    ]
    return Table(name="总表", headings=("项目", "数"), rows=rows, notes=notes)


def _by(name: str, heading: str, items: Sequence[Compared], key: Callable[[Compared], str]) -> Table:
    groups: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for item in items:
        groups[key(item)][item.verdict] += 1
    rows = []
    for group, counts in sorted(groups.items(), key=lambda each: (-each[1].total(), each[0])):
        decided = sum(counts[each] for each in DECIDED)
        agreed = share(counts[Verdict.AGREED], decided)
        few = "件数少，仅供参考" if decided < FEW else ""
        rows.append((group, counts.total(), *(counts[verdict] for verdict in COMPARED), agreed, few))
    headings = (heading, "可比较", *(verdict.value for verdict in COMPARED), "一致率", "说明")
    return Table(name=name, headings=headings, rows=rows)


def _differing(items: Sequence[Compared]) -> Table:
    rows = [
        (
            item.id,
            item.native_id,
            item.case_no,
            item.category,
            item.verdict.value,
            item.given,
            item.theirs.name if item.theirs else None,
            item.ours.name if item.ours else item.decline or "待研判",
            "协办" if item.theirs and item.theirs.code in item.assist else "",
            "、".join(item.evidence),
            item.sentence,
            item.rule,
            item.confidence,
        )
        for item in items
        if item.verdict in COMPARED and item.verdict is not Verdict.AGREED
    ]
    headings = (
        *(
            "编号",
            "原编号",
            "工单号",
            "分类",
            "结果",
            "来源承办单位（原文）",
            "来源承办单位",
            "我方",
            "来源单位在我方是",
        ),
        *("证据词（已脱敏）", "我方理由", "规则", "把握"),
    )
    notes = ["逐件可用 intake show 编号 查看。把一致与否的判断告诉我们：规则、目录、别名都可以改。"]
    return Table(name="不一致的件", headings=headings, rows=rows, notes=notes)


def _returned(items: Sequence[Compared]) -> Table:
    rows = [
        (
            item.id,
            item.native_id,
            item.category,
            item.given,
            item.given_last if item.given_last != item.given else None,
            item.ours.name if item.ours else item.decline or "待研判",
            _outcome(item),
        )
        for item in items
        if item.sent_back
    ]
    headings = ("编号", "原编号", "分类", "来源原承办单位", "来源现承办单位", "我方", "对照")
    return Table(name="其后被退回或改派", headings=headings, rows=rows)


def _outcome(item: Compared) -> str:
    if is_same(item.ours, item.theirs_last) and not is_same(item.ours, item.theirs):
        return "我方一次派准"
    if is_same(item.ours, item.theirs):
        return "我方也会被退回"
    return "我方待研判" if item.ours is None else "我方另有所派"


def _pairs(items: Sequence[Compared]) -> Table:
    """The confusion matrix as a list, the most frequent first."""
    pairs = Counter(
        (item.theirs.name, item.ours.name)
        for item in items
        if item.verdict in {Verdict.DIFFERENT, Verdict.OTHER_LEVEL} and item.theirs and item.ours
    )
    ranked = sorted(pairs.items(), key=lambda each: (-each[1], each[0]))
    rows = [(theirs, ours, count) for (theirs, ours), count in ranked]
    return Table(name="常见分歧", headings=("来源承办单位", "我方", "件数"), rows=rows)


def _matrix(items: Sequence[Compared]) -> Table:
    pairs = Counter(
        (item.theirs.name, item.ours.name) for item in items if item.theirs and item.ours and item.decline is None
    )
    frequent: Counter[str] = Counter()
    for pair, count in pairs.items():
        frequent.update(dict.fromkeys(pair, count))
    names = [name for name, _ in frequent.most_common(COLUMNS)]
    rows: list[tuple[Cell, ...]] = []
    for theirs in sorted({pair[0] for pair in pairs}, key=lambda name: (name not in names, name)):
        row = [pairs[theirs, ours] for ours in names]
        total = sum(count for pair, count in pairs.items() if pair[0] == theirs)
        rows.append((theirs, *row, total - sum(row)))
    notes = [f"行是来源的承办单位，列是我方的主办单位；列只列最常见的 {COLUMNS} 个，其余并入最后一列。"]
    return Table(name="混淆矩阵", headings=("来源＼我方", *names, "其余"), rows=rows, notes=notes)


def _crosswalk(items: Sequence[Compared], known: Sequence[str]) -> Table:
    """Their names and our codes; what is not matched comes first, with names of ours that look like it."""
    counts: Counter[str] = Counter()
    found: dict[str, Counter[Unit | None]] = defaultdict(Counter)
    for item in items:
        named = [(item.given, item.theirs)]
        if item.given_last != item.given:
            named.append((item.given_last, item.theirs_last))
        for name, unit in named:
            if name:
                counts[name] += 1
                found[name][unit] += 1
    rows: list[tuple[Cell, ...]] = []
    for name in sorted(counts, key=lambda each: (None not in found[each], -counts[each], each)):
        units = sorted((unit for unit in found[name] if unit is not None), key=lambda unit: unit.code)
        unmatched = found[name][None]
        like = "、".join(get_close_matches(name, known, n=3, cutoff=0.4)) if unmatched else ""
        codes, names = "、".join(unit.code for unit in units), "、".join(unit.name for unit in units)
        rows.append((name, counts[name], codes or "未对上", names, unmatched, like))
    notes = [
        "未对上的，请在部门目录 directory.toml 里给相应单位的 aliases 加上这个名称，再出一次本表；不必重新接入。",
        "同一名称按事发地可能对上不同的单位。",
    ]
    headings = ("来源的单位名称", "件数", "我方代码", "我方单位", "其中未对上", "名称相近的单位")
    return Table(name="单位名称对照", headings=headings, rows=rows, notes=notes)
