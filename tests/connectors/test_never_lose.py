"""Never lose, never repeat (不丢不重): each trap that sources lay, as a recording, and what becomes of it.

CHECKLIST at the end names for every trap its recording and its test; a trap without one of the two fails.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from connectors.base import Item, Page, Request
from connectors.errors import AccessDenied, ConnectorError, RateLimited, SourceDown
from connectors.flow import Room, read_source
from connectors.keeping.pages import What
from tests.connectors.recording import FOLDER, Recording, ids_of, position, read

TRAPS = FOLDER / "traps"


class Trap(Recording):
    """A recording whose answers may belong to one reading, or to the n-th request of it."""

    def __init__(self, name: str) -> None:
        super().__init__(TRAPS / name)
        self.reading = 0

    async def read(self, cursor: str | None = None) -> list[Page]:
        self.reading += 1
        self.asked.clear()
        return await read(self.connect(), cursor)

    def _fits(self, answer: dict[str, Any], request: Request) -> bool:
        now = {"reading": self.reading, "nth": len(self.asked)}
        return all(answer.get(name, value) == value for name, value in now.items()) and super()._fits(answer, request)

    async def store(self, room: Room) -> dict[str, What]:
        """Read through the whole flow; what changed, by native id."""
        self.reading += 1
        self.asked.clear()
        await room.store.sources.ensure([self.settings.name])
        claim = await room.store.sources.claim(self.settings.name, room.owner)
        assert claim is not None
        changed: dict[str, What] = {}
        try:
            async for batch in read_source(self.connect(), self.settings, claim, room):
                changed |= {entry.native_id: entry.what for entry in batch.claim.entries}
                await room.store.pages.done(batch.claim)
        finally:
            await room.store.sources.release(claim)
        return changed


def items(pages: list[Page]) -> list[Item]:
    return [item for page in pages for item in page.items]


def fields(pages: list[Page], name: str) -> list[Any]:
    return [msgspec.json.decode(item.payload).get(name) for item in items(pages)]


async def test_five_orders_of_one_second_are_read_and_a_sixth_of_it_later() -> None:
    trap = Trap("ties")

    first = await trap.read()
    second = await trap.read(position(first))

    assert ids_of(first) == {"O1", "O2", "O3", "O4", "O5"}
    assert ids_of(second) == {"O6"}


async def test_what_is_released_late_is_met_by_the_overlap() -> None:
    trap = Trap("late_release")

    first = await trap.read()

    assert "2" not in ids_of(first)
    assert "2" in ids_of(await trap.read(position(first)))


async def test_old_notices_at_the_head_end_no_reading() -> None:
    trap = Trap("sticky")

    first = await trap.read()
    second = await trap.read(position(first))

    assert ids_of(first) == {"91", "92", "1", "2"}
    assert {"2", "3"} <= ids_of(second)


async def test_a_row_that_slips_onto_a_page_that_was_read_is_not_lost() -> None:
    assert ids_of(await Trap("shifting").read()) == {"1", "2", "3", "4", "5", "6"}


async def test_other_words_are_a_revision_and_likes_are_not(room: Room) -> None:
    trap = Trap("edited")
    await trap.store(room)

    assert await trap.store(room) == {"1": What.CHANGED, "2": What.REFRESHED}
    trap.reading = 1
    assert await trap.store(room) == {}, "what repeats changes nothing"


async def test_a_mark_withdraws_at_once_and_absence_only_the_second_time(room: Room) -> None:
    trap = Trap("deleted")
    assert set(await trap.store(room)) == {"1", "2", "3", "4"}

    assert await trap.store(room) == {"1": What.WITHDRAWN}
    assert await trap.store(room) == {"2": What.WITHDRAWN}


async def test_one_letter_under_two_labels_is_one_item_and_does_not_change_each_time(room: Room) -> None:
    trap = Trap("two_labels")

    assert await trap.store(room) == {"1": What.NEW, "2": What.NEW, "3": What.NEW}
    assert await trap.store(room) == {}


@pytest.mark.parametrize("name", ["two_time_forms", "no_zone", "seconds_and_milliseconds"])
async def test_every_way_of_writing_a_time_is_one_moment(name: str) -> None:
    pages = await Trap(name).read()

    assert fields(pages, "posted_at") == ["2026-11-20T00:00:00.000Z"] * 4


WORDS = {
    "gbk": "镕基路的路灯不亮",
    "gb18030": "㐂字街的井盖松动，𠮷祥里也是",
    "big5": "路燈壞了，晚上看不見",
    "big5_undeclared": "路燈壞了，晚上看不見",
    "says_utf8_is_gbk": "小区里的垃圾三天没有人清运",
    "says_gbk_is_utf8": "小区里的垃圾三天没有人清运",
    "json_as_html": "路灯不亮（第1件）",
    "jsonp": "路灯不亮（第1件）",
}


@pytest.mark.parametrize("name", WORDS)
async def test_words_are_read_whatever_the_page_says_of_itself(name: str) -> None:
    assert fields(await Trap(name).read(), "text") == [WORDS[name]]


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        ("error_body", [RateLimited, AccessDenied]),
        ("log_in_page", [AccessDenied]),
        ("empty_is_an_error", [SourceDown]),
    ],
)
async def test_what_is_no_answer_takes_nothing_back_and_moves_nothing(
    name: str, errors: list[type[ConnectorError]], room: Room, database: Any
) -> None:
    """Nor does it count as a first sight of absence."""
    trap = Trap(name)
    assert await trap.store(room) == {"1": What.NEW}
    before = [document async for document in database.raw.find()]

    for error in errors:
        with pytest.raises(error):
            await trap.store(room)
        await room.store.sources.resume(trap.settings.name)

    assert [document async for document in database.raw.find()] == before


@pytest.mark.parametrize(("name", "ids", "proves"), [
    ("cursor_repeats", {"1", "2", "3"}, False),
    ("cursor_never_ends", {"1", "2", "3"}, False),
    ("past_the_end", {"1", "2", "3"}, False),
])  # fmt: skip
async def test_a_list_without_an_end_ends_and_proves_no_absence(name: str, ids: set[str], proves: bool) -> None:
    pages = await Trap(name).read()

    assert ids_of(pages) == ids
    assert any(page.sweep for page in pages) is proves


Test = Callable[..., Any]
times, words, endless = (
    test_every_way_of_writing_a_time_is_one_moment,
    test_words_are_read_whatever_the_page_says_of_itself,
    test_a_list_without_an_end_ends_and_proves_no_absence,
)
refusals = test_what_is_no_answer_takes_nothing_back_and_moves_nothing

#: what a source does -> the recording of it, the test of it
CHECKLIST: dict[str, tuple[str, Test]] = {
    "ties: a cursor of time and id": ("ties", test_five_orders_of_one_second_are_read_and_a_sixth_of_it_later),
    "newest first: an overlap": ("late_release", test_what_is_released_late_is_met_by_the_overlap),
    "sticky posts": ("sticky", test_old_notices_at_the_head_end_no_reading),
    "pages that shift while they are read": ("shifting", test_a_row_that_slips_onto_a_page_that_was_read_is_not_lost),
    "edits are revisions": ("edited", test_other_words_are_a_revision_and_likes_are_not),
    "deletions are withdrawals": ("deleted", test_a_mark_withdraws_at_once_and_absence_only_the_second_time),
    "ids that repeat under two labels": (
        "two_labels",
        test_one_letter_under_two_labels_is_one_item_and_does_not_change_each_time,
    ),
    "both time forms in one column": ("two_time_forms", times),
    "local time without a zone": ("no_zone", times),
    "epochs in seconds and in milliseconds": ("seconds_and_milliseconds", times),
    "GBK": ("gbk", words),
    "GB 18030": ("gb18030", words),
    "Big5": ("big5", words),
    "Big5 without a word about it": ("big5_undeclared", words),
    "mislabelled: says UTF-8, is GBK": ("says_utf8_is_gbk", words),
    "mislabelled: says GBK, is UTF-8": ("says_gbk_is_utf8", words),
    "JSON as text/html": ("json_as_html", words),
    "JSONP": ("jsonp", words),
    "HTTP 200 with an error body": ("error_body", refusals),
    "a log-in page with 200": ("log_in_page", refusals),
    "an empty list that is an error": ("empty_is_an_error", refusals),
    "cursors that repeat": ("cursor_repeats", endless),
    "cursors that never end": ("cursor_never_ends", endless),
    "a page past the end that is the last one again": ("past_the_end", endless),
}


@pytest.mark.parametrize("trap", CHECKLIST)
def test_every_trap_has_a_recording_and_a_test_that_plays_it(trap: str) -> None:
    recording, test = CHECKLIST[trap]

    assert (TRAPS / recording / "trap.toml").exists()
    marked = [name for mark in getattr(test, "pytestmark", ()) for case in mark.args[1] for name in flat(case)]
    assert recording in marked or f'Trap("{recording}")' in inspect.getsource(test)


def flat(case: Any) -> list[Any]:
    return list(case) if isinstance(case, tuple) else [case]


def test_no_recording_of_a_trap_is_forgotten() -> None:
    assert {recording for recording, _ in CHECKLIST.values()} == {folder.name for folder in TRAPS.iterdir()}
