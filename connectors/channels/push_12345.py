"""Work orders pushed by a 12345 platform (12345 工单推送): new, edited, handled on, taken back; signed, in any order.

A push tells some fields of an order and when it was so. Each field keeps the newest word on it, so that pushes may come
late, twice, or in the wrong order; what is read of the order is then the wide table of `hotline_12345`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from connectors.base import BadItem, Item, Page
from connectors.channels import hotline_12345
from connectors.reading.times import moment_of
from connectors.receiving import signatures
from connectors.receiving.contract import Pushed, PushSource, Received
from connectors.receiving.keys import BadKeys
from connectors.receiving.signatures import SignatureSettings

Event = Literal["create", "update", "status", "withdraw"]
EVENTS: Mapping[str, Event] = {"create": "create", "update": "update", "status": "status", "withdraw": "withdraw"}
WITHDRAWN = "撤回"
MOST_ORDERS = 200  #: in one push
_AHEAD = timedelta(minutes=5)  #: by which another clock may be ahead of ours


class Push12345Settings(PushSource, frozen=True, kw_only=True):
    """Settings of one platform that pushes."""

    app_key: str  #: the name that we gave it (appKey)
    secret_env: str  #: the variable that holds its secret; two parted by a blank while it is being changed
    signature: SignatureSettings = SignatureSettings()
    event: str = "event"  #: where the body says what happened; a body without it tells of the whole order
    events: dict[str, Event] = msgspec.field(default_factory=dict)  #: theirs = ours
    time: str = "time"  #: where it says when, unless the order has its own updateTime
    data: str = "data"  #: where it holds the order, or several; "" is the body itself
    fields: dict[str, str] = msgspec.field(default_factory=dict)  #: names of the wide table = theirs
    requests_per_minute: Annotated[float, msgspec.Meta(gt=0)] = 12_000.0

    def problems(self) -> list[str]:
        return [*super().problems(), *self.signature.problems()]


class _Told(msgspec.Struct, frozen=True):
    """What is stored: the newest word on each field, and when it was said (epoch milliseconds)."""

    order: dict[str, Any]
    at: dict[str, int]


class Push12345:
    """Reads one platform's pushes."""

    def __init__(self, settings: Push12345Settings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._secrets = environment.get(settings.secret_env, "").split()
        if not self._secrets:
            raise BadKeys(f"环境变量 {settings.secret_env} 没有密钥 · variable {settings.secret_env} holds no secret")

    def admit(self, head: Pushed) -> None:
        signatures.check_head(head, self._settings.signature, self._settings.app_key)

    def receive(self, pushed: Pushed) -> Received:
        settings = self._settings
        signed_at = signatures.check(pushed, settings.signature, settings.app_key, self._secrets)
        read = self._folded(self._read(*row) for row in self._rows(pushed, signed_at)) or [_unread(pushed.body)]
        page = Page(
            offered=tuple(each.native_id for each in read),
            items=tuple(each for each in read if isinstance(each, Item)),
            bad=tuple(each for each in read if isinstance(each, BadItem)),
            cursor=None,
        )
        return Received(page=page, client=settings.app_key)

    def merge(self, stored: bytes, pushed: bytes) -> Item:
        """Field by field the newer word stands; of two in the same moment the one that came later."""
        old, new = msgspec.json.decode(stored, type=_Told), msgspec.json.decode(pushed, type=_Told)
        order, at = dict(old.order), dict(old.at)
        for name, value in new.order.items():
            if new.at[name] >= at.get(name, 0):
                order[name], at[name] = value, new.at[name]
        read = self._item(_Told(order, at))
        assert isinstance(read, Item), "each field was read before"
        return read

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        del context
        try:
            read = self._item(msgspec.json.decode(payload, type=_Told))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _unread(payload, native_id)
        return msgspec.structs.replace(read, native_id=native_id)

    def _folded(self, read: Iterable[Item | BadItem]) -> list[Item | BadItem]:
        """An order that stands in one push several times is one."""
        found: dict[str, Item | BadItem] = {}
        for each in read:
            before = found.get(each.native_id)
            both = isinstance(before, Item) and isinstance(each, Item)
            found[each.native_id] = self.merge(before.payload, each.payload) if before and both else each
        return list(found.values())

    def _rows(self, pushed: Pushed, signed_at: datetime) -> list[tuple[dict[str, Any], Event | None, datetime]]:
        """The orders of a body; none where it cannot be read.

        What says no time was so when it was signed: the same push once more is no newer than the first time.
        """
        try:
            body = msgspec.json.decode(pushed.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        if not isinstance(body, dict):
            return []
        settings = self._settings
        told = body.get(settings.data) if settings.data else body
        rows = [row for row in (told if isinstance(told, list) else [told]) if isinstance(row, dict)]
        event = {**EVENTS, **settings.events}.get(str(body.get(settings.event, "update")))
        at = moment_of(body.get(settings.time), settings.zone) or signed_at
        if len(rows) > MOST_ORDERS or len(rows) < (len(told) if isinstance(told, list) else 1):
            return []  # as a whole: its caller would take a part for all of it
        return [(self._ours(row), event, self._when(row, at, pushed.at)) for row in rows]

    def _ours(self, row: dict[str, Any]) -> dict[str, Any]:
        """Under the names of the wide table."""
        names = {theirs: ours for ours, theirs in self._settings.fields.items()}
        return {names.get(name, name): value for name, value in row.items()}

    def _when(self, row: dict[str, Any], at: datetime, now: datetime) -> datetime:
        """A word from the future would stand for ever: it counts as said now."""
        when = moment_of(self._ours(row).get("updateTime"), self._settings.zone) or at
        return when if when <= now + _AHEAD else now

    def _read(self, row: dict[str, Any], event: Event | None, at: datetime) -> Item | BadItem:
        if event == "withdraw":
            row = row | {"orderState": WITHDRAWN}
        moment = (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
        told = _Told(order=row, at=dict.fromkeys(row, moment))
        read = self._item(told)
        if event is None and isinstance(read, Item):
            reason = "the push names an event that `events` of the settings does not"
            return BadItem(native_id=read.native_id, payload=read.payload, reason=reason)
        return read

    def _item(self, told: _Told) -> Item | BadItem:
        read = hotline_12345.read_row(told.order, self._settings)
        return msgspec.structs.replace(read, payload=msgspec.json.encode(told, order="sorted"))


def _unread(body: bytes, native_id: str | None = None) -> BadItem:
    name = native_id or "push-" + hashlib.blake2b(body, digest_size=9).hexdigest()
    return BadItem(native_id=name, payload=body, reason="the push is no JSON object with orders")
