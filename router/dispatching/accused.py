"""Whom an appeal complains about (被反映单位): a complaint about an office or its staff never goes to it (promise 8).

Two witnesses: the names that the normalizer saw accused (`signals.accused`), and the text itself, where an office's
name stands shortly before a word for misconduct. Either is enough; when in doubt a unit counts as accused, and its
superior or a person gets the complaint. Nor does a unit get a complaint about one that stands above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import daachorse

from normalizer.appeal import Appeal, RequestType
from router.dispatching.directory import Directory, Unit, area_of

_COMPLAIN, _REPORT = RequestType.COMPLAIN, RequestType.REPORT
#: Categories that are about the staff of an office, whichever it is (工作人员作风, 纪检信访类).
_ABOUT_STAFF = frozenset({"1304", "1305"})

#: Misconduct as people word it.
_MISCONDUCT = (
    *("不作为", "慢作为", "乱作为", "推诿", "推卸责任", "互相推", "推来推去", "扯皮", "踢皮球", "吃拿卡要"),
    *("收钱", "收黑钱", "收受", "收好处", "受贿", "索贿", "贿赂", "包庇", "保护伞", "勾结", "渎职", "失职"),
    *("滥用职权", "徇私", "乱罚款", "打人", "骂人", "暴力执法", "野蛮执法", "钓鱼执法", "违规执法", "粗暴执法"),
    *("选择性执法", "态度恶劣", "态度很差", "态度极差", "态度太差", "态度差", "态度不好", "态度很不好"),
    *("态度蛮横", "态度傲慢", "官官相护", "好处费"),
)
_WORDS = "|".join(_MISCONDUCT)
#: Every complaint is asked: one pass for all words costs half of what looking for them one by one does.
_AUTOMATON = daachorse.CharwiseDoubleArrayAhoCorasick(list(_MISCONDUCT), daachorse.MATCH_KIND_LEFTMOST_LONGEST)


def accused_by(appeal: Appeal, said: str, directory: Directory) -> Accused | None:
    """Ask whom it complains about; None: nobody, as in most. `said` is all of title and text."""
    if appeal.signals.accused or (_blames_somebody(appeal) and _tells_of_misconduct(said)):
        return Accused(appeal, directory)
    return None


class Accused:
    """Asks of any unit whether this appeal is about it, or about one above it. Made once an appeal."""

    __slots__ = ("_appeal", "_directory", "_named", "_texts")

    def __init__(self, appeal: Appeal, directory: Directory) -> None:
        self._appeal = appeal
        self._directory = directory
        named: set[str] = set()
        for name in appeal.signals.accused:
            named |= self._meant(name)
        self._named = frozenset(named)
        texts = (appeal.text, appeal.title) if _blames_somebody(appeal) else ()
        self._texts = [text for text in texts if _tells_of_misconduct(text)]

    def __contains__(self, unit: Unit) -> bool:
        return self._is_about(unit) or any(self._is_about(above) for above in self._directory.superiors(unit))

    def superior_of(self, unit: Unit) -> Unit | None:
        """Climb to the first superior that the appeal is not about."""
        return next((above for above in self._directory.superiors(unit) if above not in self), None)

    def _is_about(self, unit: Unit) -> bool:
        if unit.code in self._named:
            return True
        return any(self._blames(unit, text) for text in self._texts)

    def _blames(self, unit: Unit, text: str) -> bool:
        """Say whether this unit's name stands shortly before misconduct, and no other place's name before it."""
        for found in _conduct_of(self._directory.words_of(unit)).finditer(text):
            area = self._directory.area_before(text, found.start())
            if area is None or area == area_of(unit.area) or not self._directory.has(unit.role, area):
                return True
        return False

    def _meant(self, name: str) -> frozenset[str]:
        """Say which units an accused name means here: where the text says whose (望湖区城管局), those alone."""
        meant = self._directory.meant([name])
        areas = {
            self._directory.area_before(text, start)
            for text in (self._appeal.text, self._appeal.title)
            for start in _starts(text, name)
        }
        ours = frozenset(code for code in meant if area_of(self._directory.units[code].area) in areas)
        return ours or meant


def _starts(text: str, name: str) -> Iterable[int]:
    start = text.find(name) if name else -1
    while start >= 0:
        yield start
        start = text.find(name, start + 1)


def _blames_somebody(appeal: Appeal) -> bool:
    kind = appeal.request_type
    return kind is _COMPLAIN or kind is _REPORT or appeal.category.code in _ABOUT_STAFF


def _tells_of_misconduct(text: str) -> bool:
    return bool(_AUTOMATON.find(text))


@lru_cache(maxsize=2048)
def _conduct_of(words: frozenset[str]) -> re.Pattern[str]:
    names = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    return re.compile(rf"(?:{names})[^。！？!?，,；;\n]{{0,12}}?(?:{_WORDS})")
