"""A citizen answers the call-back behind a one-time link: once, about the answer it was sent for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.door.visit_link import Link, link_of, sealed
from intake.door.visit_link import opened as opened_link
from intake.door.visit_page import form
from router.cases.case import Case
from router.cases.hearing import order_of
from router.cases.moves import Kind
from router.feedback import Resolved
from router.listening import take_said
from tests.intake.door.conftest import Opened
from tests.intake.door.test_app import APPEAL, send

NUMBERS = count(5000)
YES = {"contacted": "yes", "solved": "yes", "satisfied": "very"}
KEY = b"k" * 32


class Waiting(NamedTuple):
    """A case that waits for its call-back."""

    opened: Opened
    session: aiohttp.ClientSession
    id: str
    words: tuple[str, ...]  #: of the citizen, and what is theirs

    async def case(self) -> Case:
        found = await self.opened.rooms.cases.get(self.id)
        assert found is not None
        return found

    async def link(self, holds: timedelta = timedelta(days=1)) -> str:
        now = self.opened.rooms.clock.now()
        return sealed(link_of(await self.case(), now + holds), self.opened.rooms.keys.visit_key)

    async def get(self, token: str) -> tuple[int, str]:
        async with self.session.get(f"{self.opened.url}/visit/{token}") as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            return answer.status, await answer.text()

    async def post(self, token: str, fields: Any, **headers: str) -> tuple[int, str]:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.opened.url}/visit/{token}"
        async with self.session.post(url, data=fields, headers=told) as answer:
            return answer.status, await answer.text()

    async def resolve(self, name: str = "r-1") -> None:
        """Its department says that it is done."""
        case = await self.case()
        order = order_of(case, case.holder or "") or ""
        at = self.opened.rooms.clock.now().isoformat()
        said = Resolved(id=name, dispatch=order, case=self.id, at=at, handler="王工", resolution="solved")
        assert await take_said(said, case.holder or "", self.opened.rooms.ear) is not None


@pytest.fixture
async def waiting(opened: Opened, session: aiohttp.ClientSession) -> Waiting:
    number = next(NUMBERS)
    somebody = {"openid": f"oVisit-{number}", "name": "欧阳建国", "phone": f"1380123{number}"}
    _, taken = await send(session, opened, APPEAL | somebody)
    case = await opened.case(taken["number"])
    made = Waiting(opened, session, case["_id"], (somebody["phone"], "欧阳", "塌", "文昌路", str(APPEAL["title"])))
    await made.resolve()
    return made


async def test_the_page_shows_the_number_and_nobodys_data_and_looking_changes_nothing(waiting: Waiting) -> None:
    token, before = await waiting.link(), await waiting.case()
    for _ in range(2):
        status, page = await waiting.get(token)
        assert (status, before.case_no in page) == (200, True)
        assert not any(word in page for word in (*waiting.words, waiting.id, before.holder or "-"))
    assert await waiting.case() == before


async def test_an_answer_that_comes_bit_by_bit_is_read_to_its_end(waiting: Waiting) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for part in (b"contacted=yes&solved=yes", b"&satisfied=very&comment=%E8%B0%A2", b"%E8%B0%A2"):
            yield part
            await asyncio.sleep(0.2)

    status, page = await waiting.post(await waiting.link(), slowly(), Content_Type="application/x-www-form-urlencoded")
    assert (status, "感谢" in page) == (200, True)
    (visit,) = [event for event in (await waiting.case()).events if event.kind is Kind.VISITED]
    assert visit.note is not None
    assert visit.note.endswith("谢谢")


async def test_a_citizen_who_is_content_closes_the_case_once(waiting: Waiting) -> None:
    token = await waiting.link()
    status, page = await waiting.post(token, YES | {"comment": "路修好了，谢谢，我的电话13812345678"})
    assert (status, "感谢" in page) == (200, True)
    case = await waiting.case()
    assert case.handling is not None
    assert (case.handling.work, case.handling.visited) == ("closed", True)
    (visit,) = [event for event in case.events if event.kind is Kind.VISITED]
    assert visit.data == {
        "reached": True,
        "contacted": True,
        "solved": "yes",
        "satisfied": "very",
        "objective": False,
        "channel": "link",
    }
    assert visit.actor == "诉求人（回访链接）"
    assert visit.note is not None
    assert "13812345678" not in visit.note
    assert (await waiting.post(token, YES))[0] == 410
    assert (await waiting.get(token))[0] == 410
    assert (await waiting.case()).events == case.events


async def test_what_is_not_solved_goes_back_and_the_link_of_before_says_nothing_of_the_next_answer(
    waiting: Waiting,
) -> None:
    token = await waiting.link()
    status, page = await waiting.post(token, {"solved": "no", "satisfied": "not_at_all"})
    assert (status, "重新办理" in page) == (200, True)
    assert (await waiting.case()).events[-1].kind in {Kind.REOPENED, Kind.DELIVERED}
    await waiting.resolve("r-2")
    assert (await waiting.get(token))[0] == 410
    assert (await waiting.post(token, YES))[0] == 410
    assert (await waiting.get(await waiting.link()))[0] == 200


async def test_an_answer_with_something_missing_is_asked_again_and_keeps_the_link(waiting: Waiting) -> None:
    token = await waiting.link()
    for fields in ({"solved": "yes"}, YES | {"satisfied": "<script>"}):
        status, page = await waiting.post(token, fields)
        assert (status, "<form" in page, "<script" in page) == (400, True, False)
    assert (await waiting.post(token, YES))[0] == 200


async def test_a_link_that_is_changed_over_or_of_nobodys_making_opens_nothing(waiting: Waiting) -> None:
    token = await waiting.link()
    other = "A" if token[-5] != "A" else "B"
    assert (await waiting.get(f"{token[:-5]}{other}{token[-4:]}"))[0] == 404
    assert (await waiting.get("x" * 5000))[0] == 404
    assert (await waiting.post("guessed", YES))[0] == 404
    assert (await waiting.get(await waiting.link(timedelta(seconds=-2))))[0] == 410
    assert (await waiting.post(await waiting.link(timedelta(seconds=-2)), YES))[0] == 410


async def test_another_sites_form_and_what_is_no_form_are_refused(waiting: Waiting) -> None:
    token = await waiting.link()
    assert (await waiting.post(token, YES, Sec_Fetch_Site="cross-site"))[0] == 403
    assert (await waiting.post(token, YES, Origin="https://evil.example"))[0] == 403
    assert (await waiting.post(token, b"{}", Content_Type="application/json"))[0] == 415
    assert (await waiting.post(token, {"comment": "长" * 20_000}))[0] == 413
    case = await waiting.case()
    assert case.handling is not None
    assert case.handling.work == "callback"


async def test_one_link_cannot_be_tried_without_end(waiting: Waiting) -> None:
    token = await waiting.link()
    statuses = [(await waiting.get(token))[0] for _ in range(12)]
    assert statuses[0] == 200
    assert 429 in statuses


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(0, 500), st.binary(min_size=32, max_size=32))
def test_only_the_key_that_sealed_a_link_opens_it(name: str, answer: int, other: bytes) -> None:
    link = Link(name.replace(" ", "") or "a", answer, datetime(2026, 12, 1, tzinfo=UTC))
    token = sealed(link, KEY)
    assert opened_link(token, KEY) == link or len(token) > 256
    assert re.fullmatch(r"[\w-]+", token)
    assert other == KEY or opened_link(token, other) is None
    assert sealed(link, KEY) != token


@given(st.text(max_size=60))
def test_whatever_stands_in_a_case_number_is_text_on_the_page(name: str) -> None:
    page = form(f"<b>{name}</b>", "2026-11-22")
    assert "<b>" not in page
    assert page.count("<form") == 1
