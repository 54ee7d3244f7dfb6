"""Lets a recorded source live for thirty days in which nothing is wrong, then changes it over night.

Whatever is drawn is drawn by seed: which of the last days it is, which fields are changed, by how many hours.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import msgspec

from connectors.base import Page
from connectors.watching.causes import Cause, Drift
from connectors.watching.learned import Learned
from connectors.watching.reading import Reading
from connectors.watching.rhythm import DayKind, DayKindOf
from connectors.watching.sentinel import judge_failure, judge_reading
from intake.street.watching import day_kind_of
from router.cases.calendar import load_calendar
from tests.connectors.push_recording import push_recordings
from tests.connectors.recording import FOLDER, recordings
from tests.connectors.watching.living import Living
from tests.connectors.watching.mutations import MUTATIONS, Mutation, Spot, spot_of

BEGIN = datetime(2026, 9, 18, 16, 0, tzinfo=UTC)  #: a Saturday's first hour in Asia/Shanghai
DAYS = 30
EVERY = timedelta(hours=4)
KEPT = 4  #: of the last mornings, noons and evenings on which something was new: a seed breaks the source on one
#: How likely something new is within four hours, by kind of day; nights have a tenth.
NEWS: dict[DayKind, float] = {"workday": 0.9, "weekend": 0.5, "holiday": 0.35}
SOURCES = [*recordings(), *push_recordings()]


class Moment(msgspec.Struct):
    """A source at one moment of its life."""

    now: datetime
    learned: bytes
    generation: int
    bodies: list[bytes]
    pages: int
    ids: set[str]


class Lived(msgspec.Struct):
    """A source after thirty days."""

    flagged: list[Drift]
    moments: list[Moment]


@lru_cache(maxsize=1)
def days() -> DayKindOf:
    problems: list[str] = []
    calendar = load_calendar(None, problems)
    assert calendar is not None, problems
    return day_kind_of(calendar)


@lru_cache(maxsize=64)
def lived(folder: Path) -> Lived:
    return asyncio.run(_live(Living(folder)))


async def _live(living: Living) -> Lived:
    """Thirty days of a source with which nothing is wrong."""
    chance, learned, flagged = random.Random(1), Learned(), list[Drift]()
    moments: deque[Moment] = deque(maxlen=KEPT)
    generation, before, now = 0, set[str](), BEGIN
    while now < BEGIN + timedelta(days=DAYS):
        at_night = (now.hour + 8) % 24 < 7
        news = chance.random() < NEWS[days()(now)] * (0.1 if at_night else 1)
        generation += news
        reading, error = await living.read(generation)
        assert error is None, f"{living.folder}: {error}"
        ids = {native_id for page in reading.pages for native_id in page.offered}
        verdict = judge_reading(learned, reading, fresh=len(ids - before), now=now, day_kind=days())
        flagged += verdict.drifts
        before = ids
        now += EVERY
        if news and now > BEGIN + timedelta(days=DAYS - 5):
            pages = max((len(bodies) for bodies in living.routes.values()), default=0)
            moments.append(Moment(now, msgspec.json.encode(learned), generation, living.bodies, pages, ids))
    return Lived(flagged, list(moments))


def name_of(folder: Path) -> str:
    return str(folder.relative_to(FOLDER))


def kind_of(folder: Path) -> str:
    return str(Living(folder).settings.kind)


class Trial(msgspec.Struct):
    """One change of one source at one moment."""

    folder: Path
    mutation: Mutation
    spot: Spot
    moment: Moment

    def __str__(self) -> str:
        field = self.mutation.field(self.spot) or ""
        return f"{name_of(self.folder)}: {self.mutation.name} {field} (seed {self.spot.seed})"


def trials(folder: Path, seed: int) -> Iterator[Trial]:
    """Every mutation that this source can undergo, at a place and a moment drawn by seed."""
    living, moments = Living(folder), lived(folder).moments
    moment = moments[-1 - seed % len(moments)]
    learned = msgspec.json.decode(moment.learned, type=Learned)
    times = {name for each in learned.ids.values() for name in each.times}
    for mutation in MUTATIONS:
        spot = spot_of(moment.bodies, seed, living.settings.zone, moment.ids, times)
        spot.pages = moment.pages
        spot.is_http = living.is_asked and str(getattr(living.settings, "url", "")).startswith("http")
        if mutation.fits(spot):
            yield Trial(folder, mutation, spot, moment)


async def named(trial: Trial) -> list[Drift] | None:
    """What two polls of the changed source were called; None: it is no change of this source.

    That is so where every answer is as it was; where a field was changed that nobody reads, so that what is offered is
    as it was; and of pushes and files, of which nothing is seen but what was read of them, where that is as it was: an
    order that stands twice in one push is one order, and doubling it changes nothing for anybody.
    """
    living, mutation, spot = Living(trial.folder), trial.mutation, trial.spot
    learned = msgspec.json.decode(trial.moment.learned, type=Learned)
    only_what_is_read = not living.is_asked or mutation.field(spot) is not None
    found, altered, now = list[Drift](), False, trial.moment.now

    def alter(body: bytes, content_type: str) -> tuple[bytes, str]:
        nonlocal altered
        spot.route = living.route
        made = mutation.change(body, content_type, spot)
        altered = altered or (made != (body, content_type) and not only_what_is_read)
        return made

    for poll in range(2):
        spot.firsts.clear()
        reading, error = await living.read(trial.moment.generation + poll, alter)
        if only_what_is_read and not altered:
            plain, _ = await living.read(trial.moment.generation + poll)
            altered = error is not None or _told(plain) != _told(reading)
        if error is not None:
            found += judge_failure(learned, reading, error, now=now)
        elif reading.exchanges or reading.pages or reading.refused:
            found += judge_reading(learned, reading, fresh=1, now=now, day_kind=days()).drifts
        now += EVERY
    return found if altered else None


def _told(reading: Reading) -> tuple[list[Page], dict[str, int]]:
    return reading.pages, dict(reading.refused)


def is_right(found: list[Drift], trial: Trial) -> bool:
    """The right cause; and where it lies in a field, the right field, unless the connector calls it otherwise."""
    right = [drift for drift in found if drift.cause in trial.mutation.causes]
    wanted = trial.mutation.field(trial.spot)
    fields = [drift for drift in right if drift.field is not None and drift.cause in ONE_FIELD]
    if wanted is None or not fields:
        return bool(right)
    return any(wanted.rpartition(":")[2] in f"{drift.field} {drift.other}" for drift in fields) or any(
        drift.field is None or "row[]" in drift.field for drift in right
    )


#: Causes that name a field of a row, and so must name the right one.
ONE_FIELD = {Cause.RENAMED, Cause.MOVED, Cause.TYPE, Cause.TIME_FORMAT, Cause.TIME_UNIT, Cause.HTML, Cause.CUT}
