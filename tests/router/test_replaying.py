"""What a department was sent is sent again as it was, and nothing else moves."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from normalizer.appeal import Change
from router import desk
from router.cases.case import Case
from router.cases.delivery import park
from router.cases.moves import Kind
from router.dispatching import topology
from router.dispatching.publish_page import Fate, Message, Receipt
from router.errors import BrokerAway
from router.flow import route_page
from router.replaying import Refused, replay
from tests.router.city import UNITS, appeal, handed, revised
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


async def numbers(street: Street) -> list[tuple[int, str]]:
    found = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    return [(each["data"]["sequence"], each["type"].removeprefix("appeal.").removesuffix(".v1")) for each in found]


async def test_a_number_given_up_before_it_left_is_no_gap_for_ever(street: Street) -> None:
    """Its queue was gone, a person gave the message up, and then the case went on."""
    await street.management._ask("DELETE", f"queues/{street.management._here}/dept.ZJJ")
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await desk.discard_parked(["a"], "王", "部门已撤并", street.room)
    await topology.bring_up(UNITS, street.management, settle=0)

    await desk.assign("a", "ZJJ", "王", "队列建回来了", street.room)

    assert await numbers(street) == [(1, "recalled"), (2, "dispatched")]
    assert await replayed(street) == 2
    assert await numbers(street) == [(1, "recalled"), (2, "dispatched")]


async def test_what_lay_in_the_queue_and_was_given_up_comes_again_with_a_replay(street: Street) -> None:
    first = appeal("a", "ZJJ")
    await route_page(street.appeals.keep(handed(first)), street.room)
    await route_page(
        street.appeals.keep(handed(revised(first, text="路灯不亮，井盖也松了"), Change.CHANGED)), street.room
    )
    await street.drain("dept.ZJJ")
    at = street.now()

    def dead(case: Case) -> Case:
        for row in case.dispatches:
            case = park(case, row.id, "rejected", at, Kind.DEAD_LETTERED)
        return case

    await street.store.change((await street.cases())["a"], dead)
    await desk.discard_parked(["a"], "王", "部门读不懂", street.room)
    assert await replayed(street) == 0, "nothing else was sent: they have nothing to compare it with"
    await desk.assign("a", "ZJJ", "王", "程序改好了", street.room)
    assert await numbers(street) == [(3, "dispatched")]
    assert await replayed(street) == 3
    assert await numbers(street) == [(1, "recalled"), (2, "updated"), (3, "dispatched")]


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
