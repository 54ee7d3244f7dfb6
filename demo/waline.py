"""Comments under the news by Waline's API (WIRE_SHAPES 8): the articles are those of articles.py.

GET /waline/api/comment?path=<article path>&page=1&pageSize=10&sortBy=insertedAt_desc|insertedAt_asc|like_desc
GET /waline/api/comment?type=recent&count=20       at most 50, newest first, roots and replies alike
GET /waline/api/comment?type=count&url=<paths>     numbers only

-> {"errno": 0, "errmsg": "", "data": {page, totalPages, pageSize, count, data: [...]}}   `count` counts replies too
Roots are paged (pageSize at most 100), replies come nested in `children`; sticky roots stand first, whatever the sort;
`time` is epoch ms; an edit shows in the comment alone; a comment that was taken back is missing, its replies with it.
Every error of the application is HTTP 200 with errno other than 0. The source is read to its end when the last page of
every article was shown.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from demo.articles import ARTICLES
from demo.city import City
from demo.deal import WALINE
from demo.story import Post

ZONE = ZoneInfo("Asia/Shanghai")
BROWSERS = (("Chrome", "Android 14"), ("MicroMessenger", "HarmonyOS 4"), ("Safari", "iOS 18.1"), ("Edge", "Windows 11"))
REGIONS = ("云泽", "云泽", "云泽", "江州", "")


class Waline:
    """Serves the comments."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._story = city.stories[WALINE]
        self._paths = {article.path for article in ARTICLES}
        self._ended: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/waline/api/comment", self._city.faults.guard(WALINE, self.answer, _failed))]

    async def answer(self, request: web.Request) -> web.Response:
        query = request.query
        kind = query.get("type")
        if kind == "recent":
            return self._recent(_whole(query.get("count"), 10))
        if kind == "count":
            return _answer([len(self._under(path)) for path in query.get("url", "").split(",")])
        if kind is not None:
            return _answer(None, errno=401, errmsg="Unauthorized")
        if not query.get("path"):
            return _answer(None, errno=1000, errmsg="Validation failed: path is required")
        return self._page(
            query["path"],
            _whole(query.get("page"), 1),
            min(_whole(query.get("pageSize"), 10), 100),
            query.get("sortBy", "insertedAt_desc"),
        )

    def _page(self, path: str, page: int, size: int, order: str) -> web.Response:
        posts = self._under(path)
        roots = [post for post in posts if post.parent is None]
        roots.sort(key=_order(order), reverse=order.endswith("_desc"))
        roots.sort(key=lambda post: not post.sticky)
        total = -(-len(roots) // size)
        shown = roots[(page - 1) * size : page * size]
        rows = [self._row(post, [child for child in posts if child.parent == post.number]) for post in shown]
        if page >= total:
            self._end_of(path)
        return _answer({"page": page, "totalPages": total, "pageSize": size, "count": len(posts), "data": rows})

    def _recent(self, count: int) -> web.Response:
        newest = sorted(self._visible(), key=lambda post: (post.at, post.number), reverse=True)[: min(count, 50)]
        return _answer([self._row(post, []) for post in newest])

    def _end_of(self, path: str) -> None:
        """The source is read to its end when the last page of every article has been shown."""
        self._ended.add(path)
        if self._paths <= self._ended:
            self._ended.clear()
            self._story.read_to_end()

    def _visible(self) -> list[Post]:
        live = {post.number: post for post in self._story.live()}
        return [post for post in live.values() if post.parent is None or post.parent in live]

    def _under(self, path: str) -> list[Post]:
        return [post for post in self._visible() if post.thread == path]

    def _row(self, post: Post, children: list[Post]) -> dict[str, object]:
        self._city.offered.sent(WALINE, object_id(post), edited=post.edited)
        browser, system = BROWSERS[post.number % len(BROWSERS)]
        row: dict[str, object] = {
            "objectId": object_id(post),
            "time": int(post.at.replace(tzinfo=ZONE).timestamp() * 1000) + post.number % 1000,
            "comment": _html(post),
            "nick": post.author.nickname,
            "link": "",
            "avatar": "",
            "like": post.likes,
            "addr": REGIONS[post.number % len(REGIONS)],
            "browser": browser,
            "os": system,
            "status": "approved",
            "sticky": post.sticky,
            "level": 0,
        }
        if post.parent is None:
            row["children"] = [self._row(child, []) for child in sorted(children, key=lambda child: child.at)]
        else:
            parent = self._story.posts[post.parent]
            row.update(pid=object_id(parent), rid=object_id(parent), at=parent.author.nickname)
            row["reply_user"] = {"nick": parent.author.nickname, "link": "", "avatar": ""}
            del row["sticky"]
        return row


def object_id(post: Post) -> str:
    """Name a comment as Waline on MongoDB does: 24 hexadecimal digits."""
    return f"67{post.number * 0x9E3779B1:022x}"


def _order(order: str) -> Callable[[Post], tuple[object, int]]:
    if order.startswith("like"):
        return lambda post: (post.likes, post.number)
    return lambda post: (post.at, post.number)


def _html(post: Post) -> str:
    """Render as Waline renders markdown: paragraphs, a mention of the comment that is answered."""
    lines = [escape(line.strip("\r"), quote=False) for line in post.body.strip().split("\n") if line.strip()]
    return "".join(f"<p>{line}</p>\n" for line in lines)


def _whole(text: str | None, otherwise: int) -> int:
    return max(int(text), 1) if text is not None and text.isdigit() else otherwise


def _failed() -> web.Response:
    return _answer(None, errno=500, errmsg="Internal Server Error")


def _answer(data: object, errno: int = 0, errmsg: str = "") -> web.Response:
    body = msgspec.json.encode({"errno": errno, "errmsg": errmsg, "data": data})
    return web.Response(body=body, content_type="application/json")
