"""What may be said of a case outside (对外公开的办理状态): to its author, to the platform it came from, to anybody.

A state in a citizen's words, the reviewed reply and nothing else: no department's internals, nobody's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import msgspec

from router.cases.case import Case
from router.cases.moves import State
from router.cases.track import Handling
from router.cases.work import Work

PublicState = Literal[
    "received",  # 已受理
    "assigned",  # 已派单
    "accepted",  # 承办单位已签收
    "in_progress",  # 办理中
    "replied",  # 已答复
    "closed",  # 已办结
    "merged",  # 已并入同一事项
    "informed",  # 已告知办理途径
    "handed_over",  # 已转有关机关
    "withdrawn",  # 已撤回
]

_OVER = frozenset[PublicState]({"closed", "informed", "handed_over", "withdrawn"})


class PublicFace(msgspec.Struct, frozen=True, kw_only=True):
    """All that is public of a case."""

    status: Literal["open", "closed"]
    state: PublicState
    reply: str | None  #: the reviewed public reply (公开答复), masked
    updated_at: datetime


#: Where it stands for us, in a citizen's words. That something is parked or in triage is our own affair.
_STATES: Mapping[State, PublicState] = MappingProxyType(
    {
        State.RECEIVED: "received",
        State.IN_FLIGHT: "received",
        State.TRIAGE: "received",
        State.PARKED: "received",
        State.OBSERVED: "received",
        State.DELIVERED: "assigned",
        State.LINKED: "merged",
        State.INFORMED: "informed",
        State.HANDED_OVER: "handed_over",
        State.WITHDRAWN: "withdrawn",
    }
)


#: How far its lead is, in a citizen's words. Whose it is and who wants to give it back is our own affair.
_WORKS: Mapping[Work, PublicState] = MappingProxyType(
    {
        Work.DISPATCHED: "assigned",
        Work.SIGNED: "accepted",
        Work.RETURN_REQUESTED: "assigned",
        Work.CONSULTATION: "assigned",
        Work.CLOSED: "closed",
    }
)


def public_face(case: Case) -> PublicFace:
    """Say what may be told of this case."""
    handling = case.handling or Handling()
    # A case whose message about itself is just on its way is as far as its work is.
    state = _STATES[case.goal if handling.work else case.state]
    if handling.work is not None:
        state = _WORKS.get(handling.work, "in_progress")
    if state == "in_progress" and handling.reply is not None:
        state = "replied"
    return PublicFace(
        status="closed" if state in _OVER else "open",
        state=state,
        reply=handling.reply.text if handling.reply else None,
        updated_at=case.events[-1].at,
    )
