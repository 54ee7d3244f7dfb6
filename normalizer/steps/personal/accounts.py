"""Addresses of mail, WeChat, QQ, and number plates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from normalizer.steps.personal.found import Found

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{_PROVINCES}] ?[A-HJ-Za-hj-z][·・•. \-]?(?:[A-HJ-NP-Z0-9a-hj-np-z]{{4}}[A-HJ-NP-Z0-9a-hj-np-z挂学警港澳]"
    r"|[A-HJKa-hjk][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJKa-hjk])(?![A-Za-z0-9])"
)
#: So many digits at least: 苏EVERY is none.
PLATE_DIGITS = 2
#: So many letters and digits, each in ASCII, has every plate; and every address of mail.
FEWEST_IN_PLATE, FEWEST_IN_MAIL = 5, 4
_MAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63} ?[@＠] ?"
    r"[A-Za-z0-9\-]+(?:[.．][A-Za-z0-9\-]+)*[.．][A-Za-z]{2,10}"
)
_WECHAT = re.compile(
    r"(?:[微薇威]信号?|[Vv]信|[Vv][Xx]|[Ww][Xx]|[Ww]e[Cc]hat|加[vV微]|加我[vV])(?:号码?|同号|ID|id)?[\s:：是为]{0,3}"
    r"([A-Za-z][A-Za-z0-9_\-]{5,19})(?![A-Za-z0-9_])"
)
_QQ = re.compile(r"(?:[Qq]{2}|扣扣|企鹅号?|[Qq]号)(?:群|号码?|群号)?[\s:：是为]{0,3}([1-9][0-9]{4,10})(?![0-9])")

#: Every cue that one of these has before it.
CONTACT_CUES = (
    *(
        "微信",
        "薇信",
        "威信",
        "V信",
        "v信",
        "vx",
        "VX",
        "Vx",
        "vX",
        "wx",
        "WX",
        "Wx",
        "wX",
        "加v",
        "加V",
        "加我v",
        "加我V",
    ),
    *("weChat", "WeChat", "wechat", "Wechat", "加微", "QQ", "qq", "Qq", "qQ", "扣扣", "企鹅", "Q号", "q号"),
)


def mails(text: str) -> Iterator[Found]:
    """Find addresses of mail."""
    return (Found(*one.span(), "mail") for one in _MAIL.finditer(text))


def plates(text: str) -> Iterator[Found]:
    """Find number plates: which car it is belongs to the matter."""
    for one in _PLATE.finditer(text):
        if sum(character.isdigit() for character in one[0][2:]) >= PLATE_DIGITS:
            yield Found(*one.span(), "plate", matter=True)


def accounts(text: str) -> Iterator[Found]:
    """Find WeChat and QQ behind their cues."""
    yield from (Found(*one.span(1), "wechat") for one in _WECHAT.finditer(text))
    yield from (Found(*one.span(1), "qq") for one in _QQ.finditer(text))
