"""What came of a case after it was dispatched (办理): a track for each department, the reviewed reply, the answers.

Everything but `answers` is read off the ledger by standing.py and kept here so that it can be asked for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from router.cases.work import Ask, Work

Colour = Literal["yellow", "red"]


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """How far one department is with its order, lead or assisting."""

    state: Work
    begun: datetime  #: since when it has this order, or this round of it (重办)
    asks: dict[Ask, str] = {}  #: what it asks for and nobody has decided: the feedback's id
    extended: int = 0  #: working days granted beside the deadline
    pauses: list[tuple[datetime, datetime | None]] = []  #: granted suspensions, the last perhaps still open
    #: When each step first reached us: what counts for the clock.
    received: datetime | None = None
    signed: datetime | None = None
    contacted: datetime | None = None
    interim: datetime | None = None
    resolved: datetime | None = None
    reply: str | None = None  #: feedback id of its latest public reply
    card: Colour | None = None  #: the gravest one shown for what it still has to do
    carded_at: datetime | None = None  #: … since when


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A public reply (公开答复) after its review."""

    text: str
    feedback: str
    department: str
    by: str  #: who reviewed it
    at: datetime


Status = Literal["accepted", "in_progress", "closed"]


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to the source that the case came from (回写): written down before it is sent."""

    id: str
    status: Status
    reply: str | None
    at: datetime
    deadline: datetime
    state: Literal["pending", "sent", "parked", "discarded"] = "pending"
    tries: int = 0
    sent_at: datetime | None = None
    receipt: str | None = None
    reason: str | None = None  #: why it is not sent yet, or parked


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order."""

    work: Work | None = None  #: of the whole case: its lead's state, until the centre reopens or closes it
    since: datetime | None = None  #: since when it is in that state
    tracks: dict[str, Track] = {}
    returns: list[str] = []  #: departments whose return was upheld
    urged: int = 0
    supervised: bool = False
    reopened: int = 0
    visited: bool = False
    card: Colour | None = None  #: the gravest of its tracks
    waits_review: str | None = None  #: feedback id of the lead's reply that nobody has reviewed
    reply: Reply | None = None
    answers: list[Answering] = []
    answer_at: datetime | None = None  #: when the next answer is to be tried
    answers_parked: int = 0
