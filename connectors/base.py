"""The contract of a connector, and what it speaks of: pages, items, and the one way to the network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a page, whole enough to be mapped later.

    `content` is what the citizen or the source's operator wrote (title, text, author id, place, contact,
    attachments, type): a change there is a new revision. Everything else (likes, views, replies, the official
    reply) may change in place without a message (promise 4). A deleted item with an empty payload keeps the
    payload that is stored.
    """

    native_id: str
    payload: bytes
    content: tuple[str, ...]
    context: Mapping[str, str] = {}  #: stored in clear: names of boards and articles, never a citizen's words
    scope: str = ""  #: the enumeration it belongs to (a board, an article), see Sweep; "" is never swept
    deleted: bool = False  #: the row itself says that it was taken back (a deletion mark, 404, 410)


class BadItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was offered and cannot be read: it is parked with the reason, never dropped."""

    native_id: str  #: as far as known; else a digest of the row
    payload: bytes
    reason: str  #: never a citizen's words: it is stored in clear
    context: Mapping[str, str] = {}
    scope: str = ""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """A complete enumeration has ended: every live item of `scope` is in `native_ids`.

    Absence from two sweeps in a row is the proof that an item was withdrawn (promise 4).
    """

    scope: str
    native_ids: frozenset[str]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a source. `offered` is written down before anything is stored (promise 1)."""

    offered: tuple[str, ...]  #: the native id of every row of the answer; items and bad together hold exactly these
    items: tuple[Item, ...]  #: an id that comes twice in one page counts once, as it came last
    bad: tuple[BadItem, ...] = ()
    cursor: str | None  #: where to read on once this page is stored; None leaves the position where it is
    sweep: Sweep | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector asks its source; only http.py knows how."""

    url: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    method: str = "GET"
    body: bytes | None = None
    once: bool = False  #: it changes something there: where its answer is lost, whoever asked looks before asking again


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What the source answered: 2xx, 404 or 410; everything else is an error of connectors.errors.

    A 304 is answered with the body that it stands for: validators may not outlive what a crash lost.
    """

    status: int
    headers: Mapping[str, str]  #: names in lower case
    body: bytes
    fetched_at: datetime


Fetch = Callable[[Request], Awaitable[Response]]


class Connector(Protocol):
    """Reads one source.

    tests/connectors/test_contract.py holds every connector to this:

    - When nothing new is left, the iteration ends.
    - The cursor is the whole memory: a fresh connector given it reads on from there. It may repeat an item but
      never skips one.
    - A page's `offered` holds the native id of every row, whether it can be read or not.
    - Only errors of connectors.errors are raised, each saying what to do next.
    - `parse` functions are pure: bytes in, page out.
    """

    def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        """Yield what is new since cursor; None means the oldest item still on show."""
        ...


class Dated(Protocol):
    """A connector whose position is a time: a backfill and a rewind need not read what lies before."""

    def position_at(self, moment: datetime) -> str:
        """Say where to begin so that nothing posted or changed since then is skipped. Pure."""
        ...


class Lists(Protocol):
    """A connector that reads several lists one after another: the end of one says nothing of the others."""

    @property
    def lists(self) -> int:
        """How many there are."""
        ...


class Rereads(Protocol):
    """A connector that can read a parked row again, after its mapping or its parser was mended."""

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """Read the payload of a BadItem once more. Pure."""
        ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the source is told of an item of its own (回写): where it stands, and the reviewed public reply."""

    id: str  #: the same however often it is sent: a receiver that can drops the repeat by it
    status: Literal["accepted", "in_progress", "closed"]
    reply: str | None  #: masked and reviewed; None: only the status changed
    at: datetime


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the source gave for an answer (回执)."""

    id: str | None  #: the source's own, where it gives one
    at: datetime


class Answers(Protocol):
    """A connector that can answer where the appeal came from.

    Only errors of connectors.errors are raised; what was sent may be sent again with the same id.
    """

    async def answer(self, native_id: str, context: Mapping[str, str], answer: Answer) -> Receipt:
        """Tell the source about one item; `context` is the item's own, as it was read."""
        ...
