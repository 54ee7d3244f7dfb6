"""START HERE. Push to departments (推送): of each that the settings name, by one worker, until the street closes.

A department's own queue is read for it and each message posted, signed, to its address; 2xx takes it off. What the
address can't take rests with its department alone: a department that is away, slow or wrong holds up no other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from intake.house import House
from intake.pushing.judging import Next, Verdict
from intake.pushing.lane import Lane, MustRest, Pace, Refused
from intake.pushing.posting import Poster, open_poster, ping
from intake.pushing.settings import Push
from intake.pushing.signing import keys_of
from intake.pushing.standing import LEASE, StandingStore
from intake.street.ending import end
from intake.street.patience import fault, is_away
from intake.street.rooms import Rooms
from router.dispatching.dead_letters import Readback, take_back
from router.dispatching.directory import Unit
from router.dispatching.topology import queue_of, receives, urgent_queue_of

log = structlog.get_logger()

RENEW_EVERY = 8.0  #: seconds; a lease that could not be renewed is long not over when the lane is closed
RENEW_WITHIN = 10.0
PACE = Pace()
LOOK_EVERY = 5.0  #: seconds between two looks whether a department is free


@dataclass(frozen=True, kw_only=True)
class Pushing:
    """What pushing needs of the street."""

    pushes: Sequence[Push]
    environment: Mapping[str, str]
    units: Mapping[str, Unit]
    standing: StandingStore
    readback: Readback
    broker_url: str
    owner: str
    now: Callable[[], datetime]
    pace: Pace = PACE
    look_every: float = LOOK_EVERY

    async def run(self) -> None:
        """Push until cancelled."""
        known = [push for push in self.pushes if (unit := self.units.get(push.department)) and receives(unit)]
        for push in self.pushes:
            if push not in known:
                log.error("no such department", action="push_unknown", department=push.department)
        async with asyncio.TaskGroup() as group:
            for push in known:
                group.create_task(self._department(push), name=f"push {push.department}")
            await asyncio.Event().wait()  # without any department there is nothing to end

    async def _department(self, push: Push) -> None:
        """Become who pushes to it whenever nobody is; what goes wrong here is this department's alone."""
        while True:
            try:
                if await self.standing.claim(push.department, self.owner):
                    await self._as_holder(push)
            except Exception as error:  # noqa: BLE001 - it begins again
                tell = log.warning if is_away(error) else log.error
                tell("pushing broke off", action="push_broken", department=push.department, error=fault(error))
            await asyncio.sleep(self.look_every * random.uniform(0.8, 1.2))  # noqa: S311 - no secret

    async def _as_holder(self, push: Push) -> None:
        """Push as long as the lease is ours."""
        working = asyncio.create_task(self._push(push), name=f"pushing {push.department}")
        try:
            while True:
                await asyncio.wait({working}, timeout=RENEW_EVERY)
                if working.done():
                    working.result()
                    return
                async with asyncio.timeout(RENEW_WITHIN):
                    if not await self.standing.renew(push.department, self.owner):
                        return
        finally:
            await end([working])
            with suppress(PyMongoError, TimeoutError):  # the lease ends by itself
                await asyncio.wait_for(self.standing.let_go(push.department, self.owner), LEASE)

    async def _push(self, push: Push) -> None:
        unit = self.units[push.department]
        queues = [queue_of(unit.code)] + ([urgent_queue_of(unit.code)] if unit.urgent_lane else [])
        async with open_poster(push, keys_of(self.environment.get(push.key_env, "")), self.now) as poster:
            lane = Lane(queues, poster.post, self._park, self.pace)
            async with self._counted(unit.code, lane):
                await self._sessions(unit.code, lane, poster)

    async def _sessions(self, code: str, lane: Lane, poster: Poster) -> None:
        """Push, rest, ask whether it is there again, and push on."""
        rest = self.pace.rest
        while True:
            await self.standing.note(code, lane.take_counts(), state="pushing", reason=None, rests_until=None)
            before = lane.taken
            try:
                await lane.session(self.broker_url)
            except MustRest as must:
                rest = self.pace.rest if lane.taken > before else min(rest * 2, self.pace.longest_rest)
                log.warning("a department's address rests", action="push_rests", department=code, reason=must.reason)
                await self._rest(code, lane, max(rest * random.uniform(0.5, 1.0), must.seconds), must.reason)  # noqa: S311
            await self._until_there(code, lane, poster)

    async def _until_there(self, code: str, lane: Lane, poster: Poster) -> None:
        """Ping until its address answers: messages that are taken up and given back would be given up some day."""
        wait = self.pace.rest
        while (verdict := await poster.post(ping(code, self.now()))).next not in {Next.DONE, Next.REFUSED}:
            lane.forget_failures()
            await self._rest(code, lane, max(wait * random.uniform(0.5, 1.0), verdict.seconds), verdict.reason)  # noqa: S311
            wait = min(wait * 2, self.pace.ping)
        log.info("a department's address is back", action="push_back", department=code)

    async def _rest(self, code: str, lane: Lane, seconds: float, reason: str) -> None:
        until = self.now() + timedelta(seconds=seconds)
        await self.standing.note(code, lane.take_counts(), state="resting", reason=reason, rests_until=until)
        await asyncio.sleep(seconds)

    @asynccontextmanager
    async def _counted(self, code: str, lane: Lane) -> AsyncIterator[None]:
        """Write down now and then what was counted, and what is left at the end."""
        counting = asyncio.create_task(self._count(code, lane))
        try:
            yield
        finally:
            await end([counting])
            with suppress(PyMongoError, TimeoutError):  # they are counts: what was taken is off the queue
                await asyncio.wait_for(self._note(code, lane), RENEW_WITHIN)

    async def _count(self, code: str, lane: Lane) -> None:
        while True:
            await asyncio.sleep(1.0)
            await self._note(code, lane)

    async def _note(self, code: str, lane: Lane) -> None:
        counts = lane.take_counts()
        if counts:
            at = {"taken_at": self.now()} if counts["taken"] else {}
            await self.standing.note(code, counts, **at)

    async def _park(self, refused: Refused) -> None:
        await take_back(refused, self.readback)


def pushing(house: House, rooms: Rooms, owner: str) -> Pushing:
    """Wire it."""
    return Pushing(
        pushes=house.settings.pushes,
        environment=house.settings.environment,
        units=rooms.tables.router.directory.units,
        standing=StandingStore(house.db),
        readback=Readback(store=rooms.cases, seal=rooms.sealer, now=rooms.clock.now),
        broker_url=house.broker_url,
        owner=owner,
        now=rooms.clock.now,
    )


async def ping_once(push: Push, environment: Mapping[str, str], now: Callable[[], datetime]) -> Verdict:
    """Ask an address once, as `intake departments ping` does."""
    async with open_poster(push, keys_of(environment.get(push.key_env, "")), now) as poster:
        return await poster.post(ping(push.department, now()))
