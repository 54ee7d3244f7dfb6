"""The dirt that real texts carry, put on by seed: widths, blanks, tails, quotes, comma-only edits."""

from __future__ import annotations

import random
from collections.abc import Callable

from demo.library import Text
from demo.people import mail, mobile, resident_id

_TAILS = (
    "\n\n发自我的手机",
    "\n——来自 云泽论坛 客户端",
    "\n\n本帖来自: 望湖百姓网手机版",
    "\n\n 发自掌上云泽APP",
    "\n~~~~~~~~\n人生没有彩排，每天都是现场直播",
)
_QUOTES = (
    "[quote]楼上说的对，我们这边也一样。[/quote]\n",
    "引用:\n  “已经转给相关单位了，请耐心等待”\n",
    "回复 2楼 热心市民小顾 的帖子\n",
)
_WIDE = str.maketrans("0123456789:()", "０１２３４５６７８９：（）")
_DESK = (
    ("市民来电反映：", "。望有关部门尽快核实处理并回复。"),
    ("来电人称，", "。请求相关单位协调解决。"),
    ("诉求人反映", "，要求承办单位与其联系。"),
    ("【电话记录】", "（已告知来电人将转交办理）"),
)
_NOTED_DOWN = 0.3  #: the share of calls that the desk tells in its own words
_AS_SAID = ("praise", "invalid")


def _plain(body: str, _: random.Random) -> str:
    return body


def _wide(body: str, _: random.Random) -> str:
    return body.translate(_WIDE)


def _blanks(body: str, _: random.Random) -> str:
    return "\r\n\t\t　　" + body.replace("。", "。\xa0", 1) + "\n\t\n"


def _indents(body: str, _: random.Random) -> str:
    return "　　" + body.replace("\n", "\n　　")


def _tail(body: str, rng: random.Random) -> str:
    return body + rng.choice(_TAILS)


def _quote(body: str, rng: random.Random) -> str:
    return rng.choice(_QUOTES) + body


#: each kind of dirt and of how many in a hundred texts
_DIRT: dict[Callable[[str, random.Random], str], int] = {
    _plain: 60,
    _wide: 10,
    _blanks: 10,
    _indents: 7,
    _tail: 8,
    _quote: 5,
}


def fill(body: str, rng: random.Random) -> str:
    """Put invented numbers where a text has a place for them."""
    for mark, invent in (("{手机}", mobile), ("{身份证}", resident_id), ("{邮箱}", mail)):
        while mark in body:
            body = body.replace(mark, invent(rng), 1)
    return body


def soil(body: str, rng: random.Random) -> str:
    """Put dirt on two texts in five."""
    return rng.choices(list(_DIRT), list(_DIRT.values()))[0](body, rng)


def desk(text: Text, rng: random.Random) -> str:
    """Tell some texts the way a desk notes a call down (坐席转述)."""
    if rng.random() > _NOTED_DOWN or text.type in _AS_SAID:
        return text.body
    before, after = rng.choice(_DESK)
    return before + text.body.rstrip("。！!") + after


def comma(body: str) -> str:
    """Change one comma and nothing else."""
    if "，" in body:
        head, _, tail = body.rpartition("，")
        return f"{head}、{tail}"
    return body + "。"
