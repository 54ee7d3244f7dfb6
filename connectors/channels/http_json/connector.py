"""A declared interface (声明式接口): what plan.py says, page by page.

Four ways of reading, by what a source can do:
- whole: everything each time; `complete` says that what is absent was taken back.
- newest_first: until wholly behind where the last reading began, less the overlap; the position moves at the end.
- oldest_first: {since} or {after} is where the last reading ended, less the overlap; the position moves with the pages.
- windows: slices of time up to now, each read to its end; the position moves with the slices.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from connectors.base import BadItem, Fetch, Item, Page, Sweep
from connectors.channels.http_json.answers import Answer
from connectors.channels.http_json.joining import Joiner, Rows
from connectors.channels.http_json.paths import look
from connectors.channels.http_json.position import Going, Position, encoded
from connectors.channels.http_json.requests import time_written
from connectors.channels.http_json.rows import read_row
from connectors.channels.http_json.sessions import Session
from connectors.channels.http_json.settings import HttpJsonSettings
from connectors.channels.http_json.signing import signed
from connectors.channels.http_json.walking import ANCHORED, Step, Walker
from connectors.errors import FormatChanged
from connectors.reading.times import moment_of

SLACK = timedelta(days=1)  #: beyond a window that was asked for; more, and the source ignores it


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Seen(msgspec.Struct, frozen=True):
    """One page of a list: rows not handed on yet, where the list goes on, and what it proved."""

    rows: Rows
    step: Step
    newest: datetime | None
    sweep: Sweep | None


class HttpJson:
    """Reads one interface."""

    def __init__(
        self,
        settings: HttpJsonSettings,
        fetch: Fetch,
        environment: Mapping[str, str],
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._settings = settings
        self._plan = settings.plan()
        self._now = now
        secrets = {"key": settings.key_env, "user": settings.user_env, "password": settings.password_env}
        held = {
            name: environment[variable] for name, variable in secrets.items() if variable and variable in environment
        }
        self._values: dict[str, Any] = {**self._plan.values, **held}
        if self._plan.sign is not None:
            fetch = signed(fetch, self._plan.sign, self._values, now)
        session = Session(settings, self._plan, fetch, self._values)
        self._walker = Walker(settings, self._plan, session)
        self._joiner = Joiner(settings, self._plan, session, self._walker, self._values)
        self._names = [*settings.each] or [""]

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        position = msgspec.json.decode(cursor, type=Position) if cursor else Position()
        ways = {"windows": self._windows, "oldest_first": self._oldest_first}
        reading = ways.get(self._plan.reading, self._lists)(position)
        self._joiner.begin()
        async with aclosing(reading):
            async for page in reading:
                yield page
                self._joiner.stored()

    @property
    def lists(self) -> int:
        return len(self._names)

    def position_at(self, moment: datetime) -> str:
        """Where a time says nothing (a whole reading, a keyset without one) that is the beginning."""
        dated = self._plan.reading != "whole" and not self._plan.keyed
        return encoded(Position(since=moment + self._overlap(), swept=moment) if dated else Position())

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        """Read a parked row again by the fields as they are now, under the id that it was parked with."""
        del context
        held = msgspec.json.decode(payload)
        of = held.get("_of", {})
        read = read_row(held.get("_row"), of, self._plan, self._settings, scope=self._scope(of.get("@each", "")))
        if read is None:
            return BadItem(native_id=native_id, payload=payload, reason="the settings skip this row by now")
        return msgspec.structs.replace(read, native_id=native_id)

    # ------------------------------------------------------------ whole, newest_first

    async def _lists(self, position: Position) -> AsyncGenerator[Page]:
        """Read every list from its head; the newest time that was seen becomes the position at the end."""
        going = position.going if position.going and position.going.of in self._names else None
        state = going or Going(of=self._names[0], full=self._is_full(position))
        under: dict[str, str] = {}
        for at in range(self._names.index(state.of), len(self._names)):
            listing = self._list(self._names[at], state, position)
            async with aclosing(listing):
                async for seen in listing:
                    state = self._went_on(state, seen, at)
                    if len(self._names) > 1:
                        seen.rows.keep_first(under, self._names[at])
                    yield seen.rows.page(self._resumable(position, state), seen.sweep)
        yield Page(offered=(), items=(), cursor=encoded(self._ended(position, state)))

    async def _list(self, name: str, state: Going, position: Position) -> AsyncGenerator[Seen]:
        """Read one list until it ends, or is wholly behind the floor."""
        floor = None if state.full or position.since is None else position.since - self._overlap()
        ids: set[str] = set()
        moments: list[datetime] = []
        whole = True
        values = {**self._values, "each": name, "since": self._written(floor)}
        token = state.token if name == state.of else None

        def behind(answer: Answer) -> bool:
            told = self._joiner.moments(answer.rows, name)
            moments.extend(moment for moment in told if moment is not None)
            return floor is not None and self._is_behind(told, moments, floor)

        walking = self._walker.walk(
            self._plan.list, values, named=self._joiner.named(name), token=token, ends=behind,
            may_slip=lambda: self._plan.reading != "whole" and self._outruns(position.since, moments),
        )  # fmt: skip
        async with aclosing(walking):
            async for step in walking:
                rows = Rows()
                async for part in self._joiner.parts(
                    step.answer.rows, name, rows, floor=floor, again=not state.full, scope=self._scope(name)
                ):
                    before = msgspec.structs.replace(step, token=token, last=False)
                    yield Seen(_rows_of(part), before, None, None)
                whole, ids = whole and rows.whole, ids | rows.ids
                proved = state.full and whole and step.complete and bool(self._scope(name))
                sweep = Sweep(scope=name or "all", native_ids=frozenset(ids)) if proved else None
                yield Seen(rows, step, max(moments, default=None), sweep)
                token = step.token

    def _went_on(self, state: Going, seen: Seen, at: int) -> Going:
        newest = max([moment for moment in (seen.newest, state.newest) if moment], default=None)
        state = msgspec.structs.replace(
            state, of=self._names[at], token=seen.step.token, newest=newest,
            began=state.began or seen.step.answer.fetched_at,
        )  # fmt: skip
        if seen.step.last and at + 1 < len(self._names):
            state = msgspec.structs.replace(state, of=self._names[at + 1], token=None)
        return state

    def _ended(self, position: Position, state: Going) -> Position:
        """A time in the future (a slip of a keyboard, a clock) must not carry the position away."""
        if self._plan.reading == "whole":
            return Position()
        since = min(state.newest, state.began) if state.newest and state.began else position.since
        return Position(since=since, swept=state.began if state.full else position.swept)

    def _is_behind(self, told: Sequence[datetime | None], moments: Sequence[datetime], floor: datetime) -> bool:
        """This page is wholly behind the floor, and the list does show its newest first."""
        if not told or any(moment is None or moment >= floor for moment in told):
            return False
        if len(moments) <= self._plan.list.paging.sticky:
            return False
        back = sum(earlier > later for earlier, later in pairwise(moments))
        forth = sum(earlier < later for earlier, later in pairwise(moments))
        return back >= forth

    def _outruns(self, since: datetime | None, moments: Sequence[datetime]) -> bool:
        """What this reading met for the first time reaches back beyond where the next one will begin."""
        return since is None or any(since + self._overlap() < moment <= self._now() for moment in moments)

    def _is_full(self, position: Position) -> bool:
        if self._plan.reading == "whole" or position.since is None:
            return True
        every = self._plan.sweep_every
        return every is not None and (
            position.swept is None or self._now() - position.swept >= timedelta(seconds=every)
        )

    def _resumable(self, position: Position, state: Going) -> str | None:
        """An interrupted reading goes on where it was, if its place in the list still means the same by then."""
        resume = self._plan.list.paging.resume
        if not (self._plan.list.paging.kind in {"cursor", "keyset"} if resume is None else resume):
            return None
        return encoded(msgspec.structs.replace(position, going=state))

    # ------------------------------------------------------------ oldest_first

    async def _oldest_first(self, position: Position) -> AsyncGenerator[Page]:
        """Read what came after the position; with one list that is in order, it moves with every page."""
        begun = position.since
        since = begun - self._overlap() if begun else None
        state = Going(of="", newest=begun)
        anchored = self._plan.list.paging.kind in ANCHORED
        for name in self._names:
            values = {**self._values, "each": name, "since": self._written(since)}
            walking = self._walker.walk(
                self._plan.list, values, named=self._joiner.named(name),
                token=position.key if self._plan.keyed else None,
                may_slip=lambda: self._outruns(begun, moments),  # noqa: B023  of this list
            )  # fmt: skip
            moments: list[datetime] = []
            async with aclosing(walking):
                async for step in walking:
                    rows = Rows()
                    async for part in self._joiner.parts(step.answer.rows, name, rows, again=True, scope=""):
                        yield part
                    told = [moment for moment in self._joiner.moments(step.answer.rows, name) if moment is not None]
                    self._must_heed(told, since, None)
                    moments += told
                    seen = Seen(rows, step, max(told, default=None), None)
                    state = self._went_on(state, seen, len(self._names) - 1)
                    position = self._moved(position, state, step)
                    ordered = all(earlier <= later for earlier, later in pairwise(moments))
                    moves = len(self._names) == 1 and (step.last or (ordered and anchored))
                    yield rows.page(encoded(position) if moves else None)
        yield Page(offered=(), items=(), cursor=encoded(position))

    def _moved(self, position: Position, state: Going, step: Step) -> Position:
        if self._plan.keyed:
            paging = self._plan.list.paging
            roots = step.answer.roots
            return Position(key=[look(roots[-1], path) for path in paging.key]) if roots else position
        if state.newest is None or state.began is None:
            return position
        return Position(since=min(state.newest, state.began))

    # ------------------------------------------------------------ windows

    async def _windows(self, position: Position) -> AsyncGenerator[Page]:
        """Read slice after slice up to now."""
        window = self._plan.window
        assert window is not None, "reading by windows has its table"
        now = self._now()
        start = moment_of(window.start, self._settings.zone) or now
        since = max(start, position.since - self._overlap()) if position.since else start
        while since < now:
            until = min(since + timedelta(seconds=window.seconds), now)
            for name in self._names:
                slicing = self._slice(name, since, until)
                async with aclosing(slicing):
                    async for page in slicing:
                        yield page
            since = until
            yield Page(offered=(), items=(), cursor=encoded(Position(since=until)))

    async def _slice(self, name: str, since: datetime, until: datetime) -> AsyncGenerator[Page]:
        values = {**self._values, "each": name, "since": self._written(since), "until": self._written(until)}
        walking = self._walker.walk(self._plan.list, values, named=self._joiner.named(name), may_slip=lambda: True)
        async with aclosing(walking):
            async for step in walking:
                told = [moment for moment in self._joiner.moments(step.answer.rows, name) if moment is not None]
                self._must_heed(told, since, until)
                rows = Rows()
                async for part in self._joiner.parts(step.answer.rows, name, rows, again=True, scope=""):
                    yield part
                yield rows.page()

    def _must_heed(self, told: Sequence[datetime], since: datetime | None, until: datetime | None) -> None:
        """A filter that is silently ignored would read the whole source again and again."""
        early = since is not None and all(moment < since - SLACK for moment in told)
        late = until is not None and all(moment > until + SLACK for moment in told)
        if told and (early or late):
            raise FormatChanged(
                f"source {self._settings.name} ignores the time that it was asked for; check where the request names "
                "{since} and {until}, how `times` writes them, and `order_by`"
            )

    # ------------------------------------------------------------

    def _scope(self, name: str) -> str:
        proves = self._plan.complete or self._plan.sweep_every is not None
        return (name or "all") if proves else ""

    def _overlap(self) -> timedelta:
        return timedelta(seconds=self._plan.overlap)

    def _written(self, moment: datetime | None) -> str | int | None:
        return time_written(moment, self._plan.times, self._settings.zone)


def _rows_of(page: Page) -> Rows:
    return Rows(items=list(page.items), bad=list(page.bad))
