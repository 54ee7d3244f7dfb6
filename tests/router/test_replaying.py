"""What a department was sent is sent again as it was, and nothing else moves."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from normalizer.appeal import Change
from router.dispatching.publish_page import Fate, Message, Receipt
from router.errors import BrokerAway
from router.flow import route_page
from router.replaying import Refused, replay
from tests.router.city import appeal, handed, revised
from tests.router.conftest import Street

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Notes:
    def __init__(self) -> None:
        self.seen: set[str] = set()

    async def __call__(self, cases: Collection[str]) -> None:
        self.seen |= set(cases)


async def replayed(street: Street, since: datetime = LONG_AGO, case: str | None = None) -> int:
    return sum([count async for count in replay(street.room, "ZJJ", since, case, Notes())])


async def test_the_same_ids_and_bodies_come_again_and_say_so(street: Street) -> None:
    first = appeal("a", "ZJJ")
    await route_page(street.appeals.keep(handed(first), handed(appeal("b", "CGJ"))), street.room)
    await route_page(
        street.appeals.keep(handed(revised(first, text="路灯不亮，井盖也松了"), Change.CHANGED)), street.room
    )
    before, cases = await street.drain("dept.ZJJ"), await street.cases()

    assert await replayed(street) == 2

    again = await street.drain("dept.ZJJ")
    assert [name for name, _ in again] == [name for name, _ in before]
    for (_, old), (_, new) in zip(before, again, strict=True):
        body = json.loads(new)
        assert body["data"].pop("replayed") is True
        was = json.loads(old)
        assert was["data"].pop("replayed") is False
        assert body == was
    assert await street.cases() == cases
    assert len(await street.drain("dept.CGJ")) == 1, "another department hears nothing of it"


async def test_only_cases_with_something_sent_since_then_come_and_those_whole(street: Street) -> None:
    old, young = appeal("old", "ZJJ"), appeal("young", "ZJJ")
    await route_page(street.appeals.keep(handed(old)), street.room)
    street.shift = timedelta(days=2)
    room = street.other()
    await route_page(street.appeals.keep(handed(young)), room)
    await route_page(street.appeals.keep(handed(revised(young, text="路灯还是不亮"), Change.CHANGED)), room)
    await street.drain("dept.ZJJ")

    assert await replayed(street, datetime.now(UTC) + timedelta(days=1)) == 2
    assert [json.loads(body)["data"]["sequence"] for _, body in await street.drain("dept.ZJJ")] == [1, 2]
    assert await replayed(street, case="old") == 1
    assert await replayed(street, datetime.now(UTC) + timedelta(days=9)) == 0


async def test_what_was_never_confirmed_goes_its_own_way(street: Street) -> None:
    class Away:
        async def publish(self, page: Sequence[Message]) -> list[Receipt]:
            raise BrokerAway(f"{len(page)} messages stay here")

    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.other(Away()))

    assert await replayed(street) == 0


async def test_who_is_about_to_see_it_again_is_written_down_first(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    notes, seen_when_sent = Notes(), set[str]()

    class Looks:
        async def publish(self, page: Sequence[Message]) -> list[Receipt]:
            seen_when_sent.update(notes.seen)
            return [Receipt(Fate.SENT) for _ in page]

    assert [count async for count in replay(street.other(Looks()), "ZJJ", LONG_AGO, None, notes)] == [1]
    assert seen_when_sent == {"a"}


async def test_a_full_queue_ends_it_with_the_reason(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)

    class Full:
        async def publish(self, page: Sequence[Message]) -> list[Receipt]:
            return [Receipt(Fate.REFUSED, "reject-publish") for _ in page]

    with pytest.raises(Refused, match="reject-publish"):
        assert [count async for count in replay(street.other(Full()), "ZJJ", LONG_AGO, None, Notes())] == []
