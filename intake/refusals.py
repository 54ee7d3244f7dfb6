"""Why something could not be done to a case, in Chinese: the router says it in English, and people read it here.

One line for each way of saying it; what no line knows is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from router.errors import RouterError

_STATES = {
    "in_flight": "在途",
    "delivered": "已入队列",
    "triage": "待研判",
    "linked": "已并单",
    "informed": "已告知",
    "handed_over": "已移交",
    "withdrawn": "已撤回",
    "observed": "只观察",
    "parked": "挂起",
}
_SAID: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern, re.DOTALL), chinese)
    for pattern, chinese in (
        (r"no case has the id, number, native id or message id (.+)", "没有编号、工单号、来源编号、消息号是 {0} 的件"),
        (r"no case has the id (.+)", "没有编号是 {0} 的工单"),
        (r"(.+) may be any of (\S+) cases: (.+); say which by its id", "{0} 可能是 {1} 件中的一件，请写编号：{2}"),
        (r"the directory has no unit (\S+) that takes orders: .+", "名录里没有收单的单位 {0}"),
        (r"case (\S+) is about (\S+) itself: .+", "诉求反映的就是 {1}：改派其上级，或加 --despite"),
        (r"case (\S+) has no such open request: .+", "工单 {0} 没有这样的待决申请，见 intake case list"),
        (r"case (\S+) has (\S+) open requests: (.+); name .+", "有 {1} 项待决（{2}），用 --department、--ask 指明"),
        (r"revision (\S+) of appeal (\S+) is not in the store: (.+)", "库里没有诉求 {1} 的第 {0} 版，请指明单位"),
        (r"case (\S+): (\S+) has no open request for (\S+)", "工单 {0}：{1} 没有这项待决申请"),
        (r"case (\S+) has no public reply that waits for a review", "工单 {0} 没有待审核的公开答复"),
        (r"case (\S+) was not visited: .+", "工单 {0} 没有回访过：回访后或回访期满才能办结"),
        (r"case (\S+) is (\S+): no department has it, so .+", "工单 {0} {1}，不在任何单位手里，无处可催"),
        (r"case (\S+) is (\S+): only what waits for a person can be assigned", "工单 {0} {1}，只有等人处理的才能指派"),
        (r"case (\S+) is (\S+): the table has no move (\S+) from there", "工单 {0} {1}，这时不能做 {2}"),
        (r"case (\S+) is closed and (\S+) follows it: .+", "工单 {0} 已办结，诉求人再次反映另立了 {1}，请办那一件"),
        (r"case (\S+) is (\S+) \((.+)\): (\S+) needs (.+)", "工单 {0} 现在是“{2}”，要在 {4} 时才能做"),
        (r"case (\S+): its department has answered anew since .+", "工单 {0} 的单位后来又答复了，请重新回访"),
        (r"case (\S+): say which claim is meant; open: (.*)", "工单 {0}：请指明是哪一项剔除或申诉，待决的有：{1}"),
        (r"case (\S+): (.+) is no clause for this claim: (.*)", "工单 {0}：{1} 不是适用的条款，可用：{2}"),
        (r"case (\S+): its month was signed off at (.+): nothing moves now", "工单 {0} 的月份已于 {1} 签发，不能改了"),
        (r"a department has the users (.+)", "单位只有这几个用户：{0}"),
        (r"(\S+) takes no orders and has no queue: .+", "{0} 不收单，没有队列，也就没有账号"),
        (r"no lesson (\S+) can be (\S+): .+", "没有可以这样处理的教训 {0}，见 intake triage lessons"),
        (r"case (\S+) is no precedent that can be (\S+)", "工单 {0} 不是可以这样处理的先例"),
    )
)  # fmt: skip


def why(refused: RouterError) -> str:
    """Say it to people: Chinese first, then as it stands."""
    said = str(refused)
    for pattern, chinese in _SAID:
        match = pattern.fullmatch(said)
        if match is not None:
            return f"{chinese.format(*(_STATES.get(group, group) for group in match.groups()))} · {said}"
    return said
