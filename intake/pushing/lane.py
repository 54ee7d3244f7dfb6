"""One department's lane (一个单位的推送): what lies in its queues is posted, case by case in order, until it must rest.

A message stays in the queue until the department's address has said 2xx. Of each case one message is under way at a
time; cases go side by side. So few are taken from the queue at once that, given back, they lie there in the order they
had. While the department rests nothing is held: the broker counts how often a message is given back, and gives it up
after twenty times.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple
from weakref import WeakValueDictionary

import aio_pika
import msgspec
from aio_pika.abc import AbstractIncomingMessage
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from intake.pushing.judging import Next, Verdict
from intake.pushing.posting import Event
from intake.street.ending import end
from router.dispatching.publisher import as_ours
from router.errors import BrokerAway

AT_ONCE = 16  #: messages of one queue; the broker keeps the order of so few when they are given back
CONNECT_WITHIN = 5.0  #: seconds
GRACE = 1.5  #: seconds that messages under way get when a lane closes
REMEMBERED = 4_096  #: messages known to be there already: the urgent lane has a second copy of each


class Pace(NamedTuple):
    """How long to wait, in seconds, and how often to try."""

    first: float = 1.0  #: before the second try of a message; doubled each time
    longest: float = 30.0
    refusals: int = 3  #: tries of a message that the department refuses, before it is parked
    failures: int = 5  #: failures in a row after which the department rests
    stubborn: int = 12  #: failures of one message, while others are taken, before it is parked
    hold: float = 60.0  #: a shorter rest is waited out with the messages in hand
    rest: float = 5.0  #: the first rest; doubled each time until a message is taken
    longest_rest: float = 1_800.0
    ping: float = 60.0  #: the longest time between two pings


class Refused(NamedTuple):
    """A message that the department will not take, as the keeper of dead letters reads one (`why`)."""

    message_id: str | None
    routing_key: str | None
    body: bytes
    headers: dict[str, object]


class MustRest(Exception):
    """The department is to be left alone."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


class _NotTaken(Exception):
    """The message is tried again."""


class _Named(msgspec.Struct):
    id: str
    type: str
    subject: str


Post = Callable[[Event], Awaitable[Verdict]]
Park = Callable[[Refused], Awaitable[object]]


class Lane:
    """What is remembered of a department from one session to the next."""

    def __init__(self, queues: Sequence[str], post: Post, park: Park, pace: Pace) -> None:
        self._queues = queues
        self._post = post
        self._park = park
        self._pace = pace
        self.counts: Counter[str] = Counter()  #: taken, failed, parked since they were last written down
        self._cases: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: By message and queue, how many of its copies there bring nothing new: their twins of the other queue were
        #: taken. What is sent again (补发) lies in both once more, and comes there once more.
        self._twins: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._in_a_row = 0
        self._failures: dict[str, tuple[int, int]] = {}  #: of a message: how many, and how many others were taken then
        self._taken = 0
        self._posting: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._calm = asyncio.Event()
        self._calm.set()

    @property
    def taken(self) -> int:
        """How many messages the department took."""
        return self._taken

    def take_counts(self) -> Counter[str]:
        """Give what was counted since the last time."""
        counts, self.counts = self.counts, Counter()
        return counts

    def forget_failures(self) -> None:
        """Hold none of them against a message: it was the address that was away."""
        self._failures.clear()

    async def session(self, url: str) -> None:
        """Push until the department must rest (MustRest). Raises BrokerAway, BrokerRefuses."""
        self._in_a_row = 0
        self._calm.set()
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tasks: set[asyncio.Task[None]] = set()

        async def take(queue: str, letter: AbstractIncomingMessage) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._bring(letter, queue, ended)
            finally:
                tasks.discard(task)

        with as_ours("pushing to a department"):
            connection = await aio_pika.connect(url, timeout=CONNECT_WITHIN)
            async with connection:
                channel = await connection.channel(publisher_confirms=False)

                def lost(*_: object) -> None:
                    if not ended.done():
                        ended.set_exception(BrokerAway("the channel closed, or the queue is gone"))

                channel.close_callbacks.add(lost)
                # Who deletes the queue ends our reading and leaves the channel open.
                (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lost)
                await channel.set_qos(prefetch_count=AT_ONCE)
                try:
                    for name in self._queues:
                        await (await channel.get_queue(name, ensure=False)).consume(partial(take, name))
                    await ended
                finally:
                    ended.cancel()
                    await self._finish(tasks)

    async def _finish(self, tasks: set[asyncio.Task[None]]) -> None:
        """Let what is being posted be answered and acknowledged, so that it need not be sent again; the rest stops."""
        if under_way := set(self._posting):
            await asyncio.wait(under_way, timeout=GRACE)
        await end(tasks)

    async def _bring(self, letter: AbstractIncomingMessage, queue: str, ended: asyncio.Future[None]) -> None:
        """Bring one message there, after those of its case that were taken from the queue before it."""
        event = event_of(letter.body)
        # Nothing is awaited before the lock is asked for: so messages stand in line as they came.
        lock = self._cases.setdefault("" if event is None else event.subject, asyncio.Lock())
        async with lock:
            # Once a session is over nothing more is posted: what comes before it in its case was not taken.
            if ended.done():
                return
            try:
                await self._settle(letter, event, queue, ended)
            except Exception as error:  # noqa: BLE001 - whatever it is ends the session, which says so
                if not ended.done():
                    ended.set_exception(error)

    async def _settle(
        self, letter: AbstractIncomingMessage, event: Event | None, queue: str, ended: asyncio.Future[None]
    ) -> None:
        if event is None:
            await letter.reject(requeue=False)  # none of ours: it goes the way of dead letters
        elif self._is_twin(event, queue):
            await letter.ack()
        elif await self._is_settled(event, letter, ended):
            self._remember(event, queue)
            await letter.ack()

    async def _is_settled(self, event: Event, letter: AbstractIncomingMessage, ended: asyncio.Future[None]) -> bool:
        """Post it until it is taken, or parked; False where the session is over before that."""
        pace, refusals = self._pace, 0
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(_NotTaken),
            wait=wait_exponential_jitter(multiplier=pace.first, max=pace.longest, jitter=pace.first),
        ):
            with attempt:
                await self._calm.wait()
                if ended.done():
                    return False
                verdict = await self._posted(event)
                if verdict.next is Next.DONE:
                    self._well(event)
                    return True
                if ended.done():
                    return False
                refusals += verdict.next is Next.REFUSED
                tries = await self._hopeless_after(event, verdict, refusals)
                if not tries:
                    raise _NotTaken
                await self._give_up(letter, event, verdict, tries)
                return True
        raise AssertionError  # it tries for ever

    async def _hopeless_after(self, event: Event, verdict: Verdict, refusals: int) -> int:
        """Say after how many tries it is given up; 0: it is tried again. Raises MustRest where all must wait."""
        match verdict.next:
            case Next.REFUSED:
                return refusals if refusals >= self._pace.refusals else 0
            case Next.FAILED:
                failures = self._failed(event, verdict)
                return failures if failures >= self._pace.stubborn else 0
            case Next.REST:
                await self._leave_alone(verdict)
                return 0
            case _:
                raise MustRest(verdict.reason, verdict.seconds)

    async def _posted(self, event: Event) -> Verdict:
        task = asyncio.current_task()
        assert task is not None
        self._posting.add(task)
        try:
            return await self._post(event)
        finally:
            self._posting.discard(task)

    def _well(self, event: Event) -> None:
        self._in_a_row = 0
        self._taken += 1
        self.counts["taken"] += 1
        self._failures.pop(event.id, None)

    def _remember(self, event: Event, queue: str) -> None:
        """Know its second copy, which the urgent lane has of a critical one."""
        for other in self._queues:
            if other != queue:
                self._twins[event.id, other] = self._twins.pop((event.id, other), 0) + 1
        while len(self._twins) > REMEMBERED:
            self._twins.popitem(last=False)

    def _is_twin(self, event: Event, queue: str) -> bool:
        left = self._twins.pop((event.id, queue), 0)
        if left > 1:
            self._twins[event.id, queue] = left - 1
        return left > 0

    def _failed(self, event: Event, verdict: Verdict) -> int:
        """Count it; gives how often this message failed while others were taken, and rests after too many in a row."""
        self.counts["failed"] += 1
        self._in_a_row += 1
        count, taken_then = self._failures.get(event.id, (0, self._taken))
        self._failures[event.id] = (count + 1, taken_then)
        stubborn = count + 1 if self._taken > taken_then else 0
        if self._in_a_row >= self._pace.failures and stubborn < self._pace.stubborn:
            raise MustRest(verdict.reason)
        return stubborn

    async def _leave_alone(self, verdict: Verdict) -> None:
        """Wait as long as it said; the others of this lane wait too."""
        if verdict.seconds > self._pace.hold:
            raise MustRest(verdict.reason, verdict.seconds)
        self._calm.clear()
        self._waiting += 1
        try:
            await asyncio.sleep(verdict.seconds)
        finally:
            self._waiting -= 1
            if not self._waiting:  # whoever asked for the longest
                self._calm.set()

    async def _give_up(self, letter: AbstractIncomingMessage, event: Event, verdict: Verdict, tries: int) -> None:
        """Park it where people see it, with what the address answered; what follows it in its case goes on."""
        queue = self._queues[0]
        death = {"queue": queue, "reason": f"its address answered {verdict.reason}", "count": tries}
        await self._park(Refused(event.id, letter.routing_key, letter.body, {"x-death": [death]}))
        self.counts["parked"] += 1
        self._in_a_row = 0
        self._failures.pop(event.id, None)


def event_of(body: bytes) -> Event | None:
    """Read the id, type and case of a message; None where it is none of ours."""
    try:
        named = msgspec.json.decode(body, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return Event(named.id, named.type, named.subject, body)
