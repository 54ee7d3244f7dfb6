"""The definitions of the figures (指标口径, domain/KPIS.md): a table, each with numerator, denominator and exclusions.

What is not here: 接通率, which only the telephone exchange knows.
"""

from __future__ import annotations

from collections.abc import Callable

from router.cases import asked as ask
from router.cases import reckoning as how
from router.cases.facts import Fact
from router.cases.reckoning import Figure

_CLOSED_OF = "期内办结（现主办单位最后一轮办结）的派单件"


def _is(urgency: str) -> Callable[[Fact], bool]:
    return lambda fact: fact.urgency == urgency


_PLAIN: tuple[Figure, ...] = (
    how.count("accepted", "受理量", "期内登记的件；不含并单、无效、撤回、只观察的", ask.accepted),
    Figure("people", "诉求人数", "受理量中不同的诉求人；不知道是谁的各算一人", "count", how.people),
    how.count(
        "direct",
        "在线直办",
        "受理量中答复、告知、移交的，不派单",
        how.when(ask.accepted, lambda fact: fact.way == "direct"),
    ),
    how.count(
        "dispatched", "派单", "受理量中派给单位的", how.when(ask.accepted, lambda fact: fact.way == "dispatched")
    ),
    how.count(
        "waiting", "流转中", "受理量中待研判、挂起的", how.when(ask.accepted, lambda fact: fact.way == "waiting")
    ),
    how.count("carried_over", "上期结转", "期初以前登记、期初尚未办结的派单件和流转中的件", ask.carried_over),
    how.count(
        "proactive",
        "未诉先办数",
        "受理量中来自网格巡查、没有人诉求而先办的",
        how.when(ask.accepted, lambda fact: fact.channel == "grid"),
    ),
    how.count(
        "urged",
        "催办量",
        "受理量各件的催办次数，不计入受理量",
        lambda fact, span: fact.urged * ask.accepted(fact, span),
    ),
    how.count("assisted", "协办量", "期内派单的件的协办次数；不计主办各率", ask.assisted),
    how.count(
        "overdue_open",
        "超期未办件",
        "办结时限在期末以前、至今未办结的派单件",
        how.when(ask.overdue, lambda fact: fact.resolved_at is None),
    ),
    how.rate(
        "dispatch_on_time",
        "派单及时率",
        "分母：派单时限（工作时段登记 30 分钟，其他时间 2 小时，特急、紧急 15 分钟）在期内的派单件和流转中的件；"
        "分子：其中首次派单不晚于时限的；改派不重算",
        ask.to_dispatch,
        ask.by("dispatched_at", "dispatch_due"),
    ),
    how.rate(
        "sign_on_time",
        "签收及时率",
        "分母：签收时限在期内的派单件；分子：其中按时签收的；到期未签收计入分母",
        ask.due("sign_due", "signed_at"),
        ask.by("signed_at", "sign_due"),
    ),
    how.rate(
        "response",
        "响应率",
        "分母：首联时限在期内的派单件；分子：按时联系到诉求人，或三次未接通且有记录的",
        ask.due("contact_due", "contacted_at"),
        ask.by("contacted_at", "contact_due"),
    ),
    how.count(
        "unreachable",
        "已尽责未联系上",
        "响应率分子中三次未接通的，单列",
        how.when(ask.due("contact_due", "contacted_at"), lambda fact: fact.unreachable),
    ),
    how.rate(
        "contacted_first",
        "先行联系率",
        f"分母：{_CLOSED_OF}；分子：其中办结以前已联系诉求人的",
        ask.RESOLVED,
        ask.by("contacted_at", "resolved_at"),
    ),
    how.rate(
        "on_time_close",
        "按时办结率",
        "分母：办结时限（延期、挂起后的）在期内的派单件，即应办结；分子：其中按时办结的",
        ask.DUE,
        ask.by("resolved_at", "close_due"),
    ),
    how.rate(
        "overdue_rate",
        "超期率",
        "分母：应办结；分子：其中超过时限才办结，或时限已过、至今未办结的",
        ask.DUE,
        ask.is_overdue,
        bad=True,
    ),
    how.rate(
        "close_rate",
        "办结率",
        "分母：应办结；分子：其中已办结的，不论是否按时",
        ask.DUE,
        lambda fact, _: fact.resolved_at is not None,
    ),
    how.rate(
        "return_rate",
        "退单率",
        "分母：期内首次派单的派单件派给主办单位的次数；分子：其中被批准的退单次数；计于退单的单位",
        ask.handed_in("given"),
        ask.handed("upheld"),
        bad=True,
    ),
    how.rate(
        "refused_returns",
        "无效退单率",
        "分母：期内首次派单的派单件的退单申请次数；分子：其中被驳回的；计于申请的单位",
        ask.handed_in("asked"),
        ask.handed("refused"),
        bad=True,
    ),
    how.rate(
        "first_route",
        "首派准确率（派准率）",
        "分母：期内首次派单的派单件；分子：其中没有退单成立的",
        ask.SENT,
        lambda fact, _: not any(hand.upheld for hand in fact.hands),
    ),
    how.rate(
        "automatic",
        "自动派单占比",
        "分母：期内首次派单的派单件；分子：其中首个单位由规则、模型或来源定的，不是人定的",
        ask.SENT,
        lambda fact, _: fact.automatic,
    ),
    how.rate(
        "automatic_moved",
        "自动派单改派率",
        "分母：期内自动派单的件；分子：其中后来退单成立、改派或被中心收回的",
        how.when(ask.SENT, lambda fact: fact.automatic),
        lambda fact, _: fact.moved,
        bad=True,
    ),
    how.rate(
        "recognized",
        "诉求认定率",
        "分母：期内首次派单的件，含已剔除的；分子：其中没有被剔除的",
        ask.sent_or_exempt,
        lambda fact, _: fact.excluded is None,
    ),
    how.rate(
        "reopen_rate",
        "重办率",
        f"分母：{_CLOSED_OF}；分子：其中被退回重办过的；客观原因未解决的不退回，所以只有主观责任",
        ask.RESOLVED,
        lambda fact, _: fact.reopened > 0,
        bad=True,
    ),
    how.rate(
        "first_time_resolved",
        "一次性化解率",
        f"分母：{_CLOSED_OF}中满 60 天（信访渠道 90 天）可以定案的；"
        "分子：其中没有重办、退单、改派，同一人在这些天内没有再次反映的",
        how.when(ask.RESOLVED, ask.is_ripe),
        ask.stayed_settled,
    ),
    how.count(
        "first_time_pending",
        "一次性化解未定案",
        f"{_CLOSED_OF}中未满 60 天（信访渠道 90 天）的",
        how.when(ask.RESOLVED, lambda fact: not ask.is_ripe(fact)),
    ),
    how.rate(
        "repeat_rate",
        "重复诉求率",
        "分母：期内登记的件，含因重复而并单的；分子：其中同一诉求人以前反映过同一事项的；24 小时内的不计",
        ask.registered,
        ask.is_repeat,
        bad=True,
    ),
    how.rate(
        "relapse_rate",
        "复发率",
        f"分母：{_CLOSED_OF}；分子：其中办结 7 天以后同一诉求人又反映同一事项的",
        ask.RESOLVED,
        ask.relapsed,
        bad=True,
    ),
    how.rate(
        "visited",
        "回访覆盖率",
        "分母：期内办结、应回访的派单件；分子：其中回访到诉求人的",
        ask.to_visit,
        lambda fact, _: fact.visited_at is not None,
    ),
    how.rate(
        "solved",
        "解决率",
        "分母：期内回访到的，不含挂账件；分子：其中已解决，或已依法说明、诉求人认可的",
        how.when(ask.VISITED, lambda fact: not fact.hung and fact.disputed is None),
        lambda fact, _: fact.solved in {"yes", "explained"},
    ),
    how.count(
        "hung", "挂账件", "期内回访到的，因客观条件未解决，不计入解决率", how.when(ask.VISITED, lambda fact: fact.hung)
    ),
    how.rate(
        "hung_closed",
        "挂账办结率",
        "分母：期内获准挂起的派单件；分子：其中后来办结的",
        ask.within("suspended_at"),
        lambda fact, _: fact.resolved_at is not None,
    ),
    how.rate(
        "satisfied",
        "满意率（窄口径）",
        "分母：期内回访并作评价的；分子：非常满意与满意",
        how.when(ask.VISITED, lambda fact: fact.satisfied),
        lambda fact, _: fact.satisfied in {"very", "yes"},
    ),
    how.rate(
        "satisfied_wide",
        "满意率（宽口径）",
        "分母：期内回访并作评价的；分子：非常满意、满意与基本满意",
        how.when(ask.VISITED, lambda fact: fact.satisfied),
        lambda fact, _: fact.satisfied in {"very", "yes", "basically"},
    ),
    how.rate(
        "suggestions_adopted",
        "部门采纳建议率",
        f"分母：{_CLOSED_OF}中的建议；分子：其中单位的办理结论为已解决，即采纳的",
        how.when(ask.RESOLVED, lambda fact: fact.type == "suggest"),
        lambda fact, _: fact.resolution == "solved",
    ),
    how.spread(
        "avg_handle_hours",
        "平均办理时长（工作小时）",
        f"{_CLOSED_OF}：主办单位自己占用的工作小时的中位数、P75、P90、均值；"
        "挂起、退单审核、研判、回访、系统故障的时间不计",
        ask.RESOLVED,
    ),
    *(
        how.spread(
            f"avg_handle_hours_{urgency}",
            f"平均办理时长（{title}）",
            f"同上，{title}件",
            how.when(ask.RESOLVED, _is(urgency)),
        )
        for urgency, title in (("critical", "特急"), ("urgent", "紧急"), ("normal", "一般"))
    ),
    how.spread(
        "open_hours",
        "在办平均已用时长（工作小时）",
        "期末以前派单、至今未办结的派单件，到导出时已用的工作小时",
        lambda fact, span: ask.rated(fact, span) and ask.is_open(fact) and fact.opened_at < span.until,
    ),
)

FIGURES: tuple[Figure, ...] = (
    *_PLAIN,
    Figure(
        "composite",
        "综合分",
        "响应率、解决率、满意率（窄口径）按设置的权重相加（缺省 0.2、0.4、0.4），满分 100；任一为无件则不给分",
        "score",
        how.composite([figure for figure in _PLAIN if figure.name in ask.COMPOSITE]),
    ),
    Figure(
        "dq_score",
        "数据质量分",
        "期内登记的件，按来源：必填完整（正文、诉求人）40、地址可定位到区县 15、分类有依据 15、时间正确 10、"
        "24 小时内到达 10、可读取 10，各乘以合格的比例",
        "score",
        how.quality,
    ),
)
