"""The contract of a kind that is pushed to us (推送): one request in, one page out, nothing else happens.

A receiver is pure. It knows its settings and the environment's keys, and is handed the moment and a random word; so
the same push read twice is the same page, and whatever it is asked it answers with a page or with `Refused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec

from connectors.base import BadItem, Item, Page
from connectors.source import Source


class PushSource(Source, frozen=True, kw_only=True):
    """What the settings say of every source that is pushed to us."""

    requests_per_minute: Annotated[float, msgspec.Meta(gt=0)] = 600.0  #: of one client; more is answered with 429
    transport: Literal["pull", "push", "import"] = "push"


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a form (附件)."""

    field: str
    name: str
    body: bytes


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """One request, as it came."""

    headers: Mapping[str, str]  #: names in lower case
    query: Mapping[str, str] = {}
    body: bytes = b""  #: whole, also where `form` was read from it
    form: Mapping[str, str] = {}
    files: tuple[File, ...] = ()
    nonce: str  #: a random word of this request: names what has no name
    at: datetime


class Medium(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be kept, sealed, beside its item; what tells of its maker (EXIF, GPS) is gone from it."""

    sha256: str
    media_type: str
    body: bytes


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What a request brought."""

    page: Page
    media: Mapping[str, tuple[Medium, ...]] = {}  #: by native id
    client: str  #: who is counted for it, and may ask for it later


class Refused(Exception):
    """The caller is told why, and nothing is stored: the words are for a programmer, and repeat nothing of the push."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Receiver(Protocol):
    """Reads what one source's callers push. tests/connectors/test_receiving.py holds every one to its promises."""

    def admit(self, head: Pushed) -> None:
        """Refuse by what stands before the body, so that a body of nobody is not even read. Pure.

        `receive` checks all of it again: a key may stand in the body, and what is signed is known with it alone.
        """
        ...

    def receive(self, pushed: Pushed) -> Received:
        """Read one request: what is authentic and unreadable is a BadItem, so that it is kept. Pure."""
        ...

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """Read the payload of a BadItem once more. Pure."""
        ...


class Merges(Protocol):
    """A receiver whose pushes tell parts of an item, in any order."""

    def merge(self, stored: bytes, pushed: bytes) -> Item:
        """Lay a push over what is stored; what is older than what stands changes nothing. Pure."""
        ...
