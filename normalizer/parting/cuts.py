"""Where a message counts its requests, or begins another one (一、二、 · 1. 2. · 另外). Pure, and only about wording.

A cut text is a shared head, pieces in order, and a shared tail: together they are the whole text, and nothing twice.
Whether the pieces are requests of their own is asked in matters.py; most counted lists are details of one matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from normalizer.appeal import MOST_PARTS

#: Shorter ones have no room for two requests.
LEAST = 24
MOST_PIECES = MOST_PARTS
#: Every counted list has a second item, and all else begins with one of these: without any nothing is looked for.
#: It begins with one class of characters, which is looked for three times as fast as one of several beginnings.
_SIGN = re.compile(
    r"[2二②另还同再顺](?:(?<=2)[、．.:：)）,，](?![0-9])|(?<=二)[、.．:：)）是]|(?<=第二)[，,个件]|(?<=其二)|(?<=问题二)|(?<=②)|"
    r"(?<=另)[外，,有也还再想要反投咨请]|(?<=还)有(?:另外)?[一两]?[个件点问事]|"
    r"(?:(?<=同)时|(?<=还)[想要]|(?<=再))(?:也|还|再|想|要|反映|投诉|咨询|请问)|(?<=顺)便)"
)


class Piece(NamedTuple):
    """One piece of the text, and the words that begin it."""

    start: int
    end: int
    cue: str
    why: str


class Cuts(NamedTuple):
    """A text in pieces: `text[:head]` and `text[tail:]` belong to all of them."""

    head: int
    pieces: tuple[Piece, ...]
    tail: int


class _Style(NamedTuple):
    why: str
    marker: re.Pattern[str]
    order: str | tuple[str, ...]
    second: tuple[str, ...]  #: one of these is in every text that counts so: patterns are dear


_BEGIN = r"(?:(?<=[。！？；;!?\n：:，,])|^)[ ]*"
_HAN = "一二三四五六七八九"
_HAN_SECOND = tuple(f"二{mark}" for mark in "、.．:：")
_SECOND = tuple(f"2{mark}" for mark in "、．:：)）.,，")
_STYLES = (
    _Style("编号 一、二、", re.compile(_BEGIN + r"([一二三四五六七八九])[、.．:：]", re.MULTILINE), _HAN, _HAN_SECOND),
    _Style("编号（一）（二）", re.compile(r"[（(]([一二三四五六七八九])[）)]"), _HAN, ("（二", "(二")),
    _Style("编号（1）（2）", re.compile(r"[（(]([1-9])[）)]"), "123456789", ("（2", "(2")),
    _Style("编号 1. 2.", re.compile(_BEGIN + r"([1-9])(?:[、．:：)）]|[.,，](?![0-9]))", re.MULTILINE), "123456789", _SECOND),  # noqa: E501
    _Style("编号 ①②", re.compile(r"([①②③④⑤⑥⑦⑧⑨])"), "①②③④⑤⑥⑦⑧⑨", ("②",)),
    _Style("编号 第一、第二", re.compile(_BEGIN + r"第([一二三四五六七八九])(?:[、，,:：]|个问题|件事|是)", re.MULTILINE), _HAN, ("第二",)),  # noqa: E501
    _Style("编号 一是、二是", re.compile(_BEGIN + r"([一二三四五六七八九])是", re.MULTILINE), _HAN, ("二是",)),
    _Style("编号 其一、其二", re.compile(_BEGIN + r"其([一二三四五六七八九])", re.MULTILINE), _HAN, ("其二",)),
    _Style("编号 问题一、问题二", re.compile(r"问题([一二三四五六七八九])"), _HAN, ("问题二",)),
)  # fmt: skip
_ANOTHER = re.compile(
    r"(?:(?<=[。！？；;!?\n])|^)[ ]*("
    r"另外|另[，,]|(?:还有|另有)(?:另外)?[一两]?[个件点](?:小?问题|事情?|情况|诉求|建议)|还有(?:问题|事情)|"
    r"(?:同时|再|还想|还要|另外?)(?:也|还|再|想|要)?(?:反映|投诉|咨询|请问)|顺便(?:再|也|还|想)?(?:反映|问|咨询|投诉|说))",
    re.MULTILINE,
)
_ANOTHER_BEGINS = ("另", "还有", "还想", "还要", "同时", "顺便", "再")
_SENTENCE = re.compile(r"[^。！？!?\n；;]*[。！？!?\n；;]*")


def may_be_several(text: str) -> bool:
    """Look for any sign of a second request: cheap, for every message is asked."""
    return len(text) >= LEAST and _SIGN.search(text) is not None


def cuts(text: str) -> Iterator[Cuts]:
    """Give the ways in which the text itself says that it has several pieces, the surest first."""
    for style in _STYLES:
        if any(second in text for second in style.second):
            marks = _counted(style, text)
            if marks:
                yield from _cut(text, marks, first=marks[0][0])
    if not any(word in text for word in _ANOTHER_BEGINS):
        return
    marks = [(found.start(1), found[1], "另起一事") for found in _ANOTHER.finditer(text)]
    if marks and len(marks) < MOST_PIECES:
        yield from _cut(text, marks, first=None)


def _counted(style: _Style, text: str) -> list[tuple[int, str, str]]:
    """Give the items of a list that counts 1, 2, … once and without a gap."""
    marks: list[tuple[int, str, str]] = []
    for found in style.marker.finditer(text):
        if len(marks) >= MOST_PIECES or found[1] != style.order[len(marks)]:
            return []
        start = found.start() + len(found[0]) - len(found[0].lstrip())
        marks.append((start, found[0].strip(), style.why))
    return marks if len(marks) > 1 else []


def _cut(text: str, marks: list[tuple[int, str, str]], first: int | None) -> Iterator[Cuts]:
    head = head_of(text) if first is None else first
    tail = tail_of(text, marks[-1][0])
    if first is None:
        marks = [(head, "", "正文所述"), *(mark for mark in marks if mark[0] > head)]
    ends = [start for start, _, _ in marks[1:]] + [tail]
    pieces = tuple(Piece(start, end, cue, why) for (start, cue, why), end in zip(marks, ends, strict=True))
    if len(pieces) > 1 and all(piece.start < piece.end for piece in pieces):
        yield Cuts(head, pieces, tail)


_CLAUSE = re.compile(r"[^。！？!?\n；;：:，,]*[。！？!?\n；;：:，,]+")
_GREETING = re.compile(
    r"尊敬的.{0,24}|各位.{0,12}|.{0,8}(?:您好|你好|领导|市长|书记|主任|局长|区长|县长|大家好)|"
    r"(?:我|本人|我们)(?:是|叫|姓|家住|住在|家在|系).{0,30}|家住.{0,30}|.{0,4}反映(?:如下)?[一两二三四五几]?[个件点]?(?:问题|事情|情况|诉求)"
)


def head_of(text: str) -> int:
    """Say where the greeting and the introduction of a letter end; they say for all of it who writes, and where."""
    at = 0
    for found in _CLAUSE.finditer(text):
        words = found[0].strip(" 。！？!?\n；;：:，,")
        if words and _GREETING.fullmatch(words) is None:
            break
        at = found.end()
    return at


_CLOSING = re.compile(
    r"^(?:.{0,4}(?:谢谢|感谢|多谢|辛苦|此致|敬礼|盼复|盼回复|万分|祝)|"
    r"(?:以上|上述|所以|因此|综上)?.{0,6}(?:恳请|恳求|希望|盼望|期盼|期待|请|望|麻烦|敬请|跪求|诚望).{0,24}"
    r"(?:解决|处理|回复|答复|重视|核实|查处|为盼|关注|帮助|帮忙|落实|给.{0,6}说法|解答|改善|协调)|"
    r"(?:联系|电话|手机).{0,16}〔).{0,24}[。！？!?\n；;]*$"
)


def tail_of(text: str, after: int) -> int:
    """Say where thanks, the general plea and the contact at the end of a letter begin."""
    sentences = [found for found in _SENTENCE.finditer(text, after) if found[0]]
    at = len(text)
    for found in reversed(sentences[1:]):
        if found[0].strip() and _CLOSING.match(found[0].strip()) is None:
            break
        at = found.start()
    return at
