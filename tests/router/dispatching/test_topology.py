"""The broker follows the directory; a department's user can do its own part and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aio_pika
import aiohttp
import pytest
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ChannelPreconditionFailed

from router.dispatching.broker import Management
from router.dispatching.directory import Unit
from router.dispatching.topology import (
    APPEALS,
    DEAD,
    EXCHANGES,
    FEEDBACK,
    POLICY_DEFINITION,
    BrokerState,
    Step,
    What,
    apply,
    bring_up,
    credentials,
    plan,
    read_state,
)
from router.errors import BrokerAway, ManagementRefuses, NoSuchUnit
from tests.router.city import UNITS
from tests.router.wire import wrong_password


@pytest.fixture
async def management(amqp: Any) -> AsyncIterator[Management]:
    async with aiohttp.ClientSession() as session:
        yield Management(session, amqp.management, amqp.vhost)


def unit(code: str, **fields: Any) -> Unit:
    return Unit(code=code, name=code, short=code, role=code, **fields)


# ---------------------------------------------------------------- the plan, without a broker


def test_an_empty_broker_gets_everything_in_an_order_that_works() -> None:
    made = plan([unit("ZJJ"), unit("GAJ", urgent_lane=True), unit("XFJ", kind="na")], BrokerState())
    kinds = [step.what for step in made.steps]
    assert kinds == sorted(kinds, key=list(What).index)
    queues = {step.name for step in made.steps if step.what is What.QUEUE}
    assert queues == {"dept.ZJJ", "dept.GAJ", "dept.GAJ.urgent", "intake.feedback", "intake.dead"}
    assert Step(What.BINDING, "dept.GAJ.urgent", APPEALS, "GAJ.*.critical") in made.steps
    assert Step(What.BINDING, "dept.ZJJ", APPEALS, "ZJJ.#") in made.steps


def test_a_queue_without_a_department_is_kept_and_told() -> None:
    made = plan([unit("ZJJ")], BrokerState(queues=frozenset({"dept.OLD", "dept.ZJJ", "other"})))
    assert made.kept == ("dept.OLD",)
    assert not [step for step in made.steps if step.name == "dept.OLD"]


def test_an_exchange_of_another_type_is_told_and_not_touched() -> None:
    made = plan([], BrokerState(exchanges={APPEALS: "direct"}))
    assert "delete it" in made.wrong[0]
    assert not [step for step in made.steps if step.name == APPEALS]


def test_whatever_would_swallow_or_leak_orders_is_told() -> None:
    state = BrokerState(
        exchanges=dict(EXCHANGES),
        alternates=frozenset({APPEALS}),
        policies={"other": {"pattern": "^app", "definition": {"alternate-exchange": "x"}}},
        queues=frozenset({"dept.ZJJ", "dept.OLD"}),
        bindings=frozenset({(APPEALS, "dept.ZJJ", "CGJ.#"), (APPEALS, "dept.OLD", "OLD.#"), (APPEALS, "spy", "#")}),
    )
    wrong = plan([unit("ZJJ")], state).wrong
    assert len(wrong) == 4
    assert [text.split(" ")[1] for text in wrong] == [APPEALS, "other", "dept.ZJJ", "spy"]


# ---------------------------------------------------------------- on the broker


async def test_applied_once_there_is_nothing_left_to_do(management: Management) -> None:
    first = await bring_up(UNITS, management, settle=0)
    assert first
    assert not await bring_up(UNITS, management, settle=0)
    state = await read_state(management)
    assert set(EXCHANGES) <= set(state.exchanges)
    assert state.policies["intake"]["definition"] == dict(POLICY_DEFINITION)
    exchanges = {each["name"]: each for each in await management.listed("exchanges")}
    assert "alternate-exchange" not in exchanges[APPEALS]["arguments"]
    queues = {each["name"]: each for each in await management.listed("queues")}
    assert queues["dept.ZJJ"]["arguments"] == {"x-queue-type": "quorum"}
    assert "dept.XFJ" not in queues


async def test_new_queues_are_waited_for_once_and_old_ones_never(management: Management) -> None:
    start = time.monotonic()
    await bring_up(UNITS, management, settle=0.5)
    assert time.monotonic() - start >= 0.5
    await management.unbind(APPEALS, "dept.ZJJ", "ZJJ.#")
    async with asyncio.timeout(30):
        assert await bring_up(UNITS, management, settle=60)


async def test_half_of_it_applied_is_finished_by_the_next(management: Management) -> None:
    made = plan(UNITS, await read_state(management))
    await apply(type(made)(steps=made.steps[: len(made.steps) // 2], kept=()), management, settle=0)
    await bring_up(UNITS, management, settle=0)
    assert not plan(UNITS, await read_state(management))


async def test_a_policy_that_somebody_changed_is_set_again(management: Management) -> None:
    await bring_up(UNITS, management, settle=0)
    await management.policy("intake", {"pattern": "^dept", "apply-to": "queues", "definition": {"delivery-limit": 3}})
    assert [step.what for step in (await bring_up(UNITS, management, settle=0)).steps] == [What.POLICY]


@pytest.mark.live
async def test_seven_hundred_departments_are_there_in_under_a_minute(management: Management) -> None:
    units = [unit(f"U{n:03d}") for n in range(700)]
    start = time.monotonic()
    await bring_up(units, management, settle=0)
    assert time.monotonic() - start < 60
    assert not await bring_up(units, management, settle=0)


async def test_a_management_api_that_is_away_or_refuses_says_so(amqp: Any) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(BrokerAway):
            await read_state(Management(session, "http://guest:guest@127.0.0.1:1", "x", patience=0.2))
        with pytest.raises(ManagementRefuses, match="401"):
            await read_state(Management(session, wrong_password(amqp.management), amqp.vhost))


# ---------------------------------------------------------------- isolation

Channel = aio_pika.abc.AbstractChannel
Try = Callable[[Channel, str, str], Awaitable[object]]


async def _queue(channel: Channel, name: str) -> aio_pika.abc.AbstractQueue:
    return await channel.get_queue(name, ensure=False)


async def _get(channel: Channel, queue: str) -> None:
    await (await _queue(channel, queue)).get(fail=False)


async def _consume(channel: Channel, queue: str) -> None:
    async def ignore(_: object) -> None: ...

    await (await _queue(channel, queue)).consume(ignore)


async def _purge(channel: Channel, queue: str) -> None:
    await (await _queue(channel, queue)).purge()


async def _bind(channel: Channel, queue: str) -> None:
    await (await _queue(channel, queue)).bind(APPEALS, "#")


async def _publish(channel: Channel, exchange: str, key: str, user: str | None = None) -> None:
    target = await channel.get_exchange(exchange, ensure=False)
    await target.publish(aio_pika.Message(b"{}", user_id=user), key, mandatory=False)


async def _default(channel: Channel, queue: str) -> None:
    await channel.default_exchange.publish(aio_pika.Message(b"{}"), queue)


REFUSED: dict[str, Try] = {
    "read another's queue": lambda c, own, other: _get(c, f"dept.{other}"),
    "consume another's queue": lambda c, own, other: _consume(c, f"dept.{other}"),
    "purge another's queue": lambda c, own, other: _purge(c, f"dept.{other}"),
    "bind another's queue": lambda c, own, other: _bind(c, f"dept.{other}"),
    "read the dead letters": lambda c, own, other: _get(c, "intake.dead"),
    "read feedback": lambda c, own, other: _get(c, "intake.feedback"),
    "publish appeals to another": lambda c, own, other: _publish(c, APPEALS, f"{other}.0104.normal"),
    "publish appeals to itself": lambda c, own, other: _publish(c, APPEALS, f"{own}.0104.normal"),
    "publish dead letters": lambda c, own, other: _publish(c, DEAD, ""),
    "publish by the default exchange": lambda c, own, other: _default(c, f"dept.{other}"),
    "give feedback under another's code": lambda c, own, other: _publish(c, FEEDBACK, other),
    "forge the user id": lambda c, own, other: _publish(c, FEEDBACK, own, "guest"),
    "declare a queue": lambda c, own, other: c.declare_queue("mine"),
    "declare a queue beside its own": lambda c, own, other: c.declare_queue(f"dept.{own}.mine"),
    "delete its own queue": lambda c, own, other: c.queue_delete(f"dept.{own}"),
    "bind its own queue": lambda c, own, other: _bind(c, f"dept.{own}"),
    "declare an exchange": lambda c, own, other: c.declare_exchange("mine"),
    "delete an exchange": lambda c, own, other: c.exchange_delete(APPEALS),
}


async def test_a_departments_users_can_do_their_part_and_nothing_else(amqp: Any, management: Management) -> None:
    own, other = f"A{uuid4().hex[:8].upper()}", f"B{uuid4().hex[:8].upper()}"
    units = [unit(own, urgent_lane=True), unit(other)]
    await bring_up(units, management, settle=0)
    made = [await credentials(units[0], management, which) for which in ("a", "b")]
    try:
        for each in made:
            assert each.password not in repr(each)
            assert each.queues == (f"dept.{own}", f"dept.{own}.urgent")
            await may(amqp.url, each.user, each.password, own)
            for what, attempt in REFUSED.items():
                assert await refused(amqp.url, each.user, each.password, attempt, (own, other)), f"may {what}"
            assert await management_refuses(amqp, each.user, each.password)
        again = await credentials(units[0], management, "a")
        await may(amqp.url, again.user, again.password, own)
        await may(amqp.url, made[1].user, made[1].password, own)
        with pytest.raises(AMQPError):
            await aio_pika.connect(as_user(amqp.url, made[0].user, made[0].password))
    finally:
        await asyncio.gather(*(management.delete_user(each.user) for each in made))


async def test_a_unit_that_takes_no_orders_gets_no_credentials(management: Management) -> None:
    with pytest.raises(NoSuchUnit):
        await credentials(unit("XFJ", kind="na"), management)


async def may(url: str, user: str, password: str, own: str) -> None:
    async with await aio_pika.connect(as_user(url, user, password)) as connection:
        channel = await connection.channel()
        await _get(channel, f"dept.{own}")
        await _get(channel, f"dept.{own}.urgent")
        await _consume(channel, f"dept.{own}")
        await _publish(channel, FEEDBACK, own, user)


async def refused(url: str, user: str, password: str, attempt: Try, names: tuple[str, str]) -> bool:
    async with await aio_pika.connect(as_user(url, user, password)) as connection:
        try:
            await attempt(await connection.channel(), *names)
        except ChannelAccessRefused:
            return True
        except ChannelPreconditionFailed as error:  # how the broker answers a forged user id
            return "user_id" in str(error)
    return False


async def management_refuses(amqp: Any, user: str, password: str) -> bool:
    address = urlsplit(amqp.management)
    base = urlunsplit(address._replace(netloc=f"{user}:{password}@{address.hostname}:{address.port}"))
    async with aiohttp.ClientSession() as session, session.get(f"{base}/api/queues") as answer:
        return answer.status == 401


def as_user(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}"))
