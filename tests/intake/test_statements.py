"""Once a day, by one worker, every department with something open is told what we believe is open."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from intake import daily
from intake.street.statements import TURN, once_a_day
from normalizer.appeal import Change
from router.errors import BrokerAway
from router.flow import Room, route_page
from router.looking import look_at_due
from tests.router.city import appeal, handed, revised
from tests.router.conftest import Street, street  # noqa: F401 - a fixture

MORNING = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)  #: 07:05 in Shanghai, on the 25th
TYPE = "department.statement.v1"


def at(moment: datetime, street: Street) -> Room:  # noqa: F811
    street.shift = moment - datetime.now(UTC)
    return street.other()


async def told(street: Street, code: str) -> list[dict[str, Any]]:  # noqa: F811
    bodies = [json.loads(body) for _, body in await street.drain(f"dept.{code}")]
    return [body for body in bodies if body["type"] == TYPE]


async def test_what_is_open_is_told_with_its_last_sequence_and_deadlines(street: Street) -> None:  # noqa: F811
    room, first = at(MORNING - timedelta(days=1), street), appeal("a", "ZJJ")
    await route_page(street.appeals.keep(handed(first), handed(appeal("b", "ZJJ")), handed(appeal("c", "CGJ"))), room)
    changed = revised(first, text="路灯不亮，井盖也松了")
    await route_page(street.appeals.keep(handed(changed, Change.CHANGED)), room)

    assert not await once_a_day(street.database, at(MORNING, street), "w1")

    (body,) = await told(street, "ZJJ")
    data = body["data"]
    assert (body["subject"], data["day"], data["part"], data["parts"], data["open"]) == ("ZJJ", "2026-11-25", 1, 1, 2)
    rows = {row["case"]: row for row in data["cases"]}
    assert {name: row["sequence"] for name, row in rows.items()} == {"a": 2, "b": 1}
    cases = await street.cases()
    assert rows["a"]["dispatch"] == cases["a"].dispatches[0].id
    assert {row["state"] for row in rows.values()} == {"dispatched"}
    assert "close" in {due["kind"] for due in rows["a"]["deadlines"]}
    assert [row["case"] for row in (await told(street, "CGJ"))[0]["data"]["cases"]] == ["c"]
    assert await told(street, "GAJ") == [], "who has nothing open hears nothing"


async def test_made_late_it_lists_what_came_since_too_and_goes_to_nobody_who_had_nothing_at_seven(
    street: Street,  # noqa: F811
) -> None:
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), at(MORNING - timedelta(days=1), street))
    noon = MORNING + timedelta(hours=5)
    await route_page(street.appeals.keep(handed(appeal("b", "ZJJ")), handed(appeal("c", "CGJ"))), at(noon, street))
    await once_a_day(street.database, at(noon + timedelta(minutes=5), street), "w1")

    (body,) = await told(street, "ZJJ")
    assert {row["case"] for row in body["data"]["cases"]} == {"a", "b"}, "what is not in it would be taken for closed"
    assert await told(street, "CGJ") == []


async def test_whose_old_cases_are_gone_is_told_of_the_new_ones(street: Street) -> None:  # noqa: F811
    item = appeal("a", "ZJJ")
    await route_page(street.appeals.keep(handed(item)), at(MORNING - timedelta(hours=1), street))
    await once_a_day(street.database, at(MORNING, street), "w1")
    withdrawn = replace(handed(revised(item)), change=Change.WITHDRAWN)
    await route_page(street.appeals.keep(withdrawn), at(MORNING + timedelta(hours=1), street))
    await street.drain("dept.ZJJ")
    noon = MORNING + timedelta(days=1, hours=5)
    await route_page(street.appeals.keep(handed(appeal("b", "ZJJ"))), at(noon, street))

    await once_a_day(street.database, at(noon + timedelta(minutes=5), street), "w1")
    (body,) = await told(street, "ZJJ")
    assert [row["case"] for row in body["data"]["cases"]] == ["b"]


async def test_one_worker_sends_it_once_and_not_before_seven(street: Street) -> None:  # noqa: F811
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), at(MORNING - timedelta(hours=1), street))
    await once_a_day(street.database, at(MORNING - timedelta(minutes=6), street), "w1")
    assert await told(street, "ZJJ") == []
    room = at(MORNING, street)
    await asyncio.gather(*(once_a_day(street.database, room, f"w{number}") for number in range(4)))
    await once_a_day(street.database, at(MORNING + timedelta(hours=9), street), "w5")
    assert len(await told(street, "ZJJ")) == 1
    await once_a_day(street.database, at(MORNING + timedelta(days=1), street), "w5")
    assert len(await told(street, "ZJJ")) == 1


async def test_after_the_last_red_card_it_still_stands_there(street: Street) -> None:  # noqa: F811
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), at(MORNING - timedelta(days=90), street))
    room = at(MORNING, street)
    while await look_at_due(room):
        pass
    assert (await street.cases())["a"].due is None
    await once_a_day(street.database, room, "w1")
    assert [row["case"] for row in (await told(street, "ZJJ"))[0]["data"]["cases"]] == ["a"]


async def test_what_was_written_down_goes_out_after_a_crash_as_it_was(street: Street) -> None:  # noqa: F811
    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), at(MORNING - timedelta(hours=1), street))
    room = at(MORNING, street)
    try:
        await once_a_day(street.database, replace_publisher(room), "w1")
    except BrokerAway:
        await route_page(street.appeals.keep(handed(appeal("b", "ZJJ"))), room)
    written = await street.database["statements"].find_one({})
    assert written is not None
    assert written["state"] == "pending"

    await once_a_day(street.database, at(MORNING + timedelta(minutes=10), street), "w2")
    (body,) = await told(street, "ZJJ")
    assert (body["id"], [row["case"] for row in body["data"]["cases"]]) == (written["parts"][0]["id"], ["a"])


async def test_whose_last_case_is_gone_is_told_once_that_nothing_is_left(street: Street) -> None:  # noqa: F811
    item = appeal("a", "ZJJ")
    await route_page(street.appeals.keep(handed(item)), at(MORNING - timedelta(hours=1), street))
    await once_a_day(street.database, at(MORNING, street), "w1")
    withdrawn = replace(handed(revised(item)), change=Change.WITHDRAWN)
    await route_page(street.appeals.keep(withdrawn), at(MORNING + timedelta(hours=1), street))
    await street.drain("dept.ZJJ")

    for day in (1, 2):
        await once_a_day(street.database, at(MORNING + timedelta(days=day), street), "w1")
    (body,) = await told(street, "ZJJ")
    assert (body["data"]["open"], body["data"]["cases"]) == (0, [])


async def test_a_turn_of_a_dead_worker_is_anybodys_when_its_lease_is_over(street: Street) -> None:  # noqa: F811
    none = timedelta(0)
    assert await daily.claim(street.database, TURN, "2026-11-25", "w1", timedelta(minutes=10))
    assert not await daily.claim(street.database, TURN, "2026-11-25", "w2", none)
    await daily.hand_back(street.database, TURN)
    assert await daily.claim(street.database, TURN, "2026-11-25", "w2", none)


class _Away:
    async def publish(self, page: Any) -> Any:
        raise BrokerAway(f"{len(page)} messages and no broker")


def replace_publisher(room: Room) -> Room:
    from dataclasses import replace as with_other  # noqa: PLC0415 - beside msgspec's

    return with_other(room, publisher=_Away())
