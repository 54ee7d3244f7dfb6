"""A new word after the end (再次反映): the closed case stays as it was counted, and a case of its own follows it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from normalizer.appeal import Appeal, Change, Mode
from router import centre, desk, joining
from router.cases.carrying import carried
from router.cases.case import Case, holders
from router.cases.centre import Visit
from router.cases.moves import Kind, State
from router.dispatch import MessageType, message_id
from router.dispatching.decide import decide
from router.errors import MoveNotAllowed
from router.flow import Room, deliver_forgotten, route_page
from router.listening import Ear, take_said
from tests.router.cases.test_hearing import said
from tests.router.city import appeal, handed, revised
from tests.router.conftest import Street
from tests.router.test_linking import accusing, again
from tests.router.test_listening import Seal, masked


async def close(street: Street, name: str, room: Room | None = None) -> Case:
    """Have its lead resolve a case, and its call-back close it."""
    case = (await street.cases())[name]
    lead = case.holder or ""
    await take_said(said(case, "resolved", department=lead), lead, Ear(room=street.room, seal=Seal(), mask=masked))
    return await centre.visit(name, Visit(reached=True, solved="yes", satisfied="yes"), "李", room or street.room)


async def news(street: Street, of: Appeal, change: Change = Change.CHANGED, room: Room | None = None) -> None:
    await route_page(street.appeals.keep(handed(of, change)), room or street.room)


async def told(street: Street, department: str) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in await street.drain(f"dept.{department}")]


@pytest.fixture
async def closed(street: Street) -> Case:
    """The closed case of the appeal `a`; its department's queue is empty."""
    await news(street, appeal("a"), Change.NEW)
    case = await close(street, "a")
    await street.drain("dept.ZJJ")
    return case


async def test_a_new_text_after_the_end_opens_a_case_of_its_own_and_the_closed_one_stays(
    street: Street, closed: Case
) -> None:
    await news(street, revised(appeal("a"), text="路灯又不亮了"))
    cases = await street.cases()
    old, new = cases["a"], cases["a~2"]
    assert (old.continued, old.goal, old.revision, old.dispatches) == ("a~2", State.DELIVERED, 1, closed.dispatches)
    assert old.handling == closed.handling
    assert [event.kind for event in old.events[len(closed.events) :]] == [Kind.CONTINUED]
    assert (new.repeat_of, new.state, new.holder, new.revision) == ("a", State.DELIVERED, "ZJJ", 2)
    assert new.case_no != old.case_no
    assert new.events[0].data == {"repeat_of": "a"}
    (message,) = await told(street, "ZJJ")
    assert (message["id"], message["type"]) == (message_id("a~2", "ZJJ", 1), "appeal.dispatched.v1")
    assert (message["subject"], message["data"]["sequence"]) == ("a~2", 1)
    assert (message["data"]["repeat_of"], message["data"]["text"]) == ("a", "路灯又不亮了")


async def test_only_who_had_the_closed_one_is_told_which_case_is_repeated(street: Street, closed: Case) -> None:
    await news(street, revised(appeal("a"), to="CGJ+ZJJ"))
    (other,), (had,) = await told(street, "CGJ"), await told(street, "ZJJ")
    assert "repeat_of" not in other["data"]
    assert had["data"]["repeat_of"] == closed.id


async def test_running_the_same_page_twice_opens_one_case_and_sends_once(street: Street, closed: Case) -> None:
    items = street.appeals.keep(handed(revised(appeal("a")), Change.CHANGED))
    await route_page(items, street.room)
    before = await street.cases()
    await route_page(items, street.room)
    assert await street.cases() == before
    assert sorted(before) == [closed.id, "a~2"]
    assert len(await told(street, "ZJJ")) == 1


@pytest.mark.parametrize("first", ["change_all", "insert"])
async def test_a_crash_between_the_writes_loses_no_word_and_opens_no_two_cases(
    street: Street, closed: Case, monkeypatch: Any, first: str
) -> None:
    items = street.appeals.keep(handed(revised(appeal("a")), Change.CHANGED))
    done = getattr(street.store, first)

    async def crash(*_: Any) -> Any:
        raise KeyboardInterrupt

    async def crash_on_the_new(cases: Any, *more: Any) -> Any:
        return await (crash() if cases else done(cases, *more))

    monkeypatch.setattr(street.store, first, crash_on_the_new)
    with pytest.raises(KeyboardInterrupt):
        await route_page(items, street.room)
    monkeypatch.setattr(street.store, first, done)
    assert "a~2" not in await street.cases()
    await route_page(items, street.other())
    assert (await street.cases())["a~2"].repeat_of == closed.id
    assert [message["data"]["sequence"] for message in await told(street, "ZJJ")] == [1]


async def test_a_crash_before_the_new_case_is_sent_leaves_it_to_whoever_comes(street: Street, closed: Case) -> None:
    class Dying:
        async def publish(self, page: Any) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await news(street, revised(appeal("a")), room=street.other(Dying()))
    await street.lapse()
    await deliver_forgotten(street.room)
    assert (await street.cases())["a~2"].state is State.DELIVERED
    assert [message["data"]["repeat_of"] for message in await told(street, "ZJJ")] == [closed.id]


async def test_a_later_revision_of_a_named_and_missing_case_begins_it(
    street: Street, closed: Case, monkeypatch: Any
) -> None:
    insert = street.store.insert

    async def crash(cases: Any) -> set[str]:
        if cases:
            raise KeyboardInterrupt
        return set()

    monkeypatch.setattr(street.store, "insert", crash)
    second = revised(appeal("a"))
    with pytest.raises(KeyboardInterrupt):
        await news(street, second)
    monkeypatch.setattr(street.store, "insert", insert)
    await news(street, appeal("a"), Change.NEW)
    await news(street, appeal("a"), Change.REFRESHED)
    assert list(await street.cases()) == [closed.id], "not with what was said before the end"
    await news(street, revised(second), Change.WITHDRAWN)
    case = (await street.cases())["a~2"]
    assert (case.state, case.revision, case.repeat_of) == (State.WITHDRAWN, 3, closed.id)
    await news(street, second)
    assert (await street.cases())["a~2"] == case, "a late page of the older revision changes nothing"


async def test_two_workers_that_race_open_one_case(street: Street, closed: Case) -> None:
    items = street.appeals.keep(handed(revised(appeal("a")), Change.CHANGED))
    await asyncio.gather(*(route_page(items, street.other()) for _ in range(4)), route_page(items, street.room))
    await street.lapse()
    await deliver_forgotten(street.room)
    assert sorted(await street.cases()) == [closed.id, "a~2"]
    assert {message["id"] for message in await told(street, "ZJJ")} == {message_id("a~2", "ZJJ", 1)}


async def test_a_case_that_was_reopened_while_the_page_came_is_no_round_but_hears_of_it(
    street: Street, closed: Case, monkeypatch: Any
) -> None:
    load = street.store.load

    async def late(ids: Any) -> dict[str, Case]:
        found = await load(ids)
        monkeypatch.setattr(street.store, "load", load)
        await centre.reopen("a", "李", "没有修好", street.room)
        return found

    monkeypatch.setattr(street.store, "load", late)
    await news(street, revised(appeal("a")))
    cases = await street.cases()
    assert list(cases) == [closed.id]
    assert (await told(street, "ZJJ"))[0]["type"] == "appeal.reopened.v1"
    assert cases["a"].revision == 2


async def test_each_end_has_its_round_and_later_revisions_go_to_the_newest(street: Street, closed: Case) -> None:
    second = revised(appeal("a"))
    await news(street, second)
    third = revised(second)
    await news(street, third)
    assert [event.kind for event in (await street.cases())["a~2"].events].count(Kind.UPDATED) == 1
    await close(street, "a~2")
    await news(street, revised(third))
    cases = await street.cases()
    assert (cases["a~2"].continued, cases["a~3"].repeat_of, cases["a~3"].revision) == ("a~3", "a~2", 4)
    assert [case.id for case in await street.store.lists.find("n-a")] == ["a~3"]
    assert cases["a"].revision == closed.revision


async def test_what_says_nothing_new_opens_no_case(street: Street, closed: Case) -> None:
    for change in (Change.SAME, Change.REREAD, Change.REFRESHED, Change.WITHDRAWN, Change.BACK):
        later = revised(street.appeals.newest("a"), to="CGJ")
        await news(street, later, change)
        cases = await street.cases()
        assert list(cases) == [closed.id], change
        assert (cases["a"].state, cases["a"].handling) == (closed.state, closed.handling), change
    assert await told(street, "CGJ") == []


async def test_words_whose_worker_died_open_a_case_also_where_the_next_revision_says_the_same(
    street: Street, closed: Case
) -> None:
    again = revised(appeal("a"))
    await news(street, again, Change.SAME)
    (died,) = street.appeals.keep(handed(revised(again, text="路灯又不亮了"), Change.CHANGED))
    await news(street, revised(died.appeal), Change.SAME)
    cases = await street.cases()
    assert (cases["a"].continued, cases["a~2"].revision, cases["a~2"].repeat_of) == ("a~2", 4, closed.id)
    assert [message["data"]["text"] for message in await told(street, "ZJJ")] == ["路灯又不亮了"]


async def test_a_revision_that_could_not_be_mapped_between_two_that_say_the_same_opens_no_case(
    street: Street, closed: Case
) -> None:
    await news(street, revised(revised(appeal("a"))), Change.REREAD)
    assert list(await street.cases()) == [closed.id]


async def test_words_whose_worker_died_are_told_with_the_next_revision_where_the_case_is_open(street: Street) -> None:
    await news(street, appeal("a"), Change.NEW)
    (died,) = street.appeals.keep(handed(revised(appeal("a"), text="路灯又不亮了"), Change.CHANGED))
    await news(street, revised(died.appeal), Change.SAME)
    await news(street, revised(revised(died.appeal)), Change.SAME)
    assert [message["data"]["text"] for message in await told(street, "ZJJ")] == ["路灯不亮", "路灯又不亮了"]


async def test_what_is_delivered_or_said_to_be_done_and_not_closed_stays_one_case(street: Street) -> None:
    await news(street, appeal("a"), Change.NEW)
    case = (await street.cases())["a"]
    await take_said(said(case, "resolved"), "ZJJ", Ear(room=street.room, seal=Seal(), mask=masked))
    await news(street, revised(appeal("a")))
    assert list(await street.cases()) == ["a"]


async def test_a_part_of_a_message_has_rounds_of_its_own(street: Street) -> None:
    both = [appeal("a"), appeal("a-2", "CGJ")]
    await route_page(street.appeals.keep(*map(handed, both)), street.room)
    await close(street, "a-2")
    later = [handed(revised(one), Change.CHANGED) for one in both]
    await route_page(street.appeals.keep(*later), street.room)
    cases = await street.cases()
    assert sorted(cases) == ["a", "a-2", "a-2~2"]
    assert (cases["a"].revision, cases["a-2"].revision, cases["a-2~2"].holder) == (2, 1, "CGJ")


async def test_a_round_is_not_given_to_whom_its_new_text_accuses(street: Street, closed: Case) -> None:
    room = replace(street.room, decide=decide)  # the real one: the city's looks at no accused
    new = accusing(revised(appeal("a"), text="住建局工作人员推诿"), "住房和城乡建设局")
    await news(street, new, room=room)
    case = (await street.cases())["a~2"]
    assert "ZJJ" not in holders(case)
    assert await told(street, "ZJJ") == []


async def test_who_says_it_again_is_carried_by_the_round_that_stands(street: Street, closed: Case) -> None:
    await news(street, revised(appeal("a")))
    await news(street, again("b", "ZJJ", "a"), Change.NEW)
    cases = await street.cases()
    assert (cases["b"].state, carried(cases["a~2"]), carried(cases["a"])) == (State.LINKED, ["b"], [])
    await news(street, revised(again("b", "ZJJ", "a"), text="还是不亮"))
    types = [message["type"] for message in await told(street, "ZJJ")]
    assert types == ["appeal.dispatched.v1", "appeal.linked.v1", "appeal.updated.v1"]


async def test_what_the_closed_one_carried_stays_with_it(street: Street) -> None:
    await news(street, appeal("a"), Change.NEW)
    await news(street, again("b", "ZJJ", "a"), Change.NEW)
    await close(street, "a")
    before = (await street.cases())["b"]
    await news(street, revised(appeal("a")))
    cases = await street.cases()
    assert (carried(cases["a"]), carried(cases["a~2"])) == (["b"], [])
    assert (cases["b"].state, cases["b"].dispatches) == (before.state, before.dispatches)


async def test_people_join_to_the_round_that_stands_and_put_no_closed_case_under_another(
    street: Street, closed: Case
) -> None:
    await route_page(street.appeals.keep(handed(appeal("b")), handed(appeal("c"))), street.room)
    await news(street, revised(appeal("a")))
    moved = await joining.join("a", ["b"], "张", "同一事件", street.room)
    assert [case.id for case in moved] == ["b"]
    assert carried((await street.cases())["a~2"]) == ["b"]
    alone = await joining.split("a", ["b"], "李", "看错了", street.room)
    assert [case.id for case in alone] == ["b"]
    await close(street, "c")
    assert await joining.join("b", ["c"], "张", "同一事件", street.room) == []


async def test_a_closed_case_that_another_one_follows_hears_claims_and_gets_no_work_again(
    street: Street, closed: Case
) -> None:
    await news(street, revised(appeal("a")))
    old = (await street.cases())["a"]
    for move in (
        centre.reopen(closed.case_no, "李", "没有修好", street.room),
        centre.reassign(old, "CGJ", "李", "改派", street.room),
        centre.recall(old, "李", "派错了", street.room),
    ):
        with pytest.raises(MoveNotAllowed, match="a~2"):
            await move
    claims = said(closed, "disputed", 3)
    after = await take_said(claims, "ZJJ", Ear(room=street.room, seal=Seal(), mask=masked))
    assert after is not None
    assert (after.id, after.handling and after.handling.work) == ("a", closed.handling and closed.handling.work)
    assert len((await street.cases())["a~2"].events) == 3


async def test_a_round_is_of_its_items_mode_and_in_triage_it_is_found_by_its_native_id(
    street: Street, closed: Case
) -> None:
    backfilled = handed(revised(appeal("a"), to="triage"), Change.CHANGED, Mode.HISTORY)
    await route_page(street.appeals.keep(backfilled), street.room)
    case = await desk.assign("n-a", "GAJ", "王", "归公安", street.room)
    assert (case.id, case.holder, case.dispatches[0].type) == ("a~2", "GAJ", MessageType.DISPATCHED)
    assert [(message["subject"], message["data"]["text"]) for message in await told(street, "GAJ")] == [
        ("a~2", "路灯不亮")
    ]
