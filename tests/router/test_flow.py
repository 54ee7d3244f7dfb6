"""Pages through the whole room on a real MongoDB and a real RabbitMQ, and crashes between every pair of writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from copy import copy
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from normalizer.appeal import Change, Handed, Mode, Quality, Urgency
from router.cases.case import Case
from router.cases.moves import Kind, Sent, State
from router.dispatching import topology
from router.dispatching.backpressure import Backpressure
from router.dispatching.publish_page import Fate, Message, Receipt
from router.dispatching.publisher import Publisher
from router.errors import BrokerAway
from router.flow import Room, deliver, deliver_forgotten, route_page
from router.store import CaseStore
from tests.router.city import UNITS, appeal, handed, revised
from tests.router.conftest import Street
from tests.router.wire import Wire


class Crash(Exception):
    """Stands for kill -9: nothing after it runs."""


async def test_a_page_ends_in_the_queues_and_every_case_says_so(street: Street) -> None:
    items = street.appeals.keep(
        *(handed(appeal(f"a{n}", to)) for n, to in enumerate(["ZJJ", "CGJ", "ZJJ+CGJ", "triage", "informed"]))
    )
    page = await route_page(items, street.room)
    assert page.states == {"delivered": 3, "triage": 1, "informed": 1}
    assert (page.opened, page.sent, page.waiting, page.away) == (5, 4, 0, None)
    cases = await street.cases()
    taken = await street.drain("dept.ZJJ")
    assert {id_ for id_, _ in taken} == {cases["a0"].dispatches[0].id, cases["a2"].dispatches[0].id}
    assert all(case.unsent == 0 and case.until is None and case.fence is None for case in cases.values())
    assert [event.kind for event in cases["a0"].events] == [Kind.RECEIVED, Kind.DISPATCHED, Kind.DELIVERED]


async def test_a_critical_one_is_in_the_urgent_lane_too_under_the_same_id(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "GAJ", urgency=Urgency.CRITICAL))), street.room)
    assert await street.drain("dept.GAJ.urgent") == await street.drain("dept.GAJ") != []


async def test_the_same_page_again_changes_nothing_and_sends_nothing(street: Street) -> None:
    items = street.appeals.keep(handed(appeal("a", "ZJJ")), handed(appeal("b", "triage")))
    await route_page(items, street.room)
    before = await street.cases()
    page = await route_page(items, street.room)
    assert (page.opened, page.sent) == (0, 0)
    assert await street.cases() == before
    assert len(await street.drain("dept.ZJJ")) == 1


async def test_chatter_becomes_no_case(street: Street) -> None:
    chatter = replace(appeal("a"), quality=Quality(is_appeal=False))
    page = await route_page([handed(chatter), handed(chatter, Change.WITHDRAWN)], street.room)
    assert page.opened == 0
    assert await street.cases() == {}


async def test_what_was_taken_back_first_is_not_sent_by_a_worker_that_comes_late(street: Street) -> None:
    """A worker that slept between its rooms still holds revision 1; meanwhile its author took it back."""
    first = appeal("b", "ZJJ")
    page = await route_page(street.appeals.keep(handed(revised(first), Change.WITHDRAWN)), street.room)
    assert (page.opened, page.parked, page.states) == (1, 0, {"withdrawn": 1})
    await route_page(street.appeals.keep(handed(first)), street.other())
    assert (await street.cases())["b"].state is State.WITHDRAWN
    assert await street.drain("dept.ZJJ") == []

    back = replace(revised(first, "ZJJ"), revision=3)
    await route_page(street.appeals.keep(handed(back, Change.CHANGED)), street.room)
    assert (await street.cases())["b"].state is State.DELIVERED


async def test_an_observed_one_that_comes_back_after_a_withdrawal_stays_observed(street: Street) -> None:
    first = appeal("b", "ZJJ")
    await route_page([handed(first, Change.WITHDRAWN, Mode.OBSERVE)], street.room)
    await route_page([handed(revised(first), Change.CHANGED, Mode.OBSERVE)], street.room)
    assert (await street.cases())["b"].state is State.OBSERVED


async def test_a_page_with_an_appeal_twice_takes_both_in_turn(street: Street) -> None:
    first = appeal("a", "ZJJ")
    second = revised(first, "CGJ", text="改")
    gone = revised(second)
    items = [handed(first), handed(second, Change.CHANGED), handed(appeal("b", "ZJJ")), handed(gone, Change.WITHDRAWN)]
    await route_page(street.appeals.keep(*items), street.room)
    cases = await street.cases()
    assert (cases["a"].state, cases["b"].state) == (State.WITHDRAWN, State.DELIVERED)
    for code in ("ZJJ", "CGJ"):
        in_order(await street.drain(f"dept.{code}"), cases, code)


async def test_a_department_that_does_not_answer_is_left_alone_and_the_others_go_on(street: Street) -> None:
    room = street.other(Deaf(street, "ZJJ"))
    page = await route_page(street.appeals.keep(handed(appeal("a", "ZJJ")), handed(appeal("b", "CGJ"))), room)
    assert (page.states, page.away) == ({"in_flight": 1, "delivered": 1}, None)
    assert list(room.backpressure.all_held(room.moment())) == ["ZJJ"]


async def test_an_observed_source_sends_nothing(street: Street) -> None:
    page = await route_page([handed(appeal("a"), mode=Mode.OBSERVE)], street.room)
    assert page.states == {"observed": 1}


async def test_one_that_cannot_be_decided_is_parked_alone_and_without_its_words(
    street: Street,
) -> None:
    items = street.appeals.keep(handed(appeal("a", "broken")), handed(appeal("b", "ZJJ")))
    with capture_logs() as logged:
        page = await route_page(items, street.room)
    assert page.states == {"parked": 1, "delivered": 1}
    stored = await street.database["cases"].find_one({"_id": "a"})
    assert "不亮" not in f"{stored} {logged}"


async def test_a_change_of_department_is_recalled_there_and_dispatched_here(street: Street) -> None:
    first = appeal("a", "ZJJ")
    second = revised(first, "CGJ", text="路灯不亮，杆子也歪了")
    await route_page(street.appeals.keep(handed(first)), street.room)
    page = await route_page(street.appeals.keep(handed(second, Change.CHANGED)), street.room)
    assert page.states == {"delivered": 1}
    told = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    assert [(event["type"], event["data"]["sequence"]) for event in told] == [
        ("appeal.dispatched.v1", 1),
        ("appeal.recalled.v1", 2),
    ]
    assert [json.loads(body)["data"]["text"] for _, body in await street.drain("dept.CGJ")] == [second.text]


async def test_a_missing_queue_parks_its_dispatch_and_retry_sends_it_once_the_queue_is_there(street: Street) -> None:
    await delete_queue(street, "dept.ZJJ")
    page = await route_page(
        street.appeals.keep(handed(appeal("a", "ZJJ")), handed(appeal("b", "CGJ")), handed(appeal("c", "ZJJ+CGJ"))),
        street.room,
    )
    assert page.states == {"parked": 2, "delivered": 1}
    parked = await street.store.lists.parked(department="ZJJ")
    assert [case.dispatches[0].parked for case in parked] == ["NO_ROUTE", "NO_ROUTE"]
    assert len(await street.drain("dept.CGJ")) == 2

    from router import desk  # noqa: PLC0415 - the desk is not the subject of this file

    await topology.bring_up(UNITS, street.management, settle=0)
    page = await desk.retry_parked([case.id for case in parked], "王", street.room)
    assert page.states == {"delivered": 2}
    assert [id_ for id_, _ in await street.drain("dept.ZJJ")] == [case.dispatches[0].id for case in parked]
    assert await street.store.lists.parked() == []


async def test_a_queue_deleted_under_load_loses_nothing(street: Street) -> None:
    pages = [
        street.appeals.keep(*(handed(appeal(f"p{p}-{n}", "ZJJ" if n % 2 else "CGJ")) for n in range(60)))
        for p in range(6)
    ]

    async def work() -> None:
        for page in pages:
            await route_page(page, street.room)

    await asyncio.gather(work(), delete_queue(street, "dept.ZJJ"))
    async with asyncio.timeout(30):  # what was under way when the queue went is never answered, and sent again later
        while await street.store.lists.unsent():
            await street.lapse()
            await deliver_forgotten(street.room)
            await asyncio.sleep(0.02)
    cases = await street.cases()
    assert {case.state for case in cases.values()} <= {State.DELIVERED, State.PARKED}
    beside = [case for case in cases.values() if case.holder == "CGJ"]
    assert {case.state for case in beside} == {State.DELIVERED}
    received = {id_ for id_, _ in await street.drain("dept.CGJ")}  # one answered too late comes twice, under one id
    assert received == {case.dispatches[0].id for case in beside}
    assert len(received) == 180


async def test_a_full_queue_holds_back_its_own_department_alone(street: Street) -> None:
    await street.management.policy(
        "full",
        {
            "pattern": "^dept.ZJJ$",
            "apply-to": "queues",
            "priority": 99,
            "definition": {"max-length": 10, "overflow": "reject-publish"},
        },
    )
    await until_refused(street, "ZJJ")
    page = await route_page(
        street.appeals.keep(*(handed(appeal(f"z{n}", "ZJJ")) for n in range(5)), handed(appeal("c", "CGJ"))),
        street.room,
    )
    assert page.states["delivered"] >= 1
    assert page.waiting == page.states["in_flight"] > 0
    assert (await street.cases())["c"].state is State.DELIVERED
    a_moment_ago = street.room.moment() - timedelta(minutes=1)  # it may be over on a slow machine
    assert set(street.room.backpressure.all_held(a_moment_ago)) == {"ZJJ"}

    waited: set[str] = set()
    async with asyncio.timeout(30):
        while await street.store.lists.unsent():
            waited.update(id_ for id_, _ in await street.drain("dept.ZJJ"))  # the department reads again
            await deliver_forgotten(street.room)
            await asyncio.sleep(0.02)
    waited.update(id_ for id_, _ in await street.drain("dept.ZJJ"))
    cases = await street.cases()
    assert waited >= {case.dispatches[0].id for case in cases.values() if case.holder == "ZJJ"}


async def test_a_broker_that_is_away_leaves_everything_written_down(street: Street) -> None:
    items = street.appeals.keep(handed(appeal("a", "ZJJ")))
    page = await route_page(items, street.other(Away()))
    assert isinstance(page.away, BrokerAway)
    assert (page.waiting, (await street.cases())["a"].state) == (1, State.IN_FLIGHT)
    await street.lapse()
    page = await deliver_forgotten(street.room)
    assert page.sent == 1
    assert len(await street.drain("dept.ZJJ")) == 1


async def test_what_was_not_answered_is_sent_again_under_the_same_id(street: Street) -> None:
    items = street.appeals.keep(handed(appeal("a", "ZJJ")))
    await route_page(items, street.other(Unanswered(street)))
    assert (await street.cases())["a"].unsent == 1
    await street.lapse()
    await deliver_forgotten(street.room)
    ids = [id_ for id_, _ in await street.drain("dept.ZJJ")]
    assert ids == [(await street.cases())["a"].dispatches[0].id] * 2


async def test_the_body_is_the_same_however_late_it_is_sent_again(street: Street) -> None:
    first = appeal("a", "ZJJ")
    await route_page(street.appeals.keep(handed(first)), street.other(Unanswered(street)))
    second = revised(first, "CGJ", text="另一件事")
    await street.lapse()
    await route_page(street.appeals.keep(handed(second, Change.CHANGED)), street.room)
    await street.lapse()
    await deliver_forgotten(street.room)
    taken = await street.drain("dept.ZJJ")
    assert [json.loads(body)["data"]["sequence"] for _, body in taken] == [1, 1, 2]
    assert taken[0] == taken[1]


async def test_two_workers_on_the_same_page_make_one_case_each_and_one_id_a_dispatch(street: Street) -> None:
    items = street.appeals.keep(*(handed(appeal(f"a{n}", "ZJJ+CGJ")) for n in range(80)))
    await asyncio.gather(route_page(items, street.room), route_page(items, street.other()))
    await street.lapse()
    await deliver_forgotten(street.room)
    cases = await street.cases()
    assert {case.state for case in cases.values()} == {State.DELIVERED}
    for code in ("ZJJ", "CGJ"):
        taken = {id_ for id_, _ in await street.drain(f"dept.{code}")}
        assert taken == {row.id for case in cases.values() for row in case.dispatches if row.department == code}


async def test_two_workers_with_two_revisions_keep_sequences_whole_and_in_order(street: Street) -> None:
    first = [appeal(f"a{n}", "ZJJ") for n in range(30)]
    second = [revised(each, "ZJJ+CGJ", text="改") for each in first]
    third = [revised(each, "CGJ", text="又改") for each in second]
    await route_page(street.appeals.keep(*map(handed, first)), street.room)
    await asyncio.gather(
        route_page(street.appeals.keep(*(handed(each, Change.CHANGED) for each in second)), street.room),
        route_page(street.appeals.keep(*(handed(each, Change.CHANGED) for each in third)), street.other()),
    )
    await street.lapse()
    await deliver_forgotten(street.room)
    for code in ("ZJJ", "CGJ"):
        in_order(await street.drain(f"dept.{code}"), await street.cases(), code)


# aiormq may leave a closing coroutine behind when a socket vanishes; here counts what became of the page.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("after", [0, 30_000, 100_000])
async def test_a_wire_cut_under_a_page_loses_nothing_and_makes_no_second_id(street: Street, after: int) -> None:
    first = [appeal(f"a{n}", "ZJJ+CGJ") for n in range(60)]
    second = [revised(each, "ZJJ", text="改") for each in first]
    async with Wire(street.url) as wire, Publisher(wire.url, answer_within=5.0) as publisher:
        cut = street.other(publisher)
        wire.left = after
        page = await route_page(street.appeals.keep(*map(handed, first)), cut)
        assert page.waiting > 0
        wire.left = 10**9
        await route_page(street.appeals.keep(*(handed(each, Change.CHANGED) for each in second)), cut)
        await street.lapse()
        await deliver_forgotten(cut)
    cases = await street.cases()
    assert {case.state for case in cases.values()} == {State.DELIVERED}
    for code in ("ZJJ", "CGJ"):
        in_order(await street.drain(f"dept.{code}"), cases, code)


# ---------------------------------------------------------------- crashes


@pytest.mark.parametrize("write", range(15))
async def test_a_crash_before_any_write_is_mended_by_running_the_same_flow_again(street: Street, write: int) -> None:
    """Both rooms share a broker; the one that crashes loses its life before its nth step, wherever that is."""
    first = [appeal("a", "ZJJ"), appeal("b", "ZJJ+CGJ"), appeal("c", "triage")]
    second = [
        revised(first[0], "CGJ", text="改"),
        revised(first[1], "ZJJ", text="改"),
        revised(first[2], "GAJ", text="改"),
    ]
    pages: list[list[Handed]] = [
        street.appeals.keep(*map(handed, first)),
        street.appeals.keep(*(handed(each, Change.CHANGED) for each in second)),
    ]
    fuse = Fuse(write)
    dying = changed(street.other(Burning(street, fuse)), store=burning(street.store, fuse))
    for page in pages:
        try:
            await route_page(page, dying)
        except Crash:
            break
    await street.lapse()
    for page in pages:
        await route_page(page, street.room)
    await street.lapse()
    while (await deliver_forgotten(street.room)).sent:
        await street.lapse()
    cases = await street.cases()
    assert {name: case.state for name, case in cases.items()} == dict.fromkeys("abc", State.DELIVERED)
    assert [case.holder for _, case in sorted(cases.items())] == ["CGJ", "ZJJ", "GAJ"]
    for code in ("ZJJ", "CGJ", "GAJ"):
        in_order(await street.drain(f"dept.{code}"), cases, code)


class Fuse:
    def __init__(self, steps: int) -> None:
        self.left = steps

    def burn(self) -> None:
        if self.left <= 0:
            raise Crash
        self.left -= 1


class Burning:
    """Publishes, and may crash before or after."""

    def __init__(self, street: Street, fuse: Fuse) -> None:
        self._street, self._fuse = street, fuse

    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        self._fuse.burn()
        receipts = await self._street.publisher.publish(page)
        self._fuse.burn()
        return receipts


def burning(store: CaseStore, fuse: Fuse) -> CaseStore:
    """The same store, whose every write may be the last thing its worker does."""
    mortal = copy(store)
    for name in ("insert", "change", "change_all", "confirm_all", "postpone", "claim"):
        setattr(mortal, name, _burns(getattr(mortal, name), fuse))
    return mortal


def _burns(function: Any, fuse: Fuse) -> Any:
    async def write(*args: Any, **more: Any) -> Any:
        fuse.burn()
        return await function(*args, **more)

    return write


# ---------------------------------------------------------------- what stands for what


class Away:
    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        raise BrokerAway("away")


class Unanswered:
    """Publishes, and loses the answers."""

    def __init__(self, street: Street) -> None:
        self._street = street

    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        await self._street.publisher.publish(page)
        return [Receipt(Fate.UNKNOWN)] * len(page)


class Deaf:
    """Never hears back of one department."""

    def __init__(self, street: Street, code: str) -> None:
        self._street, self._code = street, code

    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        receipts = await self._street.publisher.publish(page)
        return [
            Receipt(Fate.UNKNOWN) if sent.department == self._code else receipt
            for sent, receipt in zip(page, receipts, strict=True)
        ]


def in_order(taken: list[tuple[str, bytes]], cases: dict[str, Case], code: str) -> None:
    """First arrivals are in the order of their sequence; each written dispatch is there; one body an id."""
    first: dict[str, bytes] = {}
    for id_, body in taken:
        assert first.setdefault(id_, body) == body
    arrived: dict[str, list[int]] = {}
    for body in first.values():
        event = json.loads(body)
        arrived.setdefault(event["subject"], []).append(event["data"]["sequence"])
    for case in cases.values():
        rows = [row for row in case.dispatches if row.department == code]
        assert all(row.state is Sent.SENT for row in rows)
        assert arrived.get(case.id, []) == [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        assert {row.id for row in rows} <= first.keys()


async def delete_queue(street: Street, name: str) -> None:
    await street.management._ask("DELETE", f"queues/{street.management._here}/{name}")


async def until_refused(street: Street, code: str) -> None:
    """A quorum queue refuses some messages after its limit was passed: fill it until it does."""
    async with asyncio.timeout(20):
        for p in range(10_000):
            page = [Message(f"filler-{p}-{n}", code, f"{code}.0000.normal", b"{}") for n in range(20)]
            if (await street.publisher.publish(page))[-1].fate is Fate.REFUSED:
                return


async def test_deliver_leaves_to_others_what_they_are_at(street: Street) -> None:
    items = street.appeals.keep(handed(appeal("a", "ZJJ")))
    await route_page(items, street.other(Away()))
    far = datetime(2100, 1, 1, tzinfo=UTC)
    await street.database["cases"].update_one({"_id": "a"}, {"$set": {"until": far, "fence": 7}})
    page = await deliver(["a"], street.room)
    assert (page.sent, page.waiting) == (0, 1)


def test_a_room_needs_nothing_but_what_the_front_door_has() -> None:
    assert set(Room.__dataclass_fields__) >= {"store", "publisher", "tables", "load_appeals", "now", "fence"}


async def test_a_silent_queue_that_is_alone_on_its_page_is_left_alone_like_any_other(street: Street) -> None:
    """Each question that stays unanswered costs the line, and with it every department."""
    asked: list[int] = []

    class Counting(Deaf):
        async def publish(self, page: Sequence[Message]) -> list[Receipt]:
            asked.append(len(page))
            return await super().publish(page)

    slow = changed(street.other(Counting(street, "ZJJ")), backpressure=Backpressure(first=timedelta(minutes=1)))
    page = await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), slow)
    assert (page.waiting, asked) == (1, [1])
    await street.lapse()
    await deliver_forgotten(slow)
    assert asked == [1]
    await street.lapse()
    await deliver_forgotten(street.room)
    assert (await street.cases())["a"].state is State.DELIVERED


async def test_a_page_goes_out_queue_by_queue_and_keeps_its_order_in_each(street: Street) -> None:
    """The broker takes neighbours of one queue together: a city's page costs it a quarter less so."""
    sent: list[tuple[str, str]] = []

    class Telling(Unanswered):
        async def publish(self, page: Sequence[Message]) -> list[Receipt]:
            sent.extend((message.department, message.id) for message in page)
            return await street.publisher.publish(page)

    items = street.appeals.keep(
        *(handed(appeal(f"a{n}", to)) for n, to in enumerate(["ZJJ", "CGJ", "ZJJ+CGJ", "CGJ", "ZJJ"]))
    )
    page = await route_page(items, street.other(Telling(street)))
    assert (page.sent, page.waiting) == (6, 0)
    assert [department for department, _ in sent] == ["CGJ"] * 3 + ["ZJJ"] * 3
    cases = await street.cases()
    for code in ("CGJ", "ZJJ"):
        rows = [row.id for id_ in sorted(cases) for row in cases[id_].dispatches if row.department == code]
        assert [id_ for department, id_ in sent if department == code] == rows
