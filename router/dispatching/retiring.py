"""A department that the directory no longer has (退役): nobody reads for it any more, and what it was sent stays.

In this order: its users lose every permission and are cut off; its queue stays bound while it has open cases, since a
recall must arrive somewhere; without any it is unbound; empty it may be removed. Nothing that holds a message goes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

import aio_pika

from router.dispatching.broker import Management
from router.dispatching.publisher import as_ours
from router.dispatching.topology import APPEALS, BrokerState, Unit, receives

_QUEUE = re.compile(r"dept\.([A-Z0-9_]{2,32})(?:\.urgent)?")
_USER = re.compile(r"dept\.([A-Z0-9_]{2,32})\.[ab]")


class Retired(NamedTuple):
    """What the broker still has of a department that is gone."""

    code: str
    queues: tuple[str, ...]
    users: tuple[str, ...]  #: that may still do something here
    bindings: tuple[tuple[str, str], ...]  #: of its queues: queue, routing key

    @property
    def is_done(self) -> bool:
        """Nobody may read, and nothing new arrives: only what lies there is left."""
        return not (self.users or self.bindings)


def retired(units: Iterable[Unit], state: BrokerState) -> list[Retired]:
    """Find them. Pure."""
    here = {unit.code for unit in units if receives(unit)}
    queues = {name: found[1] for name in state.queues if (found := _QUEUE.fullmatch(name))}
    users = {name: found[1] for name in state.users if (found := _USER.fullmatch(name))}
    return [
        Retired(
            code,
            tuple(sorted(name for name, whose in queues.items() if whose == code)),
            tuple(sorted(name for name, whose in users.items() if whose == code)),
            tuple(
                sorted(
                    (queue, key)
                    for exchange, queue, key in state.bindings
                    if exchange == APPEALS and queues.get(queue) == code
                )
            ),
        )
        for code in sorted({*queues.values(), *users.values()} - here)
    ]


async def withdraw(each: Retired, management: Management) -> None:
    """Let its users do nothing here any more, and end what they are doing."""
    for user in each.users:
        await management.forbid(user)
    for user in (f"dept.{each.code}.a", f"dept.{each.code}.b"):
        await management.cut(user)  # also where they were forbidden before: one that had just come was not seen then


async def unbind(each: Retired, management: Management) -> None:
    """Let nothing more arrive."""
    for queue, key in each.bindings:
        await management.unbind(APPEALS, queue, key)


async def remove_empty(queues: Collection[str], url: str, management: Management) -> list[str]:
    """Remove the queues that hold nothing and that nobody reads; gives those.

    The broker itself is asked, since its statistics are seconds old. They are asked too: what somebody took and has not
    acknowledged is known to them alone.
    """
    removed = []
    with as_ours("looking into retired queues"):
        connection = await aio_pika.connect(url)
        async with connection:
            channel = await connection.channel()
            for name in sorted(queues):
                found = (await channel.declare_queue(name, passive=True)).declaration_result
                held = await management.unacknowledged(name)
                if not (found.message_count or found.consumer_count or held):
                    await management.delete_queue(name)
                    removed.append(name)
    return removed
