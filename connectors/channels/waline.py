"""Comments under the news by Waline (新闻评论): roots in pages, replies nested in them, errors as HTTP 200.

There is no since-parameter and an edit shows in the comment alone, so every reading enumerates every article: that is
also how what was taken back is found. New comments come at the end (insertedAt_asc): nothing is pushed out of sight.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from connectors.answering.comments import Account, WalineAnswers
from connectors.answering.table import AnswerTerms
from connectors.base import Answer, BadItem, Fetch, Item, Page, Receipt, Request, Response, Sweep
from connectors.errors import AccessDenied, ConnectorError, FormatChanged, RateLimited, SourceDown
from connectors.reading.encoding import json_of
from connectors.source import Source

BEGINNING = ""  #: the cursor of a reading that came to its end
THROTTLED = ("too many", "too fast", "频繁", "太快")


class WalineSettings(Source, frozen=True, kw_only=True):
    """Settings of one Waline server."""

    url: str
    articles: Annotated[dict[str, str], msgspec.Meta(min_length=1)]  #: path = title
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100
    answer_as: str | None = None  #: the city's account, in whose name replies are written; None: nobody is answered
    answer_mail: str = ""
    answer_token_env: str | None = None  #: the environment variable that holds the account's token
    answer_within_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24.0

    def answer_terms(self) -> AnswerTerms | None:
        """Everybody can read a comment: replies alone go there, and never to a confidential one."""
        if self.answer_as is None:
            return super().answer_terms()
        return AnswerTerms(public=True, within_hours=self.answer_within_hours)


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where to read on inside one enumeration."""

    path: str
    page: int


class Comments(msgspec.Struct, frozen=True):
    """One answer."""

    items: tuple[Item, ...]
    bad: tuple[BadItem, ...]
    pages: int  #: how many there are
    count: int  #: comments under the article, replies too

    @property
    def offered(self) -> tuple[str, ...]:
        return tuple(each.native_id for each in self.items) + tuple(each.native_id for each in self.bad)


class Waline:
    """Reads all articles of one server."""

    def __init__(self, settings: WalineSettings, fetch: Fetch, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._fetch = fetch
        token = environment.get(settings.answer_token_env) if settings.answer_token_env else None
        self._account = Account(name=settings.answer_as or "", mail=settings.answer_mail, token=token)

    @property
    def lists(self) -> int:
        return len(self._settings.articles)

    async def answer(self, native_id: str, context: Mapping[str, str], answer: Answer) -> Receipt:
        """Reply beneath the comment, as the city's account."""
        answers = WalineAnswers(self._settings.name, self._settings.url, self._account, self._fetch)
        return await answers.answer(native_id, context, answer)

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        paths = list(self._settings.articles)
        start = _position(cursor, paths)
        for index, path in enumerate(paths):
            if index < paths.index(start.path):
                continue
            following = Position(paths[index + 1], 1) if index + 1 < len(paths) else None
            async for page in self._article(path, start.page if path == start.path else 1, following):
                yield page

    async def _article(self, path: str, first: int, following: Position | None) -> AsyncIterator[Page]:
        """Read one article; its last page closes a sweep if all of it was seen, and nothing vanished meanwhile."""
        seen: set[str] = set()
        counts: set[int] = set()
        number = first
        while True:
            comments = await self._ask(path, number)
            # Past its end a server may answer with nothing, or with a page that we had: then too it is the end.
            fresh = not seen.issuperset(comments.offered)
            seen.update(comments.offered)
            counts.add(comments.count)
            last = number >= comments.pages or not fresh
            whole = number >= comments.pages and first == 1 and len(counts) == 1
            yield Page(
                offered=comments.offered,
                items=comments.items,
                bad=comments.bad,
                cursor=_cursor(following if last else Position(path, number + 1)),
                sweep=Sweep(scope=path, native_ids=frozenset(seen)) if whole else None,
            )
            if last:
                return
            number += 1

    async def _ask(self, path: str, number: int) -> Comments:
        query = {
            "path": path,
            "page": str(number),
            "pageSize": str(self._settings.page_size),
            "sortBy": "insertedAt_asc",
        }
        response = await self._fetch(Request(url=self._settings.url, query=query))
        return parse(response, self._settings, path)

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        del native_id
        return read_comment(msgspec.json.decode(payload), self._settings, context.get("path", ""))


def parse(response: Response, settings: WalineSettings, path: str) -> Comments:
    """Read one answer."""
    where = f"source {settings.name}: {settings.url} for {path}"
    body = json_of(response, where)
    if not isinstance(body, dict) or "errno" not in body:
        raise FormatChanged(f"{where} answered JSON that is not Waline's; check `url`")
    if body["errno"] != 0:
        raise _error(where, body["errno"], str(body.get("errmsg", "")))
    data = body.get("data")
    rows = data.get("data") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(rows, list):
        raise FormatChanged(f"{where} answered without data.data; this is another version of Waline")
    read = [read_comment(row, settings, path) for row in _flat(rows) if not is_own(row, settings)]
    return Comments(
        items=tuple(each for each in read if isinstance(each, Item)),
        bad=tuple(each for each in read if isinstance(each, BadItem)),
        pages=_whole(data, "totalPages", where),
        count=_whole(data, "count", where),
    )


def read_comment(row: Any, settings: WalineSettings, path: str) -> Item | BadItem:  # noqa: ANN401
    """Read one comment, without its replies."""
    payload = msgspec.json.encode(row)
    context = {"path": path, "about": settings.articles.get(path, "")}
    native_id = str(row.get("objectId") or "") if isinstance(row, dict) else ""
    if not native_id:
        digest = hashlib.blake2b(payload, digest_size=9).hexdigest()
        reason = "the comment has no objectId"
        return BadItem(native_id=f"row-{digest}", payload=payload, reason=reason, context=context, scope=path)
    if not isinstance(row.get("comment"), str):
        reason = "the comment has no text"
        return BadItem(native_id=native_id, payload=payload, reason=reason, context=context, scope=path)
    content = (row["comment"], str(row.get("nick") or ""), str(row.get("link") or ""))
    return Item(native_id=native_id, payload=payload, content=content, context=context, scope=path)


def is_own(row: Any, settings: WalineSettings) -> bool:  # noqa: ANN401
    """Say whether the city's own account wrote it: who is logged in has a type, which nobody can give himself."""
    return (
        settings.answer_as is not None
        and isinstance(row, dict)
        and row.get("nick") == settings.answer_as
        and bool(row.get("type"))
    )


def _flat(rows: list[Any]) -> Iterator[Any]:
    """Roots and replies alike; what belongs to whom stands in `pid` and `rid`."""
    for row in rows:
        if not isinstance(row, dict):
            yield row
            continue
        yield {name: value for name, value in row.items() if name != "children"}
        children = row.get("children") or []
        yield from _flat(children if isinstance(children, list) else [children])


def _whole(data: dict[str, Any], name: str, where: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatChanged(f"{where} answered without a number in data.{name}; this is another version of Waline")
    return value


def _error(where: str, number: object, message: str) -> ConnectorError:
    if any(word in message.lower() for word in THROTTLED) or number == 429:  # noqa: PLR2004  as in HTTP
        return RateLimited(f"{where} asks for patience (errno {number})", 30.0)
    if number in (401, 403):
        return AccessDenied(f"{where} refuses (errno {number}); these comments are not public")
    if isinstance(number, int) and 1000 <= number < 2000:  # noqa: PLR2004  ThinkJS' range for refused questions
        return FormatChanged(f"{where} does not take our question (errno {number}); check `url` and `articles`")
    return SourceDown(f"{where} says that it failed (errno {number}); it is asked again")


def _position(cursor: str | None, paths: list[str]) -> Position:
    position = msgspec.json.decode(cursor, type=Position) if cursor else Position(paths[0], 1)
    # An article that left the settings: begin again.
    return position if position.path in paths else Position(paths[0], 1)


def _cursor(position: Position | None) -> str:
    return BEGINNING if position is None else msgspec.json.encode(position).decode()
