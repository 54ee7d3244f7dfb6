"""A department leaves the directory: nobody reads for it any more, and nothing that it was sent is lost."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from aiormq.exceptions import AMQPError

from intake.house import House
from intake.retiring import Leaving, leaving
from router import centre
from router.dispatching.directory import Unit
from router.dispatching.topology import bring_up, credentials, plan, queue_of, read_state, urgent_queue_of
from router.flow import route_page
from tests.router.city import UNITS, appeal, handed
from tests.router.conftest import Street, street  # noqa: F401 - a fixture
from tests.router.dispatching.test_topology import as_user


@pytest.fixture
def house(street: Street, amqp: Any) -> House:  # noqa: F811
    return SimpleNamespace(db=street.database, broker_url=amqp.url, management_url=amqp.management)  # type: ignore[return-value]


@pytest.fixture
def old() -> Unit:
    """Of a name that no other test has: users are the whole broker's."""
    code = f"OLD{uuid4().hex[:8].upper()}"
    return Unit(code=code, name=code, short=code, role=code, urgent_lane=True)


async def one(house: House, **what: bool) -> Leaving:
    (found,) = await leaving(UNITS, house, settle=0.0, **{"retire": False, "remove": False} | what)
    return found


async def test_a_department_is_retired_step_by_step_and_its_messages_stay(
    street: Street,  # noqa: F811
    house: House,
    old: Unit,
) -> None:
    await bring_up([*UNITS, old], street.management, settle=0)
    made = [await credentials(old, street.management, which) for which in ("a", "b")]
    try:
        await route_page(street.appeals.keep(handed(appeal("a", old.code)), handed(appeal("b", "ZJJ"))), street.room)
        told = await one(house)
        assert (told.code, told.messages >= 0, told.bound, told.open, told.cases) == (old.code, True, True, 1, ["a"])
        assert told.users == [f"dept.{old.code}.a", f"dept.{old.code}.b"]
        assert (await one(house)).users, "only shown: nothing is done unasked"

        async with await aio_pika.connect(as_user(street.url, made[0].user, made[0].password)) as connection:
            told = await one(house, retire=True, remove=True)
            assert (told.users, told.bound, told.removed) == ([], True, []), "a recall must arrive somewhere"
            assert "reassign" in told.next
            # Its statistics tell the broker of a new connection only after seconds: whoever applies again cuts it.
            async with asyncio.timeout(60):
                while await is_open(connection):
                    await one(house, retire=True)
                    await asyncio.sleep(0.2)
        for each in made:
            with pytest.raises(AMQPError):
                await aio_pika.connect(as_user(street.url, each.user, each.password))

        case = (await street.cases())["a"]
        await centre.reassign(case, "ZJJ", "张三", "撤并", street.room)
        after = (await street.cases())["a"]
        assert (after.state.value, after.holder) == ("delivered", "ZJJ"), "its recall is in the retired queue"

        told = await one(house, retire=True, remove=True)
        assert (told.open, told.bound) == (0, False)
        assert queue_of(old.code) not in told.removed, "what holds messages stays"
        letters = await street.drain(queue_of(old.code))
        kinds = [json.loads(body)["type"] for _, body in letters]
        assert kinds == ["appeal.dispatched.v1", "appeal.recalled.v1"]
        await gone(house)
        assert await leaving(UNITS, house, retire=False, remove=False) == []
        assert not plan(UNITS, await read_state(street.management)).kept
    finally:
        await asyncio.gather(*(street.management.delete_user(each.user) for each in made))


async def is_open(connection: aio_pika.abc.AbstractConnection) -> bool:
    try:
        await connection.channel()
    except (AMQPError, RuntimeError):  # the library's own way of saying that it is closed
        return False
    return True


async def gone(house: House) -> None:
    """Remove what is empty; the broker's statistics may say for seconds that it is not."""
    async with asyncio.timeout(60):
        while await leaving(UNITS, house, retire=True, remove=True, settle=0.0):
            await asyncio.sleep(0.2)


async def test_the_other_departments_go_on_as_before(street: Street, house: House, old: Unit) -> None:  # noqa: F811
    await bring_up([*UNITS, old], street.management, settle=0)
    before = await read_state(street.management)
    await one(house, retire=True, remove=True)
    after = await read_state(street.management)
    assert {each for each in before.bindings - after.bindings if old.code not in each[1]} == set()
    assert after.queues | {queue_of(old.code), urgent_queue_of(old.code)} == before.queues
    await route_page(street.appeals.keep(handed(appeal("c", "ZJJ"))), street.room)
    assert len(await street.drain("dept.ZJJ")) == 1
