"""Why something is parked, in Chinese: the rooms say it in English, as in their logs, and people read it here.

One line for each way of saying it; what no line knows is shown as it stands. Reasons hold names of fields, sizes and
codes, and never what a citizen wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_THING = r"(?:the )?(row|entry|comment|post|order|line|mail|push|request|payload|item)"
_THINGS = {
    "row": "这一行",
    "entry": "这一条",
    "comment": "这条评论",
    "post": "这个帖子",
    "order": "这张工单",
    "line": "这一行",
    "mail": "这封邮件",
    "push": "这次推送",
    "request": "这个请求",
    "payload": "原文",
    "item": "这一条",
}
#: The first that fits the whole of a reason says it; `{0}` and so on are what its groups hold.
_SAID: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (rf"{_THING} has neither (\w+) nor (\w+), and (\d+|…) attachments; .*", "{0}没有 {1} 也没有 {2}，只有附件"),
        (rf"{_THING} has neither (\w+) nor (\w+); check the column mapping", "{0}没有 {1} 也没有 {2}，请核对列的对应"),
        (rf"{_THING} has neither (\w+) nor (\w+)", "{0}没有 {1} 也没有 {2}"),
        (rf"{_THING} has link, title and time of another one, .*", "{0}与另一条分不开，请来源方给每条一个 guid"),
        (rf"{_THING} has no \"?([\w.…]+?)\"?", "{0}没有 {1}"),
        (rf"{_THING} has parts in parts without end; .*", "{0}层层套附件，读不完；请到信箱里看"),
        (r"source (\S+) leads to (\S+), which is none of .*", "来源 {0} 引向 {1}，hosts 里没有；要连就写上"),
        (rf"{_THING} is empty", "{0}是空的"),
        (rf"{_THING} is not JSON", "{0}不是 JSON"),
        (rf"{_THING} is not an object", "{0}不是一个对象"),
        (rf"{_THING} is no JSON object with orders", "{0}不是装着工单的 JSON 对象"),
        (rf"{_THING} holds no order", "{0}里没有工单"),
        (rf"{_THING} has (\d+|…) bytes, larger than (\d+|…) MiB", "{0}有 {1} 字节，超过 {2} MiB"),
        (rf"{_THING} has (\d+|…) bytes; .*", "{0}有 {1} 字节，太大；请到信箱里看，或调大 largest 后重试"),
        (rf"{_THING} has (\d+|…) characters; .*", "{0}有 {1} 字，太长；请到信箱里看"),
        (r"(\S+) is (?:not a|no) time; ask the source's operator to correct the order", "{0} 不是时间，请来源方改正"),
        (r"(\S+) is (?:not a|no) time", "{0} 不是时间"),
        (r"a spreadsheet has rounded its id; .*", "表格软件把编号四舍五入了：在原件里把该列设为文本，再导入"),
        (r"the forum did not show this thread; .*", "论坛这次没有给出这个主题，下次整版读时再问"),
        (r"the forum does not show this thread \((.*)\)", "论坛不给看这个主题（{0}）"),
        (r"the settings skip this row by now", "按现在的设置，这一行不收"),
        (r"the push names an event that `events` of the settings does not", "推送的事件不在设置的 events 里"),
        (r"it was offered, its worker died before it was stored, .*", "给过，没存下就断了，现在不再给出：请到来源看"),
        (r"only the beginning of this row was kept, .*", "这一行太大，只留了开头：请来源方拆开重发"),
        (r"no mapper knows kind (.+); .*", "没有认得种类 {0} 的程序，叫开发"),
        (r"the source's zone is unknown; .*", "来源的时区写错了，zone 应写成 Asia/Shanghai 这样"),
        (r"unexpected (\w+|…) in the normalizer", "规整时程序出错（{0}），叫开发"),
        (r"deciding failed: (\w+|…)", "决定派给谁时程序出错（{0}），叫开发"),
        (r"revision (\d+|…) of the appeal is not in the store", "库里没有这一版诉求（第 {0} 版）"),
        (r"the message could not be made: (\w+|…)", "消息没能做成（{0}），叫开发"),
        (r"waits behind sequence (\d+|…)", "排在同一单位的第 {0} 条后面"),
        (r"dead-lettered from (\S+): rejected, (\d+|…) times", "{0} 拒收，成了死信（{1} 次）"),
        (r"dead-lettered from (\S+): delivery_limit, (\d+|…) times", "{0} 取了又退，次数用完，成了死信（{1} 次）"),
        (r"dead-lettered from (.+): (\w+|…), (\d+|…) times", "{0} 的死信（{1}，{2} 次）"),
        (r".*NO_ROUTE.*", "没有这个单位的队列：运行 intake departments apply，再重发"),
        (r"returned(?:: (.*))?", "队列退回"),
    )
)  # fmt: skip
_CHINESE = re.compile("[\u4e00-\u9fff]")


def in_chinese(reason: str) -> str:
    """Say a reason to people: Chinese first, then as it stands."""
    if _CHINESE.search(reason):
        return reason
    said = [_said(part) for part in reason.split("; ")] if _said(reason) is None else [_said(reason)]
    chinese = "；".join(part for part in said if part)
    return f"{chinese} · {reason}" if chinese else reason


def _said(reason: str) -> str | None:
    for pattern, chinese in _SAID:
        match = pattern.fullmatch(reason)
        if match is not None:
            return chinese.format(*(_THINGS.get(group or "", group or "") for group in match.groups()))
    return None
