"""Comments under news of 网易 (网易跟帖): JSON or JSONP, comments by id, and chains of ids that say who answers whom.

A chain such as "1001,1002" is a building (盖楼): 1002 answers 1001. A comment occurs in many chains and pages and is
read once. There is no since-parameter, so every reading enumerates every article; that is also how what was taken back
is found. Newest chains stand first: a reading of the past ends an article where it is wholly behind that.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any

import msgspec

from connectors.base import BadItem, Fetch, Item, Page, Request, Response, Sweep
from connectors.channels.http_json.shapes import decoded, json_in
from connectors.errors import FormatChanged
from connectors.reading.times import moment_of
from connectors.source import Source

BEHIND = 2  #: pages in a row that are older than what is read back to
PAGES = 2000  #: of one article; one that goes on longer goes in circles


class NeteaseSettings(Source, frozen=True, kw_only=True):
    """Settings of one product of 网易跟帖."""

    url: str  #: …/api/v1/products/<key>/threads
    articles: Annotated[dict[str, str], msgspec.Meta(min_length=1)]  #: docid = title
    page_size: Annotated[int, msgspec.Meta(ge=1, le=30)] = 30


class Position(msgspec.Struct, frozen=True):
    """How far back one reading goes; the next enumerates again."""

    since: datetime


class Comments(msgspec.Struct, frozen=True):
    """One answer."""

    items: tuple[Item, ...]
    bad: tuple[BadItem, ...]
    chains: int  #: in this answer
    size: int  #: of the whole list, as it says
    newest: datetime | None

    @property
    def offered(self) -> tuple[str, ...]:
        return tuple(each.native_id for each in self.items) + tuple(each.native_id for each in self.bad)

    def without(self, seen: set[str]) -> Comments:
        """Leave out what an earlier page had."""
        items = tuple(each for each in self.items if each.native_id not in seen)
        bad = tuple(each for each in self.bad if each.native_id not in seen)
        return msgspec.structs.replace(self, items=items, bad=bad)


class Netease:
    """Reads all articles."""

    def __init__(self, settings: NeteaseSettings, fetch: Fetch, environment: Mapping[str, str]) -> None:
        del environment  # public comments need no key
        self._settings = settings
        self._fetch = fetch

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        # Pages shift with every new comment: a reading that was interrupted begins again.
        since = msgspec.json.decode(cursor, type=Position).since if cursor else None
        for docid in self._settings.articles:
            seen: set[str] = set()
            sizes: set[int] = set()
            chains = behind = 0
            for _ in range(PAGES):
                comments = await self._ask(docid, chains)
                fresh = comments.without(seen)
                seen.update(fresh.offered)
                sizes.add(comments.size)
                chains += comments.chains
                is_behind = since is not None and comments.newest is not None and comments.newest < since
                behind = behind + 1 if is_behind else 0
                last = not comments.chains or not fresh.offered or chains >= comments.size or behind == BEHIND
                whole = last and chains >= comments.size and len(sizes) == 1
                sweep = Sweep(scope=docid, native_ids=frozenset(seen)) if whole else None
                yield Page(offered=fresh.offered, items=fresh.items, bad=fresh.bad, cursor=None, sweep=sweep)
                if last:
                    break
            else:
                raise FormatChanged(
                    f"source {self._settings.name}: {PAGES} pages under {docid} and no end; check `url`"
                )

        if since is not None:
            yield Page(offered=(), items=(), cursor="")

    @property
    def lists(self) -> int:
        return len(self._settings.articles)

    def position_at(self, moment: datetime) -> str:
        """Whoever reads back to a moment reads each article down to it, and the next time all of it again."""
        return msgspec.json.encode(Position(moment)).decode()

    async def _ask(self, docid: str, offset: int) -> Comments:
        query = {
            "ibc": "newspc",
            "limit": str(self._settings.page_size),
            "showLevelThreshold": "72",
            "headLimit": "1",
            "tailLimit": "2",
            "offset": str(offset),
        }
        response = await self._fetch(Request(url=f"{self._settings.url}/{docid}/comments/newList", query=query))
        return parse(response, self._settings, docid)

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        held = msgspec.json.decode(payload)
        docid = context.get("docid", "")
        return read_comment(native_id, held.get("_row"), held.get("parent"), self._settings, docid=docid)


def parse(response: Response, settings: NeteaseSettings, docid: str) -> Comments:
    """Read one answer."""
    where = f"source {settings.name}: {settings.url} for {docid}"
    body = json_in(decoded(response, None), where)
    comments = body.get("comments") if isinstance(body, dict) else None
    chains = body.get("commentIds") if isinstance(body, dict) else None
    size = body.get("newListSize") if isinstance(body, dict) else None
    if comments == [] and chains == []:
        comments = {}  # an empty object, as PHP writes it
    if not isinstance(comments, dict) or not isinstance(chains, list):
        raise FormatChanged(f"{where} answered without comments and commentIds; check `url` and `articles`")
    if isinstance(size, bool) or not isinstance(size, int):
        raise FormatChanged(f"{where} answered without a number in newListSize; this is another version")
    parents = parents_of(chains)
    moments = [moment_of(row.get("createTime"), settings.zone) for row in comments.values() if isinstance(row, dict)]
    read = [read_comment(key, row, parents.get(key), settings, docid=docid) for key, row in comments.items()]
    return Comments(
        items=tuple(each for each in read if isinstance(each, Item)),
        bad=tuple(each for each in read if isinstance(each, BadItem)),
        chains=len(chains),
        size=size,
        newest=max((moment for moment in moments if moment is not None), default=None),
    )


def parents_of(chains: list[Any]) -> dict[str, str]:
    """Who answers whom: "1,2,3" says that 3 answers 2 and 2 answers 1."""
    parents: dict[str, str] = {}
    for chain in chains:
        ids = [part.strip() for part in chain.split(",") if part.strip()] if isinstance(chain, str) else []
        parents |= {below: above for above, below in pairwise(ids)}
    return parents


def read_comment(
    key: str,
    row: Any,  # noqa: ANN401
    parent: str | None,
    settings: NeteaseSettings,
    *,
    docid: str,
) -> Item | BadItem:
    """Read one comment. A guest has no nickname, only where he writes from."""
    context = {"docid": docid, "about": settings.articles.get(docid, "")}
    fields = row if isinstance(row, dict) else {}
    user = fields["user"] if isinstance(fields.get("user"), dict) else {}
    mapped = {
        "native_id": key,
        "text": fields.get("content"),
        "author": user.get("nickname"),
        "author_id": str(user["userId"]) if user.get("userId") else None,
        "posted_at": fields.get("createTime"),
        "likes": fields.get("vote"),
        "dislikes": fields.get("against"),
        "parent": parent,
    }
    payload = msgspec.json.encode({name: value for name, value in mapped.items() if value is not None} | {"_row": row})
    reason = _wrong(fields, key, settings.zone)
    if reason is not None:
        native_id = key or f"row-{hashlib.blake2b(payload, digest_size=9).hexdigest()}"
        return BadItem(native_id=native_id, payload=payload, reason=reason, context=context, scope=docid)
    content = (fields["content"], str(mapped["author"] or ""), str(mapped["author_id"] or ""), parent or "")
    return Item(native_id=key, payload=payload, content=content, context=context, scope=docid)


def _wrong(fields: Mapping[str, Any], key: str, zone: str) -> str | None:
    if not key:
        return "the comment has no id"
    if not isinstance(fields.get("content"), str) or not fields["content"].strip():
        return "the comment has no text"
    if moment_of(fields.get("createTime"), zone) is None:
        return "createTime is not a time"
    return None
