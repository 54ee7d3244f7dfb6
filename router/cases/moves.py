"""The one table of moves of a case (工单状态迁移): what may happen in which state, and what it is meant to become.

The same table is the filter of every conditional write (router/store.py), so a move whose moment has passed changes
nothing.

A case has a *goal*: the state in which it ends when nothing is left to send. Its *state* follows from the goal and
from its dispatches, and is always the least finished of them: open triage first, then what is in flight, then what
is parked, then the goal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class State(StrEnum):
    """Where a case stands (promise 1)."""

    RECEIVED = "received"  #: only between the first two events of the first write; never stored
    IN_FLIGHT = "in_flight"  #: a dispatch is written down and not yet confirmed
    DELIVERED = "delivered"  #: 已入队列: confirmed in each department's queue
    TRIAGE = "triage"  #: 待研判
    LINKED = "linked"  #: 已并单: another order carries it
    INFORMED = "informed"  #: 告知: answered at the desk or declined with its code
    HANDED_OVER = "handed_over"  #: 转 110, 119, 信访, another city
    WITHDRAWN = "withdrawn"  #: 已撤回
    OBSERVED = "observed"  #: decided and compared, nothing sent
    PARKED = "parked"  #: 挂起待处理, with a reason


class Sent(StrEnum):
    """How far a dispatch has come."""

    PENDING = "pending"  #: written down, perhaps published, not confirmed
    SENT = "sent"  #: confirmed by the broker
    PARKED = "parked"  #: returned, dead-lettered, or waiting behind such a one
    DISCARDED = "discarded"  #: given up by a person, or pointless because it never left before it was taken back


class Because(StrEnum):
    """Why one order carries another case."""

    SAME_PERSON = "same_person"  #: 同一诉求人再次反映
    SAME_EVENT = "same_event"  #: 同一事件


class Kind(StrEnum):
    """What an event of a case says."""

    RECEIVED = "received"  #: 登记
    DISPATCHED = "dispatched"  #: 派单
    TRIAGED = "triaged"  #: 转研判
    INFORMED = "informed"  #: 告知 or 不予受理
    HANDED_OVER = "handed_over"  #: 移交
    OBSERVED = "observed"  #: 观察
    LINKED = "linked"  #: 并单
    UNDECIDED = "undecided"  #: deciding failed: parked with the reason
    DELIVERED = "delivered"  #: 入队列: everything that was pending, or that of the named department
    RETURNED = "returned"  #: the broker had no queue for it
    DEAD_LETTERED = "dead_lettered"  #: the department's queue gave it up
    RETRIED = "retried"  #: a parked one is to be sent again
    DISCARDED = "discarded"  #: a parked message is given up; the case goes where it was going
    GIVEN_UP = "given_up"  #: a parked order is given up: the case stays parked, with the reason
    UPDATED = "updated"  #: 内容更新 to the holders
    RECALLED = "recalled"  #: 收回
    WITHDRAWN = "withdrawn"  #: 撤回
    ASSIGNED = "assigned"  #: a person, or the fallback after 15 minutes, named the department
    RECORDED = "recorded"  #: a revision that says nothing new to a department
    REDECIDED = "redecided"  #: 规则发布后重新研判, with the release
    DUTY_CALLED = "duty_called"  #: 呼叫值班: a critical one is in triage
    CARRIES = "carries"  #: 并入: this order carries another case too
    LETS_GO = "lets_go"  #: 拆出: it carries that case no longer
    # What a department says (work.py: by which feedback).
    TAKEN_IN = "taken_in"  #: 部门系统已收到
    SIGNED = "signed"  #: 签收
    CONTACTED = "contacted"  #: 联系诉求人
    PROGRESSED = "progressed"  #: 办理进展
    INTERIM_REPLIED = "interim_replied"  #: 阶段性回复
    EXTENSION_ASKED = "extension_asked"  #: 申请延期
    SUSPENSION_ASKED = "suspension_asked"  #: 申请挂起
    RESUMED = "resumed"  #: 恢复办理
    RETURN_ASKED = "return_asked"  #: 申请退单
    REPLIED = "replied"  #: 答复
    RESOLVED = "resolved"  #: 部门认为已办结
    FEEDBACK_REFUSED = "feedback_refused"  #: 反馈未采纳, with its code
    EXCLUSION_ASKED = "exclusion_asked"  #: 申请剔除
    DISPUTED = "disputed"  #: 申诉
    # What the centre makes of it.
    RETURN_UPHELD = "return_upheld"  #: 同意退单
    RETURN_REFUSED = "return_refused"  #: 驳回退单
    EXTENSION_GRANTED = "extension_granted"  #: 同意延期
    EXTENSION_REFUSED = "extension_refused"  #: 驳回延期
    SUSPENSION_GRANTED = "suspension_granted"  #: 同意挂起
    SUSPENSION_REFUSED = "suspension_refused"  #: 驳回挂起
    SUSPENSION_ENDED = "suspension_ended"  #: 挂起期满: the clock runs again by itself
    CLAIM_GRANTED = "claim_granted"  #: 同意剔除或申诉, by a clause
    CLAIM_REFUSED = "claim_refused"  #: 驳回剔除或申诉, by a clause
    CONSULTED = "consulted"  #: 提交会商
    ARBITRATED = "arbitrated"  #: 提交裁定, with the arbiter's name
    REASSIGNED = "reassigned"  #: 改派
    TAKEN_BACK = "taken_back"  #: 中心收回, the case goes to triage
    URGED = "urged"  #: 催办
    SUPERVISED = "supervised"  #: 督办
    CARDED = "carded"  #: 黄牌 or 红牌
    RECOMPUTED = "recomputed"  #: 时限重算: the holidays were announced, or changed
    REVIEWED = "reviewed"  #: 公开答复审核
    VISITED = "visited"  #: 回访
    REOPENED = "reopened"  #: 重办
    CLOSED = "closed"  #: 办结
    CONTINUED = "continued"  #: 再次反映: what its author said after the end has a case of its own
    FOLLOWED = "followed"  #: 主单有进展: what the order that carries it has come to
    ANSWERED = "answered"  #: 已回写来源平台, with its receipt
    ANSWER_PARKED = "answer_parked"  #: 回写失败，挂起
    # What becomes of personal data (privacy.py).
    REVEALED = "revealed"  #: 查看联系方式 or the matter's data: who, for which department, why
    DESTROYED = "destroyed"  #: 个人信息已销毁: by its time of keeping, or on the citizen's own word


class Move(NamedTuple):
    """From these states; `goal` is what the case is meant to become, None leaves it."""

    before: frozenset[State]
    goal: State | None = None


_BORN = frozenset({State.RECEIVED})
_OUT = frozenset({State.IN_FLIGHT, State.DELIVERED, State.PARKED})  # departments may have it
_DESK = frozenset({State.TRIAGE, State.INFORMED, State.HANDED_OVER, State.LINKED, State.WITHDRAWN})
_LIVE = _OUT | _DESK
_STORED = _LIVE | {State.OBSERVED}

_AT_WORK = (
    *(Kind.TAKEN_IN, Kind.SIGNED, Kind.CONTACTED, Kind.PROGRESSED, Kind.INTERIM_REPLIED, Kind.EXTENSION_ASKED),
    *(Kind.SUSPENSION_ASKED, Kind.RESUMED, Kind.RETURN_ASKED, Kind.REPLIED, Kind.RESOLVED, Kind.FEEDBACK_REFUSED),
    *(Kind.RETURN_UPHELD, Kind.RETURN_REFUSED, Kind.EXTENSION_GRANTED, Kind.EXTENSION_REFUSED),
    *(
        Kind.SUSPENSION_GRANTED,
        Kind.SUSPENSION_REFUSED,
        Kind.SUSPENSION_ENDED,
        Kind.URGED,
        Kind.SUPERVISED,
        Kind.CARDED,
    ),
    *(Kind.VISITED, Kind.REOPENED, Kind.CLOSED),
    Kind.RECOMPUTED,
    *(Kind.EXCLUSION_ASKED, Kind.DISPUTED, Kind.CLAIM_GRANTED, Kind.CLAIM_REFUSED),
)
_ANYWHERE = (Kind.CONSULTED, Kind.ARBITRATED, Kind.REVIEWED, Kind.FOLLOWED, Kind.ANSWERED, Kind.ANSWER_PARKED)

MOVES: Mapping[Kind, Move] = MappingProxyType(
    {
        Kind.RECEIVED: Move(frozenset()),
        # What a decision makes of it, the first or a later one. An observed case stays observed: going live never
        # sends last year's orders.
        Kind.DISPATCHED: Move(_BORN | _LIVE, State.DELIVERED),
        Kind.TRIAGED: Move(_BORN | _LIVE, State.TRIAGE),
        Kind.INFORMED: Move(_BORN | _LIVE, State.INFORMED),
        Kind.HANDED_OVER: Move(_BORN | _LIVE, State.HANDED_OVER),
        Kind.LINKED: Move(_BORN | _LIVE, State.LINKED),
        Kind.OBSERVED: Move(_BORN | {State.OBSERVED, State.PARKED, State.WITHDRAWN}, State.OBSERVED),
        Kind.UNDECIDED: Move(_BORN | _STORED, State.PARKED),
        # What the broker says.
        Kind.DELIVERED: Move(frozenset({State.IN_FLIGHT, State.TRIAGE})),
        Kind.RETURNED: Move(frozenset({State.IN_FLIGHT, State.TRIAGE})),
        Kind.DEAD_LETTERED: Move(_LIVE),
        # What becomes of a parked one.
        Kind.RETRIED: Move(frozenset({State.PARKED, State.IN_FLIGHT, State.TRIAGE})),
        Kind.DISCARDED: Move(frozenset({State.PARKED, State.IN_FLIGHT, State.TRIAGE})),
        Kind.GIVEN_UP: Move(frozenset({State.PARKED, State.IN_FLIGHT}), State.PARKED),
        # What the departments are told.
        Kind.UPDATED: Move(_LIVE),
        Kind.CARRIES: Move(_OUT),
        Kind.LETS_GO: Move(_STORED),
        Kind.RECALLED: Move(_LIVE),
        Kind.WITHDRAWN: Move(_BORN | _STORED - {State.WITHDRAWN}, State.WITHDRAWN),
        # What people do.
        Kind.ASSIGNED: Move(frozenset({State.TRIAGE, State.PARKED, State.INFORMED, State.HANDED_OVER})),
        Kind.RECORDED: Move(_STORED),
        Kind.CONTINUED: Move(_OUT),
        Kind.REDECIDED: Move(_OUT | {State.TRIAGE}),
        Kind.DUTY_CALLED: Move(frozenset({State.TRIAGE})),
        Kind.REASSIGNED: Move(_OUT | {State.TRIAGE}),
        Kind.TAKEN_BACK: Move(_OUT | {State.TRIAGE}),
        # What becomes of an order that departments have; in which state of the work, says work.py.
        **dict.fromkeys(_AT_WORK, Move(_OUT)),
        # A case that went back to the desk may still owe its source an answer, or a department a decision.
        **dict.fromkeys(_ANYWHERE, Move(_STORED)),
        # Nothing of the case moves by these.
        **dict.fromkeys((Kind.REVEALED, Kind.DESTROYED), Move(frozenset(State) - _BORN)),
    }
)


#: What would give somebody work again; not of a closed case that another one follows.
REVIVES = frozenset(
    {
        *(Kind.DISPATCHED, Kind.TRIAGED, Kind.INFORMED, Kind.HANDED_OVER, Kind.LINKED, Kind.WITHDRAWN, Kind.ASSIGNED),
        *(Kind.REASSIGNED, Kind.TAKEN_BACK, Kind.REOPENED),
    }
)


def state_of(goal: State, dispatches: Collection[Sent]) -> State:
    """Say where a case stands: the least finished of its parts."""
    if goal is State.TRIAGE:
        return goal
    if Sent.PENDING in dispatches:
        return State.IN_FLIGHT
    return State.PARKED if Sent.PARKED in dispatches else goal


def allowed(kind: Kind, state: State) -> bool:
    """Say whether the table has this move."""
    return state in MOVES[kind].before
