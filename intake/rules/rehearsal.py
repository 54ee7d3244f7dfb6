"""The rehearsal of rules as one piece of work: read both sets of tables, run the tests, replay, judge."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from intake import tables
from intake.house import Database
from intake.rules import releases
from intake.rules.prediction import Expected, Oracle
from intake.rules.releases import Release
from intake.rules.replay import Found, Moved, Replayed, count_since, replay, stored_since
from intake.rules.unit_tests import Tested, beside, run_beside
from intake.rules.verdict import objections
from intake.rules.versions import name_of, texts_of
from intake.settings import Settings
from intake.tables import BadTableFiles, Tables, Texts
from normalizer.store import AppealStore
from router.dispatching.sheet import read_layers
from router.flow import Room


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """All that move from one place to another; at most so many are listed."""

    before: str
    after: str
    count: int
    cases: list[Moved]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How many appeals a department leads on."""

    department: str
    before: int
    after: int


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a rehearsal came to."""

    since: datetime
    versions_before: dict[str, str]
    versions_after: dict[str, str]
    tests: Tested
    broken_before: int  #: tests that the rules in force break already
    gaps: list[str]  #: roles and cells without a unit
    appeals: int
    moved: int
    assist_changed: int
    to_triage: int
    from_triage: int
    signed_moved: int
    orders: dict[str, int]
    groups: list[Group]
    load: list[Load]
    messages: dict[str, int]  #: "release dispatched" -> how many
    expected: list[Expected]  #: at most so many
    objections: list[str]


class Candidate(msgspec.Struct, frozen=True):
    """What is rehearsed: whole tables with the tests beside them."""

    texts: Texts
    tests: Path | None


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks on: everything that is found is handed on, and how far it is; so many of each are listed."""

    hand_on: Callable[[Found], None] = lambda _: None
    count: Callable[[int, int], None] = lambda _done, _total: None
    limit: int = 200


@dataclass(kw_only=True)
class _Listed:
    """What is listed one by one, at most so much of each; everything is handed on."""

    limit: int
    hand_on: Callable[[Found], None]
    groups: dict[tuple[str, str], list[Moved]] = field(default_factory=lambda: defaultdict(list))
    expected: list[Expected] = field(default_factory=list)

    def tell(self, found: Found) -> None:
        if isinstance(found, Moved):
            group = self.groups[found.before, found.after]
            if len(group) < self.limit:
                group.append(found)
        elif len(self.expected) < self.limit:
            self.expected.append(found)
        self.hand_on(found)


def candidate(rules: Path | None, directory: Path | None, in_force: Tables, settings: Settings) -> Candidate:
    """Read what is to be rehearsed; of what is not given, what is in force stands.

    Raises:
        BadTableFiles: a file cannot be read.
    """
    problems: list[str] = []
    texts = dict(in_force.router.texts)
    if rules is not None:
        texts["rules"] = read_layers("rules.toml", rules, problems)
    if directory is not None:
        texts["directory"] = read_layers("directory.toml", directory, problems)
    if problems:
        raise BadTableFiles(problems)
    return Candidate(texts, beside(rules) or beside(settings.tables.rules))


async def candidate_back(db: Database, found: Release, in_force: Tables, settings: Settings) -> Candidate:
    """Give what was in force before a release."""
    texts = dict(in_force.router.texts)
    for kind, version in found.before.items():
        texts[kind] = await texts_of(db, name_of(kind, version))
    return Candidate(texts, beside(settings.tables.rules))


async def read(wanted: Candidate, in_force: Tables, settings: Settings) -> Tables:
    """Read the tables that are to be rehearsed.

    Raises:
        BadTableFiles: with every problem.
    """
    made = await asyncio.to_thread(
        tables.load_router,
        settings.tables,
        in_force.normalizer,
        city=settings.city,
        ref_key=in_force.router.ref_key,
        texts=wanted.texts,
    )
    return in_force._replace(router=with_fields(made, lessons=in_force.router.lessons))


async def rehearse(  # noqa: PLR0917 - what is rehearsed, over what, and for whom
    room: Room,
    db: Database,
    settings: Settings,
    wanted: Candidate,
    tables_read: tuple[Tables, Tables],
    days: int,
    watch: Watch,
    *,
    reassign: bool,
) -> Rehearsed:
    """Run the tests, replay the last days, judge. `tables_read` are those in force and the new ones."""
    now, new = tables_read
    tests = await asyncio.to_thread(run_beside, wanted.tests, new)
    before = await asyncio.to_thread(_broken_now, wanted, now)
    since = room.moment() - timedelta(days=days)
    modes = {source.name: source.mode for source in settings.sources}
    oracle = Oracle(with_fields(room, tables=new.router), AppealStore(db), modes, reassign=reassign)
    listed = _Listed(limit=watch.limit, hand_on=watch.hand_on)
    total = await count_since(db, since)
    pages = stored_since(db, room.store, since)
    done = await replay(pages, (now.router, new.router), oracle, modes, listed.tell, lambda n: watch.count(n, total))
    return _told(done, listed, since, tests, before, tables_read, settings)


def _broken_now(wanted: Candidate, now: Tables) -> int:
    try:
        return len(run_beside(wanted.tests, now).broken)
    except BadTableFiles:
        return 0  # they name units that only the new directory has


def _told(  # noqa: PLR0917 - everything that is told
    done: Replayed,
    listed: _Listed,
    since: datetime,
    tests: Tested,
    broken_before: int,
    tables_read: tuple[Tables, Tables],
    settings: Settings,
) -> Rehearsed:
    now, new = tables_read
    departments = sorted(
        done.before.keys() | done.after.keys(), key=lambda code: (-abs(done.after[code] - done.before[code]), code)
    )
    return Rehearsed(
        since=since,
        versions_before=versions_of(now),
        versions_after=versions_of(new),
        tests=tests,
        broken_before=broken_before,
        gaps=new.router.gaps(),
        appeals=done.appeals,
        moved=done.moved,
        assist_changed=done.assist_changed,
        to_triage=done.to_triage,
        from_triage=done.from_triage,
        signed_moved=done.signed_moved,
        orders=dict(done.orders),
        groups=[
            Group(before=of, after=to, count=count, cases=listed.groups[of, to])
            for (of, to), count in done.moves.most_common()
        ],
        load=[Load(department=code, before=done.before[code], after=done.after[code]) for code in departments],
        messages={" ".join(key): count for key, count in sorted(done.messages.items())},
        expected=listed.expected,
        objections=objections(done, tests, settings.release),
    )


def versions_of(read: Tables) -> dict[str, str]:
    """Name the versions of what can be released."""
    return {kind: getattr(read.router.versions, kind) for kind in releases.KINDS}
