"""What is played to a department's program (联调脚本): steps in order, each with the messages that it sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from router.cases.work import Work
from router.dispatch import MessageType
from router.dispatching.tables import Tables
from router.sandbox.samples import Sample, of_unknown_type, sample, statement_of, with_unknown_fields

#: Not JSON at all: whoever cannot read a message must say so, and not swallow it.
UNREADABLE = b'{"specversion": "1.0", "id": "unreadable", "data": '
UNREADABLE_ID = "unreadable"
#: Emoji and a character outside the Basic Multilingual Plane, as citizens type them; and as long as a message gets.
_LONG = "𠮷祥里的路灯不亮了😡，" * 7_000


class Step(StrEnum):
    """What a step is about; its value is its title."""

    ORDER = "读取派单 · takes an order"
    REPEAT = "重复无害 · a repeat does no harm"
    UPDATE = "内容更新 · an update"
    GAP = "缺号不等 · goes on over a gap"
    LATE = "迟到的旧序号 · a late one"
    RECALL = "收回 · a recall"
    UNKNOWN = "未知字段 · unknown fields"
    NOVELTY = "未知类型 · an unknown type"
    LONG = "长文本与生僻字 · long text, rare characters"
    REFUSED_RETURN = "退单被驳回 · a refused return"
    STATEMENT = "每日对账单 · the daily statement"
    UNREADABLE = "看不懂的退回 · rejects what it cannot read"
    RECONNECT = "断线重连 · comes back after a cut"


class Played(NamedTuple):
    """One step: what is sent, in order."""

    step: Step
    samples: list[Sample]


def script(department: str, at: datetime, tables: Tables, run: str) -> Iterator[Played]:
    """Give the steps; `run` makes the ids of this run, so that a program that has seen another run is not misled."""

    def one(case: str, type_: MessageType, sequence: int, **told: Any) -> Sample:  # noqa: ANN401 - as `sample` takes it
        return sample(f"sandbox-{run}-{case}", department, type_, sequence, at, tables, **told)

    refused = {"decided": {"ask": "return", "feedback": "f-1", "granted": False, "working_days": None}}
    duty = "路灯由本单位养护，见职责清单"

    first = one("a", MessageType.DISPATCHED, 1)
    yield Played(Step.ORDER, [first])
    yield Played(Step.REPEAT, [first])
    yield Played(Step.UPDATE, [one("a", MessageType.UPDATED, 2, text="更新：和平里小区门口的路灯现在坏了八盏。")])
    yield Played(
        Step.GAP,
        [
            one("b", MessageType.DISPATCHED, 1),
            one("b", MessageType.UPDATED, 3, text="第三条：路灯已有人来看过，还是不亮。"),
        ],
    )
    yield Played(Step.LATE, [one("b", MessageType.UPDATED, 2, text="第二条：路灯还没有人来看。")])
    yield Played(
        Step.RECALL,
        [one("c", MessageType.DISPATCHED, 1), one("c", MessageType.RECALLED, 2, reason="改派其他单位办理")],
    )
    yield Played(Step.UNKNOWN, [with_unknown_fields(one("d", MessageType.DISPATCHED, 1))])
    yield Played(Step.NOVELTY, [of_unknown_type(one("d", MessageType.UPDATED, 2))])
    yield Played(Step.LONG, [one("e", MessageType.DISPATCHED, 1, text=_LONG)])
    yield Played(Step.REFUSED_RETURN, [one("a", MessageType.DECIDED, 3, reason=duty, told=refused)])
    yield Played(Step.STATEMENT, [_statement(department, at, run)])
    yield Played(Step.UNREADABLE, [first._replace(id=UNREADABLE_ID, body=UNREADABLE)])
    yield Played(Step.RECONNECT, [one("f", MessageType.DISPATCHED, 1)])


def _statement(department: str, at: datetime, run: str) -> Sample:
    """Make a statement of this run: what is open of it, and one case more, which the department was never sent."""
    sent = {"a": 3, "b": 3, "d": 1, "e": 1, "missed": 2}
    open_ = {f"sandbox-{run}-{case}": (sequence, Work.DISPATCHED) for case, sequence in sent.items()}
    return statement_of(department, f"{at:%Y-%m-%d}", at, open_)


#: What a person finds in the department's own system afterwards: no message tells us.
TO_LOOK_AT = (
    ("a", "更新：和平里小区门口的路灯现在坏了八盏；退单被驳回，仍归本单位"),
    ("b", "第三条：路灯已有人来看过，还是不亮（迟到的第二条不覆盖它）"),
    ("c", "已收回，不再办理"),
    ("e", "生僻字“𠮷”和表情没有变成问号"),
    ("missed", "对账单里有而没有收到过：应提示漏收，请中心补发；对账单本身没有当成一件新工单"),
)
