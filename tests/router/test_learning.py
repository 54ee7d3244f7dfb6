"""Learning from returns on real servers: once somebody has taken it on, known to all workers, undone by people."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from normalizer.appeal import Appeal, Category, DecidedBy
from router import centre, learning
from router.cases.advice import AUTOMATIC
from router.cases.case import Case
from router.cases.moves import Kind
from router.dispatching.decide import decide
from router.dispatching.lesson_list import listed
from router.dispatching.lessons import lessons_of
from router.errors import NoSuchLesson
from router.flow import Room, route_page
from router.lesson_store import LessonStore
from router.listening import Ear, take_said
from tests.router.cases.test_hearing import said
from tests.router.city import appeal, handed, revised
from tests.router.conftest import Street
from tests.router.test_listening import Seal, masked

PILE = "桥下空间堆满了装修垃圾没人清"


def room_of(street: Street) -> Room:
    return replace(street.room, decide=decide, lessons=LessonStore(street.database))


def letter(name: str, text: str = PILE) -> Appeal:
    of = appeal(name, text=text)
    rubbish = Category(code="0203", name="环境卫生与垃圾", path=["城管", "环卫"], confidence=0.9)
    return msgspec.structs.replace(of, title="", category=rubbish)


async def opened(street: Street, room: Room, name: str, text: str = PILE) -> Case:
    await route_page(street.appeals.keep(handed(letter(name, text))), room)
    case = await room.store.get(name)
    assert case is not None
    return case


async def told(case: Case, kind: str, room: Room, minute: int = 1, *, automatic: bool = False, **fields: Any) -> Case:
    """Its lead says something."""
    now = await room.store.get(case.id)
    assert now is not None
    order = [row.id for row in now.dispatches if row.department == now.holder and row.type == "dispatched"][-1]
    feedback = said(now, kind, minute, name=f"{now.holder}-{kind}-{minute}", department=now.holder or "")
    feedback = msgspec.structs.replace(feedback, dispatch=order, **fields)
    heard = await take_said(
        feedback, now.holder or "", Ear(room=room, seal=Seal(), mask=masked, automatic=automatic, arbiter="李主任")
    )
    assert heard is not None
    return heard


async def taught(street: Street, room: Room, name: str, text: str = PILE) -> Case:
    """城管局 gives it back, that is upheld, and 住建局 takes it on."""
    case = await opened(street, room, name, text)
    if case.holder == "CGJ":
        await told(case, "return_requested", room, code="R2", proposed_owner="住建局")
        await centre.decide(case.id, None, None, "王", "成立", room, granted=True, to="ZJJ")
    return await told(case, "accepted", room, 2)


async def test_the_next_like_case_goes_where_the_last_one_was_taken_on(street: Street) -> None:
    room, other = room_of(street), replace(street.other(), decide=decide, lessons=LessonStore(street.database))
    case = await opened(street, room, "a1")
    assert case.holder == "CGJ"
    await told(case, "return_requested", room, code="R2", proposed_owner="住建局")
    await centre.decide(case.id, None, None, "王", "成立", room, granted=True, to="ZJJ")
    assert (await opened(street, room, "a2")).holder == "CGJ", "nobody has taken it on yet"
    await told(case, "accepted", room, 2)
    moved = await opened(street, room, "a3")
    assert moved.holder == "ZJJ"
    assert moved.decision is not None
    assert moved.decision.routing.decided_by is DecidedBy.MODEL
    messages = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    (order,) = [each for each in messages if each["subject"] == "a3"]
    assert any(case.case_no in each["why"] for each in order["data"]["decision"]["evidence"])
    assert order["data"]["versions"]["model"] == moved.decision.routing.versions.model

    await learning.look(other)
    assert (await opened(street, other, "a4")).holder == "ZJJ", "another worker knows it too"
    assert (await opened(street, room, "a5", "小区里的垃圾桶太少了")).holder == "CGJ"


async def test_a_decision_is_made_again_with_the_lessons_of_its_day(street: Street) -> None:
    room = room_of(street)
    await taught(street, room, "a1")
    moved = await opened(street, room, "a2")
    await taught(street, room, "a3", "桥下空间的装修垃圾")
    assert moved.decision is not None
    name = moved.decision.routing.versions.model
    assert name is not None
    assert room.lessons is not None
    version = int(name.removeprefix("lessons-"))
    of_its_day = lessons_of(await room.lessons.after(0, version))
    again = decide(letter("a2"), moved.decision.context, replace(room.tables, lessons=of_its_day))
    assert again.routing == moved.decision.routing
    assert again.sentence == moved.decision.sentence


async def test_what_a_crash_kept_from_being_learned_is_learned_when_the_letter_comes_again(street: Street) -> None:
    room = room_of(street)
    forgetful = replace(room, lessons=None)
    case = await opened(street, room, "a1")
    await told(case, "return_requested", forgetful, code="R2")
    await centre.decide(case.id, None, None, "王", "成立", forgetful, granted=True, to="ZJJ")
    await told(case, "accepted", forgetful, 2)
    assert room.lessons is not None
    assert await room.lessons.after(0) == []
    for _ in range(2):
        await told(case, "accepted", room, 2)
    assert len(await room.lessons.after(0)) == 1


async def test_workers_that_learn_at_the_same_moment_number_their_entries_without_gaps(street: Street) -> None:
    rooms = [room_of(street) for _ in range(4)]
    cases = [await opened(street, rooms[0], f"a{number}") for number in range(8)]
    for case in cases:
        await told(case, "return_requested", rooms[0], code="R2")
        await centre.decide(case.id, None, None, "王", "成立", replace(rooms[0], lessons=None), granted=True, to="ZJJ")
    await asyncio.gather(*(told(case, "accepted", rooms[n % 4], 2) for n, case in enumerate(cases)))
    assert rooms[0].lessons is not None
    entries = await rooms[0].lessons.after(0)
    assert [entry.n for entry in entries] == list(range(1, len(entries) + 1))
    for room in rooms:
        await learning.look(room)
        assert [one.precedents for one in listed(room.tables.lessons)] == [8]


async def test_what_a_unit_kept_before_counts_from_its_first_return_on(street: Street) -> None:
    room = room_of(street)
    for number in range(3):
        await told(await opened(street, room, f"k{number}", "小区里的垃圾桶几天没人倒"), "accepted", room)
    await taught(street, room, "a1")
    node = room.tables.lessons.nodes["0203", "CGJ"]
    assert node.totals == {"CGJ": 3, "ZJJ": 1}
    assert (await opened(street, room, "a2", "小区里的垃圾桶又满了")).holder == "CGJ"


async def test_people_undo_what_was_learned_and_a_person_is_never_overruled(street: Street) -> None:
    room = room_of(street)
    first = await taught(street, room, "a1")
    (lesson,) = [one.id for one in listed(room.tables.lessons)]
    await learning.rule_on(lesson, "王", "权责清单已改", room, allowed=False)
    assert (await opened(street, room, "a2")).holder == "CGJ"
    with pytest.raises(NoSuchLesson):
        await learning.rule_on(lesson, "王", "x", room, allowed=False)
    await learning.rule_on(lesson, "王", "核对无误", room, allowed=True)
    assert (await opened(street, room, "a3")).holder == "ZJJ"
    await learning.undo(first, "王", "退错了", room, undone=True)
    assert (await opened(street, room, "a4")).holder == "CGJ"
    await learning.undo(first, "王", "没退错", room, undone=False)
    assert (await opened(street, room, "a5")).holder == "ZJJ"
    given = await centre.reassign(await opened(street, room, "a6"), "GAJ", "王", "另有安排", room)
    changed = revised(letter("a6"), text=f"{PILE}，一直没人管")
    await route_page(street.appeals.keep(handed(changed, change="changed")), room)  # type: ignore[arg-type]
    after = await room.store.get(given.id)
    assert after is not None
    assert after.holder == "GAJ"


async def test_clear_precedents_decide_a_return_at_once_and_who_insists_is_heard_by_a_person(street: Street) -> None:
    room = room_of(street)
    for number in range(4):
        await taught(street, room, f"a{number}")
        await taught(street, room, f"b{number}")
    lone = await opened(street, replace(room, tables=replace(room.tables, lessons=lessons_of([]))), "z1")
    assert lone.holder == "CGJ", "by a worker that did not know yet"
    left = await told(lone, "return_requested", replace(room), code="R2")
    assert left.events[-1].kind is Kind.RETURN_ASKED, "the settings do not allow it"
    second = await opened(street, replace(room, tables=replace(room.tables, lessons=lessons_of([]))), "z2")
    done = await told(second, "return_requested", room, code="R2", automatic=True)
    (upheld,) = [event for event in done.events if event.kind is Kind.RETURN_UPHELD]
    assert (upheld.actor, done.holder) == (AUTOMATIC, "ZJJ")
    for number in range(4):
        await told(done, "accepted", room, 5 + number)
    wrong = await opened(street, room, "z3")
    assert wrong.holder == "ZJJ"
    advice = await learning.advise_on(await told(wrong, "return_requested", room, code="R2"), "ZJJ", room)
    assert advice.why
