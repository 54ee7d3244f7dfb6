"""START HERE. A department's program is played the script, in a virtual host of its own, and gets its sheet.

Make the sandbox, wait for the program, play step by step, cut its connection once, look at what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pamqp.commands import Queue

from router.dispatching.broker import Management
from router.dispatching.directory import Unit
from router.dispatching.publisher import as_ours
from router.dispatching.topology import DEAD_QUEUE, FEEDBACK_QUEUE, Credentials, bring_up, credentials
from router.errors import RouterError
from router.sandbox.script import Played, Step
from router.sandbox.sheet import Dead, Heard, Line, Seen, sheet

VHOST = "sandbox"
WHICH = "t"  #: beside the users a and b of the real queues
LOOK = 0.2  #: seconds between two looks at a queue
STILL = 1.0  #: seconds without a word after which a program has said what it had to say
REFRESHED = 8.0  #: seconds after which the broker's statistics, renewed every five, are not those of before
HELD = 10.0  #: seconds within which a program that works through a batch has acknowledged it


class NobodyCame(RouterError):
    """No program connected in time."""


class Pace(NamedTuple):
    """How long to wait, in seconds."""

    connect: float = 300.0  #: for the program to begin reading
    step: float = 30.0  #: for a step's messages to be taken


async def open_sandbox(unit: Unit, management: Management) -> Credentials:
    """Make the virtual host, this unit's queues in it, and a user that may do there what it may do outside."""
    await management.make_vhost()
    await bring_up([unit], management)
    return await credentials(unit, management, WHICH)


async def certify(
    given: Credentials, url: str, management: Management, played: Sequence[Played], pace: Pace
) -> list[Line]:
    """Play everything and judge it. Raises NobodyCame, BrokerAway or BrokerRefuses."""
    with as_ours("playing the sandbox"):
        connection = await aio_pika.connect(url)
        async with connection:
            stage = Stage(await connection.channel(), management, given, pace)
            await stage.clear()
            if not await until(stage.is_read, pace.connect):
                raise NobodyCame(f"no program reads {stage.queue} in the virtual host {management.vhost}")
            seen = Seen()
            for each in played:
                seen = await stage.play(each, seen)
            return sheet(played, await stage.end(seen), given.user)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Look again and again; say whether it became so in time."""
    end = asyncio.get_running_loop().time() + seconds
    while not await condition():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(LOOK)
    return True


@dataclass(frozen=True)
class Stage:
    """The sandbox's side of a run."""

    channel: AbstractChannel
    management: Management
    given: Credentials
    pace: Pace

    @property
    def queue(self) -> str:
        """The department's own queue."""
        return self.given.queues[0]

    async def clear(self) -> None:
        """What a run before this one left behind is not judged."""
        for name in (self.queue, FEEDBACK_QUEUE, DEAD_QUEUE):
            await (await self.channel.get_queue(name, ensure=False)).purge()

    async def play(self, played: Played, seen: Seen) -> Seen:
        """Send the messages of one step, and see what comes of it."""
        reconnected = seen.reconnected
        if played.step is Step.RECONNECT:
            await self.management.cut(self.given.user)
            await until(self._is_unread, LOOK * 10)  # a program may be back before anybody looks
            reconnected = await until(self.is_read, self.pace.step)
        for sample in played.samples:
            message = aio_pika.Message(sample.body, message_id=sample.id, delivery_mode=2)
            await self.channel.default_exchange.publish(message, self.queue)
        taken = await until(self.is_empty, self.pace.step)
        return Seen(
            taken={**seen.taken, played.step: taken},
            heard=[*seen.heard, *await self._listen(played.step)],
            reconnected=reconnected,
        )

    async def end(self, seen: Seen) -> Seen:
        """Look at what is left: dead letters, and what was taken and never acknowledged."""
        dead = [
            Dead(id=letter.message_id or "", reason=_reason(letter)) for letter in await self._everything(DEAD_QUEUE)
        ]
        await until(self._something_held, REFRESHED)
        clean = await until(self._nothing_held, HELD)
        held = 0 if clean else await self.management.unacknowledged(self.queue)
        return Seen(taken=seen.taken, heard=seen.heard, dead=dead, reconnected=seen.reconnected, unacknowledged=held)

    async def is_read(self) -> bool:
        """Whether a program reads the queue now."""
        return bool((await self._state()).consumer_count)

    async def _is_unread(self) -> bool:
        return not await self.is_read()

    async def is_empty(self) -> bool:
        """Whether everything was taken."""
        return not (await self._state()).message_count

    async def _something_held(self) -> bool:
        return not await self._nothing_held()

    async def _nothing_held(self) -> bool:
        return not await self.management.unacknowledged(self.queue)

    async def _state(self) -> Queue.DeclareOk:
        return (await self.channel.declare_queue(self.queue, passive=True)).declaration_result

    async def _listen(self, step: Step) -> list[Heard]:
        """Take what the program says, until it is silent."""
        heard: list[Heard] = []
        silent = 0.0
        while silent < STILL:
            letters = await self._everything(FEEDBACK_QUEUE)
            heard += [Heard(step=step, user=letter.user_id, body=letter.body) for letter in letters]
            silent = 0.0 if letters else silent + LOOK
            await asyncio.sleep(LOOK)
        return heard

    async def _everything(self, name: str) -> list[AbstractIncomingMessage]:
        queue, letters = await self.channel.get_queue(name, ensure=False), []
        while (letter := await queue.get(fail=False)) is not None:
            await letter.ack()
            letters.append(letter)
        return letters


def _reason(letter: AbstractIncomingMessage) -> str:
    """Read off why a message is dead, as the broker calls it."""
    deaths = letter.headers.get("x-death") or [{}]
    first = deaths[0] if isinstance(deaths, list) else {}
    return str(first.get("reason", "dead")) if isinstance(first, dict) else "dead"
