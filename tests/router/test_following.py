"""Who is carried by another's order sees how it goes and gets its reviewed reply, once, and learns of nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from router.cases.carrying import carry, let_go, put_under
from router.cases.case import Case
from router.cases.centre import Visit
from router.cases.clock import CALLBACK_WITHIN
from router.cases.moves import Because, Kind, State
from router.cases.public import public_face
from router.centre import review, visit
from router.flow import Room, route_page
from router.listening import Ear, take_said
from router.looking import look_at_due
from tests.router.cases.test_hearing import said
from tests.router.city import appeal, handed
from tests.router.conftest import Street
from tests.router.test_listening import Seal, masked


async def two(street: Street) -> tuple[Room, Case, Case]:
    """An order and a case that it carries."""
    room = replace(street.room, now=street.now, answering={"s": timedelta(hours=24)})
    await route_page(street.appeals.keep(*(handed(appeal(name)) for name in ("a1", "a2"))), room)
    cases = await street.cases()
    at = room.moment()
    member = await street.store.change(cases["a2"], lambda now: put_under(now, "a1", "王", "同一件事", at))
    order = await street.store.change(cases["a1"], lambda now: carry(now, member, Because.SAME_EVENT, at))
    return room, order, member


async def heard(case: Case, room: Room, *kinds: str) -> None:
    ear = Ear(room=room, seal=Seal(), mask=masked)
    for minute, kind in enumerate(kinds, 1):
        assert await take_said(said(case, kind, minute), "ZJJ", ear) is not None


async def test_state_and_reviewed_reply_reach_who_is_carried_and_its_source_is_told(street: Street) -> None:
    room, order, _ = await two(street)
    await heard(order, room, "accepted", "replied", "resolved")
    await look_at_due(room)
    assert public_face((await street.cases())["a2"]).reply is None, "nobody reviewed it"
    await review("a1", "王", room, text="已修好")
    await visit("a1", Visit(reached=True, solved="yes"), "李", room)
    for _ in range(3):
        await look_at_due(room)
    member = (await street.cases())["a2"]
    face = public_face(member)
    assert (member.goal, face.state, face.status, face.reply) == (State.LINKED, "closed", "closed", "已修好")
    assert member.handling is not None
    assert [row.reply for row in member.handling.answers] == [None, "已修好"]
    assert [event.kind for event in member.events].count(Kind.FOLLOWED) == 2
    assert "a1" not in str(face)


async def test_a_carried_case_is_closed_with_an_order_that_nobody_visited(street: Street) -> None:
    room, order, _ = await two(street)
    await heard(order, room, "resolved")
    street.shift = CALLBACK_WITHIN + timedelta(hours=1)
    for _ in range(3):
        await look_at_due(room)
    assert public_face((await street.cases())["a2"]).state == "closed"


async def test_who_was_let_go_is_told_nothing_more(street: Street) -> None:
    room, order, _ = await two(street)
    at = room.moment()
    order = (await street.cases())["a1"]
    await street.store.change(order, lambda now: let_go(now, "a2", at, "王", "不是一件事"))
    await heard(order, room, "accepted")
    await look_at_due(room)
    assert (await street.cases())["a2"].handling is None
