"""A forum by Discuz' mobile JSON API (Discuz! X 手机接口), with its quirks (WIRE_SHAPES 7a).

GET /discuz/api/mobile/index.php?version=4&module=forumdisplay&fid=2&page=1&tpp=20
GET /discuz/api/mobile/index.php?version=4&module=viewthread&tid=7&page=1&ppp=20
GET /discuz/api/mobile/index.php?version=4&module=forumindex

Every scalar is a string; empty values are missing from their objects; sticky threads come first on every page; a page
past the end is the last page again; what is gone or forbidden is HTTP 200 with a Message; `dateline` is for the eye
("3&nbsp;小时前"), `dbdateline` is epoch seconds; an anonymous author has id 0; messages are HTML with [attach] tokens;
an edited post says so in itself.

The board is read to its end when the last page of the list and the last page of every thread in it have been shown.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from demo.city import City
from demo.deal import DISCUZ
from demo.story import PRESENT, Post, Story

FID = "2"
BOARD = "问政云泽"
PATH = "/discuz/api/mobile/index.php"
ZONE = ZoneInfo("Asia/Shanghai")
GONE = ("thread_nonexistence", "抱歉，指定的主题不存在或已被删除或正在被审核")
NO_FORUM = ("forum_nonexistence", "抱歉，指定的版块不存在")
EMPTY = ("", None)


class Discuz:
    """Serves the board and its threads."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._story = city.stories[DISCUZ]
        self._unseen: set[int] = {post.number for post in _threads(self._story)}
        self._list_ended = False

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self._city.faults.guard(DISCUZ, self.answer))]

    async def answer(self, request: web.Request) -> web.Response:
        query = request.query
        module = query.get("module", "")
        if module == "forumdisplay":
            body = self._list(query.get("fid", ""), _whole(query.get("page"), 1), _whole(query.get("tpp"), 20))
        elif module == "viewthread":
            body = self._thread(_whole(query.get("tid"), 0), _whole(query.get("page"), 1), _whole(query.get("ppp"), 20))
        elif module == "forumindex":
            body = _envelope({"forumlist": [self._forum()]})
        else:
            body = msgspec.json.encode({"error": "module_not_exists"})
        return web.Response(body=body, content_type="text/html" if module == "forumindex" else "application/json")

    def _list(self, fid: str, page: int, tpp: int) -> bytes:
        if fid != FID:
            return _message(NO_FORUM)
        threads = sorted(_threads(self._story), key=lambda post: self._last(post).changed_at, reverse=True)
        sticky = [post for post in threads if post.sticky]
        plain = [post for post in threads if not post.sticky]
        page, last = _clamped(page, len(plain), tpp)
        shown = [*sticky, *plain[(page - 1) * tpp : page * tpp]]
        for post in shown:
            self._sent(post)
        if page == last:
            self._list_ended = True
            self._perhaps_complete()
        rows = [self._list_row(post) for post in shown]
        return _envelope({"forum": self._forum(), "forum_threadlist": rows, "tpp": tpp, "page": page})

    def _thread(self, tid: int, page: int, ppp: int) -> bytes:
        first = self._story.posts.get(tid)
        if first is None or first.withdrawn or first.parent is not None:
            return _message(GONE)
        posts = [first, *self._replies(first)]
        page, last = _clamped(page, len(posts), ppp)
        shown = posts[(page - 1) * ppp : page * ppp]
        for post in shown:
            self._sent(post)
        if page == last:
            self._unseen.discard(tid)
            self._perhaps_complete()
        rows = [_post_row(post, (page - 1) * ppp + index) for index, post in enumerate(shown, start=1)]
        return _envelope({"thread": self._list_row(first), "postlist": rows, "ppp": ppp, "page": page, "fid": FID})

    def _perhaps_complete(self) -> None:
        if self._list_ended and not self._unseen:
            self._story.read_to_end()
            self._list_ended = False
            self._unseen = {post.number for post in _threads(self._story)}

    def _sent(self, post: Post) -> None:
        self._city.offered.sent(DISCUZ, native_id(post), edited=post.edited)

    def _replies(self, first: Post) -> list[Post]:
        replies = [post for post in self._story.live() if post.parent == first.number]
        return sorted(replies, key=lambda post: (post.at, post.number))

    def _last(self, first: Post) -> Post:
        """The newest post of a thread decides its place in the list; an edit does not move it."""
        replies = self._replies(first)
        newest = replies[-1] if replies else first
        return msgspec.structs.replace(newest, touched=None)

    def _forum(self) -> dict[str, object]:
        threads = _threads(self._story)
        return {
            "fid": FID,
            "name": BOARD,
            "threads": len(threads),
            "posts": len(self._story.live()),
            "threadcount": len(threads),
            "description": "",
        }

    def _list_row(self, post: Post) -> dict[str, object]:
        replies = self._replies(post)
        last = self._last(post)
        return {
            "tid": post.number,
            "fid": FID,
            "author": _author(post),
            "authorid": post.author.uid,
            "subject": escape(post.title),
            "dbdateline": _epoch(post.at),
            "dateline": _for_the_eye(post.at),
            "dblastpost": _epoch(last.at),
            "lastpost": _for_the_eye(last.at),
            "lastposter": _author(last),
            "replies": len(replies),
            "views": post.views,
            "digest": 0,
            "displayorder": 1 if post.sticky else 0,
            "recommend_add": post.likes,
            "typeid": "",
            "readperm": 0,
            "attachment": 2 if post.number % 9 == 0 else 0,
            "special": 0,
            "price": 0,
            "message": escape(post.body.strip()[:500]),
        }


def native_id(post: Post) -> str:
    """Name a post as the offered list does."""
    return f"t{post.number}" if post.parent is None else f"p{pid(post)}"


def pid(post: Post) -> int:
    """Give the post's own number; a first post has one too, another than its thread's."""
    return post.number + 500_000


def _threads(story: Story) -> list[Post]:
    return [post for post in story.live() if post.parent is None]


def _post_row(post: Post, position: int) -> dict[str, object]:
    attached = position == 1 and post.number % 9 == 0
    aid = post.number + 70_000
    row: dict[str, object] = {
        "pid": pid(post),
        "tid": post.thread,
        "first": 1 if post.parent is None else 0,
        "author": _author(post),
        "authorid": post.author.uid,
        "username": _author(post) if post.author.uid else "",
        "dbdateline": _epoch(post.at),
        "dateline": _for_the_eye(post.at),
        "message": _html(post, aid if attached else None),
        "number": position,
        "position": position,
        "anonymous": 0 if post.author.uid else 1,
        "status": 0,
        "support": post.likes,
        "groupid": 10,
    }
    if attached:
        row["attachments"] = {
            str(aid): {"aid": aid, "filename": f"现场照片{aid}.jpg", "ext": "jpg", "filesize": "218 KB"}
        }
        row["attachlist"] = [aid]
    return row


def _html(post: Post, attachment: int | None) -> str:
    edited = f"{_author(post)} 于 {post.changed_at:%Y-%m-%d %H:%M} 编辑"
    note = f'<i class="pstatus"> 本帖最后由 {edited} </i><br />\r\n<br />\r\n' if post.edited else ""
    token = f"<br />\r\n[attach]{attachment}[/attach]" if attachment else ""
    return note + escape(post.body.strip("\r\n"), quote=False).replace("\n", "<br />\r\n") + token


def _author(post: Post) -> str:
    return post.author.nickname if post.author.uid else ""


def _epoch(moment: datetime) -> int:
    return int(moment.replace(tzinfo=ZONE).timestamp())


def _for_the_eye(moment: datetime) -> str:
    """Write a time as the forum's theme shows it, seen from the story's present."""
    passed = PRESENT + timedelta(hours=1) - moment
    if passed < timedelta(hours=1):
        return f"{max(int(passed.total_seconds() // 60), 1)}&nbsp;分钟前"
    if passed < timedelta(hours=20):
        return f"{int(passed.total_seconds() // 3600)}&nbsp;小时前"
    if moment.date() == (PRESENT - timedelta(days=1)).date():
        return f"昨天&nbsp;{moment:%H:%M}"
    return f"{moment.year}-{moment.month}-{moment.day}"


def _clamped(page: int, count: int, size: int) -> tuple[int, int]:
    """Give the page to show and the last one: past the end is the last page again."""
    last = max(-(-count // max(size, 1)), 1)
    return min(max(page, 1), last), last


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdigit() and text != "0" else otherwise


def _message(message: tuple[str, str]) -> bytes:
    return _envelope({}, {"messageval": message[0], "messagestr": message[1]})


def _envelope(variables: dict[str, object], message: dict[str, str] | None = None) -> bytes:
    always: dict[str, object] = {
        "cookiepre": "yz_2132_",
        "auth": None,
        "saltkey": "demo",
        "member_uid": 0,
        "member_username": "",
        "groupid": 7,
        "formhash": "d3m0f0rm",
        "readaccess": 1,
        "notice": {"newpush": 0, "newpm": 0},
    }
    body: dict[str, object] = {"Version": "4", "Charset": "UTF-8", "Variables": _stringly({**always, **variables})}
    if message is not None:
        body["Message"] = message
    return msgspec.json.encode(body)


def _stringly(value: object) -> object:
    """Make every scalar a string and drop what is empty from objects, as PHP and the plug-in do together."""
    if isinstance(value, dict):
        return {key: _stringly(part) for key, part in value.items() if part not in EMPTY}
    if isinstance(value, list):
        return [_stringly(part) for part in value]
    return str(value)
