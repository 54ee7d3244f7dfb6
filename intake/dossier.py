"""One page about a case that nobody wants (案卷): for the joint review and for the arbiter. Masked throughout."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from intake.screen import SHANGHAI, age
from normalizer.appeal import Appeal
from router.cases.case import Case, feedback_of
from router.cases.clock import dues
from router.cases.moves import Kind
from router.cases.returns import path
from router.cases.segments import CITIZEN, DONE, INTAKE, OUTAGE, RETURN, TRIAGE, totals
from router.cases.standing import standing
from router.cases.work import NAMES
from router.flow import Room
from router.looking import clock_of

_OWNERS = {
    INTAKE: "受理派单",
    TRIAGE: "研判会商",
    RETURN: "退单审核",
    CITIZEN: "等待诉求人或外部条件",
    OUTAGE: "系统故障",
    DONE: "已有结果",
}


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever decides must know, and no more."""

    case: str
    case_no: str
    work: str
    title: str
    text: str
    category: str
    place: str
    deadline: str
    arbiter: str
    path: list[str]  #: who led it, one after the other
    returns: list[str]  #: each return with its code, clause, evidence and decision
    time: list[str]  #: whose time it was
    candidates: list[str]  #: whom the rules would have thought of as well

    def page(self) -> str:
        """Give it as people read it."""
        lines = [
            f"案卷 {self.case_no}（{self.work}）　办结时限 {self.deadline}　裁定人 {self.arbiter}",
            "",
            f"【标题】{self.title}",
            f"【内容】{self.text}",
            f"【分类】{self.category}　【地点】{self.place}",
            f"【转办路径】{' → '.join(self.path) or '-'}",
            "【退单】",
            *(f"  {each}" for each in self.returns or ["-"]),
            "【时间归属】" + "，".join(self.time),
            f"【规则考虑过的其他单位】{'、'.join(self.candidates) or '-'}",
        ]
        return "\n".join(lines)


def dossier(case: Case, appeal: Appeal | None, room: Room, arbiter: str) -> Dossier:
    """Put the page together."""
    now = room.moment()
    handling = standing(case)
    place = appeal.place if appeal else None
    close = [each.at for each in dues(case, clock_of(appeal, room)) if each.kind == "close"] if appeal else []
    decision = case.decision
    return Dossier(
        case=case.id,
        case_no=case.case_no,
        work=NAMES[handling.work][1] if handling.work else case.state.value,
        title=appeal.title if appeal else "-",
        text=(appeal.text if appeal else "-")[:800],
        category=f"{case.category} {appeal.category.name}" if appeal else case.category,
        place=" ".join(part for part in (place.district, place.street, place.community) if part) if place else "-",
        deadline=_local(min(close)) if close else "-",
        arbiter=arbiter,
        path=[_called(code, room) for code in path(case)],
        returns=[_return(case, event.data, event.department or "", event.at, room) for event in _returns(case)],
        time=[
            f"{_OWNERS.get(owner) or _called(owner, room)} {age(int(spent.total_seconds()))}"
            for owner, spent in totals(case, now).items()
        ],
        candidates=[_called(each.department, room) for each in decision.routing.alternatives] if decision else [],
    )


def _returns(case: Case) -> list[Any]:
    return [event for event in case.events if event.kind is Kind.RETURN_ASKED]


def _return(case: Case, data: dict[str, Any], department: str, at: datetime, room: Room) -> str:
    decided = next(
        (
            event
            for event in case.events
            if event.kind in {Kind.RETURN_UPHELD, Kind.RETURN_REFUSED}
            and feedback_of(event) == (department, data["feedback"])
        ),
        None,
    )
    verdict = "未决定" if decided is None else "成立" if decided.kind is Kind.RETURN_UPHELD else "驳回"
    parts = [
        f"{_local(at)} {_called(department, room)} {data.get('code', '')} {verdict}",
        f"依据：{data.get('clause', '-')}",
        f"证据：{data.get('evidence', '-')}",
        f"建议：{data.get('proposed_owner') or '-'}",
    ]
    if decided is not None:
        parts.append(f"审核：{decided.actor} {decided.note or ''}")
    return "；".join(parts)


def _called(code: str, room: Room) -> str:
    unit = room.tables.directory.get(code)
    return f"{unit.short}（{code}）" if unit else code


def _local(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
