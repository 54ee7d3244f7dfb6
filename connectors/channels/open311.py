"""Open311 GeoReport v2 as a client (城市服务请求): requests in slices of time, JSON or XML.

The standard knows no pages: an answer holds the first 1,000 requests of at most 90 days. So time is cut into slices;
one that comes back full is halved and asked for again. A status changes long after its request was made: the last days
are enumerated every `sweep_every`, and servers that know `updated_after` are asked for what changed, besides.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from connectors.base import BadItem, Fetch, Item, Page, Request, Sweep
from connectors.channels.open311_rows import read_row, rows_of
from connectors.errors import FormatChanged
from connectors.reading.times import moment_of
from connectors.source import Source

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = timedelta(days=90)  #: of a slice, by the standard
SHORTEST = timedelta(seconds=1)
SLACK = timedelta(days=1)  #: beyond a slice that was asked for; more, and the server ignores it
ROUND = 100  #: servers that hand out fewer rows than the standard says cut at such numbers


class Open311Settings(Source, frozen=True, kw_only=True):
    """Settings of one endpoint."""

    url: str  #: what stands before /requests.json
    start: str  #: when its first request was made, or from when on they matter
    format: Literal["json", "xml"] = "json"
    jurisdiction_id: str | None = None
    key_env: str | None = None  #: the environment variable that holds the api_key; most servers let anybody read
    status: tuple[str, ...] = ()  #: only these; left out: all, so that a closed one is seen
    rows: Annotated[int, msgspec.Meta(ge=1)] = 1000  #: what one answer holds at most
    overlap: Annotated[float, msgspec.Meta(ge=0)] = 3600.0  #: seconds before the position that are read again
    updated_after: bool = False  #: the server knows updated_after and updated_before
    sweep_every: Annotated[float, msgspec.Meta(ge=0)] = 6 * 3600.0  #: seconds between two enumerations of sweep_days
    sweep_days: Annotated[float, msgspec.Meta(ge=0)] = 90.0

    def problems(self) -> list[str]:
        found = super().problems()
        if not self.url.startswith(("http://", "https://")):
            found.append("url must begin with http:// or https://")
        if not found and moment_of(self.start, self.zone) is None:
            found.append(f'start = "{self.start}" is not a time; write "2026-01-01"')
        return found


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Up to when everything was read."""

    since: datetime | None = None
    swept: datetime | None = None


class Axis(NamedTuple):
    """A way to ask for a slice of time, and the field that it goes by."""

    after: str
    before: str
    field: str


MADE = Axis("start_date", "end_date", "requested_datetime")
CHANGED = Axis("updated_after", "updated_before", "updated_datetime")


class Slice(NamedTuple):
    """A slice of time that was read whole."""

    since: datetime
    until: datetime
    at: datetime  #: when the server answered
    rows: list[Item | BadItem]


class Open311:
    """Reads one endpoint."""

    def __init__(self, settings: Open311Settings, fetch: Fetch, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._fetch = fetch
        self._key = environment.get(settings.key_env or "")

    async def pages(self, cursor: str | None) -> AsyncIterator[Page]:
        position = msgspec.json.decode(cursor, type=Position) if cursor else Position()
        begin = self._begin(position)
        if position.since is not None and self._settings.updated_after:
            async with aclosing(self._slices(CHANGED, begin)) as changed:
                async for each in changed:
                    yield _page(each, None)
        at, swept = begin, position.swept
        async with aclosing(self._slices(MADE, begin)) as made:
            async for each in made:
                at, until = each.at, min(each.until, each.at)
                position = Position(since=max(until, position.since or until), swept=swept)
                yield _page(each, _encoded(position))
        if cursor is None:
            swept = at  # this reading was an enumeration itself
        elif self._is_due(swept, at):
            async with aclosing(self._enumeration(at)) as proved:
                async for page in proved:
                    yield page
            swept = at
        yield Page(offered=(), items=(), cursor=_encoded(Position(since=position.since, swept=swept)))

    async def _enumeration(self, at: datetime) -> AsyncGenerator[Page]:
        """Read the last days again, whole places of the grid: what changed, and what is no longer there."""
        first = _grid(at - timedelta(days=self._settings.sweep_days))
        seen: set[str] = set()
        scopes: dict[str, None] = {}
        # A server that takes our times for local ones hands out a place's edges with its neighbours: what was seen
        # anywhere is not absent, and it is looked for from a little before.
        async with aclosing(self._slices(MADE, first - SLACK)) as made:
            async for each in made:
                seen |= {row.native_id for row in each.rows}
                scopes |= {_scope(each.since): None} if each.since >= first else {}
                yield _page(each, None)
        for scope in scopes:
            yield Page(offered=(), items=(), cursor=None, sweep=Sweep(scope=scope, native_ids=frozenset(seen)))

    def position_at(self, moment: datetime) -> str:
        return _encoded(Position(since=moment))

    def reread(self, native_id: str, payload: bytes, context: Mapping[str, str]) -> Item | BadItem:
        del context
        read = self._read(msgspec.json.decode(payload))
        return msgspec.structs.replace(read, native_id=native_id)

    def _begin(self, position: Position) -> datetime:
        if position.since is not None:
            return position.since - timedelta(seconds=self._settings.overlap)
        start = moment_of(self._settings.start, self._settings.zone)
        assert start is not None, "the settings were checked"
        return start

    def _is_due(self, swept: datetime | None, at: datetime) -> bool:
        if not self._settings.sweep_days:
            return False
        return swept is None or at - swept >= timedelta(seconds=self._settings.sweep_every)

    async def _slices(self, axis: Axis, since: datetime) -> AsyncGenerator[Slice]:
        """Read slice after slice up to now; a full one is halved, and its halves show how wide the next may be."""
        width = LONGEST
        while True:
            until = min(since + width, _grid(since) + LONGEST)
            rows, at = await self._ask(axis, since, until)
            if self._is_full(len(rows)) and until - since > SHORTEST:
                width = max(SHORTEST, (min(until, at) - since) / 2)
                continue
            if len(rows) >= self._settings.rows:
                raise FormatChanged(
                    f"source {self._settings.name}: {len(rows)} requests in one second ({since:%Y-%m-%dT%H:%M:%SZ}), "
                    "and the standard has no second page; if the server hands out more at once, raise `rows`"
                )
            yield Slice(since, until, at, rows)
            if until >= at:
                return
            since, width = until, min(width * 2, LONGEST)

    def _is_full(self, count: int) -> bool:
        return count >= self._settings.rows or (count > 0 and count % ROUND == 0)

    async def _ask(self, axis: Axis, since: datetime, until: datetime) -> tuple[list[Item | BadItem], datetime]:
        settings = self._settings
        query = {axis.after: f"{since:%Y-%m-%dT%H:%M:%SZ}", axis.before: f"{until + SHORTEST:%Y-%m-%dT%H:%M:%SZ}"}
        query |= {"jurisdiction_id": settings.jurisdiction_id} if settings.jurisdiction_id else {}
        query |= {"status": ",".join(settings.status)} if settings.status else {}
        query |= {"api_key": self._key} if self._key else {}
        response = await self._fetch(Request(url=f"{settings.url}/requests.{settings.format}", query=query))
        where = f"source {settings.name}: {settings.url}/requests.{settings.format}"
        rows = rows_of(response, where)
        moments = [moment_of(row.get(axis.field), settings.zone) for row in rows if isinstance(row, dict)]
        self._must_heed(axis, [moment for moment in moments if moment is not None], since, until)
        return [self._read(row) for row in rows], response.fetched_at

    def _read(self, row: Any) -> Item | BadItem:  # noqa: ANN401  whatever the server sent
        read = read_row(row, self._settings)
        made = moment_of(row.get(MADE.field), self._settings.zone) if isinstance(row, dict) else None
        if made is None or self._settings.status:  # where only some states are asked for, absence proves nothing
            return read
        return msgspec.structs.replace(read, scope=_scope(made))

    def _must_heed(self, axis: Axis, told: list[datetime], since: datetime, until: datetime) -> None:
        """A server that ignores the dates answers its newest rows again and again."""
        if told and (max(told) < since - SLACK or min(told) > until + SLACK):
            raise FormatChanged(
                f"source {self._settings.name} ignores {axis.after} and {axis.before}; "
                + ("set updated_after = false" if axis is CHANGED else "tell its operator, or read it as http_json")
            )


def _grid(moment: datetime) -> datetime:
    """Slices lie on a grid, so that each is a place of its own in which absence can be proved."""
    return moment - (moment - EPOCH) % LONGEST


def _scope(moment: datetime) -> str:
    return f"{_grid(moment):%Y-%m-%d}"


def _page(read: Slice, cursor: str | None) -> Page:
    return Page(
        offered=tuple(row.native_id for row in read.rows),
        items=tuple(row for row in read.rows if isinstance(row, Item)),
        bad=tuple(row for row in read.rows if isinstance(row, BadItem)),
        cursor=cursor,
    )


def _encoded(position: Position) -> str:
    return msgspec.json.encode(position).decode()
