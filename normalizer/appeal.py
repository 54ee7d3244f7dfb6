"""The gate of this room: `Appeal` (诉求), the common schema of every channel, version 1 (DESIGN section 4).

JSON names and BSON names are alike. Times are text `2026-11-22T01:02:03.000Z` here and in JSON, dates in MongoDB.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from connectors.raw_appeal import Mode as Mode  # handed on: the router looks left only as far as here

SCHEMA_VERSION = 1

Instant = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
        description="UTC, milliseconds",
        extra_json_schema={"format": "date-time"},
    ),
]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


@lru_cache(maxsize=1024)
def instant(moment: datetime) -> str:
    """Write an aware datetime the one way this schema writes it."""
    # Every appeal and every message writes several, and those of a page write the same ones.
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


class RequestType(StrEnum):
    """诉求类型 (domain/DOMAIN.md, TAXONOMY.md section 2)."""

    CONSULT = "consult"  #: 咨询
    HELP = "help"  #: 求助
    COMPLAIN = "complain"  #: 投诉
    REPORT = "report"  #: 举报: confidential
    SUGGEST = "suggest"  #: 建议
    PRAISE = "praise"  #: 表扬感谢: informed, never dispatched
    OTHER = "other"  #: 其他
    INVALID = "invalid"  #: 无效: harassment, test, advertisement


class Urgency(StrEnum):
    """紧急程度: critical is P0, urgent is P1, normal is the rest (DOMAIN section 4.2)."""

    CRITICAL = "critical"
    URGENT = "urgent"
    NORMAL = "normal"


class DecidedBy(StrEnum):
    """Who or what chose the department (promise 6)."""

    RULE = "rule"
    MODEL = "model"
    SOURCE = "source"  #: the source's own 承办单位, mode `follow`
    TRIAGE = "triage"  #: nobody yet: a person must decide
    PERSON = "person"
    FALLBACK = "fallback"  #: a critical item that triage left for 15 minutes (promise 7)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The source's own class, as it had it."""

    scheme: str
    code: str | None = None
    name: str | None = None


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """诉求分类: one of the 119 second-level classes, or 1309 (其他与待研判)."""

    code: str
    name: str
    path: list[str]
    confidence: Share
    given: Given | None = None


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """WGS-84 degrees, when the source gave coordinates."""

    lng: float
    lat: float


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """事发地 as far as it is known; `raw` is the source's own address, masked."""

    city: str | None = None
    district: str | None = None
    street: str | None = None
    community: str | None = None
    poi: str | None = None
    raw: str | None = None
    location: Location | None = None


class Citizen(msgspec.Struct, frozen=True, kw_only=True):
    """诉求人, as little as possible: `ref` is keyed and one-way, `display` a surname and a form of address."""

    ref: str | None = None
    display: str | None = None
    has_contact: bool = False
    confidential: bool = False


class Engagement(msgspec.Struct, frozen=True, kw_only=True):
    """Public reactions; never counted as voices."""

    likes: int = 0
    dislikes: int = 0
    replies: int = 0
    views: int = 0


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a conversation it stands; `about` is the article or topic commented on."""

    root: str | None = None
    parent: str | None = None
    about: str | None = None


class OfficialReply(msgspec.Struct, frozen=True, kw_only=True):
    """官方回复 that the source already shows, masked."""

    text: str
    by: str | None = None
    at: Instant | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """附件 by reference; the name is masked."""

    id: str
    name: str | None = None
    media_type: str | None = None
    url: str | None = None
    size: int | None = None  #: bytes
    sha256: str | None = None  #: of what is kept
    kind: str | None = None  #: image, video, audio, document or other


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to the text, and what could not be done."""

    is_appeal: bool = True
    appeal_score: Share = 1.0
    repairs: list[str] = []
    masked: dict[str, int] = {}
    notes: list[str] = []


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """The same person again, the same event, the other parts of one message: ids of other appeals."""

    same_person: list[str] = []
    same_event: str | None = None
    same_message: list[str] = []  #: one message with several requests (一条多诉); the first part has the message's id


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Words that spoke for a decision: offsets are code points of the masked field."""

    field: str
    start: int
    end: int
    text: str
    why: str


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """A department that nearly won."""

    department: str
    confidence: Share


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """With which tables the decision can be reproduced."""

    taxonomy: str
    directory: str
    rules: str
    model: str | None = None


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """派单决定 and its reasons (promise 6)."""

    lead: str | None
    assist: list[str]
    district: str | None
    decided_by: DecidedBy
    rule: str | None
    confidence: Share
    evidence: list[Evidence]
    alternatives: list[Alternative]
    versions: Versions


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """诉求: one request of one citizen, repaired, simplified and masked."""

    id: str
    schema_version: int = SCHEMA_VERSION
    revision: int
    channel: str
    channel_detail: str | None = None
    transport: str
    source: str
    native_id: str
    url: str | None = None
    posted_at: Instant | None = None
    received_at: Instant | None = None
    occurred_at: Instant | None = None
    title: str
    text: str
    request_type: RequestType
    category: Category
    urgency: Urgency
    deadline_class: str
    place: Place
    citizen: Citizen
    engagement: Engagement
    thread: Thread
    official_reply: OfficialReply | None = None
    attachments: list[Attachment] = []
    quality: Quality
    fingerprint: str
    links: Links = Links()
    routing: Routing | None = None
    #: What the router needs beside the schema's own names: evidence of the category, and the source's 承办单位.
    signals: Signals


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What the normalizer saw and the router decides by; kept so that any decision can be made again."""

    evidence: list[Evidence] = []  #: words that spoke for the category, the request type and the urgency
    runners_up: list[RunnerUp] = []  #: other categories, best first
    accused: list[str] = []  #: department names or aliases that the text complains about (promise 8)
    handler: str | None = None  #: the source's own 承办单位 (mode `follow`, and to compare with)
    handled_before: list[str] = []  #: to whom the source had given it before its present 承办单位 (原承办单位)
    sent_back: int = 0  #: how often departments returned it, as the source counts (退回次数)
    referral: str | None = None  #: reject or referral code of DOMAIN section 3.3: N1 … N9, or 110, 119, 120, 122
    subject_entity: str | None = None  #: 被反映对象
    told: Told | None = None  #: what the text tells of time
    piece: Piece | None = None  #: of a part of a message: which, and why it stands alone


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One of several requests of one message (一条多诉), and by which words it begins."""

    number: int
    of: int
    #: In code points of the message's masked text: what is shared before it, its own words, what is shared after it.
    spans: list[tuple[int, int]]
    cue: str
    why: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the text tells of time, as far as it says so with a number or a day; steps/recount.py reads it."""

    lasted_days: int | None = None  #: 持续时间
    reported_before: int | None = None  #: 此前反映次数, at least
    asked_hours: int | None = None  #: 要求时限: how soon an answer is asked for
    said: list[str] = []  #: the words, also those of `occurred_at`


class RunnerUp(msgspec.Struct, frozen=True, kw_only=True):
    """A category that nearly won."""

    code: str
    confidence: Share


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to the vault by the flow alone: originals behind the placeholders, and the caller's contact."""

    originals: dict[str, str] = {}  #: "text:手机1" -> the original
    matter: list[str] = []  #: keys of originals that tell of the matter (which flat, which car), not of the caller
    contact: dict[str, str] = {}  #: "name", "mobile", "mail", … as the source gave them

    def __bool__(self) -> bool:
        return bool(self.originals or self.contact)


class Normalized(msgspec.Struct, frozen=True):
    """What `normalize` returns: the message as one, and where it holds several requests, each of them."""

    appeal: Appeal
    secrets: Secrets
    parts: list[Normalized] = []  #: none, or two and more; what has parts is stored and sent as these


#: A message has at most so many parts.
MOST_PARTS = 9


def part_id(message: str, number: int) -> str:
    """Name a part of a message: the first keeps the message's own id, so that its identity and revisions hold."""
    return message if number == 1 else f"{message}-{number}"


def family(messages: Iterable[str]) -> list[str]:
    """Name all that these messages may have been stored as: each, and every part that it can have."""
    return [part_id(message, number) for message in messages for number in range(1, MOST_PARTS + 1)]


def message_of(id_: str) -> str:
    """Give the message that an appeal, or a case of one, is of: the item of the source."""
    return appeal_of(id_).partition("-")[0]


def appeal_of(case: str) -> str:
    """Give the appeal that a case is about: its first case has the same id, those of later rounds their number behind.

    A round (再次反映另立的件) begins where the case before it is closed and its author says something new.
    """
    return case.partition("~")[0]


def next_round(case: str) -> str:
    """Name the case of the round after this one."""
    appeal, _, number = case.partition("~")
    return f"{appeal}~{int(number or 1) + 1}"


def rounds_before(case: str) -> list[str]:
    """Name the cases of the rounds before this one, the first of them first."""
    appeal, _, number = case.partition("~")
    return [appeal if before == 1 else f"{appeal}~{before}" for before in range(1, int(number or 1))]


_NOTHING = Engagement()
_UNSEEN = Quality()
_APART = Links()


def essence(appeal: Appeal) -> Appeal:
    """Leave out what changes without changing the matter."""
    return msgspec.structs.replace(
        appeal, revision=0, received_at=None, engagement=_NOTHING, official_reply=None, links=_APART
    )


def as_read(appeal: Appeal) -> Appeal:
    """Leave what a department reads; what only we saw in the text is for the decision."""
    return msgspec.structs.replace(
        essence(appeal),
        category=msgspec.structs.replace(appeal.category, confidence=0.0),
        quality=_UNSEEN,
        fingerprint="",
        signals=Signals(subject_entity=appeal.signals.subject_entity),
    )


def to_document(appeal: Appeal) -> dict[str, Any]:
    """Turn an appeal into its BSON form: `_id` is the id, times are dates."""
    document: dict[str, Any] = msgspec.to_builtins(appeal)
    document["_id"] = document["id"]
    for name in ("posted_at", "received_at", "occurred_at"):
        if document[name] is not None:
            document[name] = datetime.fromisoformat(document[name])
    reply = document["official_reply"]
    if reply is not None and reply["at"] is not None:
        reply["at"] = datetime.fromisoformat(reply["at"])
    return document


def from_document(document: dict[str, Any]) -> Appeal:
    """Read an appeal back from its BSON form (aware datetimes)."""
    plain = {name: value for name, value in document.items() if name != "_id"}
    for name in ("posted_at", "received_at", "occurred_at"):
        if plain[name] is not None:
            plain[name] = instant(plain[name])
    reply = plain["official_reply"]
    if reply is not None and reply["at"] is not None:
        plain["official_reply"] = {**reply, "at": instant(reply["at"])}
    return msgspec.convert(plain, Appeal)


class Change(StrEnum):
    """What happened to an appeal, as the router needs to know it (promise 4)."""

    NEW = "new"
    CHANGED = "changed"  #: its masked form is another one
    REREAD = "reread"  #: it reads as before, but more or less was seen in it: decided again, told only where it moves
    SAME = "same"  #: the source changed, the masked appeal did not: recorded, not sent
    REFRESHED = "refreshed"  #: likes, views, replies, official reply: in place, no message
    WITHDRAWN = "withdrawn"  #: taken back, with proof
    BACK = "back"  #: it was withdrawn, and is there again in the same words


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal on its way from the normalizer to the router."""

    appeal: Appeal
    mode: Mode
    change: Change
    event_order: str | None = None  #: of a member of a confirmed event: the appeal whose order is acted on (主单)
