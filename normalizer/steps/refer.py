"""See what is not ours to dispatch (不予受理与转交), and who is complained about (被投诉单位, promise 8)."""

from __future__ import annotations

import re

from normalizer.appeal import RequestType
from normalizer.draft import Draft
from normalizer.tables import Cue, Tables
from normalizer.words import SENTENCE_ENDS

_BLAMING = (RequestType.COMPLAIN, RequestType.REPORT, RequestType.HELP, RequestType.OTHER)
#: A class whose matters are only informed about must lead this clearly before the desk declines.
SURE = 0.45
#: A city that is named as the place, with a district behind it; 城市 and 本市 are no names.
_ELSEWHERE = re.compile(r"(?:在|是|位于|家住|^)([\u4e00-\u9fff]{2,3})市[\u4e00-\u9fff]{1,4}?[区县]")
_NO_CITY = frozenset(["农贸", "小商品", "大城", "城市", "我们", "全省", "一个", "这个", "咱们", "菜", "批发", "建材"])
#: How near a charge (投诉…) stands before the unit that it is about.
CHARGE = 8


def refer(draft: Draft, tables: Tables) -> None:
    """Set the referral and the accused."""
    draft.accused = _accused(draft, tables)
    draft.referral = _referral(draft, tables)


def _referral(draft: Draft, tables: Tables) -> str | None:
    if draft.emergency is not None:
        return draft.emergency
    if draft.request_type is RequestType.PRAISE:
        return "praise"
    if draft.request_type is RequestType.INVALID:
        return "N3"
    elsewhere = _elsewhere(draft, tables)
    if elsewhere:
        return "N5"
    return _by_class(draft, tables)


def _by_class(draft: Draft, tables: Tables) -> str | None:
    """Decline only what is clearly of a class that others decide; a word of it alone is not enough."""
    declined = tables.classes[draft.code].referral
    if declined is None:
        return None
    named = {meaning.referral for _, _, word in draft.cues if (meaning := tables.meanings[word]).referral is not None}
    if draft.request_type is RequestType.CONSULT and not named:
        return None
    if "petition" in named:
        return "petition"
    if draft.confidence >= SURE or declined in named:
        return declined
    return None


def _elsewhere(draft: Draft, tables: Tables) -> bool:
    """Say whether the matter lies in another city: one is named with more of an address, and nothing of ours is."""
    if tables.city is None or draft.district is not None:
        return False
    text = draft.address or draft.body
    short = tables.city.rstrip("市")
    if short and (short in draft.body or short in text):
        return False
    if (named := _ELSEWHERE.search(text)) is not None and named[1] not in _NO_CITY and named[1] != short:
        return True
    for start, end, _ in tables.elsewhere.find(text):
        behind = text[end : end + 6]
        if any(mark in behind for mark in "区县镇路街"):
            before = text[max(0, start - 4) : start]
            return not any(word in before for word in ("来自", "户籍", "老家", "户口", "从", "回", "去", "像", "如"))
    return False


def _accused(draft: Draft, tables: Tables) -> list[str]:
    """Name the units beside words of misconduct, in the same sentence."""
    if draft.request_type not in _BLAMING:
        return []
    marks = [(tables.meanings[word], start, end) for start, end, word in draft.cues if word in tables.blaming]
    accused: list[str] = []
    for index, (meaning, start, end) in enumerate(marks):
        if not meaning.unit:
            continue
        name = draft.body[start:end]
        if name not in accused and (_faulted(draft, tables, marks, index) or _charged(draft, tables, marks, index)):
            accused.append(name)
            draft.evident(start, end, "被投诉单位")
    return accused


def _faulted(draft: Draft, tables: Tables, marks: list[tuple[Cue, int, int]], index: int) -> bool:
    """Say whether a fault follows the unit closely."""
    end = marks[index][2]
    for meaning, start, _ in marks[index + 1 :]:
        if start - end > tables.accused_within:
            return False
        if meaning.fault:
            return SENTENCE_ENDS.isdisjoint(draft.body[end:start])
    return False


def _charged(draft: Draft, tables: Tables, marks: list[tuple[Cue, int, int]], index: int) -> bool:
    """Say whether a charge stands right before the unit, and the unit is not where one turned to."""
    start = marks[index][1]
    if index == 0:
        return False
    meaning, _, end = marks[index - 1]
    if not meaning.charge or start - end > CHARGE:
        return False
    between = draft.body[end:start]
    return SENTENCE_ENDS.isdisjoint(between) and not any(word in between for word in tables.addressed)
