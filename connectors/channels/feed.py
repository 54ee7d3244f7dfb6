"""Feeds of forums and boards: RSS 2.0, Atom and JSON Feed, told apart by looking.

A feed shows its newest posts first and forgets the oldest. So a reading begins at the newest, goes on by rel=next until
it is some days behind where the last one began (posts are released late), and moves its position once, at its end:
killed before that, it begins again. A feed that pages back to its first post can be enumerated (`sweep_every`), which
finds late edits and what was taken back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urljoin

import fastfeedparser
import msgspec

from connectors.base import BadItem, Fetch, Item, Page, Request, Response, Sweep
from connectors.channels.feed_links import Links, Name
from connectors.errors import FormatChanged
from connectors.reading.encoding import html_answer, json_of, xml_of
from connectors.reading.times import moment_of
from connectors.source import Source

STICKY = 20  #: entries at the head of a feed that may be sticky and old; a reading always goes beyond them
SURELY = 4  #: times as many steps back as forth make a feed one that shows its newest first
PAGES = 2000  #: of one reading; a feed that goes on longer pages in circles

#: Dates are put into one form before parsing: parsers read those without a zone as UTC, Chinese sites mean local time.
_DATE = re.compile(
    r"(<(?P<tag>pubDate|published|updated|modified|issued|created|dc:date|dcterms:\w+)(?:\s[^>]*)?>)"
    r"\s*+(?:<!\[CDATA\[)?+(?P<written>[^<\]]{0,80}+)(?:\]\]>)?+\s*+(</(?P=tag)>)"
)
_ID = re.compile(r"<(?:\w+:)?(?:guid|id)\b|\brdf:about\b", re.IGNORECASE)


class FeedSettings(Source, frozen=True, kw_only=True):
    """Settings of one feed."""

    url: str
    overlap: Annotated[float, msgspec.Meta(ge=0)] = 3 * 86400.0  #: seconds behind the position that are read again
    #: seconds between two readings back to the first post; left out: the feed is a window, and what it no longer shows
    #: may still be there
    sweep_every: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a reading ended."""

    at: datetime | None = None  #: the newest time that was seen
    swept: datetime | None = None  #: when the feed was last enumerated
    #: learned from a reading to the end; until then every reading goes to the end
    newest_first: bool = False
    shared: dict[str, str] = {}  #: links of several entries without ids (feed_links.py)


class Entries(msgspec.Struct, frozen=True):
    """One answer."""

    items: tuple[Item, ...]
    bad: tuple[BadItem, ...]
    moments: tuple[datetime, ...]  #: in the order of the feed
    following: str | None

    @property
    def offered(self) -> tuple[str, ...]:
        return tuple(each.native_id for each in self.items) + tuple(each.native_id for each in self.bad)


class Feed:
    """Reads one feed."""

    def __init__(self, settings: FeedSettings, fetch: Fetch, environment: Mapping[str, str]) -> None:
        del environment  # a feed has no key
        self._settings = settings
        self._fetch = fetch

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        position = msgspec.json.decode(cursor, type=Position) if cursor else Position()
        moments: list[datetime] = []
        links = Links(position.shared, self._settings.zone)
        seen: set[str] = set()
        asked: set[str] = set()
        url = self._settings.url
        while True:
            response = await self._fetch(Request(url=url))
            asked.add(url)
            entries = parse(response, self._settings, links, first=len(asked) == 1)
            position = msgspec.structs.replace(position, shared=links.shared)
            moments += entries.moments
            seen.update(entries.offered)
            following = _joined(url, entries.following)
            if following is None or following in asked:
                break  # the end, also of those that lead back to page 1
            if self._is_far_enough(entries, moments, position, response.fetched_at):
                learned = msgspec.structs.replace(
                    position, newest_first=not self._outruns(position, moments, response.fetched_at)
                )
                yield _page(entries, _cursor(learned, moments, response.fetched_at))
                return
            if len(asked) == PAGES:
                raise FormatChanged(f"source {self._settings.name}: {PAGES} pages and no end; tell the feed's operator")
            yield _page(entries, None)
            url = following
        # Only here was the whole feed seen.
        back, forth = _steps(moments)
        settled = len(asked) == 1 or not self._outruns(position, moments, response.fetched_at)
        learned = msgspec.structs.replace(position, newest_first=settled and back >= SURELY * (forth + 1))
        if self._settings.sweep_every is None:
            yield _page(entries, _cursor(learned, moments, response.fetched_at))
            return
        sweep = Sweep(scope=self._settings.url, native_ids=frozenset(seen))
        swept = msgspec.structs.replace(learned, swept=response.fetched_at)
        yield _page(entries, _cursor(swept, moments, response.fetched_at), sweep)

    def position_at(self, moment: datetime) -> str:
        """A feed that shows its newest first is left where it is wholly behind this moment; any other is read whole."""
        at = moment + timedelta(seconds=self._settings.overlap)
        return msgspec.json.encode(Position(at=at, swept=moment, newest_first=True)).decode()

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        del context
        return read_entry(msgspec.json.decode(payload), self._settings, Name(native_id))

    def _is_far_enough(self, entries: Entries, moments: Sequence[datetime], position: Position, now: datetime) -> bool:
        """This page is wholly behind the overlap, and the feed is not one that tells its oldest first."""
        every = self._settings.sweep_every
        if every is not None and (position.swept is None or now - position.swept >= timedelta(seconds=every)):
            return False
        if position.at is None or not position.newest_first or len(entries.moments) < len(entries.items):
            return False
        if len(moments) - len(entries.moments) < STICKY:
            return False
        floor = position.at - timedelta(seconds=self._settings.overlap)
        back, forth = _steps(moments)
        return back >= forth and max(entries.moments, default=floor) < floor

    def _outruns(self, position: Position, moments: Sequence[datetime], now: datetime) -> bool:
        """What this reading met for the first time reaches back beyond where the next one will begin.

        A post that slipped onto a page that was read already, since one before it was taken away, would be lost: the
        next reading goes to the end once more.
        """
        overlap = timedelta(seconds=self._settings.overlap)
        return position.at is None or any(position.at + overlap < moment <= now for moment in moments)


def parse(response: Response, settings: FeedSettings, links: Links | None = None, *, first: bool = True) -> Entries:
    """Read one answer, whichever of the three it is."""
    where = f"source {settings.name}: {settings.url}"
    if response.status != 200:  # noqa: PLR2004  404 and 410 are all else that a Fetch returns
        if first:
            raise FormatChanged(f"{where} answered {response.status}: the feed is gone; find its new address")
        return Entries((), (), (), None)
    if response.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        (rows, following), has_ids = _json_feed(json_of(response, where), where), True
    else:
        rows, following, has_ids = _xml_feed(response, where, settings.zone)
    nameless = [at for at, row in enumerate(rows) if _is_nameless(row, has_ids=has_ids)]
    named = (links or Links({}, settings.zone)).names([rows[at] for at in nameless])
    names = dict(zip(nameless, named, strict=True))
    read = [read_entry(row, settings, names.get(at)) for at, row in enumerate(rows)]
    moments = [moment_of(row.get("published") or row.get("updated"), settings.zone) for row in rows]
    return Entries(
        items=tuple(each for each in read if isinstance(each, Item)),
        bad=tuple(each for each in read if isinstance(each, BadItem)),
        moments=tuple(moment for moment in moments if moment is not None),
        following=following,
    )


def _is_nameless(row: Mapping[str, Any], *, has_ids: bool) -> bool:
    """It has a link and nothing else; the parser of XML calls such an entry by its link."""
    link, own = row.get("link"), row.get("id")
    return isinstance(link, str) and (not own or (not has_ids and own == link))


def read_entry(row: Mapping[str, Any], settings: FeedSettings, name: Name | None = None) -> Item | BadItem:
    """Read one entry: `id title content link author published updated categories` and what the feed counts."""
    scope = settings.url if settings.sweep_every is not None else ""
    payload = msgspec.json.encode(row)
    words = tuple(str(row.get(name) or "") for name in ("title", "content", "author"))
    native_id = name.id if name else str(row.get("id") or row.get("link") or "")
    if not native_id:
        native_id = "entry-" + hashlib.blake2b("\0".join(words).encode(), digest_size=9).hexdigest()
    reason = None if any(words[:2]) else "the entry has neither title nor content"
    if name is not None and name.is_twin:
        reason = "the entry has link, title and time of another one, and no id; ask the feed's operator for ids"
    if reason is not None:
        return BadItem(native_id=native_id, payload=payload, reason=reason, scope=scope)
    content = (*words, *row.get("categories", ()))
    return Item(native_id=native_id, payload=payload, content=content, scope=scope)


def _page(entries: Entries, cursor: str | None, sweep: Sweep | None = None) -> Page:
    return Page(offered=entries.offered, items=entries.items, bad=entries.bad, cursor=cursor, sweep=sweep)


def _joined(url: str, following: str | None) -> str | None:
    """Where the next page is: Atom may tell it relative to this one."""
    try:
        return None if following is None else urljoin(url, following)
    except ValueError as error:
        raise FormatChanged(f"{url} leads on to what is no address; tell the feed's operator") from error


def _cursor(position: Position, moments: Sequence[datetime], now: datetime) -> str:
    """Move on to the newest post; one dated into the future would hide every post until then."""
    past = [moment for moment in moments if moment <= now]
    newest = max([*past, *([position.at] if position.at else [])], default=None)
    return msgspec.json.encode(msgspec.structs.replace(position, at=newest)).decode()


def _steps(moments: Sequence[datetime]) -> tuple[int, int]:
    """Steps back and forth in time: sticky posts make a few forth, an oldest-first feed makes hardly any back."""
    back = sum(earlier > later for earlier, later in pairwise(moments))
    forth = sum(earlier < later for earlier, later in pairwise(moments))
    return back, forth


def _json_feed(body: Any, where: str) -> tuple[list[dict[str, Any]], str | None]:  # noqa: ANN401
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise FormatChanged(f"{where} answered JSON that is no JSON Feed; check `url`")
    following = body.get("next_url")
    return [_json_entry(item) for item in body["items"]], following if isinstance(following, str) else None


def _json_entry(item: Any) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(item, dict):
        return {"row": item}
    entry = {
        "id": item.get("id"),
        "title": item.get("title"),
        "content": item.get("content_html") or item.get("content_text"),
        "link": item.get("url"),
        "author": _author(item),
        "published": item.get("date_published"),
        "updated": item.get("date_modified"),
        "categories": [tag for tag in _list(item, "tags") if isinstance(tag, str)],
        "attachments": [each["url"] for each in _list(item, "attachments") if isinstance(each, dict) and "url" in each],
        "extensions": {name: value for name, value in item.items() if name.startswith("_")},
    }
    return {name: value for name, value in entry.items() if value not in (None, "", [], {})}


def _author(item: dict[str, Any]) -> object:
    authors = [*_list(item, "authors"), item.get("author")]
    return next((each.get("name") for each in authors if isinstance(each, dict)), None)


def _list(item: dict[str, Any], name: str) -> list[Any]:
    value = item.get(name)
    return value if isinstance(value, list) else []


def _xml_feed(response: Response, where: str, zone: str) -> tuple[list[dict[str, Any]], str | None, bool]:
    """Its entries, where it goes on, and whether entries have ids of their own."""
    text = xml_of(response.body, response.headers.get("content-type", ""))
    # A text that begins with http:// is an address to the library: it would go there, past budget and hosts.
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise FormatChanged(f"{where} answered something that is no feed; check `url`")
    try:
        feed = fastfeedparser.parse(_DATE.sub(lambda match: _with_zone(match, zone), text))
    except (ValueError, TypeError) as error:
        if "<html" in text[:2000].lower():
            raise html_answer(text, where) from error
        raise FormatChanged(f"{where} answered something that is no feed; check `url`") from error
    links = [link for link in feed.feed.get("links") or () if link.get("rel") == "next"]
    entries = [_xml_entry(entry) for entry in feed.entries]
    return entries, (links[0].get("href") if links else None), _ID.search(text) is not None


def _with_zone(match: re.Match[str], zone: str) -> str:
    moment = moment_of(match["written"], zone)
    return match[0] if moment is None else f"{match[1]}{moment.isoformat()}{match[4]}"


def _xml_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    contents = [each.get("value") for each in entry.get("content") or ()]
    read = {
        "id": entry.get("id"),
        "title": entry.get("title"),
        "content": next((value for value in contents if value), None) or entry.get("description"),
        "link": entry.get("link"),
        "author": entry.get("author"),
        "published": entry.get("published"),
        "updated": entry.get("updated"),
        "categories": [tag.get("term") for tag in entry.get("tags") or () if tag.get("term")],
        "attachments": [each.get("url") for each in entry.get("enclosures") or () if each.get("url")],
        "comments": entry.get("comments"),
    }
    return {name: value for name, value in read.items() if value not in (None, "", [], {})}
