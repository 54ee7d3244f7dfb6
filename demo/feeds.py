"""The forum's feeds: four boards, newest first, thirty posts a page, older ones by RFC 5005's `next` (?page=2 …).

GET /forum/rss.xml        RSS 2.0, UTF-8, HTML in content:encoded        (demo-forum, 百姓呼声)
GET /forum/atom.xml       Atom 1.0                                       (demo-forum-atom, 民生直通车)
GET /forum/feed.json      JSON Feed 1.1                                  (demo-forum-json, 企业与个体户)
GET /forum/rss-gbk.xml    RSS 2.0 in GBK, as its declaration says        (demo-forum-gbk, 云溪乡音)
GET /forum/<board>/<n>.html                                              the post itself; 410 once it was taken back

Every feed answers If-None-Match and If-Modified-Since with 304. A post that was taken back is missing from the feed; an
edited one keeps its id and time (Atom and JSON Feed tell when it was updated, RSS does not). A board is read to its end
when the page without a `next` was shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from demo.city import City
from demo.deal import ATOM, GBK, JSONFEED, RSS
from demo.faults import Handler
from demo.story import Post, Story

WINDOW = 30
ZONE = ZoneInfo("Asia/Shanghai")
SITE = "http://bbs.yunze.example"


class Window(msgspec.Struct, frozen=True):
    """One page of a board, and how to get to it and to the next."""

    source: str
    title: str
    posts: list[Post]
    own: str
    next: str | None


class Board(msgspec.Struct, frozen=True):
    """One board: where it is served, and how it is written."""

    source: str
    path: str
    title: str
    media_type: str
    write: Callable[[Window], bytes]


class Feeds:
    """Serves the boards."""

    def __init__(self, city: City) -> None:
        self._city = city

    def routes(self) -> list[web.RouteDef]:
        guard = self._city.faults.guard
        feeds = [web.get(board.path, guard(board.source, self._feed(board))) for board in BOARDS]
        return [*feeds, web.get("/forum/{board}/{number}.html", self.post)]

    def _feed(self, board: Board) -> Handler:
        story = self._city.stories[board.source]

        async def answer(request: web.Request) -> web.Response:
            number = max(_whole(request.query.get("page", "1")), 1)
            window, last = _window(board, story, number, f"{request.url.origin()}{board.path}")
            body = board.write(window)
            headers = _validators(story, body)
            if _unchanged(request, headers):
                return web.Response(status=304, headers=headers)
            for post in window.posts:
                self._city.offered.sent(board.source, guid(board.source, post), edited=post.edited)
            if last:
                story.read_to_end()
            return web.Response(body=body, headers={**headers, "Content-Type": board.media_type})

        return answer

    async def post(self, request: web.Request) -> web.Response:
        source = f"demo-{request.match_info['board']}"
        story = self._city.stories.get(source)
        post = story.posts.get(_whole(request.match_info["number"])) if story else None
        if post is None:
            raise web.HTTPNotFound(text="no such post")
        if post.withdrawn:
            raise web.HTTPGone(text="该帖已被作者删除")
        page = f"<!doctype html><meta charset=utf-8><title>{escape(post.title)}</title>{html(post)}"
        return web.Response(text=page, content_type="text/html")


def guid(source: str, post: Post) -> str:
    """Name a post for good."""
    if source == ATOM:
        return f"tag:bbs.yunze.example,2026:{source}/{post.number}"
    return f"{source}-{post.number}"


def html(post: Post) -> str:
    """Write a body as a forum's editor would: paragraphs, breaks, some decoration."""
    lines = [escape(line, quote=False) for line in post.body.strip("\r\n").split("\n")]
    if post.number % 5 == 0:
        lines[0] = f'<font color="#c00">{lines[0]}</font>'
    if post.number % 7 == 0:
        lines.append('<img src="/static/image/smiley/cry.gif" alt="[大哭]">')
    if post.number % 2:
        return "".join(f"<p>{line}</p>" for line in lines)
    return "<div>" + "<br />\r\n".join(lines).replace("\xa0", "&nbsp;") + "</div>"


def _window(board: Board, story: Story, number: int, address: str) -> tuple[Window, bool]:
    posts = sorted(story.live(), key=lambda post: (post.at, post.number), reverse=True)
    start = (number - 1) * WINDOW
    last = start + WINDOW >= len(posts)
    following = None if last else f"{address}?page={number + 1}"
    own = address if number == 1 else f"{address}?page={number}"
    return Window(board.source, board.title, posts[start : start + WINDOW], own, following), last


def _validators(story: Story, body: bytes) -> dict[str, str]:
    changed = story.newest().replace(tzinfo=ZONE).astimezone(UTC)
    return {
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:20]}"',
        "Last-Modified": format_datetime(changed, usegmt=True),
        "Cache-Control": "no-cache",
    }


def _unchanged(request: web.Request, headers: dict[str, str]) -> bool:
    known = request.headers.get("If-None-Match")
    if known is not None:
        return headers["ETag"] in known
    since = request.headers.get("If-Modified-Since")
    if since is None:
        return False
    try:
        return parsedate_to_datetime(headers["Last-Modified"]) <= parsedate_to_datetime(since)
    except ValueError:
        return False


def _whole(text: str) -> int:
    return int(text) if text.isdigit() else 1


def _link(post: Post, source: str) -> str:
    return f"{SITE}/forum/{source.removeprefix('demo-')}/{post.number}.html"


def _zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=ZONE)


def _rss(window: Window, encoding: str) -> bytes:
    following = f'<atom:link rel="next" href="{escape(window.next)}"/>' if window.next else ""
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:slash="http://purl.org/rss/1.0/modules/slash/">\n'
        f"<channel><title>{window.title} - 云泽论坛</title><link>{SITE}/</link>"
        f"<description>{window.title}</description>"
        f'<language>zh-cn</language><atom:link rel="self" href="{escape(window.own)}"/>{following}\n'
        + "\n".join(_rss_item(post, window.source) for post in window.posts)
        + "\n</channel></rss>\n"
    )
    return text.encode(encoding, "xmlcharrefreplace")


def _rss_item(post: Post, source: str) -> str:
    return (
        f"<item><title>{escape(post.title)}</title><link>{_link(post, source)}</link>"
        f'<guid isPermaLink="false">{guid(source, post)}</guid>'
        f"<pubDate>{format_datetime(_zoned(post.at))}</pubDate><dc:creator>{escape(post.author.nickname)}</dc:creator>"
        f"<category>{CATEGORIES[post.number % len(CATEGORIES)]}</category>"
        f"<description>{escape(post.body.strip()[:60])}...</description>"
        f"<content:encoded>{escape(html(post))}</content:encoded><slash:comments>{post.likes}</slash:comments></item>"
    )


CATEGORIES = ("百姓呼声", "建言献策", "灌水", "求助")


def _atom(window: Window) -> bytes:
    following = f'<link rel="next" href="{escape(window.next)}"/>' if window.next else ""
    newest = max((post.changed_at for post in window.posts), default=datetime(2026, 11, 1))  # noqa: DTZ001 - local
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">'
        f"<id>tag:bbs.yunze.example,2026:{window.source}</id><title>{window.title} - 云泽论坛</title>"
        f'<updated>{_zoned(newest).isoformat()}</updated><link rel="self" href="{escape(window.own)}"/>{following}\n'
        + "\n".join(_atom_entry(post, window.source) for post in window.posts)
        + "\n</feed>\n"
    )
    return text.encode()


def _atom_entry(post: Post, source: str) -> str:
    return (
        f"<entry><id>{guid(source, post)}</id><title>{escape(post.title)}</title>"
        f'<link href="{_link(post, source)}"/><published>{_zoned(post.at).isoformat()}</published>'
        f"<updated>{_zoned(post.changed_at).isoformat()}</updated>"
        f"<author><name>{escape(post.author.nickname)}</name></author>"
        f'<content type="html">{escape(html(post))}</content></entry>'
    )


def _json_feed(window: Window) -> bytes:
    body: dict[str, object] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{window.title} - 云泽论坛",
        "home_page_url": SITE,
        "feed_url": window.own,
        "items": [_json_item(post, window.source) for post in window.posts],
    }
    if window.next:
        body["next_url"] = window.next
    return msgspec.json.encode(body)


def _json_item(post: Post, source: str) -> dict[str, object]:
    item: dict[str, object] = {
        "id": guid(source, post),
        "url": _link(post, source),
        "title": post.title,
        "content_html": html(post),
        "date_published": _zoned(post.at).isoformat(),
        "authors": [{"name": post.author.nickname}],
        "_engagement": {"likes": post.likes, "views": post.views},
    }
    if post.touched is not None:
        item["date_modified"] = _zoned(post.changed_at).isoformat()
    return item


BOARDS = (
    Board(
        RSS, "/forum/rss.xml", "百姓呼声", "application/rss+xml; charset=utf-8", lambda window: _rss(window, "utf-8")
    ),
    Board(ATOM, "/forum/atom.xml", "民生直通车", "application/atom+xml; charset=utf-8", _atom),
    Board(JSONFEED, "/forum/feed.json", "企业与个体户", "application/feed+json", _json_feed),
    Board(GBK, "/forum/rss-gbk.xml", "云溪乡音", "text/xml", lambda window: _rss(window, "gbk")),
)
