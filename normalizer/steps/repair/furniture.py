"""What stands around a text on a page and is none of it (页面杂物): spam, navigation, scrapers' noise."""

from __future__ import annotations

import re

from normalizer.steps.repair.spots import Repaired, Spot

#: Only so many lines from the head and from the tail are looked at.
HEAD, TAIL = 6, 10
#: So many different words of spam in a line without a sentence, and it is none of the letter.
SPAM_WORDS = 3
_SPAM = re.compile(
    r"[aA][vV]视频|欧美|日韩|国产|亚洲|[一二三四]区|久久|精品|毛片|无码|有码|伊人|大香|午夜|小视频|成人网?站?|三级|在线观看|在线视频|免费观看|"
    r"黄色|激情|色情|情色|裸聊|约炮|百家乐|博彩|棋牌|真人娱乐|彩票网|时时彩|澳门|赌场|私服|代开发票|办证刻章|高仿|夜总会|一条龙|足疗|小姐上门"
)
_SENTENCE = re.compile("[。！？；]")

_FURNITURE = re.compile(
    r"(?:返回(?:顶部|首页|列表|上页)|回到顶部|关闭窗口|打印本页|打印|网站首页|网站地图|设为首页|加入收藏|分享到.{0,20}|小字号.{0,4}分享让更多人看到|分享让更多人看到"
    r"|扫一扫.{0,24}|上一篇[:：].{0,60}|下一篇[:：].{0,60}|相关(?:阅读|新闻|推荐|链接|文章)[:：]?|推荐阅读[:：]?|热门评论|点击加载更多|我要评论|发表评论|用户评论"
    r"|(?:浏览|阅读|点击)(?:次数|量|数)?[:：]\s*\d+次?|标签[:：].{0,60}|关键词[:：].{0,60}|字体[:：].{0,12}|【字体[:：].{0,12}】"
    r"|[\[(（【]?\s*(?:责任编辑|责编|责任校对|编辑|审核|校对)\s*[:：].{1,30}?[\])）】]?"
    r"|首页\s*[>›»].{0,60}|[^，。！？\n]{1,16}(?:\s[>›»]\s[^，。！？\n]{1,16}){1,5}|网站首页(?:\s*\|\s*[^|\n]{1,10}){1,8})"
)
#: From here on nothing belongs to the text.
_RIGHTS = re.compile(r"(?:版权声明|免责声明|版权所有|著作权声明|Copyright)\s*[:：©]?.*", re.IGNORECASE)
#: What every line or end that _FURNITURE takes has somewhere.
_HINT = re.compile(
    r"返回|回到|关闭窗口|打印|首页|收藏|分享|扫一扫|[一一上下]篇|相关|推荐|评论|更多|[:：]|[>›»]|声明|版权|opyright"
)
_EDITOR_BEHIND = re.compile(r"\s*[\[(（【]\s*(?:责任编辑|责编)\s*[:：][^\])）】\n]{1,20}[\])）】]\s*$")
_AT_SIGNS = re.compile("@{2,}")
#: Signs that a forum puts behind a line so that copies can be told: 9sd}Z,l
_TAIL = re.compile(r"(?<=[。！？；”…\u4e00-\u9fff])[ ]?([!-~]{5,10})$")
FAR = 12
_KINDS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", r"[{}\[\]&^~|;,<>$#%*+='\"\\`!?]")))
_MIXED = 3
_WORD = re.compile(r"[\[(<].*[\])>]|.*(?:www|http|\.com|\.cn|@).*|[A-Za-z]+[!?,;]+|\d+[!?,;]+")


def without_noise(text: str) -> Repaired:
    """Take out what scrapers and forums put between and behind the words."""
    spots: list[Spot] = []
    if "@@" in text:
        spots += (Spot("at_signs", *one.span()) for one in _AT_SIGNS.finditer(text))
    end = -1
    while end < len(text):  # only where a line ends in ASCII, which few do
        found = text.find("\n", end + 1)
        start, end = end + 1, found if found >= 0 else len(text)
        if "!" <= text[end - 1 : end] <= "~":
            spots += (
                Spot("latin_tail", *one.span())
                for one in _TAIL.finditer(text, max(start, end - FAR), end)
                if _is_noise(one[1])
            )
    return _without(text, spots) if spots else Repaired(text)


def _is_noise(tail: str) -> bool:
    """Say whether signs are mixed as no word, number or address is."""
    if _WORD.fullmatch(tail) is not None:
        return False
    return _KINDS[3].search(tail) is not None and sum(kind.search(tail) is not None for kind in _KINDS) >= _MIXED


def without_furniture(text: str) -> Repaired:
    """Take out lines at the head and the tail that are the page's and not the text's."""
    lines = text.split("\n")
    spots: list[Spot] = []
    at = 0
    last = len(lines) - 1
    for number, line in enumerate(lines):
        kind = _kind(line, near=number < HEAD or number > last - TAIL, outer=number in (0, 1, last - 1, last))
        if kind == "rights":
            spots.append(Spot("furniture", at, len(text)))
            break
        if kind is not None:
            spots.append(Spot(kind, at, min(at + len(line) + 1, len(text))))
        at += len(line) + 1
    behind = _EDITOR_BEHIND.search(text)
    if behind is not None and not any(spot.end > behind.start() for spot in spots):
        spots.append(Spot("furniture", *behind.span()))
    return _without(text, spots)


def _kind(line: str, *, near: bool, outer: bool) -> str | None:
    """Say what a line is, if it is none of the text."""
    if not near or not line:
        return None
    if outer and _SENTENCE.search(line) is None and len(set(_SPAM.findall(line))) >= SPAM_WORDS:
        return "spam"
    if _HINT.search(line) is None:
        return None
    line = line.strip()
    if _RIGHTS.fullmatch(line) is not None:
        return "rights"
    return "furniture" if _FURNITURE.fullmatch(line) is not None else None


def _without(text: str, spots: list[Spot]) -> Repaired:
    """Cut the places out, unless nothing would be left."""
    if not spots:
        return Repaired(text)
    spots.sort(key=lambda one: one.start)
    parts: list[str] = []
    done = 0
    for spot in spots:
        parts.append(text[done : spot.start])
        done = spot.end
    left = "".join((*parts, text[done:])).strip()
    return Repaired(left, tuple(spots)) if left else Repaired(text)
