"""Tell appeals from chatter (诉求与闲聊) where people also just talk: news comments and forums.

A hotline order, a letter or a visit is an appeal by itself. Anger never makes chatter: no word of anger counts.
"""

from __future__ import annotations

import re
from math import exp

from normalizer.appeal import RequestType
from normalizer.draft import Draft
from normalizer.tables import Tables

TALKING = frozenset({"news_comment", "forum", "other"})

MATTER = 0.09  #: what a point of the category says for being an appeal
MATTER_MOST = 2.4
LONG, LENGTH = 60, 0.5
SHORT, CURT = 12, -0.6
PLACED = 0.8  #: it names a place of the city, or the city
#: How people talk who pass things on: reposts, hashtags, emoticons in brackets, short links, a headline in 【】. The
#: gate is a character of each; what it finds counts only up to a limit, so that no matter is talked away by them.
_TALK_GATE = re.compile(r"[@#\[【]|t\.cn")
_TALK = (
    (re.compile(r"//@|回复@|转发微博"), -2.4, -3.6),
    (re.compile(r"#[^#\n]{2,30}#"), -1.4, -2.0),
    # Tears and fury are no sign of chatter.
    (re.compile(r"\[(?!.?[怒泪哭悲委怜失衰鄙吐狂汗哼])[\u4e00-\u9fffa-z]{1,6}\]"), -0.8, -1.6),
    (re.compile(r"https?://t\.cn/"), -1.0, -1.0),
    (re.compile(r"^.{0,40}【[^】\n]{6,}】"), -1.6, -1.6),
)


def judge(draft: Draft, tables: Tables) -> None:
    """Set is_appeal and its score."""
    if draft.request_type is RequestType.INVALID:
        draft.is_appeal, draft.appeal_score = False, 0.0
        return
    if draft.channel not in TALKING and draft.thread.root is None:
        return  # an order, a letter, the first post of a board; a reply below it may be mere talk
    points = _points(draft, tables)
    draft.appeal_score = round(1.0 / (1.0 + exp(-points)), 4)
    draft.is_appeal = points >= tables.judge_threshold


def is_request(draft: Draft, tables: Tables) -> bool:
    """Say whether these words ask for something by themselves, wherever they were written."""
    return draft.request_type is not RequestType.INVALID and _points(draft, tables) >= tables.judge_threshold


def _points(draft: Draft, tables: Tables) -> float:
    points = tables.judge_bias + min(MATTER_MOST, MATTER * draft.score)
    seen: set[int] = set()
    for _, _, word in draft.cues:
        value = tables.meanings[word].judge
        if value and word not in seen:
            seen.add(word)
            points += value
    if draft.district is not None or (draft.city is not None and draft.city in draft.body):
        points += PLACED
    if draft.title_end > 0 and draft.channel != "news_comment":
        points += 0.6
    if draft.emergency is not None:
        points += 2.0
    length = len(draft.body)
    if length > LONG:
        points += LENGTH * min(3.0, length / LONG - 1.0)
    elif length < SHORT:
        points += CURT
    return points + _talk(draft.body)


def _talk(body: str) -> float:
    """Weigh the marks of passing on."""
    if _TALK_GATE.search(body) is None:
        return 0.0
    return sum(max(most, each * len(mark.findall(body))) for mark, each, most in _TALK)
