"""Returns on real servers: decided by people, routed anew, seen when they go in circles, and ended by one person."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from router import centre
from router.cases.case import Case
from router.cases.centre import Visit
from router.cases.moves import Kind, State
from router.cases.returns import is_arbitrated, path
from router.cases.work import Ask, Work
from router.dispatch import Context, Decision
from router.errors import MoveNotAllowed, NoSuchUnit
from router.flow import Room, route_page
from router.listening import Ear, take_said
from tests.router.cases.test_hearing import said
from tests.router.city import appeal, decide, handed
from tests.router.conftest import Street
from tests.router.test_listening import Seal, masked

#: What rules that know of returns would say: first, after one return, after two.
PLANS = {"back": ["ZJJ", "ZJJ"], "on": ["ZJJ", "CGJ", "GAJ", "QZF"]}


def room_of(street: Street, plan: str) -> Room:
    def planned(of: Any, context: Context, _tables: object) -> Decision:
        left = [code for code in PLANS[plan] if code not in context.returns]
        return decide(appeal(to=left[0] if left and len(context.returns) < 2 else "triage"), context)

    return replace(street.room, decide=planned)


async def opened(street: Street, room: Room) -> Case:
    await route_page(street.appeals.keep(handed(appeal())), room)
    (case,) = (await street.cases()).values()
    return case


async def returned(case: Case, room: Room, *, to: str | None = None, minute: int = 1) -> Case:
    """Its lead asks to give it back, and that is upheld."""
    lead = case.holder or ""
    asked = said(case, "return_requested", minute, department=lead)
    order = [row.id for row in case.dispatches if row.department == lead and row.type == "dispatched"][-1]
    asked = type(asked)(**{name: getattr(asked, name) for name in asked.__struct_fields__} | {"dispatch": order})
    heard = await take_said(asked, lead, Ear(room=room, seal=Seal(), mask=masked))
    assert heard is not None
    return await centre.decide(case.id, None, None, "王", "成立", room, granted=True, to=to, arbiter="李主任")


async def test_an_upheld_return_is_routed_anew_and_never_back(street: Street) -> None:
    room = room_of(street, "on")
    case = await returned(await opened(street, room), room)
    assert (case.holder, case.state) == ("CGJ", State.DELIVERED)
    assert case.decision is not None
    assert case.decision.context.returns == ["ZJJ"]
    types = [json.loads(body)["type"].split(".")[1] for _, body in await street.drain("dept.ZJJ")]
    assert types == ["dispatched", "outcome", "decided", "recalled"]


async def test_the_second_return_goes_to_a_joint_review_and_a_person_ends_it(street: Street) -> None:
    room = room_of(street, "on")
    case = await returned(await opened(street, room), room)
    case = await returned(case, room, minute=2)
    assert (case.state, case.holder) == (State.TRIAGE, None)
    assert case.handling is not None
    assert case.handling.work is Work.CONSULTATION
    assert case.handling.returns == ["ZJJ", "CGJ"]
    given = await centre.reassign(case, "GAJ", "会商", "会商议定", room)
    assert given.handling is not None
    assert (given.holder, given.handling.work) == ("GAJ", Work.DISPATCHED)
    third = await returned(given, room, minute=3)
    (arbitrated,) = [event for event in third.events if event.kind is Kind.ARBITRATED]
    assert arbitrated.note == "李主任"
    final = await centre.reassign(third, "QZF", "李主任", "裁定", room)
    again = msgspec.structs.replace(said(final, "return_requested", 4, department="QZF"), clause="仍不服")
    heard = await take_said(again, "QZF", Ear(room=room, seal=Seal(), mask=masked))
    assert heard is not None
    assert (heard.events[-1].kind, heard.events[-1].note) == (Kind.FEEDBACK_REFUSED, "arbitrated")


async def test_whom_a_person_names_after_the_third_hop_is_named_by_the_arbiter(street: Street) -> None:
    room = room_of(street, "on")
    case = await returned(await opened(street, room), room, to="CGJ")
    case = await returned(case, room, to="GAJ", minute=2)
    assert not is_arbitrated(case)
    case = await returned(case, room, to="ZJJ", minute=3)
    assert is_arbitrated(case)
    assert path(case) == ["ZJJ", "CGJ", "GAJ", "ZJJ"]


async def test_a_case_is_not_sent_in_circles(street: Street) -> None:
    room = room_of(street, "back")
    case = await opened(street, room)
    case = await centre.reassign(case, "CGJ", "王", "归城管", room)
    case = await returned(case, room)
    assert case.state is State.TRIAGE, "A to B and back to A: people settle it"


async def test_who_is_named_must_exist_and_what_is_decided_must_be_asked(street: Street) -> None:
    case = await opened(street, street.room)
    with pytest.raises(NoSuchUnit):
        await centre.reassign(case, "NOBODY", "王", "x", street.room)
    with pytest.raises(MoveNotAllowed):
        await centre.decide(case.id, None, Ask.RETURN, "王", "x", street.room, granted=True)
    with pytest.raises(MoveNotAllowed, match="待回访"):
        await centre.visit(case.id, Visit(reached=True, solved="yes"), "李", street.room)


async def test_what_cannot_be_done_to_one_of_many_holds_up_no_other(street: Street) -> None:
    items = [appeal(name, to=to) for name, to in (("a1", "ZJJ"), ("a2", "informed"), ("a3", "ZJJ"))]
    await route_page(street.appeals.keep(*(handed(item) for item in items)), street.room)
    cases = list((await street.cases()).values())

    async def urge(case: Case) -> Case:
        return await centre.urge(case.id, "王", "催", street.room)

    done = {each.case: each.why_not async for each in centre.each(cases, urge)}
    assert [name for name, why_not in done.items() if why_not] == ["a2"]
