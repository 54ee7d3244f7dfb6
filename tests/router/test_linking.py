"""One order carries others: nobody who was addressed is left out, nothing is lost when the order goes."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, Handed, Links, RequestType
from router import centre, joining
from router.cases.carrying import carried
from router.cases.case import holders
from router.cases.centre import Visit
from router.cases.moves import State
from router.flow import route_page
from router.listening import Ear, take_said
from tests.router.cases.test_hearing import said
from tests.router.city import appeal, handed, revised
from tests.router.conftest import Street
from tests.router.test_listening import Seal, masked


def again(name: str, to: str, *before: str) -> Appeal:
    """The same person again: after these."""
    return replace(appeal(name, to), links=Links(same_person=list(before)))


async def told(street: Street, department: str) -> list[tuple[str, str]]:
    messages = [json.loads(body) for _, body in await street.drain(f"dept.{department}")]
    return [(message["type"].split(".")[1], message["subject"]) for message in messages]


async def test_the_same_person_again_makes_no_second_order_and_the_holder_hears_of_it(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    page = await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a"))), street.room)
    cases = await street.cases()
    assert page.states["linked"] == 1
    assert (cases["b"].state, cases["b"].dispatches, cases["b"].holder) == (State.LINKED, [], None)
    assert carried(cases["a"]) == ["b"]
    assert await told(street, "ZJJ") == [("dispatched", "a"), ("linked", "a")]


async def test_an_order_and_its_repeat_may_come_on_one_page_and_the_page_again_changes_nothing(street: Street) -> None:
    items = street.appeals.keep(
        handed(again("b", "ZJJ", "a")), handed(again("c", "ZJJ", "a", "b")), handed(appeal("a"))
    )
    await route_page(items, street.room)
    before = await street.cases()
    assert {id_: case.state for id_, case in before.items()} == {
        "a": State.DELIVERED,
        "b": State.LINKED,
        "c": State.LINKED,
    }
    await route_page(items, street.other())
    assert await street.cases() == before
    assert await told(street, "ZJJ") == [("dispatched", "a"), ("linked", "a"), ("linked", "a")]


async def test_two_departments_that_were_both_addressed_both_hear_of_it(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await route_page(
        street.appeals.keep(handed(again("b", "CGJ", "a")), handed(again("c", "ZJJ+CGJ", "a"))), street.room
    )
    cases = await street.cases()
    assert {id_: case.state for id_, case in cases.items()} == dict.fromkeys("abc", State.DELIVERED)
    assert carried(cases["a"]) == []
    assert sorted(await told(street, "CGJ")) == [("dispatched", "b"), ("dispatched", "c")]


async def test_what_nobody_holds_carries_nothing(street: Street) -> None:
    """In triage, informed or withdrawn: the next one gets an order of its own."""
    await route_page(
        street.appeals.keep(handed(appeal("t", "triage")), handed(appeal("i", "informed")), handed(appeal("w", "ZJJ"))),
        street.room,
    )
    await route_page(street.appeals.keep(handed(revised(appeal("w", "ZJJ")), Change.WITHDRAWN)), street.room)
    await route_page(street.appeals.keep(*(handed(again(f"{name}2", "ZJJ", name)) for name in "tiw")), street.room)
    cases = await street.cases()
    assert {cases[f"{name}2"].state for name in "tiw"} == {State.DELIVERED}


async def test_when_the_order_is_withdrawn_whoever_it_carried_gets_an_order(street: Street) -> None:
    first = appeal("a", "ZJJ")
    await route_page(street.appeals.keep(handed(first)), street.room)
    await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a"))), street.room)
    await route_page(street.appeals.keep(handed(revised(first), Change.WITHDRAWN)), street.room)
    cases = await street.cases()
    assert (cases["a"].state, cases["b"].state, cases["b"].holder) == (State.WITHDRAWN, State.DELIVERED, "ZJJ")
    assert ("dispatched", "b") in await told(street, "ZJJ")


async def test_a_carried_case_whose_new_text_is_about_something_else_goes_its_own_way(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a"))), street.room)
    other = revised(again("b", "ZJJ", "a"), links=Links())
    await route_page(street.appeals.keep(handed(other, Change.CHANGED)), street.room)
    assert (await street.cases())["b"].state is State.DELIVERED


async def test_a_carried_case_s_new_text_is_told_to_who_holds_its_order_once(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a"))), street.room)
    await street.drain("dept.ZJJ")
    items = street.appeals.keep(handed(revised(again("b", "ZJJ", "a"), text="又多了两盏不亮的"), Change.CHANGED))
    await route_page(items, street.room)
    await route_page(items, street.other())
    (message,) = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    assert (message["type"], message["subject"]) == ("appeal.updated.v1", "a")
    assert "又多了两盏不亮的" in message["data"]["reason"]
    case = (await street.cases())["b"]
    assert (case.state, case.revision) == (State.LINKED, 2)


async def test_the_new_text_of_a_confidential_one_is_not_told(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a"))), street.room)
    await street.drain("dept.ZJJ")
    secret = revised(again("b", "ZJJ", "a"), text="又多了两盏不亮的", request_type=RequestType.REPORT)
    await route_page(street.appeals.keep(handed(secret, Change.CHANGED)), street.room)
    (message,) = [body for _, body in await street.drain("dept.ZJJ")]
    assert "又多了两盏不亮的" not in message.decode()


def accusing(about: Appeal, *units: str) -> Appeal:
    return replace(about, signals=replace(about.signals, accused=list(units)))


async def test_nobody_who_is_accused_hears_of_it_by_an_order_that_they_hold_together(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ+CGJ"))), street.room)
    about_them = accusing(again("b", "ZJJ", "a"), "城市管理局")
    await route_page(street.appeals.keep(handed(about_them), handed(again("c", "ZJJ", "a"))), street.room)
    cases = await street.cases()
    assert {id_: case.state for id_, case in cases.items()} == {
        "a": State.DELIVERED,
        "b": State.DELIVERED,
        "c": State.LINKED,
    }
    assert carried(cases["a"]) == ["c"]
    assert await told(street, "CGJ") == [("dispatched", "a"), ("linked", "a")]


async def test_a_persons_word_puts_no_case_under_an_order_of_whom_it_is_about(street: Street) -> None:
    about_them = accusing(appeal("b", "ZJJ"), "城市管理局")
    page = street.appeals.keep(handed(appeal("a", "ZJJ+CGJ")), handed(about_them), handed(appeal("c", "ZJJ")))
    await route_page(page, street.room)
    moved = await joining.join("a", ["b", "c"], "张", "同一事件", street.room)
    assert [case.id for case in moved] == ["c"]
    cases = await street.cases()
    assert (cases["b"].goal, carried(cases["a"])) == (State.DELIVERED, ["c"])
    assert await told(street, "CGJ") == [("dispatched", "a"), ("linked", "a")]


async def test_the_new_text_of_a_carried_case_is_not_told_to_whom_it_accuses(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ+CGJ"))), street.room)
    await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a"))), street.room)
    await told(street, "CGJ")
    new = accusing(revised(again("b", "ZJJ", "a"), text="城管的人收了好处"), "城市管理局")
    await route_page(street.appeals.keep(handed(new, Change.CHANGED)), street.room)
    assert await told(street, "CGJ") == []
    case = (await street.cases())["b"]
    assert (case.state, case.holder, case.revision) == (State.DELIVERED, "ZJJ", 2)


async def test_a_carried_case_goes_its_own_way_when_it_is_for_another_unit_or_its_order_was_closed(
    street: Street,
) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a")), handed(again("c", "ZJJ", "a"))), street.room)
    for_another = revised(again("b", "ZJJ", "a"), to="CGJ")
    await route_page(street.appeals.keep(handed(for_another, Change.CHANGED)), street.room)
    assert (await street.cases())["b"].holder == "CGJ"
    await take_said(
        said((await street.cases())["a"], "resolved"), "ZJJ", Ear(room=street.room, seal=Seal(), mask=masked)
    )
    await centre.visit("a", Visit(reached=True, solved="yes"), "李", street.room)
    await route_page(
        street.appeals.keep(handed(revised(again("c", "ZJJ", "a"), text="又坏了"), Change.CHANGED)), street.room
    )
    case = (await street.cases())["c"]
    assert (case.state, case.holder) == (State.DELIVERED, "ZJJ")


async def test_when_the_centre_recalls_an_order_whoever_it_carried_gets_an_order(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await route_page(street.appeals.keep(handed(again("b", "ZJJ", "a"))), street.room)
    recalled = await centre.recall((await street.cases())["a"], "王", "派错了", street.room)
    cases = await street.cases()
    assert (recalled.state, carried(recalled)) == (State.TRIAGE, [])
    assert (cases["b"].state, cases["b"].holder) == (State.DELIVERED, "ZJJ")
    assert ("dispatched", "b") in await told(street, "ZJJ")


async def test_a_crash_between_the_order_and_the_case_loses_nothing_and_says_nothing_twice(
    street: Street, monkeypatch: Any
) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    items = street.appeals.keep(handed(again("b", "ZJJ", "a")))
    insert = street.store.insert

    async def crash(cases: Any) -> set[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(street.store, "insert", crash)
    try:
        await route_page(items, street.room)
    except KeyboardInterrupt:
        monkeypatch.setattr(street.store, "insert", insert)
    await street.lapse()
    await route_page(items, street.other())
    cases = await street.cases()
    assert (cases["b"].state, carried(cases["a"])) == (State.LINKED, ["b"])
    assert await told(street, "ZJJ") == [("dispatched", "a"), ("linked", "a")]


def member(name: str, to: str) -> Handed:
    return handed(appeal(name, to))


async def test_a_person_joins_and_splits_and_everybody_holds_again_what_they_held(street: Street) -> None:
    names = {"a": "ZJJ", "b": "ZJJ", "c": "CGJ", "d": "triage"}
    await route_page(street.appeals.keep(*(member(name, to) for name, to in names.items())), street.room)
    before = {id_: (case.goal, holders(case)) for id_, case in (await street.cases()).items()}
    moved = await joining.join("a", ["a", "b", "c", "d"], "张三", "同一处", street.room)
    cases = await street.cases()
    assert sorted(case.id for case in moved) == ["b", "d"]
    assert {id_: case.state.value for id_, case in cases.items()} == {
        "a": "delivered",
        "b": "linked",
        "c": "delivered",  # another unit has it: both hear of it
        "d": "linked",
    }
    assert cases["b"].events[-1].actor in {"张三", "broker"}
    await joining.split("a", ["b", "c", "d"], "李四", "看错了", street.room)
    after = {id_: (case.goal, holders(case)) for id_, case in (await street.cases()).items()}
    assert after == before
    assert carried((await street.cases())["a"]) == []


async def test_a_member_of_a_confirmed_event_goes_under_its_order(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    item = replace(handed(appeal("b", "ZJJ")), event_order="a")
    await route_page(street.appeals.keep(item), street.room)
    assert (await street.cases())["b"].state is State.LINKED
    suspected = replace(appeal("c", "ZJJ"), links=Links(same_event="a"))
    await route_page(street.appeals.keep(handed(suspected)), street.room)
    assert (await street.cases())["c"].state is State.DELIVERED
