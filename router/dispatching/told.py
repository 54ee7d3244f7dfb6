"""What a department is told of a case, as types (CONTRACT.md, `data`): the JSON Schemas are made from them."""

from __future__ import annotations

from typing import Literal

import msgspec

from normalizer.appeal import DecidedBy, Evidence, Given, Instant, Place, RequestType, Urgency, Versions
from router.cases.deadlines import Deadline
from router.dispatch import Role
from router.dispatching.crosswalk import OwnCategory

ContactMode = Literal["reveal", "relay", "none"]


class CategorySent(msgspec.Struct, frozen=True, kw_only=True):
    """诉求分类, with the version of the taxonomy, the source's own class and the department's own."""

    code: str
    name: str
    version: str
    given: Given | None
    own: OwnCategory | msgspec.UnsetType = msgspec.UNSET  #: where the department gave us its list (crosswalk)


class CitizenSent(msgspec.Struct, frozen=True, kw_only=True):
    """诉求人: a reference that only this department has, and a surname with a form of address."""

    ref: str | None
    display: str | None


class AttachmentSent(msgspec.Struct, frozen=True, kw_only=True):
    """附件: fetched over HTTPS with the department's own credential."""

    id: str
    name: str | None
    media_type: str | None
    size: int | None
    sha256: str | None
    kind: Literal["image", "video", "audio", "document", "other"]


class DecisionSent(msgspec.Struct, frozen=True, kw_only=True):
    """派单依据: a rule or a person, and the words that spoke for it."""

    decided_by: DecidedBy
    rule: str | None
    why: str  #: one Chinese sentence
    evidence: list[Evidence]  #: offsets are code points of this message's text or title


class RequestDecided(msgspec.Struct, frozen=True, kw_only=True):
    """申请的决定: what became of what the department asked for or claimed."""

    ask: Literal["return", "extension", "suspension", "exclusion", "dispute"]
    feedback: str  #: the id of the feedback that asked
    granted: bool
    working_days: int | None = None  #: of an extension
    clause: str | None = None  #: by which an exclusion or a dispute was decided


class CardSent(msgspec.Struct, frozen=True, kw_only=True):
    """黄牌 or 红牌: a deadline comes near, or is over."""

    kind: Literal["sign", "contact", "interim", "close"]
    colour: Literal["yellow", "red"]
    deadline: Instant
    rule: str


class DeadlineMoved(msgspec.Struct, frozen=True, kw_only=True):
    """重算的时限: where it was, and where it is."""

    kind: Literal["sign", "contact", "interim", "close"]
    before: Instant
    at: Instant
    local: str
    provisional: bool


class Recomputed(msgspec.Struct, frozen=True, kw_only=True):
    """时限重算: the holidays of a year were announced or changed, or the clock runs again after a suspension."""

    calendar: str
    deadlines: list[DeadlineMoved]


class CaseData(msgspec.Struct, frozen=True, kw_only=True):
    """What a department is told of a case (CONTRACT.md, `data`)."""

    case: str
    case_no: str
    dispatch: str
    sequence: int
    role: Role
    reply_required: bool
    reason: str | None
    revision: int
    channel: str
    url: str | None
    native_id: str | None
    title: str
    text: str
    text_truncated: bool
    text_link: str | None
    request_type: RequestType
    category: CategorySent
    urgency: Urgency
    deadline_class: str
    subject_entity: str | None
    place: Place
    occurred_at: Instant | None
    posted_at: Instant | None
    citizen: CitizenSent
    contact_mode: ContactMode
    confidential: bool
    deadline: Instant | None
    department_deadline: Instant | None
    deadlines: list[Deadline]
    attachments: list[AttachmentSent]
    decision: DecisionSent
    versions: Versions
    trace: str
    test: bool
    replayed: bool
    decided: RequestDecided | msgspec.UnsetType = msgspec.UNSET  #: in `appeal.decided.v1`
    card: CardSent | msgspec.UnsetType = msgspec.UNSET  #: in `appeal.deadline.v1`
    recomputed: Recomputed | msgspec.UnsetType = msgspec.UNSET  #: in `appeal.deadline.v1` where it is no card
    repeat_of: str | msgspec.UnsetType = msgspec.UNSET  #: the closed case of the same appeal, if it had that one


class CaseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope: CloudEvents 1.0 in structured mode."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    data: CaseData
