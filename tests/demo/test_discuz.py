"""The board by Discuz' mobile API, with its quirks."""

from typing import Any

from demo.deal import DISCUZ
from tests.demo.conftest import Served

API = "/discuz/api/mobile/index.php?version=4"


async def board(served: Served, page: int, tpp: int = 20) -> dict[str, Any]:
    answer = await served.json(f"{API}&module=forumdisplay&fid=2&page={page}&tpp={tpp}")
    variables: dict[str, Any] = answer["Variables"]
    return variables


async def thread(served: Served, tid: str, page: int = 1, ppp: int = 20) -> dict[str, Any]:
    answer: dict[str, Any] = await served.json(f"{API}&module=viewthread&tid={tid}&page={page}&ppp={ppp}")
    return answer


async def tids(served: Served) -> list[str]:
    found: dict[str, None] = {}
    page = 1
    while True:
        rows = (await board(served, page))["forum_threadlist"]
        fresh = [row["tid"] for row in rows if row["tid"] not in found]
        if not fresh:
            return list(found)
        found.update(dict.fromkeys(fresh))
        page += 1


async def read_all(served: Served) -> dict[str, dict[str, Any]]:
    posts: dict[str, dict[str, Any]] = {}
    for tid in await tids(served):
        page = 1
        while True:
            rows = (await thread(served, tid, page))["Variables"]["postlist"]
            known = len(posts)
            posts.update({f"t{row['tid']}" if row["first"] == "1" else f"p{row['pid']}": row for row in rows})
            if len(posts) == known or len(rows) < 20:
                break
            page += 1
    return posts


def scalars(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [each for part in value.values() for each in scalars(part)]
    if isinstance(value, list):
        return [each for part in value for each in scalars(part)]
    return [value]


async def test_every_scalar_is_a_string_and_nothing_is_empty(served: Served) -> None:
    for body in (await board(served, 1), await thread(served, (await tids(served))[0])):
        assert all(isinstance(each, str) and each for each in scalars(body))


async def test_sticky_threads_come_again_on_every_page(served: Served) -> None:
    pages = [await board(served, number) for number in (1, 2)]
    sticky = [{row["tid"] for row in page["forum_threadlist"] if row["displayorder"] != "0"} for page in pages]
    assert len(sticky[0]) == 2
    assert sticky[0] == sticky[1]


async def test_a_page_past_the_end_is_the_last_page_again(served: Served) -> None:
    last = await board(served, 3)
    beyond = await board(served, 50)
    assert beyond == last
    assert beyond["page"] == "3"


async def test_the_whole_board_is_the_offered_list(served: Served) -> None:
    assert set(await read_all(served)) == set(await served.offered(DISCUZ))


async def test_the_second_phase_begins_when_every_thread_was_shown(served: Served) -> None:
    numbers = await tids(served)
    for tid in numbers[:-1]:
        await thread(served, tid, ppp=100)
    assert served.city.stories[DISCUZ].phase == 1
    await thread(served, numbers[-1], ppp=100)
    assert served.city.stories[DISCUZ].phase == 2


async def test_a_deleted_thread_is_a_message_with_http_200(served: Served) -> None:
    first = await read_all(served)
    second = await read_all(served)
    gone = set(first) - set(second)
    assert len(gone) == 3
    assert len(set(second) - set(first)) == 3
    for each in gone:
        if each.startswith("t"):
            answer = await thread(served, each[1:])
            assert "不存在或已被删除" in answer["Message"]["messagestr"]
    assert {each for each, row in (await served.offered(DISCUZ)).items() if row["state"] == "withdrawn"} == gone


async def test_an_edited_post_says_so_in_itself(served: Served) -> None:
    first = await read_all(served)
    second = await read_all(served)
    changed = {each for each in first.keys() & second.keys() if first[each]["message"] != second[each]["message"]}
    assert len(changed) == 5
    assert all("本帖最后由" in second[each]["message"] for each in changed)


async def test_display_times_are_relative_and_epochs_are_not(served: Served) -> None:
    posts = (await read_all(served)).values()
    assert all(row["dbdateline"].isdigit() for row in posts)
    assert any("&nbsp;小时前" in row["dateline"] for row in posts)


async def test_anonymous_authors_have_the_number_nought_and_no_name(served: Served) -> None:
    hidden = [row for row in (await read_all(served)).values() if row["authorid"] == "0"]
    assert hidden
    assert all("author" not in row and row["anonymous"] == "1" for row in hidden)


async def test_attachments_stand_as_tokens_in_the_text(served: Served) -> None:
    with_files = [row for row in (await read_all(served)).values() if "attachments" in row]
    assert with_files
    for row in with_files:
        (number,) = row["attachments"]
        assert f"[attach]{number}[/attach]" in row["message"]


async def test_another_board_does_not_exist(served: Served) -> None:
    answer = await served.json(f"{API}&module=forumdisplay&fid=77")
    assert answer["Message"]["messageval"] == "forum_nonexistence"
