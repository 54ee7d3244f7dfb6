"""What the codes of the schema are called in a report."""

from __future__ import annotations

from collections.abc import Mapping

from intake.screen import URGENCIES
from router.cases.work import NAMES, Work

CHANNELS: Mapping[str, str] = {
    "hotline": "12345 热线",
    "forum": "论坛",
    "board": "留言板",
    "news_comment": "新闻评论",
    "mailbox": "领导信箱",
    "app": "客户端、小程序",
    "visit": "来访、走访",
    "counter": "窗口",
    "grid": "网格",
    "petition": "信访",
    "transfer": "上级转办",
    "other": "其他",
}
TYPES: Mapping[str | None, str] = {
    "consult": "咨询",
    "help": "求助",
    "complain": "投诉",
    "report": "举报",
    "suggest": "建议",
    "praise": "表扬",
    "other": "其他",
    "invalid": "无效",
    None: "原文已销毁",
}
EXCLUDED: Mapping[str, str] = {
    "praise": "表扬",
    "invalid": "无效",
    "exempt": "已剔除",
    "linked": "并入他单",
    "informed": "答复告知，不派单",
    "handed_over": "移交",
    "withdrawn": "诉求人撤回",
    "observed": "只观察，不派单",
    "triage": "待研判",
    "parked": "挂起",
    "unreadable": "读不懂，没有成件",
}
CARDS: Mapping[str | None, str] = {"red": "红牌", "yellow": "黄牌", None: ""}
STAGES: Mapping[str, str] = {
    "parse": "读取",
    "normalize": "规整",
    "route": "派送",
    "strays": "无主消息",
    "answer": "回写来源",
}
#: 分组: ranks are given within one alone.
GROUPS: Mapping[str, str] = {"terr": "区县（属地）", "util": "公用企业"}
OTHER_GROUP = "市直单位"


def urgency(code: str) -> str:
    """特急, 紧急 or 一般."""
    return URGENCIES.get(code, code)


def work(state: str | None) -> str:
    """Where the work stands; whoever has not said anything has not signed."""
    return NAMES[Work(state)][1] if state else "已派单"
