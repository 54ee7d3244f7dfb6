"""An appeal in the making: mappers fill it, steps change it in place, and `Appeal` is built from it once.

It never leaves `normalize`: what is handed on is frozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from normalizer.appeal import (
    Attachment,
    Engagement,
    Evidence,
    Given,
    Location,
    Piece,
    RequestType,
    RunnerUp,
    Thread,
    Told,
    Urgency,
)

if TYPE_CHECKING:
    from normalizer.words import Hit, Span

NO_ENGAGEMENT = Engagement()
NO_THREAD = Thread()


class Draft:
    """First what the mapper knows, then what the steps find out."""

    # --- as the source has it
    title: str = ""
    text: str = ""
    channel: str = ""
    channel_detail: str | None = None
    url: str | None = None
    posted_at: str | None = None
    occurred_at: str | None = None
    address: str | None = None
    location: Location | None = None
    author_name: str | None = None
    #: Of the source's own user; with the source it makes the citizen's ref without a mobile.
    author_id: str | None = None
    sex: str | None = None  #: "先生" or "女士"
    phone: str | None = None
    mail: str | None = None
    type_given: str | None = None
    secret: bool = False  #: 保密件
    light: str | None = None  #: the source's own 紧急程度
    given: Given | None = None
    handler: str | None = None
    sent_back: int = 0
    subject_entity: str | None = None
    reply_text: str | None = None
    reply_by: str | None = None
    reply_at: str | None = None
    engagement: Engagement = NO_ENGAGEMENT
    thread: Thread = NO_THREAD
    attachments: list[Attachment]

    # --- as the steps found it; a list that one step alone makes is not there before it
    everyday: bool = False  #: title, text and address need neither repair nor cleaning (steps/everyday.py)
    repairs: list[str]
    notes: list[str]
    masked: dict[str, int]
    originals: dict[str, str]
    matter: list[str]  #: keys of originals that tell of the matter
    body: str = ""  #: title and text as one, for the automata
    title_end: int = -1  #: where the text begins in `body`, less one; -1 without a title
    keywords: list[Span]
    cues: list[Span]
    patterns: list[Hit]
    request_type: RequestType = RequestType.OTHER
    asked: bool = False  #: clearly a question, by a word or by the source
    code: str = "1309"
    confidence: float = 0.0
    score: float = 0.0  #: how much spoke for the category; judge reads it
    runners_up: list[RunnerUp]
    evidence: list[Evidence]
    urgency: Urgency = Urgency.NORMAL
    deadline_class: str = "P2"
    is_appeal: bool = True
    appeal_score: float = 1.0
    city: str | None = None
    district: str | None = None
    street: str | None = None
    community: str | None = None
    poi: str | None = None
    referral: str | None = None
    emergency: str | None = None  #: 110, 119, 120, 122 as prioritize saw it
    accused: list[str]
    told: Told | None = None
    fingerprint: str = ""

    # --- one message with several requests (parting/)
    parts: Sequence[Draft] = ()
    piece: Piece | None = None  #: which part this is
    message_title: str = ""  #: of the message that this is a part of: it may say where

    def __init__(self, title: str = "", text: str = "", channel: str = "") -> None:
        self.title = title
        self.text = text
        self.channel = channel
        self.attachments = []
        self.repairs = []
        self.notes = []
        self.masked = {}
        self.originals = {}
        self.matter = []
        self.evidence = []

    def note(self, repair: str) -> None:
        """Record a repair once."""
        if repair not in self.repairs:
            self.repairs.append(repair)

    def evident(self, start: int, end: int, why: str) -> None:
        """Record words of `body` as evidence, in code points of the field they stand in."""
        cut = self.title_end
        if start < cut:
            if end <= cut:
                self.evidence.append(Evidence(field="title", start=start, end=end, text=self.body[start:end], why=why))
            return
        shift = cut + 1
        self.evidence.append(
            Evidence(field="text", start=start - shift, end=end - shift, text=self.body[start:end], why=why)
        )
