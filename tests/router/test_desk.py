"""What people do to a case, and the clock when nobody does."""

from __future__ import annotations

import asyncio
from dataclasses import replace as changed
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from normalizer.appeal import Change, DecidedBy, Urgency
from router import desk
from router.cases.moves import Kind, State
from router.dispatching.directory import Directory, Unit
from router.dispatching.tables import Tables
from router.errors import MoveNotAllowed, NoSuchCase, NoSuchUnit, UnitAccused
from router.flow import Room, route_page
from tests.router.city import appeal, decide, handed, revised
from tests.router.conftest import Street


async def test_what_a_person_assigns_goes_out_and_stays_there(street: Street) -> None:
    first = appeal("a", "triage")
    await route_page(street.appeals.keep(handed(first)), street.room)
    case = await desk.assign("n-a", "CGJ", "王", "占道经营归城管", street.room)
    assert (case.state, case.holder, case.assigned_by_person) == (State.DELIVERED, "CGJ", True)
    assert case.decision is not None
    assert case.decision.routing.decided_by is DecidedBy.PERSON
    await route_page(street.appeals.keep(handed(revised(first, "ZJJ", text="改"), Change.CHANGED)), street.room)
    assert (await street.cases())["a"].holder == "CGJ"
    assert len(await street.drain("dept.CGJ")) == 2
    assert await street.drain("dept.ZJJ") == []


@pytest.mark.parametrize("department", ["NOBODY", "XFJ"])
async def test_nobody_can_assign_to_a_unit_that_takes_no_orders(street: Street, department: str) -> None:
    with pytest.raises(NoSuchUnit):
        await desk.assign("a", department, "王", "x", street.room)


async def test_an_unknown_case_and_a_case_in_other_hands_are_told_apart(street: Street) -> None:
    with pytest.raises(NoSuchCase):
        await desk.assign("nothing", "CGJ", "王", "x", street.room)
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    with pytest.raises(MoveNotAllowed):
        await desk.assign("a", "CGJ", "王", "x", street.room)


async def test_a_case_is_found_by_any_of_its_names(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    case = (await street.cases())["a"]
    for name in ("a", "n-a", case.case_no, case.case_no.lower(), case.dispatches[0].id):
        assert (await desk.find_case(name, street.room)).id == "a"


async def test_a_critical_one_calls_at_once_and_goes_to_the_fallback_after_a_quarter_of_an_hour(
    street: Street,
) -> None:
    items = street.appeals.keep(handed(appeal("a", "triage", urgency=Urgency.CRITICAL)), handed(appeal("b", "triage")))
    with capture_logs() as logged:
        await route_page(items, street.room)
    cases = await street.cases()
    assert [event.kind for event in cases["a"].events][-1] is Kind.DUTY_CALLED
    assert cases["a"].events[-1].department == "QZF"
    assert [line["case"] for line in logged if line.get("action") == "duty_called"] == ["a"]
    assert cases["b"].events[-1].kind is Kind.TRIAGED

    assert await desk.escalate(later(street, timedelta(minutes=14))) == []
    given = await desk.escalate(later(street, timedelta(minutes=16)))
    assert [(case.id, case.state, case.holder) for case in given] == [("a", State.DELIVERED, "QZF")]
    assert given[0].decision is not None
    assert given[0].decision.routing.decided_by is DecidedBy.FALLBACK
    assert await desk.escalate(later(street, timedelta(minutes=17))) == []
    assert len(await street.drain("dept.QZF")) == 1
    assert (await street.cases())["b"].state is State.TRIAGE


async def test_a_person_and_the_clock_at_once_give_it_to_one_department(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "triage", urgency=Urgency.CRITICAL))), street.room)
    await asyncio.gather(
        desk.assign("a", "CGJ", "王", "x", street.room),
        desk.escalate(later(street, timedelta(minutes=16))),
        return_exceptions=True,
    )
    case = (await street.cases())["a"]
    assert len(case.dispatches) == 1
    assert case.state is State.DELIVERED


async def test_what_could_not_be_decided_is_decided_again_by_retry(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "broken"))), street.room)
    [parked] = await street.store.lists.parked()
    [(_, message, reason)] = desk.parked_rows([parked])
    assert (message, reason) == (None, "deciding failed: ValueError")
    mended = changed(street.room, decide=lambda of, context, tables: decide(revised(of, "ZJJ"), context))
    page = await desk.retry_parked(["a"], "王", mended)
    assert page.states == {"delivered": 1}
    assert await street.store.lists.parked() == []


async def test_what_could_not_be_decided_can_be_assigned_by_a_person(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "broken"))), street.room)
    case = await desk.assign("a", "CGJ", "王", "占道归城管", street.room)
    assert (case.state, case.holder) == (State.DELIVERED, "CGJ")


async def test_what_is_given_up_is_no_longer_listed_and_stays_parked(street: Street) -> None:
    await street.management._ask("DELETE", f"queues/{street.management._here}/dept.ZJJ")
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    [parked] = await street.store.lists.parked()
    assert [row[2] for row in desk.parked_rows([parked])] == ["NO_ROUTE"]
    [case] = await desk.discard_parked(["a"], "王", "部门已撤并", street.room)
    assert case.state is State.PARKED
    assert desk.parked_rows(await street.store.lists.parked()) == []


async def test_a_withdrawn_case_can_wait_in_triage_no_more(street: Street) -> None:
    first = appeal("a", "triage", urgency=Urgency.CRITICAL)
    await route_page(street.appeals.keep(handed(first)), street.room)
    await route_page(street.appeals.keep(handed(revised(first), Change.WITHDRAWN)), street.room)
    assert await desk.escalate(later(street, timedelta(minutes=16))) == []
    assert (await street.cases())["a"].state is State.WITHDRAWN


def later(street: Street, by: timedelta) -> Room:
    return changed(street.room, now=lambda: street.now() + by)


async def test_the_clock_never_gives_a_complaint_to_whom_it_is_about(street: Street) -> None:
    mayor = changed_unit("ZFB", "市政府办公室")
    below = changed_unit("QZF", "望湖区政府", area="望湖区", kind="terr", fallback=True, parent="ZFB")
    room = changed(later(street, timedelta(minutes=16)), tables=directory_of(street, mayor, below))
    lonely = changed(room, tables=directory_of(street, changed_unit("QZF", "望湖区政府", area="望湖区", fallback=True)))
    about = appeal("a", "triage", urgency=Urgency.CRITICAL)
    about = replace(about, signals=replace(about.signals, accused=["望湖区政府"]))
    await route_page(street.appeals.keep(handed(about)), changed(street.room, tables=room.tables))
    assert (await street.cases())["a"].events[-1].department == "ZFB"
    assert await desk.escalate(lonely) == []
    await street.management.queue("dept.ZFB")
    await street.management.binding("appeals", "dept.ZFB", "ZFB.#")
    assert [case.holder for case in await desk.escalate(room)] == ["ZFB"]


async def test_what_a_person_assigned_is_taken_from_whom_a_new_text_accuses(street: Street) -> None:
    first = appeal("a", "triage")
    await route_page(street.appeals.keep(handed(first)), street.room)
    await desk.assign("a", "CGJ", "王", "占道经营归城管", street.room)
    second = revised(first, "triage", text="城管局的人收了摊贩的好处费，求保密")
    second = replace(second, signals=replace(second.signals, accused=["城市管理局"]))
    await route_page(street.appeals.keep(handed(second, Change.CHANGED)), street.room)
    case = (await street.cases())["a"]
    assert (case.state, case.holder) == (State.TRIAGE, None)
    [(_, order), (_, recall)] = await street.drain("dept.CGJ")
    assert b"recalled" in recall
    assert "路灯不亮".encode() in order
    assert "好处费".encode() not in recall
    assert "反映的是".encode() not in recall


def changed_unit(code: str, name: str, **fields: Any) -> Unit:
    return Unit(code=code, name=name, short=name, role=code, **fields)


def directory_of(street: Street, *units: Unit) -> Tables:
    return changed(street.room.tables, directory=Directory("d2", "云泽市", units))


async def test_a_case_goes_to_the_accused_only_from_a_person_who_says_so(street: Street) -> None:
    about = appeal("a", "triage", text="执法人员态度恶劣")
    about = replace(about, signals=replace(about.signals, accused=["城市管理局"]))
    await route_page(street.appeals.keep(handed(about)), street.room)
    with pytest.raises(UnitAccused):
        await desk.assign("a", "CGJ", "王", "归城管", street.room)
    assert (await street.cases())["a"].state is State.TRIAGE

    case = await desk.assign("a", "CGJ", "王", "归城管", street.room, despite=True)
    assert case.holder == "CGJ"
    (note,) = [event.note or "" for event in case.events if event.kind is Kind.ASSIGNED]
    assert note.startswith("归城管（被反映单位")
