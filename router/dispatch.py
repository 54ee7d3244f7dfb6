"""The gate of this room: what the router decides and hands on (派单)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from normalizer.appeal import Mode, Routing

#: China has kept one offset since 1991; a day of the centre is a day of this clock.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


class Outcome(StrEnum):
    """What a case begins as."""

    DISPATCH = "dispatch"  #: 派单
    TRIAGE = "triage"  #: 待研判: a person decides
    INFORMED = "informed"  #: answered at the desk or declined with its code; praise too
    HANDED_OVER = "handed_over"  #: 110, 119, 120, 122, petition, another city
    OBSERVED = "observed"  #: modes observe and history: decided, nothing sent


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision depends on beside the appeal itself; stored with the decision."""

    mode: Mode = Mode.ROUTE
    linked_to: str | None = None  #: the order that carries it (并单)
    returns: list[str] = []  #: departments whose return was upheld
    hops: int = 0
    holder: str | None = None  #: who holds the case now


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of `decide` and its reasons."""

    outcome: Outcome
    routing: Routing
    code: str | None = None  #: N1 … N9, 110, 119, 120, 122, petition, praise
    sentence: str  #: why, in Chinese, for people


class MessageType(StrEnum):
    """What a message to a department says (CONTRACT.md); on the wire `appeal.<type>.v1`."""

    DISPATCHED = "dispatched"  #: 派单: yours now
    UPDATED = "updated"  #: 内容有更新
    URGED = "urged"  #: 催办
    SUPERVISED = "supervised"  #: 督办
    WITHDRAWN = "withdrawn"  #: taken back by its author (诉求人撤回)
    RECALLED = "recalled"  #: taken back by the centre (中心收回), with the reason
    DECIDED = "decided"  #: a return, an extension or a suspension was granted or refused
    DEADLINE = "deadline"  #: 黄牌, 红牌, or a recomputed deadline
    LINKED = "linked"  #: the same person again, or a member of a confirmed event (并单)
    REOPENED = "reopened"  #: 重办
    CLOSED = "closed"  #: 办结
    OUTCOME = "outcome"  #: what became of a feedback; on the wire `feedback.outcome.v1`


class Role(StrEnum):
    """In which part a department has a case."""

    LEAD = "lead"  #: 主办
    ASSIST = "assist"  #: 协办
    COPY = "copy"  #: 抄送: to know, not to act


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one department, as it is written down before it is published (promise 5)."""

    message_id: str
    department: str
    sequence: int  #: per case and department, from 1, no gaps
    type: MessageType
    role: Role
    revision: int  #: of the appeal that it carries
    at: datetime  #: aware; the same however often it is published
    reason: str | None = None  #: of a recall, a withdrawal, a supervision, in Chinese
    dispatch: str | None = None  #: message id of the `dispatched` that it follows; None: it is that one itself
    since: datetime | None = None  #: when this department's order, or round of it, began; None: with this message
    told: dict[str, Any] | None = None  #: what only this message says: an outcome, a decision, a card


class CaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says of its case."""

    id: str
    case_no: str
    mode: Mode
    opened_at: datetime
    routing: Routing  #: as it now stands: decided by a rule, a person, …
    sentence: str = ""  #: why, as in the decision
    first_dispatched_at: datetime | None = None  #: starts the case's clock; None: with this message
    test: bool = False
    repeat_of: str | None = None  #: the closed case of the same appeal, where this department had it


def message_id(case: str, department: str, sequence: int) -> str:
    """Derive the id under which this message is published, however often and by whomever (promise 5)."""
    return hashlib.blake2b(f"{case}\0{department}\0{sequence}".encode(), digest_size=16).hexdigest()


#: Two letters a channel, read out on the telephone: 热线 RX, 论坛 LT, 留言板 LY, 新闻评论 PL, 信箱 XX, …
_LETTERS = {
    "hotline": "RX",
    "forum": "LT",
    "board": "LY",
    "news_comment": "PL",
    "mailbox": "XX",
    "app": "YD",
    "visit": "LF",
    "counter": "CK",
    "grid": "WG",
    "petition": "XF",
    "transfer": "ZB",
}


_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SIX = range(25, -1, -5)


def case_no(opened_at: datetime, channel: str, case: str) -> str:
    """Make the number that people quote (工单编号): day, channel, six characters of the id. Never a key."""
    digest = hashlib.blake2b(case.encode(), digest_size=5, person=b"case_no").digest()
    bits = int.from_bytes(digest, "big") >> 10  # of eight characters of base32, the first six
    said = "".join([_BASE32[bits >> shift & 31] for shift in _SIX])
    return f"{_day(opened_at)}-{_LETTERS.get(channel, 'QT')}-{said}"


@lru_cache(maxsize=64)  # a page opens all its cases at one moment
def _day(opened_at: datetime) -> str:
    return f"{opened_at.astimezone(SHANGHAI):%Y%m%d}"
