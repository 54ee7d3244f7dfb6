"""Whether a text is made of everyday characters alone (寻常文字): then nothing is to repair, to clean or to convert.

Each of those steps asks for characters that are left out here: damaged or invisible ones, markup, blanks in a row,
other digits, what only Traditional has. One look in place of seven, and four texts in five need no more than it. Blanks
around a text, with which many systems store theirs, are not looked at: cleaning takes them off.
"""

from __future__ import annotations

import re

from normalizer.steps.repair.characters import ranges
from normalizer.steps.repair.slips import odd_class

_ROWS, _CELLS = range(0xB0, 0xF8), range(0xA1, 0xFF)
#: GB 2312 is what Simplified is written in; some of its characters nobody writes.
_HAN = re.sub(
    f"[{odd_class()}]", "", b"".join(bytes((row, cell)) for row in _ROWS for cell in _CELLS).decode("gb2312", "ignore")
)
_MARKS = "，。、；：！？“”‘’）《》〈〉【】「」『』〔〕…—–－～·×÷°±￥％＋／＝℃㎡①②③④⑤⑥⑦⑧⑨⑩→★●■"
_ASCII = r"!\"#$%')*+,\-./0-9:;=>@A-Z\\\]^_`a-z{|}~"
#: What may stand around an everyday text.
BLANKS = "\r\n\t \xa0\u3000"
#: These are not unusual unless something follows: another blank, a reading, the rest of 引用 and 回复.
_AT_TIMES = r"(（? \n引回"
#: It begins with one class of characters: nothing is looked for faster.
_UNUSUAL = re.compile(
    rf"[^{_ASCII}{_MARKS}{ranges(set(_HAN).difference('引回帖'))}]"
    rf"(?:(?<=[^{_AT_TIMES}])|(?<=[(（])[a-z]|(?<=\?)[!;,a-z/?]|(?<=[ \n])[ \n]|(?<=引)用|(?<=回)复)"
)


def is_everyday(text: str) -> bool:
    """Say whether no character of a text asks for a closer look, the blanks around it aside."""
    return _UNUSUAL.search(text.strip(BLANKS)) is None
