"""Door numbers (门牌): which flat or house, never the building or the street alone: an order must stay workable.

3栋2单元501室 becomes 3栋2单元〔门牌1〕. Whose it is depends on the words before: 我家住 makes it the caller's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from normalizer.steps.personal.found import Found

_HAN = "一二三四五六七八九零〇"
#: Floor and flat: 501, 1203; 200 and 3000 are counts.
_FLAT = r"(?:[1-9]|[1-5][0-9])(?:0[1-9]|[1-3][0-9])[A-Da-d]?"
_HAN_FLAT = f"[一二三四五六七八九][零〇一二三][{_HAN[:9]}]|一[零〇一二三四五六七八九][零〇一二][{_HAN[:9]}]"
_NO_UNIT = (
    r"(?![0-9]|\.[0-9]|[多余来]?(?:元|块|万|千|百|年|个|人|名|位|米|平|㎡|度|%|％|条|件|天|分|秒|次|点|辆|台"
    r"|套|间|家|只|颗|棵|路|线|号线|国道|省道|[多余])|[户房](?:居民|业主|人|村民|家|住户|，|。))"
)
_ROOM = r"(?:室|号房|房间|房|户|号)?"
#: Behind the house: 3栋501, 2单元501, A座1203室, 12号楼302.
_IN_HOUSE = re.compile(rf"(?:栋|幢|座|号楼|单元|#楼)[ \-—－]?((?:{_FLAT}|{_HAN_FLAT}){_NO_UNIT}{_ROOM})")
#: 3-2-501, 12-1203
_DASHED = re.compile(
    rf"(?<![0-9\-])([1-9][0-9]?(?:栋|幢)?[\-—－][1-9](?:单元)?[\-—－]{_FLAT}(?:室|号|房)?)(?![0-9\-年月日])"
)
_DASHED_SHORT = re.compile(
    rf"(?:住|我家|楼上|楼下|隔壁|业主|地址)[^，。！？\n0-9]{{0,10}}([1-9][0-9]?[\-—－]{_FLAT}(?:室|号"
    rf"|房)?)(?![0-9\-年月日])"
)
#: 501室 says it itself, but not in a public building.
_ROOM_ALONE = re.compile(rf"(?<![0-9.\-A-Za-z])((?:{_FLAT}|{_HAN_FLAT})(?:室|号房|房间))(?!内?[外]?温|效)")
_PUBLIC = re.compile(
    "(?:大厅|办公楼|行政楼|教学楼|科技楼|综合楼|门诊楼|住院部|中心|医院|学校|政府|局|委|所|院|办公室|窗口"
    "|法庭|酒店|宾馆|[A-Z]馆)[^，。！？\n0-9]{0,4}$"
)
#: 楼上501, 对门302
_NEIGHBOUR = re.compile(
    rf"(?:楼上|楼下|隔壁|对门|对面|邻居|我家|我住|家住|业主|租户|房号|房间号)(?:是|的"
    rf"|住)?[ :：]?({_FLAT}{_NO_UNIT}(?:室|号房|房间|房|户|号)?)"
)
#: A house of one's own: in a village group and a lane always, in a street only where somebody lives.
_NO_HOUSE = (
    r"(?![0-9]|楼|线|公交|口|门|院|地块|井|台|桌|机|文|令|地铁|车|仓|厂|铺|档|摊|店|商|市场|[上下]午|早|晚"
    r"|凌晨|前|后|以|之前|开|起)"
)
_IN_GROUP = re.compile(
    rf"(?:[组屯]|[0-9]弄)((?:附)?[1-9][0-9]{{0,3}}号(?:之[一二三四五六0-9]|[\-—－][0-9]{{1,3}})?){_NO_HOUSE}"
)
_LIVED = re.compile(
    r"(?:我家|家住|住在|我住|住址|居住地|家庭住址|户籍地址?|户籍所在地|本人住|现住|居住在|老家在|家里?在"
    r"|联系地址|家庭地址)[^，。；！？\n]{0,18}?[路街巷弄里村道坊庄湾坪冲寨胡同桥巷子]"
    rf"((?:附)?[1-9][0-9]{{0,3}}号(?:之[一二三四五六0-9]|[\-—－][0-9]{{1,3}})?){_NO_HOUSE}"
)
_PLATE_SAID = re.compile(r"门牌号?(?:码)?(?:是|为|[:：])?\s?([1-9][0-9]{0,4}(?:[\-—－][0-9]{1,4})?号?)(?![0-9年月])")

#: The surer ones first, each behind the signs of which it has one.
PATTERNS = (
    ("-—－", (_DASHED, _DASHED_SHORT)),
    ("栋幢座楼元", (_IN_HOUSE,)),
    ("楼壁对邻家住主户号", (_NEIGHBOUR,)),
    ("号", (_IN_GROUP, _LIVED)),
    ("门", (_PLATE_SAID,)),
)

#: Every door has one of these in it or before it: three digits in a row, a digit and 号; or two of three in words.
DOOR_CUES = (
    *(f"{number:03}" for number in range(1000)),
    *(f"{digit}{mark}" for digit in range(10) for mark in "号-—－"),
    "门牌",
)
HAN_DOOR_CUES = tuple(f"{one}{two}" for one in _HAN for two in _HAN)
_BEFORE_FLAT = "[上下壁门面居家住主户号间]"
_DIGIT = f"[0-9{_HAN}]"
#: Looks for a digit, then for what stands behind it, and only then for what stands before: the rarest comes first.
_GATE = re.compile(
    rf"[0-9{_HAN}附门](?:"
    rf"{_DIGIT}{{2}}(?:(?<=[栋幢座元楼]{_DIGIT}{{3}})|(?<=[栋幢座元楼][ \-—－]{_DIGIT}{{3}})"
    rf"|(?<={_BEFORE_FLAT}[1-9][0-9]{{2}})|(?<={_BEFORE_FLAT}[是的住 :：][1-9][0-9]{{2}})"
    rf"|(?<={_BEFORE_FLAT}[是的住][ :：][1-9][0-9]{{2}}))"
    rf"|室(?<={_DIGIT}室)|号房(?<={_DIGIT}号房)|房间(?<={_DIGIT}房间)"
    r"|[\-—－](?<=[0-9].)[0-9]|[栋幢元](?<=[0-9].)[\-—－][0-9]"
    r"|牌(?<=门牌)|(?<=[组屯弄路街巷里村道坊庄湾坪冲寨同桥子][附0-9])[附0-9]*号)"
)
#: Words that make an address the caller's own.
_OWN = re.compile("(?:我家|家住|我住|本人住|住址|现住|居住在|家庭住址|户籍|联系地址|我是)[^，。；！？\n]{0,24}$")
_NEAR = 32


def has_door(text: str) -> bool:
    """Say whether a door number may be in a text that has a cue."""
    return _GATE.search(text) is not None


def doors(text: str) -> Iterator[Found]:
    """Find door numbers."""
    for signs, patterns in PATTERNS:
        if any(sign in text for sign in signs):
            for pattern in patterns:
                yield from (_found(text, one) for one in pattern.finditer(text))
    if "室" in text or "房" in text:
        for one in _ROOM_ALONE.finditer(text):
            if _PUBLIC.search(text, max(0, one.start() - _NEAR), one.start()) is None:
                yield _found(text, one)


def _found(text: str, match: re.Match[str]) -> Found:
    start, end = match.span(1)
    return Found(start, end, "door", matter=_OWN.search(text, max(0, start - _NEAR), start) is None)
