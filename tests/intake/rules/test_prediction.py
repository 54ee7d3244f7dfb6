"""What a rehearsal predicts is what real queues then hold, with cases in flight, revisions and people's decisions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from router.cases.moves import Kind
from tests.intake.rules.living_city import Living, living


async def one_change(city: Living) -> Counter[str]:
    """Live, rehearse another set of rules, release it, route what was in hand, and compare with the queues."""
    waiting = await city.live()
    await city.consume()
    rules, units = city.change()
    done, expected, tables = await city.rehearse(rules, units)
    underway = await city.on_their_way()
    people = {case.id: case.holder async for case in city.rooms.cases.lists.all() if case.assigned_by_person}

    released, reassigned = await city.release(done, tables)
    assert {case: (await city.rooms.cases.load([case]))[case].holder for case in people} == people
    await city.rooms.route(waiting)
    await city.deliver_all()

    consumed = await city.consume()
    predicted = {(each.id, each.department, each.sequence, each.type) for each in expected}
    assert len(consumed) == len(set(consumed))
    assert set(consumed) - underway == predicted, f"release {released.n}"
    assert underway <= set(consumed)
    assert sum(reassigned.messages.values()) == sum(each.because == "release" for each in expected)
    return Counter(f"{each.because} {each.type}" for each in expected)


async def changes(city: Living, count: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for _ in range(count):
        seen += await one_change(city)
    return seen


async def test_five_changes_of_rules_do_what_was_predicted(mongo: Any, amqp: Any, tmp_path: Path) -> None:
    async with living(mongo, amqp, tmp_path, seed=7) as city:
        seen = await changes(city, 5)
        assert seen["release recalled"], seen
        assert seen["release dispatched"], seen
        assert seen["pending dispatched"], seen
        kinds = {event.kind async for case in city.rooms.cases.lists.all() for event in case.events}
        assert {Kind.REDECIDED, Kind.SIGNED, Kind.REASSIGNED, Kind.UPDATED} <= kinds


@pytest.mark.live
@pytest.mark.parametrize("seed", range(1, 6))
async def test_fifty_changes_of_rules_do_what_was_predicted(mongo: Any, amqp: Any, tmp_path: Path, seed: int) -> None:
    """Ten in each of five cities, so that none grows so large that reading it again takes all the time."""
    async with living(mongo, amqp, tmp_path, seed) as city:
        seen = await changes(city, 10)
        for kind in ("release recalled", "release dispatched", "pending updated", "pending dispatched"):
            assert seen[kind], (kind, seen)
        assert seen["pending linked"], seen
        told = [event.data async for case in city.rooms.cases.lists.all() for event in case.events]
        assert any("revision" in data and "departments" in data for data in told), "what is carried said something new"
