"""A Discuz board that changes between two readings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.base import Page, Request, Response
from connectors.channels.discuz import Discuz, DiscuzSettings
from connectors.errors import AccessDenied, FormatChanged
from connectors.raw_appeal import Mode
from tests.connectors.recording import ids_of

BEGIN = 1_793_500_000


class Forum:
    """A board by its rules: strings everywhere, sticky threads on every page, past the end the last page again."""

    def __init__(self) -> None:
        self.threads: dict[str, list[tuple[str, str]]] = {}
        self.last: dict[str, int] = {}
        self.sticky: set[str] = set()
        self.gone: set[str] = set()
        self.viewed: list[str] = []
        self.now = datetime(2026, 11, 22, tzinfo=UTC)
        self.most = 100  #: rows of a page, whatever is asked for; it says how many
        self.sticky_take_room = False  #: as Discuz itself has it: they stand on the first page in the place of others

    def write(self, tid: str, message: str = "words", hour: int = 0) -> str:
        posts = self.threads.setdefault(tid, [])
        pid = f"{tid}{len(posts):03d}"
        posts.append((pid, message))
        self.last[tid] = max(self.last.get(tid, 0), BEGIN + hour * 3600)
        return f"p{pid}" if len(posts) > 1 else f"t{tid}"

    async def fetch(self, request: Request) -> Response:
        query = request.query
        page = int(query["page"])
        if query["module"] == "forumdisplay":
            size = min(int(query["tpp"]), self.most)
            return self._answer(self._list(page, size) | {"tpp": str(size)})
        size = min(int(query["ppp"]), self.most)
        found = self._thread(query["tid"], page, size)
        return self._answer(found | {"ppp": str(size)} if found else {})

    def _list(self, page: int, size: int) -> dict[str, Any]:
        ordered = sorted(self.threads, key=lambda tid: -self.last[tid])
        plain = [tid for tid in ordered if tid not in self.sticky]
        if self.sticky_take_room:
            plain = [tid for tid in ordered if tid in self.sticky] + plain
        page = min(page, max(1, -(-len(plain) // size)))
        above = [] if self.sticky_take_room else [tid for tid in ordered if tid in self.sticky]
        shown = above + plain[(page - 1) * size : page * size]
        forum = {"fid": "2", "name": "问政", "threads": str(len(self.threads))}
        return {"forum": forum, "forum_threadlist": [self._row(tid) for tid in shown], "page": str(page)}

    def _row(self, tid: str) -> dict[str, str]:
        return {
            "tid": tid,
            "subject": "题目",
            "dblastpost": str(self.last[tid]),
            "lastpost": f"{self.now}",
            "replies": str(len(self.threads[tid]) - 1),
            **({"displayorder": "1"} if tid in self.sticky else {}),
        }

    def _thread(self, tid: str, page: int, size: int) -> dict[str, Any]:
        if tid in self.gone:
            return {}
        if page == 1:
            self.viewed.append(tid)
        posts = self.threads[tid]
        page = min(page, max(1, -(-len(posts) // size)))
        rows = [
            {
                "pid": pid,
                "tid": tid,
                "first": "1" if pid.endswith("000") else "0",
                "message": message,
                "dateline": f"{self.now}",
            }
            for pid, message in posts[(page - 1) * size : page * size]
        ]
        return {"thread": self._row(tid), "postlist": rows, "page": str(page)}

    def _answer(self, variables: dict[str, Any]) -> Response:
        body: dict[str, Any] = {"Version": "4", "Charset": "UTF-8", "Variables": variables}
        if not variables:
            body["Message"] = {"messageval": "thread_nonexistence//1", "messagestr": "抱歉"}
        return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=self.now)


def board(forum: Forum, **kwargs: Any) -> Discuz:
    fields: dict[str, Any] = {"overlap": 0.0, "sweep_every": 86400.0} | kwargs
    settings = DiscuzSettings(
        name="forum", kind="discuz", channel="board", mode=Mode.ROUTE, zone="Asia/Shanghai",
        url="https://bbs.city.example/api/mobile/index.php", fid="2", threads_per_page=3, posts_per_page=2, **fields,
    )  # fmt: skip
    return Discuz(settings, forum.fetch, {})


async def read(forum: Forum, cursor: str | None = None, **kwargs: Any) -> list[Page]:
    forum.viewed.clear()
    return [page async for page in board(forum, **kwargs).pages(cursor)]


@pytest.fixture
def forum() -> Forum:
    forum = Forum()
    for hour in range(8):
        forum.write(str(hour + 1), hour=hour)
    for _ in range(4):
        forum.write("5", hour=4)
    return forum


async def test_every_post_of_every_page_is_offered_once(forum: Forum) -> None:
    forum.sticky.add("2")

    pages = await read(forum)

    assert ids_of(pages) == {*(f"t{tid}" for tid in range(1, 9)), *(f"p500{number}" for number in range(1, 5))}
    assert sum(len(page.offered) for page in pages) == 12
    assert pages[-1].sweep is not None
    assert pages[-1].sweep.native_ids == ids_of(pages)


async def test_only_threads_with_a_new_reply_are_read_again(forum: Forum) -> None:
    cursor = (await read(forum))[-1].cursor
    reply = forum.write("3", hour=20)
    forum.write("9", hour=21)

    pages = await read(forum, cursor)

    assert forum.viewed == ["9", "3", "8"]  # the newest of last time again: a reply may have come in the same second
    assert {"t9", "t3", reply} <= ids_of(pages)
    assert pages[-1].sweep is None


async def test_a_thread_bumped_into_the_future_does_not_hide_the_others(forum: Forum) -> None:
    forum.write("1", hour=24 * 3650)
    cursor = (await read(forum))[-1].cursor
    forum.write("9", hour=21)

    assert "t9" in ids_of(await read(forum, cursor))


async def test_edits_that_move_nothing_are_found_by_the_next_complete_reading(forum: Forum) -> None:
    cursor = (await read(forum))[-1].cursor
    forum.threads["1"][0] = ("1000", "edited")
    assert "t1" not in ids_of(await read(forum, cursor))

    forum.now += timedelta(days=1)
    pages = await read(forum, cursor)

    (item,) = [item for page in pages for item in page.items if item.native_id == "t1"]
    assert "edited" in item.content
    assert pages[-1].sweep is not None


async def test_a_thread_that_is_gone_is_a_deletion_and_not_in_the_sweep(forum: Forum) -> None:
    forum.gone.add("4")

    pages = await read(forum)

    (gone,) = [item for page in pages for item in page.items if item.deleted]
    assert (gone.native_id, gone.payload) == ("t4", b"")
    assert pages[-1].sweep is not None
    assert "t4" not in pages[-1].sweep.native_ids


async def test_display_times_are_not_news(forum: Forum) -> None:
    before = await read(forum)
    forum.now += timedelta(minutes=5)

    after = await read(forum)

    assert [page.items for page in before] == [page.items for page in after]


async def test_a_board_that_changes_while_it_is_read_proves_no_absence(forum: Forum) -> None:
    asked = forum.fetch

    async def fetch(request: Request) -> Response:
        if request.query["module"] == "forumdisplay" and request.query["page"] == "2":
            forum.threads.pop("8", None)
        return await asked(request)

    forum.fetch = fetch  # type: ignore[method-assign]

    pages = await read(forum)

    assert pages[-1].sweep is None


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": "mobile_is_closed"}, AccessDenied),
        ({"Variables": {}, "Message": {"messageval": "viewperm_login_nopermission//1"}}, AccessDenied),
        ({"Variables": {}, "Message": {"messageval": "forum_nonexistence"}}, FormatChanged),
        ({"Variables": {}}, FormatChanged),
    ],
)
async def test_a_board_that_is_closed_says_why(forum: Forum, body: dict[str, Any], error: type[Exception]) -> None:
    async def fetch(request: Request) -> Response:
        return Response(status=200, headers={}, body=msgspec.json.encode(body), fetched_at=forum.now)

    forum.fetch = fetch  # type: ignore[method-assign]

    with pytest.raises(error, match="forum"):
        await read(forum)


async def test_the_past_is_read_down_to_a_moment_and_no_further(forum: Forum) -> None:
    moment = datetime.fromtimestamp(BEGIN + 5 * 3600, UTC)

    pages = await read(forum, board(forum).position_at(moment))

    assert ids_of(pages) == {"t6", "t7", "t8"}
    assert pages[-1].sweep is None, "what is older was not looked at, and is not gone"
    following = await read(forum, pages[-1].cursor)
    assert following[-1].sweep is not None
    assert len(ids_of(following)) == 12


def everything(forum: Forum) -> set[str]:
    first = {f"t{tid}" for tid in forum.threads}
    return first | {f"p{pid}" for posts in forum.threads.values() for pid, _ in posts[1:]}


@pytest.mark.parametrize("sticky", [1, 2, 3, 4])
async def test_sticky_threads_that_fill_the_first_page_hide_no_other(forum: Forum, sticky: int) -> None:
    forum.sticky_take_room = True
    forum.sticky = {str(number) for number in range(1, sticky + 1)}
    pages = await read(forum)
    assert ids_of(pages) == everything(forum)

    forum.write("8", hour=20)
    await read(forum, pages[-1].cursor)
    assert "8" in forum.viewed, "also where the first page holds nothing but sticky threads"


async def test_a_forum_that_shows_fewer_at_once_than_asked_for_is_read_to_its_end(forum: Forum) -> None:
    forum.most = 1

    assert ids_of(await read(forum)) == everything(forum)
