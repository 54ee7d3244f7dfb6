"""What a page changes: its rows beside what is known of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from connectors.base import BadItem, Item, Page
from connectors.keeping.pages import Entry, What
from connectors.raw_appeal import appeal_id


class Destroyed(StrEnum):
    """Why the raw text of an item is no longer there."""

    EXPIRED = "expired"  #: its time of keeping was over
    MENTIONED = "mentioned"  #: somebody named in it had himself erased
    ERASED = "erased"  #: its author had it erased


class Head(msgspec.Struct, frozen=True):
    """What is known of an item without opening it."""

    id: str
    native_id: str
    revision: int
    content: bytes
    digest: bytes
    withdrawn: bool
    parked: bool
    reader: int  #: the fence of the source's reader that wrote it last
    received_at: datetime
    destroyed: Destroyed | None = None
    mended: bytes | None = None  #: the digest of what its source sent and a person has put right


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a page, readable or not."""

    id: str
    native_id: str
    payload: bytes | None  #: None: keep the payload that is stored
    content: bytes
    digest: bytes
    context: Mapping[str, str]
    scope: str
    deleted: bool = False
    absent: bool = False  #: nobody sent it: two enumerations did not hold it
    bad: str | None = None  #: why it cannot be read


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is not what it was."""

    what: What
    row: Row
    revision: int
    before: Head | None

    @property
    def entry(self) -> Entry:
        return Entry(self.row.id, self.row.native_id, self.revision, self.what)

    @property
    def is_handed_on(self) -> bool:
        """Not what is parked, and not what was taken back before we ever saw it."""
        return self.what is not What.BAD and not (self.row.deleted and self.before is None)

    def is_in(self, heads: Mapping[str, Head]) -> bool:
        """Whether the store holds this change, whoever wrote it."""
        head = heads.get(self.row.id)
        return head is not None and (head.revision, head.digest, head.withdrawn) == (
            self.revision,
            self.row.digest,
            self.row.deleted,
        )


#: Bytes of an item that is read; what is larger is no letter, and what comes of it would not fit into a document.
LARGEST_READ = 4 * 1024 * 1024
#: Bytes that are kept of an item; MongoDB takes 16 MiB for all of a document.
LARGEST_KEPT = 12 * 1024 * 1024


def rows_of(source: str, page: Page) -> dict[str, Row]:
    """The page's rows by id; the last word on an id counts."""
    rows = [_read_or_not(source, item) for item in page.items] + [_bad(source, bad) for bad in page.bad]
    return {row.id: row for row in rows}


def again(heads: Mapping[str, Head], scopes: Mapping[str, str]) -> list[Change]:
    """Items as they stand, to be normalized again: a revision of the same content."""
    return [
        Change(what=What.AGAIN, row=_as_it_stands(head, scopes[id_]), revision=head.revision + 1, before=head)
        for id_, head in heads.items()
        if not (head.parked or head.withdrawn or head.destroyed)
    ]


def _as_it_stands(head: Head, scope: str) -> Row:
    return Row(
        id=head.id,
        native_id=head.native_id,
        payload=None,
        content=head.content,
        digest=head.digest,
        context={},
        scope=scope,
    )


def absent(head: Head, scope: str) -> Row:
    """The row of an item that two complete enumerations no longer held."""
    return replace(_as_it_stands(head, scope), deleted=True, absent=True)


def compare(rows: Iterable[Row], heads: Mapping[str, Head]) -> list[Change]:
    """Promise 4: repeats change nothing."""
    changes = []
    for row in rows:
        before = heads.get(row.id)
        what = _what(row, before)
        if what is not None:
            revision = 1 if before is None else before.revision + (what is not What.REFRESHED)
            changes.append(Change(what=what, row=row, revision=revision, before=before))
    return changes


def _what(row: Row, before: Head | None) -> What | None:
    if before is not None and (before.destroyed is Destroyed.ERASED or before.mended == row.digest):
        return None  # erased, or put right by a person: whatever its source still shows of it is not taken in again
    if row.bad is not None:
        return None if before is not None and before.parked and before.digest == row.digest else What.BAD
    if row.deleted:
        return None if before is not None and before.withdrawn else What.WITHDRAWN
    if before is None:
        return What.NEW
    if before.parked or before.withdrawn or before.content != row.content:
        return What.CHANGED
    # New likes are no reason to store again what was destroyed.
    return None if before.digest == row.digest or before.destroyed else What.REFRESHED


def _read_or_not(source: str, item: Item) -> Row:
    """One item that is too large to be stored must not hold up its page, and its source with it (promise 11)."""
    if len(item.payload) <= LARGEST_READ:
        return _read(source, item)
    if item.deleted:
        return _read(source, msgspec.structs.replace(item, payload=b""))
    reason = f"the item has {len(item.payload)} bytes, larger than {LARGEST_READ >> 20} MiB"
    return _bad(
        source,
        BadItem(native_id=item.native_id, payload=item.payload, reason=reason, context=item.context, scope=item.scope),
    )


def _read(source: str, item: Item) -> Row:
    return Row(
        id=appeal_id(source, item.native_id),
        native_id=item.native_id,
        payload=item.payload if item.payload or not item.deleted else None,
        content=digest_of(item.content),
        digest=_digest(item.payload, item.context, item.scope),
        context=item.context,
        scope=item.scope,
        deleted=item.deleted,
    )


def _bad(source: str, bad: BadItem) -> Row:
    return Row(
        id=appeal_id(source, bad.native_id),
        native_id=bad.native_id,
        payload=bad.payload[:LARGEST_KEPT],
        content=b"",
        digest=_digest(bad.payload, bad.context, bad.scope),
        context=bad.context,
        scope=bad.scope,
        bad=bad.reason,
    )


def digest_of(content: Sequence[str]) -> bytes:
    """The digest of what was written; the parts cannot run into each other."""
    return hashlib.blake2b(msgspec.json.encode(content), digest_size=16).digest()


def _digest(payload: bytes, context: Mapping[str, str], scope: str) -> bytes:
    """The digest of all that may be refreshed: what joins an enumeration later must learn its scope."""
    made = hashlib.blake2b(payload, digest_size=16)
    if context or scope:
        made.update(msgspec.json.encode([scope, *sorted(context.items())]))
    return made.digest()
