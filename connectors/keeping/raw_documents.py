"""The documents of `raw`: what a change of an item is written as, and what is read back of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from pymongo import UpdateOne

from connectors.keeping.compare import Change, Destroyed, Head
from connectors.keeping.pages import What
from connectors.keeping.sealing import Keys, sealed
from connectors.raw_appeal import Mode, RawAppeal
from connectors.source import Source

#: Days and months are those of Asia/Shanghai, which has kept UTC+8 without summer time since 1991.
SHANGHAI = timezone(timedelta(hours=8))
#: What a head is made of.
HEAD = dict.fromkeys(
    (
        *("native_id", "revision", "content", "digest", "withdrawn", "parked.at", "reader", "received_at", "destroyed"),
        "mended.digest",
    ),
    1,
)


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be read (解析失败), as `intake parked` shows it."""

    id: str
    source: str
    native_id: str
    kind: str
    revision: int
    reason: str
    at: datetime
    discarded: str | None  #: who set it aside and why
    context: Mapping[str, str] = {}  #: only where the payload is
    payload: bytes | None = None  #: only where it was asked for


@dataclass(frozen=True)
class Writing:
    """What the writes of one page have in common."""

    source: Source
    keys: Keys
    reader: int | None
    at: datetime
    payloads: Mapping[str, tuple[bytes, dict[str, str]]]
    fixed: Mapping[str, str]

    def document(self, change: Change) -> dict[str, Any]:
        row = change.row
        return {"_id": row.id, **self.fixed, "native_id": row.native_id, **self._fields(change)}

    def update(self, change: Change) -> UpdateOne:
        before = change.before
        assert before is not None
        unchanged: dict[str, Any] = {
            "_id": before.id,
            "revision": before.revision,
            "digest": before.digest,
            "withdrawn": before.withdrawn,
        }
        if self.reader is not None:
            unchanged["reader"] = {"$lte": self.reader}
        return UpdateOne(unchanged, {"$set": self._fields(change), "$unset": {"context": ""}})

    def raw(self, change: Change) -> RawAppeal:
        source, row = self.source, change.row
        payload, context = self._payload(change)
        return RawAppeal(
            id=row.id,
            source=source.name,
            kind=source.kind,
            channel=source.channel,
            native_id=row.native_id,
            revision=change.revision,
            payload=payload,
            context=context,
            zone=source.zone,
            mode=source.mode,
            transport=source.transport,
            received_at=self._received_at(change),
            withdrawn=row.deleted,
            refreshed=change.what is What.REFRESHED,
            keys=self.keys.name,
        )

    def _fields(self, change: Change) -> dict[str, Any]:
        row = change.row
        payload, context = self._payload(change)
        parked = None if row.bad is None else {"stage": "parse", "reason": row.bad, "at": self.at, "discarded": None}
        return {
            "mode": self.source.mode.value,
            "revision": change.revision,
            "content": row.content,
            "digest": row.digest,
            "payload": sealed(self.keys, row.id, change.revision, payload, context),
            "key": self.keys.name,
            "destroyed": None,
            "received_at": self._received_at(change),
            "withdrawn": row.deleted,
            "absent": 0,
            "scope": row.scope,
            "parked": parked,
            "reader": self.reader if self.reader is not None else change.before.reader if change.before else 0,
        }

    def _payload(self, change: Change) -> tuple[bytes, Mapping[str, str]]:
        if change.row.payload is None:
            return self.payloads.get(change.row.id, (b"", change.row.context))
        return change.row.payload, change.row.context

    def _received_at(self, change: Change) -> datetime:
        if change.what in {What.REFRESHED, What.AGAIN} and change.before is not None:
            return change.before.received_at
        return self.at


def fixed(source: Source, at: datetime) -> dict[str, str]:
    """What all new items of a page say alike."""
    return {
        "source": source.name,
        "kind": source.kind,
        "channel": source.channel,
        "zone": source.zone,
        "transport": source.transport,
        "day": f"{at.astimezone(SHANGHAI):%Y-%m-%d}",
    }


def head_of(document: Mapping[str, Any]) -> Head:
    """Read what HEAD asked for."""
    return Head(
        document["_id"],
        document["native_id"],
        document["revision"],
        document["content"],
        document["digest"],
        document["withdrawn"],
        bool(document.get("parked")),
        document["reader"],
        document["received_at"],
        Destroyed(document["destroyed"]["why"]) if document.get("destroyed") else None,
        document["mended"]["digest"] if document.get("mended") else None,
    )


def raw_of(document: Mapping[str, Any], payload: bytes, context: Mapping[str, str], *, refreshed: bool) -> RawAppeal:
    """Hand an item on, opened."""
    return RawAppeal(
        id=document["_id"],
        source=document["source"],
        kind=document["kind"],
        channel=document["channel"],
        native_id=document["native_id"],
        revision=document["revision"],
        payload=payload,
        context=context,
        zone=document["zone"],
        mode=Mode(document["mode"]),
        transport=document["transport"],
        received_at=document["received_at"],
        withdrawn=document["withdrawn"],
        refreshed=refreshed,
        keys=document["key"],
    )


def parked_of(
    document: Mapping[str, Any], payload: bytes | None = None, context: Mapping[str, str] | None = None
) -> Parked:
    """Show a row that could not be read, opened or not."""
    parked = document["parked"]
    discarded = parked.get("discarded")
    return Parked(
        id=document["_id"],
        source=document["source"],
        native_id=document["native_id"],
        kind=document["kind"],
        revision=document["revision"],
        reason=parked["reason"],
        at=parked["at"],
        discarded=f"{discarded['actor']}: {discarded['reason']}" if discarded else None,
        context=context or {},
        payload=payload,
    )
