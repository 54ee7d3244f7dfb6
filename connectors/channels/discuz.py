"""Boards of Discuz! X by its mobile API (论坛手机接口): threads by last reply, then the posts of those that changed.

Quirks: every scalar is a string; sticky threads repeat on every page; a page past the end is the last page again; what
is gone or forbidden is HTTP 200 with a Message; display times change by themselves, so they are dropped. An edit and a
hidden post do not move a thread: only a complete enumeration (`sweep_every`) finds them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from connectors.base import BadItem, Fetch, Item, Page, Request, Response, Sweep
from connectors.errors import AccessDenied, FormatChanged
from connectors.reading.encoding import json_of
from connectors.source import Source

ENOUGH = 200  #: items that make a page of ours: answers of small threads are put together
#: What a thread's row says of the moment of asking, not of the thread.
FOR_THE_EYE = ("dateline", "lastpost")
#: What a reply's payload says of its thread: the thread's counters are not the reply's news.
ANSWERED = ("tid", "subject", "author", "authorid")
_WHOLE = re.compile(r"-?[0-9]{1,15}")
DENIED = ("nopermission", "viewperm", "password", "login", "mobile_is_closed", "banned", "closed")


class DiscuzSettings(Source, frozen=True, kw_only=True):
    """Settings of one board."""

    url: str  #: …/api/mobile/index.php
    fid: str  #: the board's number
    threads_per_page: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    posts_per_page: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    overlap: Annotated[float, msgspec.Meta(ge=0)] = 600.0  #: seconds behind the position that are read again
    sweep_every: Annotated[float, msgspec.Meta(ge=0)] = 6 * 3600.0  #: seconds between two complete enumerations


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a reading ended."""

    since: int = 0  #: the newest last reply that was seen, epoch seconds
    swept: datetime | None = None
    back: bool = False  #: the next reading goes back to `since` and no further, whenever the last enumeration was


class Board(msgspec.Struct, frozen=True):
    """One page of the list of threads."""

    name: str
    page: int
    threads: int  #: how many the board says it has
    rows: tuple[dict[str, Any], ...]
    bad: tuple[BadItem, ...] = ()
    size: int = 0  #: rows of a full page, perhaps fewer than we asked for; 0: it does not say


class Posts(msgspec.Struct, frozen=True):
    """One page of one thread."""

    items: tuple[Item, ...] = ()
    bad: tuple[BadItem, ...] = ()
    replies: int = 0  #: how many the thread says it has
    size: int = 0  #: posts of a full page


class _Reading(msgspec.Struct):
    """What one reading has seen so far."""

    complete: bool  #: every thread is read, changed or not
    floor: int  #: threads whose last reply is older are not read, unless this reading is complete
    newest: int
    tids: set[str]
    ids: set[str]
    threads: set[int]
    items: list[Item] = []
    bad: list[BadItem] = []

    def take(self, posts: Posts) -> None:
        self.items += posts.items
        self.bad += posts.bad
        self.ids.update(item.native_id for item in posts.items if not item.deleted)
        self.ids.update(bad.native_id for bad in posts.bad)

    def page(self, cursor: str | None, sweep: Sweep | None = None) -> Page:
        items, bad, self.items, self.bad = tuple(self.items), tuple(self.bad), [], []
        offered = tuple(each.native_id for each in items) + tuple(each.native_id for each in bad)
        return Page(offered=offered, items=items, bad=bad, cursor=cursor, sweep=sweep)


class Discuz:
    """Reads one board. The position moves at the end of a reading: killed before that, it begins again."""

    def __init__(self, settings: DiscuzSettings, fetch: Fetch, environment: Mapping[str, str]) -> None:
        del environment
        self._settings = settings
        self._fetch = fetch

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        position = msgspec.json.decode(cursor, type=Position) if cursor else Position()
        board, now = await self._board(1)
        reading = _Reading(
            complete=not position.back and self._is_due(position, now),
            floor=position.since - int(self._settings.overlap),
            newest=min(position.since, int(now.timestamp())),
            tids=set(),
            ids=set(),
            threads=set(),
        )
        number = 1
        while True:
            reading.threads.add(board.threads)
            reading.take(Posts(bad=board.bad))
            fresh = [row for row in board.rows if row["tid"] not in reading.tids]
            for row in fresh:
                reading.tids.add(row["tid"])
                if _last_reply(row) <= now.timestamp():  # a thread bumped into the future must not hide the others
                    reading.newest = max(reading.newest, _last_reply(row))
                if reading.complete or _last_reply(row) >= reading.floor:
                    async for posts in self._thread(row, board):
                        reading.take(posts)
                        if len(reading.items) + len(reading.bad) >= ENOUGH:
                            yield reading.page(None)
            if self._is_last(board, fresh, number, reading):
                break
            number += 1
            board, _ = await self._board(number)
        position = Position(since=reading.newest, swept=now if reading.complete else position.swept)
        yield reading.page(msgspec.json.encode(position).decode(), self._sweep(reading))

    def position_at(self, moment: datetime) -> str:
        """Threads stand by their last reply: what was written since then stands in those before the first older one."""
        since = int((moment + timedelta(seconds=self._settings.overlap)).timestamp())
        return msgspec.json.encode(Position(since=since, back=True)).decode()

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """A thread that could not be read is asked for again by the next complete reading."""
        reason = "the forum did not show this thread; its next complete reading asks again"
        return BadItem(native_id=native_id, payload=payload, reason=reason, context=context, scope=self._settings.fid)

    def _is_due(self, position: Position, now: datetime) -> bool:
        return position.swept is None or now - position.swept >= timedelta(seconds=self._settings.sweep_every)

    def _is_last(self, board: Board, fresh: list[dict[str, Any]], number: int, reading: _Reading) -> bool:
        # Sticky threads stand above every page, or on the first one in the place of others: then they count.
        above = sum(1 for row in board.rows if _is_sticky(row) and row not in fresh)
        rows = len(board.rows) + len(board.bad) - above
        if not fresh or board.page < number or rows < board.size:
            return True
        plain = [row for row in board.rows if not _is_sticky(row)]
        return not reading.complete and bool(plain) and all(_last_reply(row) < reading.floor for row in plain)

    def _sweep(self, reading: _Reading) -> Sweep | None:
        """Not while threads came or went: then absence proves nothing.

        What stands in a thread that guests may no longer read counts as taken back; opened again, it is back.
        """
        if not reading.complete or len(reading.threads) > 1:
            return None
        return Sweep(scope=self._settings.fid, native_ids=frozenset(reading.ids))

    async def _board(self, number: int) -> tuple[Board, datetime]:
        settings = self._settings
        response = await self._ask(
            {"module": "forumdisplay", "fid": settings.fid, "page": str(number), "tpp": str(settings.threads_per_page)}
        )
        return parse_board(response, settings), response.fetched_at

    async def _thread(self, row: dict[str, Any], board: Board) -> AsyncIterator[Posts]:
        """Read all pages of one thread."""
        size = self._settings.posts_per_page
        seen: set[str] = set()
        number = 1
        while True:
            query = {"module": "viewthread", "tid": row["tid"], "page": str(number), "ppp": str(size)}
            posts = parse_thread(await self._ask(query), self._settings, row, board.name)
            fresh = [item for item in posts.items if item.native_id not in seen]
            seen.update(item.native_id for item in fresh)
            if number == 1 or fresh:
                yield msgspec.structs.replace(posts, items=tuple(fresh))
            if not fresh or posts.replies + 1 <= number * posts.size:
                return
            number += 1

    async def _ask(self, query: dict[str, str]) -> Response:
        return await self._fetch(Request(url=self._settings.url, query={"version": "4", **query}))


def parse_board(response: Response, settings: DiscuzSettings) -> Board:
    """Read one page of the list."""
    where = f"source {settings.name}: board {settings.fid}"
    variables, message = _envelope(response, where)
    rows = variables.get("forum_threadlist")
    if message is not None and rows is None:
        if any(word in message for word in DENIED):
            raise AccessDenied(f"{where} may not be read ({message}); ask its operator")
        raise FormatChanged(f"{where} cannot be shown ({message}); check `fid`")
    if not isinstance(rows, list):
        raise FormatChanged(f"{where} has no list of threads; check `url`")
    forum = _part(variables, "forum")
    return Board(
        name=str(forum.get("name", "")),
        page=_number(variables, "page", 1),
        threads=_number(forum, "threads", 0),
        rows=tuple(row for row in rows if _is_named(row, "tid")),
        bad=tuple(_nameless(row, "tid", settings.fid) for row in rows if not _is_named(row, "tid")),
        size=_number(variables, "tpp", 0),
    )


def parse_thread(response: Response, settings: DiscuzSettings, row: Mapping[str, Any], forum: str) -> Posts:
    """Read one page of a thread. One that is gone is withdrawn; one that may not be read is offered all the same."""
    tid = str(row["tid"])
    context = {"fid": settings.fid, "forum": forum}
    variables, message = _envelope(response, f"source {settings.name}: thread {tid}")
    posts = variables.get("postlist")
    if not isinstance(posts, list):
        if message is not None and "nonexistence" in message:
            gone = Item(native_id=f"t{tid}", payload=b"", content=(), context=context, scope=settings.fid, deleted=True)
            return Posts(items=(gone,))
        reason = f"the forum does not show this thread ({message or 'no postlist'})"
        payload = msgspec.json.encode(_lasting(row))
        unread = BadItem(native_id=f"t{tid}", payload=payload, reason=reason, context=context, scope=settings.fid)
        return Posts(bad=(unread,))
    thread = {**row, **_part(variables, "thread"), "tid": tid}
    return Posts(
        items=tuple(_item(post, thread, context, settings.fid) for post in posts if _is_named(post, "pid")),
        bad=tuple(_nameless(post, "pid", settings.fid) for post in posts if not _is_named(post, "pid")),
        replies=_number(thread, "replies", 0),
        size=_number(variables, "ppp", 0),
    )


def _item(post: dict[str, Any], thread: Mapping[str, Any], context: Mapping[str, str], fid: str) -> Item:
    first = post.get("first") == "1"
    about = _lasting(thread) if first else {name: thread.get(name, "") for name in ANSWERED}
    subject = str(thread.get("subject", "")) if first else ""
    return Item(
        native_id=f"t{thread['tid']}" if first else f"p{post['pid']}",
        payload=msgspec.json.encode({"thread": about, "post": _lasting(post)}),
        content=(
            subject,
            str(post.get("message", "")),
            str(post.get("author", "")),
            str(post.get("authorid", "")),
            *sorted(_part(post, "attachments")),
        ),
        context=context,
        scope=fid,
    )


def _envelope(response: Response, where: str) -> tuple[dict[str, Any], str | None]:
    """The answer's variables, and its message's name, such as `thread_nonexistence`."""
    body = json_of(response, where)
    if isinstance(body, dict) and body.get("error"):
        raise AccessDenied(f"{where}: the forum's mobile API says {body['error']}; ask its operator to open it")
    if not isinstance(body, dict) or not isinstance(body.get("Variables"), dict):
        raise FormatChanged(f"{where} answered JSON that is not Discuz'; check `url`")
    message = body.get("Message")
    named = str(message.get("messageval", "")).partition("//")[0] if isinstance(message, dict) else None
    return body["Variables"], named


def _is_named(row: object, name: str) -> bool:
    return isinstance(row, dict) and isinstance(row.get(name), str) and bool(row[name])


def _nameless(row: object, name: str, fid: str) -> BadItem:
    payload = msgspec.json.encode(row)
    digest = hashlib.blake2b(payload, digest_size=9).hexdigest()
    return BadItem(native_id=f"row-{digest}", payload=payload, reason=f"the row has no {name}", scope=fid)


def _part(variables: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object of the answer; PHP writes an empty one as a list."""
    value = variables.get(name)
    return value if isinstance(value, dict) else {}


def _lasting(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in FOR_THE_EYE}


def _last_reply(row: Mapping[str, Any]) -> int:
    return _number(row, "dblastpost", _number(row, "dbdateline", 0))


def _is_sticky(row: Mapping[str, Any]) -> bool:
    return _number(row, "displayorder", 0) > 0


def _number(row: Mapping[str, Any], name: str, otherwise: int) -> int:
    """Every scalar is a string, and an empty one is missing."""
    written = str(row.get(name, ""))
    return int(written) if _WHOLE.fullmatch(written) else otherwise
