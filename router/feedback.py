"""What a department says back (反馈): one record a message on the exchange `feedback`, told apart by `kind`.

Every free text in it is masked before it is stored, and may hold lies, markup and huge input: it is data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Line = Annotated[str, Meta(max_length=200)]
Free = Annotated[str, Meta(max_length=20_000)]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$",
        description="RFC 3339, with its offset",
        extra_json_schema={"format": "date-time"},
    ),
]


def read_moment(text: str) -> datetime | None:
    """Read it as exactly as the store keeps it; None: there is no such moment."""
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


class _Feedback(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    id: Id  #: the department's own; a repeat is dropped
    dispatch: Id  #: `data.dispatch` of the message that it answers
    case: Id
    at: Moment
    handler: Line  #: who or which office handles it (经办)
    note: Free | None = None


class Received(_Feedback, frozen=True, kw_only=True, tag="received"):
    """已收到: a program has it; nobody has looked yet."""


class Accepted(_Feedback, frozen=True, kw_only=True, tag="accepted"):
    """已签收."""


class Contacted(_Feedback, frozen=True, kw_only=True, tag="contacted"):
    """已联系诉求人, or tried to."""

    attempts: Annotated[int, Meta(ge=1, le=100)]
    method: Literal["phone", "visit", "message", "online", "other"]
    reached: bool = True


class Progress(_Feedback, frozen=True, kw_only=True, tag="progress"):
    """办理进展, for the centre."""


class Interim(_Feedback, frozen=True, kw_only=True, tag="interim"):
    """阶段性反馈, which the citizen may read."""

    reply_public: Free


class ExtensionRequested(_Feedback, frozen=True, kw_only=True, tag="extension_requested"):
    """申请延期, before the deadline, counted from the old deadline."""

    working_days: Annotated[int, Meta(ge=1, le=60)]
    reason: Free


class Suspended(_Feedback, frozen=True, kw_only=True, tag="suspended"):
    """申请挂起: waits for material, a season, a court."""

    reason: Free
    until: Moment | None = None


class Resumed(_Feedback, frozen=True, kw_only=True, tag="resumed"):
    """恢复办理."""


#: What a return may rest on (退单理由).
RETURN_CODES: Mapping[str, str] = {
    "R1": "属地不符",
    "R2": "职能不符",
    "R3": "权属不清",
    "R4": "职责交叉",
    "R5": "信息不全",
    "R6": "重复件",
    "R7": "已进入法定程序",
    "R8": "不属本市",
}


class ReturnRequested(_Feedback, frozen=True, kw_only=True, tag="return_requested"):
    """申请退单: a request; the case stays until it is decided."""

    code: Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"]
    clause: Free  #: the law, rule or duty list that it rests on (依据条文)
    evidence: Free
    proposed_owner: Line | None = None


class Replied(_Feedback, frozen=True, kw_only=True, tag="replied"):
    """办理结果答复."""

    reply_public: Free
    reply_internal: Free | None = None
    signed_by: Line  #: who signed it off (签发)


class Resolved(_Feedback, frozen=True, kw_only=True, tag="resolved"):
    """部门认为已办结: only the call-back, or its expiry, closes the case."""

    resolution: Literal["solved", "explained", "partial", "unsolved", "hung"]
    fix_kind: Literal["temporary", "lasting"] | None = None


class ExclusionRequested(_Feedback, frozen=True, kw_only=True, tag="exclusion_requested"):
    """申请剔除: it should not count in figures, by a clause of the written rules; also after the end."""

    clause: Line  #: its code
    evidence: Free
    reason: Free | None = None


class Disputed(_Feedback, frozen=True, kw_only=True, tag="disputed"):
    """申诉: a rating of the call-back, or the refusal of a return, was wrong; also after the end."""

    against: Literal["rating", "return"]
    clause: Line  #: its code
    evidence: Free
    reason: Free | None = None


Feedback = (
    Received
    | Accepted
    | Contacted
    | Progress
    | Interim
    | ExtensionRequested
    | Suspended
    | Resumed
    | ReturnRequested
    | Replied
    | Resolved
    | ExclusionRequested
    | Disputed
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a feedback: `feedback.outcome.v1` on the department's own queue."""

    feedback: Annotated[str, Meta(max_length=128)]  #: its id; "" where it could not be read
    case: Annotated[str, Meta(max_length=128)]
    outcome: Literal["accepted", "refused", "pending"]
    code: str
    sentence: str  #: why, in Chinese
    state: str  #: of this department's order, as it now is; "" where it has none
