"""Sample messages of every type (样例消息): made by the code of the real ones, about a made-up city."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from normalizer.appeal import (
    Appeal,
    Category,
    Citizen,
    DecidedBy,
    Engagement,
    Evidence,
    Mode,
    Place,
    Quality,
    RequestType,
    Routing,
    Signals,
    Thread,
    Urgency,
    Versions,
    instant,
)
from router.cases.work import Work
from router.dispatch import CaseFacts, Dispatch, MessageType, Role, case_no, message_id
from router.dispatching.message import message
from router.dispatching.statement import StatedCase, StatedDeadline, statement
from router.dispatching.tables import Tables
from router.feedback import Outcome

SOURCE = "sandbox"
_TEXT = "柳荫街道和平里小区门口的路灯坏了五盏，老人晚上出门看不见路，〔手机1〕请派人来修。"
_WORD = "路灯"
_SPAN = timedelta(minutes=1)  #: from one message of a case to its next


class Sample(NamedTuple):
    """A message of the sandbox."""

    case: str
    type: MessageType | None  #: None: a statement, which is of no case
    sequence: int
    id: str
    body: bytes


def sample(  # noqa: PLR0917 - what tells one message from another
    case: str,
    department: str,
    type_: MessageType,
    sequence: int,
    at: datetime,
    tables: Tables,
    *,
    text: str = _TEXT,
    reason: str | None = None,
    told: dict[str, Any] | None = None,
) -> Sample:
    """Make one message; `at` is when its case was opened."""
    order = message_id(case, department, 1)
    name = message_id(case, department, sequence)
    dispatch = Dispatch(
        message_id=name,
        department=department,
        sequence=sequence,
        type=type_,
        role=Role.LEAD,
        revision=sequence,
        at=at + _SPAN * (sequence - 1),
        reason=reason,
        dispatch=None if sequence == 1 else order,
        since=None if sequence == 1 else at,
        told=told,
    )
    facts = CaseFacts(
        id=case,
        case_no=case_no(at, "hotline", case),
        mode=Mode.ROUTE,
        opened_at=at,
        routing=_routing(department, tables),
        sentence="联调样例：路灯不亮归本单位办理",
        first_dispatched_at=None if sequence == 1 else at,
        test=True,
    )
    return Sample(case, type_, sequence, name, message(facts, dispatch, _appeal(case, at, text), tables))


def samples(department: str, at: datetime, tables: Tables) -> Iterator[Sample]:
    """Give one message of every type, all of one case."""
    order = message_id("sample", department, 1)
    tells: Mapping[MessageType, tuple[str | None, dict[str, Any] | None]] = {
        MessageType.URGED: ("诉求人再次来电催办", None),
        MessageType.SUPERVISED: ("市长热线专题会督办", None),
        MessageType.RECALLED: ("改派其他单位办理", None),
        MessageType.WITHDRAWN: ("诉求人已撤回", None),
        MessageType.REOPENED: ("回访时诉求人反映没有修好", None),
        MessageType.LINKED: ("同一诉求人就同一事项再次反映", None),
        MessageType.DECIDED: (
            "路灯由本单位养护，见职责清单第十二条",
            {"decided": {"ask": "return", "feedback": "f-2", "granted": False, "working_days": None}},
        ),
        MessageType.DEADLINE: (
            None,
            {"card": {"kind": "close", "colour": "yellow", "deadline": instant(at + _SPAN), "rule": "P2 d5"}},
        ),
        MessageType.OUTCOME: (
            None,
            msgspec.to_builtins(
                Outcome(
                    feedback=f"received-{order}",
                    case="sample",
                    outcome="accepted",
                    code="recorded",
                    sentence="已记录，状态不变；现为“已派单”",
                    state="dispatched",
                )
            ),
        ),
    }
    for sequence, type_ in enumerate(MessageType, start=1):
        reason, told = tells.get(type_, (None, None))
        yield sample("sample", department, type_, sequence, at, tables, reason=reason, told=told)


def sample_statement(department: str, at: datetime) -> bytes:
    """Make a statement of two cases."""
    open_ = {"sample": (12, Work.SIGNED), "sample-2": (1, Work.DISPATCHED)}
    return statement_of(department, f"{at:%Y-%m-%d}", at, open_).body


def statement_of(department: str, day: str, at: datetime, open_: Mapping[str, tuple[int, Work]]) -> Sample:
    """Make a statement: each case with its last sequence and where it stands."""
    cases = [
        StatedCase(
            case=case,
            case_no=case_no(at, "hotline", case),
            dispatch=message_id(case, department, 1),
            sequence=sequence,
            role=Role.LEAD,
            state=state.value,
            deadlines=[StatedDeadline(kind="close", at=instant(at + _SPAN * sequence))],
        )
        for case, (sequence, state) in open_.items()
    ]
    ((name, body),) = statement(department, day, at, cases)
    return Sample("", None, 0, name, body)


def _appeal(case: str, at: datetime, text: str) -> Appeal:
    start = text.index(_WORD) if _WORD in text else 0
    evidence = Evidence(
        field="text", start=start, end=start + len(_WORD), text=text[start : start + len(_WORD)], why="城市照明"
    )
    return Appeal(
        id=case,
        revision=1,
        channel="hotline",
        transport="pull",
        source=SOURCE,
        native_id=f"native-{case}",
        posted_at=instant(at),
        received_at=instant(at),
        title="和平里小区门口路灯不亮",
        text=text,
        request_type=RequestType.HELP,
        category=Category(code="0205", name="城市照明", path=["城市管理与市容", "城市照明"], confidence=0.9),
        urgency=Urgency.NORMAL,
        deadline_class="P2",
        place=Place(city="云泽市", district="望湖区", street="柳荫街道", community="和平里社区"),
        citizen=Citizen(ref="c" * 24, display="陈女士", has_contact=True),
        engagement=Engagement(),
        thread=Thread(),
        quality=Quality(masked={"mobile": 1}),
        fingerprint="0" * 16,
        signals=Signals(evidence=[evidence]),
    )


def _routing(department: str, tables: Tables) -> Routing:
    return Routing(
        lead=department,
        assist=[],
        district="望湖区",
        decided_by=DecidedBy.RULE,
        rule="sandbox",
        confidence=1.0,
        evidence=[],
        alternatives=[],
        versions=Versions(taxonomy=tables.taxonomy_version, directory=tables.directory.version, rules="sandbox"),
    )


def with_unknown_fields(made: Sample) -> Sample:
    """Add what a later version may add: unknown fields are to be ignored."""
    event = msgspec.json.decode(made.body)
    event["newfield"] = {"a": [1, 2, 3]}
    event["data"]["newfield"] = "以后的版本会增加字段"
    event["data"]["place"]["newfield"] = None
    return made._replace(body=msgspec.json.encode(event))


def of_unknown_type(made: Sample) -> Sample:
    """Make it of a type that there is not yet."""
    event = msgspec.json.decode(made.body)
    event["type"] = "appeal.novelty.v1"
    return made._replace(body=msgspec.json.encode(event))
