"""What a department may send back (部门反馈, CONTRACT.md): the types from which its JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from normalizer.appeal import Instant

Id = Annotated[str, Meta(min_length=1, max_length=128, description="theirs; repeats are dropped")]
#: Free text is data: it may hold lies, markup and huge input, and it is masked.
Text = Annotated[str, Meta(max_length=20_000)]


class Feedback(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Fields of every feedback."""

    id: Id
    dispatch: Annotated[str, Meta(description="message id of the `dispatched` that it answers")]
    case: str
    at: Instant
    handler: str | None = None


class Received(Feedback, frozen=True, kw_only=True, tag="received"):
    """收到."""


class Accepted(Feedback, frozen=True, kw_only=True, tag="accepted"):
    """签收."""


class Contacted(Feedback, frozen=True, kw_only=True, tag="contacted"):
    """已联系诉求人."""

    attempts: int = 1
    method: str | None = None


class Progress(Feedback, frozen=True, kw_only=True, tag="progress"):
    """办理进展."""

    text: Text


class Interim(Feedback, frozen=True, kw_only=True, tag="interim"):
    """阶段性答复."""

    text: Text


class ExtensionRequested(Feedback, frozen=True, kw_only=True, tag="extension_requested"):
    """申请延期: a request, decided by the centre."""

    days: Annotated[int, Meta(ge=1, le=60)]
    text: Text


class Suspended(Feedback, frozen=True, kw_only=True, tag="suspended"):
    """申请挂起."""

    text: Text


class Resumed(Feedback, frozen=True, kw_only=True, tag="resumed"):
    """恢复办理."""


class ReturnRequested(Feedback, frozen=True, kw_only=True, tag="return_requested"):
    """申请退回: a request; the case stays until it is decided."""

    code: Literal["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"]
    clause: Text | None = None
    evidence: Text | None = None
    proposed_owner: str | None = None


class Replied(Feedback, frozen=True, kw_only=True, tag="replied"):
    """答复."""

    reply_public: Text
    reply_internal: Text | None = None
    signed_by: str | None = None


class Resolved(Feedback, frozen=True, kw_only=True, tag="resolved"):
    """办结: the department says done; only the call-back, or its expiry, closes."""

    resolution: Text
    fix_kind: Literal["temporary", "lasting"]


AnyFeedback = (
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
)
