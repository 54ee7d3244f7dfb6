"""Watches one source while it is read: listens to its answers, judges each reading, keeps the pages of a bad one.

It costs a page nothing but a reference; a reading is judged once, by a few of its answers, and not at all when it
brought the same bytes as the one before. What was learned is written at most once a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog

from connectors.base import Fetch, Page, Request, Response
from connectors.errors import ConnectorError
from connectors.keeping.sources import SourceClaim
from connectors.keeping.watches import WatchStore
from connectors.source import Source
from connectors.watching.causes import Cause, Drift
from connectors.watching.learned import Learned
from connectors.watching.reading import Reading
from connectors.watching.rhythm import DayKindOf
from connectors.watching.sentinel import Verdict, judge_failure, judge_quiet, judge_reading

log = structlog.get_logger()


class Pushed(NamedTuple):
    """What was pushed to us since the last look."""

    pages: Sequence[Page]
    fresh: int
    last: str
    refused: Mapping[str, int] = {}  #: by what their callers were told


class Offers(Protocol):
    """Where pushed pages are found again."""

    async def since(self, source: str, last: str) -> Pushed:
        """Give those offered since then; a few of their items, opened."""
        ...


SAVE_EVERY = timedelta(minutes=1)
PART = 16  #: answers of a long reading that are judged at once, if its position moved


class Watch:
    """One source, in the hands of one worker."""

    def __init__(self, source: Source, store: WatchStore, *, now: Callable[[], datetime], day_kind: DayKindOf) -> None:
        self._source = source
        self._store = store
        self._now = now
        self._day_kind = day_kind
        self._learned = Learned()
        self._edition = 0
        self._fence: int | None = None
        self._saved: datetime | None = None
        self._said: tuple[Drift, ...] | None = None  #: what the flag says, as far as we know
        self._suspects = False
        self._reading = Reading(source.zone)
        self._cursor: str | None = None
        self._fresh = 0
        self._catches_up = False  #: a source's past, read for the first time, says nothing of its hours

    def over(self, fetch: Fetch) -> Fetch:
        """The same way to the network, overheard."""

        async def heard(request: Request) -> Response:
            response = await fetch(request)
            self._reading.heard(request, response)
            return response

        return heard

    async def begins(self, claim: SourceClaim) -> None:
        """A reading begins at this claim's position."""
        if claim.fence != self._fence:
            # Somebody else may have read it since, and an operator may have looked at its flag.
            self._fence = claim.fence
            self._learned, self._edition = await self._store.load(self._source.name)
            self._said = await self._store.flagged(self._source.name)
            self._suspects = bool(self._learned.suspicions)
        self._catches_up = claim.read_to_end_at is None
        self._starts(claim.cursor)

    async def took(self, page: Page, fresh: int) -> None:
        """A page was taken in; so many of its rows were new or changed."""
        self._reading.read(page)
        self._fresh += fresh
        if page.cursor is not None and len(self._reading.exchanges) >= PART:
            await self._judge()
            self._starts(page.cursor)

    async def ended(self) -> None:
        """Nothing new was left."""
        await self._judge()
        self._starts(None)

    async def looks(self, claim: SourceClaim, offers: Offers) -> None:
        """Look at what was pushed to us since the last look, whoever took it in."""
        await self.begins(claim)
        pushed = await offers.since(self._source.name, self._learned.looked)
        self._learned.looked = pushed.last
        for page in pushed.pages:
            self._reading.read(page)
        self._reading.refused.update(pushed.refused)
        self._fresh = pushed.fresh
        if pushed.pages or pushed.refused:
            await self._judge()
            return
        now = self._now()
        await self._says(judge_quiet(self._learned, now, self._day_kind))
        await self._save(now)

    async def broke(self, error: ConnectorError) -> None:
        """The reading broke off."""
        drifts = judge_failure(self._learned, self._reading, error, now=self._now())
        if drifts:
            await self._says(Verdict(drifts, suspected=True))
            await self._save(self._now())
        self._starts(None)

    def _starts(self, cursor: str | None) -> None:
        self._reading, self._cursor, self._fresh = Reading(self._source.zone), cursor, 0

    async def _judge(self) -> None:
        if not self._reading.exchanges and not self._reading.pages and not self._reading.refused:
            return  # a file that was read to its end before
        now = self._now()
        fresh = 0 if self._catches_up else self._fresh
        verdict = judge_reading(self._learned, self._reading, fresh=fresh, now=now, day_kind=self._day_kind)
        await self._says(verdict)
        due = self._saved is None or now - self._saved >= SAVE_EVERY
        if verdict.suspected or (due and (verdict.learned or self._fresh)):
            await self._save(now)

    async def _says(self, verdict: Verdict) -> None:
        name, now = self._source.name, self._now()
        is_silence = bool(verdict.drifts) and all(drift.cause is Cause.SILENT for drift in verdict.drifts)
        if verdict.suspected and self._reading.exchanges and not is_silence:
            kept = await self._store.keep(
                name, self._reading.body, self._cursor, self._reading.exchanges, at=now, sure=bool(verdict.drifts)
            )
            if not kept:
                log.error("no room for another bad page", action="page_not_kept", source=name)
        if verdict.drifts:
            await self._store.confirm(name)
            await self._flag(verdict.drifts, now)
        elif not verdict.suspected:
            if self._suspects:
                await self._store.forget_suspected(name)
            if self._said:
                await self._store.well(name, now)
                self._said = ()
        self._suspects = verdict.suspected and not verdict.drifts

    async def _flag(self, drifts: tuple[Drift, ...], now: datetime) -> None:
        named = {(drift.cause, drift.field) for drift in drifts}
        if self._said is not None and named <= {(drift.cause, drift.field) for drift in self._said}:
            return  # it is flagged with that already
        await self._store.flag(self._source.name, drifts, now)
        self._said = drifts
        log.warning(
            "the source has changed",
            action="source_drifted",
            source=self._source.name,
            causes=[f"{drift.cause} {drift.field or ''}".strip() for drift in drifts],
        )

    async def _save(self, now: datetime) -> None:
        if self._fence is None:
            return
        self._saved = now
        if not await self._store.save(
            self._source.name, self._learned, edition=self._edition, fence=self._fence, at=now
        ):
            self._fence = None  # another worker reads it, or an operator has spoken: look again at the next reading
