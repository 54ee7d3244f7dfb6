"""Every recorded source, changed in every way, is named by the sentinel; and none that lives on as it was.

Each recording lives for thirty days (nights, weekends, the holidays of October 2026) in which nothing is wrong and
nothing may be flagged; what was learned in them then judges its mutations, drawn by seed. A new kind of source joins
with its recording.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest

from connectors.registry import REGISTRY
from connectors.watching.causes import Cause, Drift
from connectors.watching.learned import Learned
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
SEEDS = 2
#: How likely something new is within four hours, by kind of day; nights have a tenth.
NEWS: dict[DayKind, float] = {"workday": 0.9, "weekend": 0.5, "holiday": 0.35}
#: A recording that was taken of too little to tell anything of: one answer whose fields say nothing.
SOURCES = [*recordings(), *push_recordings()]


class Lived(msgspec.Struct):
    """A source after thirty days."""

    learned: bytes
    generation: int
    flagged: list[Drift]
    bodies: list[bytes]
    ids: set[str]


@lru_cache(maxsize=1)
def days() -> DayKindOf:
    problems: list[str] = []
    calendar = load_calendar(None, problems)
    assert calendar is not None, problems
    return day_kind_of(calendar)


@lru_cache(maxsize=64)
def lived(folder: Path) -> Lived:
    return asyncio.run(live(Living(folder)))


async def live(living: Living) -> Lived:
    """Thirty days of a source with which nothing is wrong."""
    chance, learned, flagged = random.Random(1), Learned(), list[Drift]()
    generation, before, now = 0, set[str](), BEGIN
    while now < BEGIN + timedelta(days=DAYS):
        at_night = (now.hour + 8) % 24 < 7
        generation += chance.random() < NEWS[days()(now)] * (0.1 if at_night else 1)
        reading, error = await living.read(generation)
        assert error is None, f"{living.folder}: {error}"
        ids = {native_id for page in reading.pages for native_id in page.offered}
        verdict = judge_reading(learned, reading, fresh=len(ids - before), now=now, day_kind=days())
        flagged += verdict.drifts
        before = ids
        now += EVERY
    bodies = [exchange.response.body for exchange in reading.exchanges]
    return Lived(msgspec.json.encode(learned), generation, flagged, bodies, before)


def name_of(folder: Path) -> str:
    return str(folder.relative_to(FOLDER))


def trials(folder: Path) -> Iterator[tuple[Mutation, Spot]]:
    """Every mutation that this source can undergo, at places drawn by seed."""
    living, life = Living(folder), lived(folder)
    times = {name for each in msgspec.json.decode(life.learned, type=Learned).ids.values() for name in each.times}
    for mutation in MUTATIONS:
        for seed in range(SEEDS):
            spot = spot_of(life.bodies, seed, living.settings.zone, life.ids, times)
            spot.is_http = not living.is_pushed and str(getattr(living.settings, "url", "")).startswith("http")
            if mutation.fits(spot):
                yield mutation, spot


async def named(folder: Path, mutation: Mutation, spot: Spot) -> list[Drift] | None:
    """What two polls of the changed source were called; None: the change left its answers as they were."""
    living, life, changed = Living(folder), lived(folder), False
    learned = msgspec.json.decode(life.learned, type=Learned)
    now = BEGIN + timedelta(days=DAYS)
    found: list[Drift] = []

    def alter(body: bytes, content_type: str) -> tuple[bytes, str]:
        nonlocal changed
        made = mutation.change(body, content_type, spot)
        changed = changed or made != (body, content_type)
        return made

    for poll in range(2):
        reading, error = await living.read(life.generation + poll, alter)
        if error is None:
            verdict = judge_reading(learned, reading, fresh=1, now=now, day_kind=days())
            found += verdict.drifts
        else:
            found += judge_failure(learned, reading, error, now=now)
        now += EVERY
    return found if changed else None


def is_right(found: list[Drift], mutation: Mutation, spot: Spot) -> bool:
    """The right cause; and where it lies in a field, the right field, unless the connector calls it otherwise."""
    right = [drift for drift in found if drift.cause in mutation.causes]
    wanted = mutation.field(spot)
    fields = [drift for drift in right if drift.field is not None and drift.cause in ONE_FIELD]
    if wanted is None or not fields:
        return bool(right)
    return any(wanted.rpartition(":")[2] in f"{drift.field} {drift.other}" for drift in fields) or any(
        drift.field is None or "row[]" in drift.field for drift in right
    )


#: Causes that name a field of a row, and so must name the right one.
ONE_FIELD = {Cause.RENAMED, Cause.MOVED, Cause.TYPE, Cause.TIME_FORMAT, Cause.TIME_UNIT, Cause.HTML, Cause.CUT}


@pytest.mark.parametrize("folder", SOURCES, ids=name_of)
def test_nothing_is_flagged_in_thirty_days_in_which_nothing_is_wrong(folder: Path) -> None:
    assert lived(folder).flagged == []


def test_every_kind_of_source_is_mutated() -> None:
    mutated = {Living(folder).settings.kind for folder in SOURCES if any(True for _ in trials(folder))}

    assert mutated == set(REGISTRY)


def test_there_are_twenty_kinds_of_mutation_and_five_that_the_sentinel_was_not_written_for() -> None:
    late = [mutation.name for mutation in MUTATIONS if mutation.late]

    assert len(MUTATIONS) - len(late) >= 20
    assert len(late) == 5
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


async def test_at_least_ninety_five_of_a_hundred_mutations_are_named_within_two_polls() -> None:
    tried: dict[bool, int] = {False: 0, True: 0}
    missed: dict[bool, list[str]] = {False: [], True: []}
    for folder in SOURCES:
        await asyncio.to_thread(lived, folder)
        for mutation, spot in trials(folder):
            found = await named(folder, mutation, spot)
            if found is None:
                continue
            tried[mutation.late] += 1
            if not is_right(found, mutation, spot):
                called = ", ".join(sorted({str(drift.cause) for drift in found})) or "nothing"
                missed[mutation.late].append(f"{name_of(folder)}: {mutation.name} ({spot.seed}): {called}")

    assert len(missed[False]) <= 0.05 * tried[False], "\n".join(missed[False])
    assert len(missed[True]) <= 0.05 * tried[True], "\n".join(missed[True])
