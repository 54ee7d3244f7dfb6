"""What a reviewer of a return sees (退单审核建议): what speaks for either unit, and what needs no person.

Pure. It knows what is written in the directory, the rules and the ledger, and never whose a case really is. Where
precedents speak clearly, and the settings allow it, the return is decided by them at once; all else waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from normalizer.appeal import Appeal
from router.cases.case import Case, feedback_of
from router.cases.moves import Kind
from router.cases.returns import path
from router.cases.teaching import TEACHING, spot_of
from router.cases.work import Ask
from router.dispatching.accused import Accused
from router.dispatching.directory import area_of_place
from router.dispatching.lessons import CLEAR, Lessons
from router.dispatching.precedents import Spot, called
from router.dispatching.tables import Tables
from router.feedback import RETURN_CODES

AUTOMATIC = "退单自动审核"  #: who decided, in the ledger
ENOUGH = 3  #: so many precedents of the unit at least
OFTEN = 5  #: so many of its returns were refused of late, and twice as many as upheld: another had better be looked at
NEW = 2  #: so many pairs of characters may be new in what is refused without a person


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What is suggested, and why."""

    suggest: Literal["uphold", "refuse", "look"]  #: look: nothing speaks clearly, a person must
    to: str | None  #: where it would go if it is upheld
    clear: bool  #: precedents alone decide it, where the settings allow that
    why: list[str]


def advise(case: Case, appeal: Appeal, department: str, tables: Tables, lessons: Lessons) -> Advice:
    """Advise on the return that this department asks for."""
    view = _View(case, appeal, department, tables, lessons)
    if view.asked.get("code") not in TEACHING or view.spot is None:
        return Advice(suggest="look", to=None, clear=False, why=view.why())
    return _weighed(view, view.spot)


# ---------------------------------------------------------------- inside


class _View:
    """Everything that is looked at for one return."""

    def __init__(self, case: Case, appeal: Appeal, department: str, tables: Tables, lessons: Lessons) -> None:
        self.case, self.appeal, self.tables, self.lessons = case, appeal, tables, lessons
        self.area = area_of_place(appeal.place)
        self.spot = spot_of(appeal, tables)
        self.unit = tables.directory.get(department)
        self.name = called(self.unit, self.area) if self.unit else department
        self.asked = _asked(case, department)
        named = self.asked.get("proposed_owner") or ""
        self.proposed = tables.directory.get(named.strip().upper()) or tables.directory.find(named, appeal.place)
        self.insists = any(
            event.kind is Kind.RETURN_REFUSED and event.department == department for event in case.events
        )

    def short(self, name: str) -> str:
        unit = self.tables.meant(name, self.area)
        return unit.short if unit else name

    def count(self, name: str) -> int:
        node = self.lessons.nodes.get(self.spot) if self.spot else None
        return node.totals.get(name, 0) if node else 0

    def record(self) -> tuple[int, int]:
        """Count its returns of late: upheld, and refused."""
        every = [one for node in self.lessons.nodes.values() for one in node.precedents.values()]
        return sum(self.name in one.refused for one in every), sum(self.name in one.turned_down for one in every)

    def why(self) -> list[str]:
        return [*_of_the_request(self), *_of_the_rules(self), *_of_precedents(self), *_of_its_record(self)]


def _weighed(view: _View, spot: Spot) -> Advice:
    said = view.lessons.says(spot, view.appeal)
    mine = view.lessons.weigh(spot, view.name, view.appeal)
    other = view.tables.meant(said.owner, view.area) if said and said.owner != view.name else None
    if said is not None and other is not None and other.code not in path(view.case):
        clear = said.weight >= CLEAR and view.count(said.owner) >= ENOUGH and mine < 0 and not view.insists
        return Advice(suggest="uphold", to=other.code, clear=clear, why=view.why())
    theirs = view.lessons.weigh(spot, called(view.proposed, view.area), view.appeal) if view.proposed else 0.0
    if mine > 0 >= theirs and view.count(view.name):
        nothing_new = len(view.lessons.unseen(spot, view.name, view.appeal)) <= NEW
        clear = mine >= CLEAR and view.count(view.name) >= ENOUGH and nothing_new and not view.insists
        return Advice(suggest="refuse", to=None, clear=clear, why=view.why())
    upheld, refused = view.record()
    if refused >= OFTEN and refused >= 2 * upheld and theirs <= 0:
        return Advice(suggest="refuse", to=None, clear=False, why=view.why())
    return Advice(suggest="look", to=view.proposed.code if view.proposed else None, clear=False, why=view.why())


def _asked(case: Case, department: str) -> Mapping[str, Any]:
    track = case.handling.tracks.get(department) if case.handling else None
    feedback = track.asks.get(Ask.RETURN) if track else None
    return next(
        (
            event.data
            for event in case.events
            if event.kind is Kind.RETURN_ASKED and feedback_of(event) == (department, feedback)
        ),
        {},
    )


def _of_the_request(view: _View) -> Iterator[str]:
    code, unit = view.asked.get("code", ""), view.proposed
    yield f"理由 {code}（{RETURN_CODES.get(code, '-')}），依据：{view.asked.get('clause') or '-'}"
    if unit is None:
        if view.asked.get("proposed_owner"):
            yield "所建议的单位不在部门目录"
        return
    yield f"建议由{unit.short}（{unit.code}）办理"
    if unit is view.unit:
        yield "建议的就是它自己"
    elif unit.code in path(view.case):
        yield f"{unit.short}已经办过这一单"
    if unit in Accused(view.appeal, view.tables.directory):
        yield f"诉求反映的就是{unit.short}，不能派给它"


def _of_the_rules(view: _View) -> Iterator[str]:
    """Tell what the rules and the directory say of both units' duties."""
    category = view.appeal.category
    parts = view.tables.rules.categories.get(category.code)
    for unit in (view.unit, view.proposed):
        if unit is None:
            continue
        part = "主办" if parts and unit.role == parts.lead else "协办" if parts and unit.role in parts.assist else None
        duty = f"分类{category.code}（{category.name}）的{part}" if part else "派单目录没有把此类交给它"
        words = [word for word in (*unit.names, *unit.covers) if len(word) > 1 and word in view.appeal.text]
        mentioned = f"，原文提到{'、'.join(words[:3])}" if words else ""
        area = f"，辖区{unit.area}" if unit.area else ""
        yield f"{unit.short}：{duty}{area}{mentioned}"


def _of_precedents(view: _View) -> Iterator[str]:
    node = view.lessons.nodes.get(view.spot) if view.spot else None
    if view.spot is None or node is None:
        yield "没有同一规则派出的先例"
        return
    for name, count in sorted((name, count) for name, count in node.totals.items() if name):
        numbers = "、".join([one.case_no for one in node.precedents.values() if one.owner == name][-3:])
        whose = "本单位" if name == view.name else view.short(name)
        like = "这一件与之相像" if view.lessons.weigh(view.spot, name, view.appeal) > 0 else "这一件与之不大像"
        yield f"同一规则派出的有{count}件由{whose}受理，{like}（{numbers}）"


def _of_its_record(view: _View) -> Iterator[str]:
    upheld, refused = view.record()
    if upheld + refused:
        yield f"{view.short(view.name)}近来的退单：成立{upheld}件，驳回{refused}件"
