"""12345 work orders (12345 工单接口): the wide order table as JSON, a key, a keyset over updateTime and orderId."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from connectors.answering.order import order_table
from connectors.answering.table import AnswerTable
from connectors.base import BadItem, Fetch, Item, Page, Request, Response
from connectors.errors import AccessDenied, FormatChanged, SourceDown
from connectors.raw_appeal import Mode
from connectors.reading.encoding import json_of
from connectors.reading.times import moment_of
from connectors.source import Source

#: What the caller said and the operator wrote down; handling, urging, visits and the like may change in place.
CONTENT = (
    "callerName", "callerSex", "callerPhone", "callerContact", "mail", "companyName", "callSubject", "callerType",
    "reflectName", "reflectPhone", "questionCode", "questionName", "isSecret", "address", "addressPoints", "title",
    "majorContent", "pilotLight", "attachments",
)  # fmt: skip
#: In mode `follow` the source's own 承办单位 stands: another one is news.
FOLLOWED = ("organizationName", "organizationCode", "subOfficeName")
TAKEN_BACK = {"作废", "撤回", "已作废", "已撤回"}

#: Seconds or milliseconds; 20261122100000 is neither.
_EPOCH = re.compile(r"[0-9]{9,13}")
_WITH_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,15}(?:Z|[+-][0-9]{2}:?[0-9]{2})")


class HotlineSettings(Source, frozen=True, kw_only=True):
    """Settings of one work-order API."""

    url: str
    key_env: str  #: the environment variable that holds the key
    key_header: str = "x-api-key"
    page_size: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    #: seconds before the position that are read again: orders may be committed later than their updateTime
    overlap: Annotated[float, msgspec.Meta(ge=0)] = 120.0
    answer_url: str | None = None  #: where status and reply of an order are written back; None: they are not

    def answers(self) -> AnswerTable | None:
        """Say how an order is answered."""
        if self.write_back is not None or self.answer_url is None:
            return self.write_back
        return order_table(self.answer_url, self.key_env, self.key_header)


class Hotline12345:
    """Reads orders in the order of their last change; the cursor is `<updateTime>|<orderId>`."""

    def __init__(self, settings: HotlineSettings, fetch: Fetch, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._fetch = fetch
        self._key = environment.get(settings.key_env, "")

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        after = _earlier(cursor, self._settings.overlap)
        asked: set[str] = set()
        while True:
            asked.add(after)
            response = await self._fetch(
                Request(
                    url=self._settings.url,
                    query={"after": after, "limit": str(self._settings.page_size)},
                    headers={self._settings.key_header: self._key},
                )
            )
            page, following = parse(response, self._settings, at=cursor)
            if page.offered:
                yield page
            cursor = page.cursor or cursor
            if following is None:
                return
            if following in asked:
                raise FormatChanged(f"source {self._settings.name}: `next` repeats itself; tell its operator")
            after = following

    def position_at(self, moment: datetime) -> str:
        """The keyset's own way of writing a time: whatever was posted since then was changed since then."""
        return f"{moment.astimezone(ZoneInfo(self._settings.zone)):%Y-%m-%d %H:%M:%S}|"

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        try:
            return read_row(msgspec.json.decode(payload), self._settings)
        except msgspec.DecodeError:
            return BadItem(native_id=native_id, payload=payload, reason="the row is not JSON", context=context)


def parse(response: Response, settings: HotlineSettings, *, at: str | None) -> tuple[Page, str | None]:
    """Read one answer: the page, and where the source says to go on. `at` is the position so far."""
    where = f"source {settings.name}: {settings.url}"
    body = json_of(response, where)
    if not isinstance(body, dict):
        raise FormatChanged(f"{where} answered JSON without an envelope; check `url`")
    if body.get("success") is not True:
        raise _refusal(where, body.get("code"))
    data = body.get("data")
    rows = data.get("rows") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(rows, list):
        raise FormatChanged(f"{where} answered without data.rows; check `url`")
    following = data.get("next")
    if following is not None and not isinstance(following, str):
        raise FormatChanged(f"{where} answered with a `next` that is no text; this is another version of the interface")
    read = [read_row(row, settings) for row in rows]
    items = tuple(each for each in read if isinstance(each, Item))
    bad = tuple(each for each in read if isinstance(each, BadItem))
    latest = response.fetched_at + timedelta(seconds=settings.overlap)
    keys = [key for row in rows if (key := _key(row, settings.zone, latest)) is not None]
    page = Page(
        offered=tuple(each.native_id for each in read),
        items=items,
        bad=bad,
        cursor=max([*keys, *([at] if at else [])], key=partial(_order, zone=settings.zone), default=None),
    )
    return page, following


def read_row(row: Any, settings: Source) -> Item | BadItem:  # noqa: ANN401  whatever the source sent
    """Read one order."""
    payload = msgspec.json.encode(row)
    if not isinstance(row, dict):
        return BadItem(native_id=_nameless(payload), payload=payload, reason="the row is not an object")
    order = row.get("orderId")
    if isinstance(order, bool) or not isinstance(order, str | int) or not order:
        return BadItem(native_id=_nameless(payload), payload=payload, reason="the row has no orderId")
    for name in ("callTime", "updateTime"):
        if row.get(name) and moment_of(row[name], settings.zone) is None:
            return BadItem(native_id=str(order), payload=payload, reason=f"{name} is not a time")
    names = CONTENT + FOLLOWED if settings.mode is Mode.FOLLOW else CONTENT
    return Item(
        native_id=str(order),
        payload=payload,
        content=tuple([_written(row[name]) if name in row else "" for name in names]),
        deleted=str(row.get("orderState")).strip() in TAKEN_BACK,
    )


def _refusal(where: str, code: object) -> AccessDenied | SourceDown | FormatChanged:
    number = str(code)
    if number.startswith(("401", "403")):
        return AccessDenied(f"{where} refuses the key (code {number}); put a valid key into the variable of `key_env`")
    if number.startswith(("429", "5")):
        return SourceDown(f"{where} says that it is not ready (code {number}); it is asked again")
    return FormatChanged(f"{where} refuses the question (code {number}); check `url` and `page_size`")


def _key(row: Any, zone: str, latest: datetime) -> str | None:  # noqa: ANN401
    """The row's place in the keyset. A row with a broken time must not carry the position away.

    Nor must one that was changed in the future: every order until then would be behind the position, and never read.
    """
    moment = moment_of(row.get("updateTime"), zone) if isinstance(row, dict) else None
    if moment is None or moment > latest or not row.get("orderId"):
        return None
    return f"{row['updateTime']}|{row['orderId']}"


def _order(key: str, zone: str) -> tuple[datetime, str]:
    """Keys as the source sorts them, also where it writes months without a zero."""
    written, _, order = key.partition("|")
    return moment_of(written, zone) or datetime.min.replace(tzinfo=UTC), order


def _earlier(cursor: str | None, seconds: float) -> str:
    """Go back by the overlap, in the source's own way of writing times."""
    if cursor is None:
        return ""
    written, _, _ = cursor.partition("|")
    moment = moment_of(written, "UTC")
    if not seconds or moment is None:
        return cursor
    if _EPOCH.fullmatch(written):
        return f"{int(written) - round(seconds * (1000 if len(written) > len('1795352724') else 1))}|"
    back = timedelta(seconds=seconds)
    if _WITH_OFFSET.fullmatch(written):
        return f"{(datetime.fromisoformat(written) - back).isoformat(sep=written[10])}|"
    return f"{moment - back:%Y-%m-%d %H:%M:%S}|"


def _written(value: object) -> str:
    """None, "" and 0 all mean nothing here."""
    if isinstance(value, str):
        return "" if value == "0" else value
    return "" if value is None or value == 0 else msgspec.json.encode(value).decode()


def _nameless(payload: bytes) -> str:
    return "row-" + hashlib.blake2b(payload, digest_size=9).hexdigest()
