"""What a rehearsal predicts is what real queues then hold, with cases in flight, revisions and people's decisions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from normalizer.appeal import Handed
from router.cases.moves import Kind
from tests.intake.rules.living_city import Living, living


async def one_change(city: Living) -> Counter[str]:
    """Live, and change the rules."""
    return await change_while(city, await city.live())


async def change_while(city: Living, waiting: list[Handed]) -> Counter[str]:
    """Rehearse another set of rules, release it, route what was in hand, and compare with the queues."""
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
async def test_what_is_said_after_the_end_is_predicted_as_the_case_that_it_will_be(
    mongo: Any, amqp: Any, tmp_path: Path
) -> None:
    async with living(mongo, amqp, tmp_path, seed=3) as city:
        await city.rooms.route(await city.store([city.write() for _ in range(6)]))
        for case in await city.some(4):
            await city.end(case)
        await city.rooms.route(await city.store([city.write(again="L1"), city.write(again="L2")]))
        # Revisions of what is closed, of rounds that are open, and one who says what a closed one said.
        late = [city.write(again=f"L{number}") for number in range(1, 7)]
        late += [city.write(like="L3"), city.write(like="L1")]
        seen = await change_while(city, await city.store(late))
        rounds = [case.id async for case in city.rooms.cases.lists.all() if case.repeat_of]
        assert len(rounds) == 4, rounds
        assert seen["pending dispatched"], seen


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
