"""When another calendar is there: every open order once, in bulk, by one worker, also behind a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

import intake.street.calendars as calendars_module
from intake.street.calendars import Calendars, register
from normalizer.appeal import Change, Mode, instant
from router import desk
from router.cases.calendar import Calendar, Year
from router.cases.clock import dues
from router.cases.moves import Kind, State
from router.dispatch import Context
from router.dispatching import topology
from router.flow import Room, route_page
from router.looking import clocks_of
from router.recalculating import recompute_page
from tests.router.city import UNITS, appeal, decide, handed, revised, tables
from tests.router.conftest import Street, street
from tests.router.test_flow import delete_queue

__all__ = ["street"]

UNKNOWN = Calendar([year for year in tables().calendar.announced if year.year < 2026])
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
FREE = Calendar([*UNKNOWN.announced, Year(year=2026, off=DAYS, work=[])])


def room_with(street: Street, calendar: Calendar) -> Room:
    read = street.room.tables
    fields = {name: getattr(read, name) for name in ("directory", "rules", "taxonomy_version", "thresholds")}
    fields |= {name: getattr(read, name) for name in ("deadlines", "claims", "ref_key")}
    return replace(street.room, tables=type(read)(**fields, calendar=calendar))


async def worker(street: Street, calendar: Calendar, owner: str = "w") -> Calendars:
    return Calendars(street.database, room_with(street, calendar), owner)


async def told(street: Street) -> list[str]:
    messages = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    return [each["subject"] for each in messages if each["type"] == "appeal.deadline.v1"]


async def orders(street: Street, count: int) -> list[str]:
    names = [f"c{number}" for number in range(count)]
    await route_page(street.appeals.keep(*(handed(appeal(name)) for name in names)), room_with(street, UNKNOWN))
    return names


async def events(street: Street) -> dict[str, int]:
    return {
        case.id: sum(event.kind is Kind.RECOMPUTED for event in case.events) for case in (await street.cases()).values()
    }


async def test_every_open_order_is_told_once_and_a_worker_that_starts_again_tells_nobody(street: Street) -> None:
    assert not await (await worker(street, UNKNOWN)).recompute()
    names = await orders(street, 3)
    await (await worker(street, FREE)).recompute()
    assert sorted(await told(street)) == names
    await (await worker(street, FREE, "w2")).recompute()
    await (await worker(street, FREE, "w2")).recompute()
    assert await events(street) == dict.fromkeys(names, 1)
    (case,) = [each for each in (await street.cases()).values() if each.id == "c0"]
    event = case.events[-2]
    assert (event.kind, event.data["calendar"], event.data["change"]) == (Kind.RECOMPUTED, FREE.version, 2)


async def test_who_takes_over_after_a_crash_goes_on_behind_the_last_page(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendars_module, "PAGE", 1)
    await register(street.database, UNKNOWN, street.now())
    names = await orders(street, 3)
    done = recompute_page
    calls: list[Any] = []

    async def dies(*args: Any) -> int:
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return await done(*args)

    monkeypatch.setattr(calendars_module, "recompute_page", dies)
    with pytest.raises(RuntimeError):
        await (await worker(street, FREE)).recompute()
    assert sum((await events(street)).values()) == 1
    await (await worker(street, FREE, "w2")).recompute()
    assert await events(street) == dict.fromkeys(names, 1)
    assert len(calls) == 4, "the page that was done was not done again"


async def test_back_to_the_calendar_of_before_is_a_change_too(street: Street) -> None:
    await register(street.database, UNKNOWN, street.now())
    names = await orders(street, 2)
    await (await worker(street, FREE)).recompute()
    await (await worker(street, UNKNOWN)).recompute()
    assert await events(street) == dict.fromkeys(names, 2)


async def test_what_began_with_the_new_calendar_is_told_nothing(street: Street) -> None:
    await register(street.database, UNKNOWN, street.now())
    await register(street.database, FREE, street.now())
    street.shift = timedelta(minutes=1)
    names = await orders(street, 1)
    await (await worker(street, FREE)).recompute()
    assert await events(street) == dict.fromkeys(names, 0)


async def test_the_first_calendar_of_all_changes_nothing(street: Street) -> None:
    names = await orders(street, 1)
    await (await worker(street, FREE)).recompute()
    assert await events(street) == dict.fromkeys(names, 0)


async def closes(street: Street) -> list[tuple[str, str]]:
    """By which messages the department was told to close when, the newest word last."""
    messages = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    return [
        (each["type"], deadline["at"])
        for each in messages
        for deadline in each["data"]["deadlines"]
        if deadline["kind"] == "close"
    ]


async def due_now(street: Street, calendar: Calendar) -> str:
    """When the clock counts it as late."""
    (case,) = (await street.cases()).values()
    clocks = await clocks_of([case], room_with(street, calendar))
    return next(instant(each.at) for each in dues(case, clocks[case.id]) if each.kind == "close")


async def test_a_dispatch_that_was_parked_meanwhile_goes_out_with_the_new_deadlines(street: Street) -> None:
    await register(street.database, UNKNOWN, street.now())
    await delete_queue(street, "dept.ZJJ")
    await orders(street, 1)
    await (await worker(street, FREE)).recompute()
    await topology.bring_up(UNITS, street.management, settle=0)
    await desk.retry_parked(["c0"], "王", room_with(street, FREE))
    told = await closes(street)
    assert [type_ for type_, _ in told] == ["appeal.dispatched.v1", "appeal.deadline.v1"]
    assert {at for _, at in told} == {await due_now(street, FREE)} != {await due_now(street, UNKNOWN)}


async def test_an_order_whose_revision_could_not_be_decided_meanwhile_gets_the_new_deadlines(street: Street) -> None:
    await register(street.database, UNKNOWN, street.now())
    await orders(street, 1)
    broken = revised(appeal("c0"), "broken")
    await route_page(street.appeals.keep(handed(broken, Change.CHANGED)), room_with(street, UNKNOWN))
    ((_, before),) = await closes(street)
    assert (await street.cases())["c0"].goal is State.PARKED
    await (await worker(street, FREE)).recompute()
    (message,) = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    assert (message["type"], message["data"]["revision"]) == ("appeal.deadline.v1", 1), "in the words that it has"
    (moved,) = [each for each in message["data"]["recomputed"]["deadlines"] if each["kind"] == "close"]
    assert (moved["before"], moved["at"]) == (before, await due_now(street, FREE))
    assert moved["at"] != before
    assert (await street.cases())["c0"].state is State.PARKED
    ((_, _, reason),) = desk.parked_rows(await street.store.lists.parked())
    assert reason == "deciding failed: ValueError"
    mended = replace(room_with(street, FREE), decide=lambda *_: decide(appeal("c0"), Context(mode=Mode.ROUTE)))
    await desk.retry_parked(["c0"], "王", mended)
    assert (await closes(street))[-1] == ("appeal.updated.v1", moved["at"])
    await (await worker(street, FREE, "w2")).recompute()
    assert await events(street) == {"c0": 1}
