"""What a reviewer of a return sees (退单审核建议): what speaks for either unit, and what needs no person.

Pure. It knows what is written in the directory, the rules and the ledger, and never whose a case really is. Where
precedents speak clearly, and the settings allow it, the return is decided by them at once; all else waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from normalizer.appeal import Appeal
from router.cases.case import Case
from router.cases.moves import Kind
from router.cases.returns import path
from router.cases.teaching import TEACHING
from router.cases.work import Ask
from router.dispatching.accused import Accused
from router.dispatching.decide import spot_of
from router.dispatching.directory import Unit
from router.dispatching.lessons import Lessons, Precedent, Spot
from router.dispatching.tables import Tables

AUTOMATIC = "退单自动审核"  #: who decided, in the ledger
CLEAR = 1.5  #: from here on precedents speak clearly (natural logarithm of the odds)
ENOUGH = 3  #: so many precedents of the unit at least
NEW = 2  #: so many pairs of characters may be new in what is refused without a person

_CODES = {
    "R1": "属地不符",
    "R2": "职能不符",
    "R3": "权属不清",
    "R4": "职责交叉",
    "R5": "信息不全",
    "R6": "重复件",
    "R7": "已进入法定程序",
    "R8": "不属本市",
}


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What is suggested, and why."""

    suggest: Literal["uphold", "refuse", "look"]  #: look: nothing speaks clearly, a person must
    to: str | None  #: where it would go if it is upheld
    clear: bool  #: precedents alone decide it, where the settings allow that
    why: list[str]


def advise(case: Case, appeal: Appeal, department: str, tables: Tables, lessons: Lessons) -> Advice:
    """Advise on the return that this department asks for."""
    asked = _asked(case, department)
    spot = spot_of(appeal, tables)
    proposed = _proposed(asked.get("proposed_owner"), appeal, tables)
    said = lessons.says(spot, appeal) if spot else None
    other = said.owner if said else None
    why = [
        *_of_the_request(asked, proposed, department, case, appeal, tables),
        *_of_the_rules(appeal, department, proposed, tables),
        *_of_precedents(spot, department, appeal, lessons, tables),
        *_of_its_record(department, lessons, tables),
    ]
    code = asked.get("code")
    if code not in TEACHING or spot is None:
        return Advice(suggest="look", to=None, clear=False, why=why)
    insists = any(event.kind is Kind.RETURN_REFUSED and event.department == department for event in case.events)
    mine = lessons.weigh(spot, department, appeal)
    theirs = lessons.weigh(spot, proposed.code, appeal) if proposed else 0.0
    if said is not None and other not in {department, *path(case)} and other is not None:
        enough = _count(spot, other, lessons) >= ENOUGH
        return Advice(
            suggest="uphold", to=other, clear=said.weight >= CLEAR and enough and mine < 0 and not insists, why=why
        )
    kept = _count(spot, department, lessons)
    if mine > 0 and kept and theirs <= 0:
        nothing_new = len(lessons.unseen(spot, department, appeal)) <= NEW
        return Advice(
            suggest="refuse", to=None, clear=mine >= CLEAR and kept >= ENOUGH and nothing_new and not insists, why=why
        )
    return Advice(suggest="look", to=proposed.code if proposed else None, clear=False, why=why)


# ---------------------------------------------------------------- inside


def _asked(case: Case, department: str) -> Mapping[str, Any]:
    track = case.handling.tracks.get(department) if case.handling else None
    feedback = track.asks.get(Ask.RETURN) if track else None
    return next(
        (event.data for event in case.events if event.kind is Kind.RETURN_ASKED and event.data["feedback"] == feedback),
        {},
    )


def _proposed(name: str | None, appeal: Appeal, tables: Tables) -> Unit | None:
    if not name:
        return None
    return tables.directory.get(name.strip().upper()) or tables.directory.find(name, appeal.place)


def _of_the_request(  # noqa: PLR0917 - a request has that many sides
    asked: Mapping[str, Any], proposed: Unit | None, department: str, case: Case, appeal: Appeal, tables: Tables
) -> list[str]:
    code = asked.get("code", "")
    said = [f"理由 {code}（{_CODES.get(code, '-')}），依据：{asked.get('clause') or '-'}"]
    if asked.get("proposed_owner") and proposed is None:
        said.append("所建议的单位不在部门目录")
    elif proposed is not None:
        said.append(f"建议由{proposed.short}（{proposed.code}）办理")
        if proposed.code == department:
            said.append("建议的就是它自己")
        elif proposed.code in path(case):
            said.append(f"{proposed.short}已经办过这一单")
        if proposed in Accused(appeal, tables.directory):
            said.append(f"诉求反映的就是{proposed.short}，不能派给它")
    return said


def _of_the_rules(appeal: Appeal, department: str, proposed: Unit | None, tables: Tables) -> list[str]:
    """Tell what the rules and the directory say of both units' duties."""
    parts = tables.rules.categories.get(appeal.category.code)
    said = []
    for unit in (tables.directory.get(department), proposed):
        if unit is None:
            continue
        part = "主办" if parts and unit.role == parts.lead else "协办" if parts and unit.role in parts.assist else None
        duty = f"分类{appeal.category.code}（{appeal.category.name}）的{part}" if part else "派单目录没有把此类交给它"
        named = [word for word in (*unit.names, *unit.covers) if len(word) > 1 and word in appeal.text]
        also = f"，原文提到{'、'.join(named[:3])}" if named else ""
        area = f"，辖区{unit.area}" if unit.area else ""
        said.append(f"{unit.short}：{duty}{area}{also}")
    return said


def _of_precedents(spot: Spot | None, department: str, appeal: Appeal, lessons: Lessons, tables: Tables) -> list[str]:
    node = lessons.nodes.get(spot) if spot else None
    if spot is None or node is None:
        return ["没有同一规则派出的先例"]
    said = []
    for code in sorted(code for code in node.totals if code):
        like = _of(spot, code, lessons)
        numbers = "、".join(one.case_no for one in like[-3:])
        weight = lessons.weigh(spot, code, appeal)
        mark = "像这一件" if weight > 0 else "不大像这一件"
        name = unit.short if (unit := tables.directory.get(code)) else code
        whose = "本单位" if code == department else name
        said.append(f"同一规则派出的有{len(like)}件由{whose}受理，{mark}（{numbers}）")
    return said


def _of_its_record(department: str, lessons: Lessons, tables: Tables) -> list[str]:
    every = [one for node in lessons.nodes.values() for one in node.precedents.values()]
    upheld = sum(department in one.refused for one in every)
    refused = sum(department in one.turned_down for one in every)
    name = unit.short if (unit := tables.directory.get(department)) else department
    return [f"{name}近来的退单：成立{upheld}件，驳回{refused}件"] if upheld + refused else []


def _of(spot: Spot, owner: str, lessons: Lessons) -> Sequence[Precedent]:
    return [one for one in lessons.nodes[spot].precedents.values() if one.owner == owner]


def _count(spot: Spot, owner: str, lessons: Lessons) -> int:
    node = lessons.nodes.get(spot)
    return node.totals.get(owner, 0) if node else 0
