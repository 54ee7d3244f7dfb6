"""Releasing what was rehearsed (发布), and deciding open orders again by it where that is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
import structlog

from intake.house import Database
from intake.rules.rehearsal import Rehearsed, versions_of
from intake.rules.releases import Release, release
from intake.rules.replay import stored_since
from intake.rules.versions import keep
from intake.settings import Settings
from intake.tables import Tables
from router.dispatching.directory import Directory
from router.flow import Room
from router.redeciding import redecide_page

log = structlog.get_logger()


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """On whose word, and why; what is forced must say why."""

    by: str
    reason: str
    forced: bool = False
    back: bool = False


class Refused(Exception):
    """Something speaks against the release; `why` has all of it."""

    def __init__(self, why: list[str]) -> None:
        super().__init__("\n".join(why))
        self.why = why


class Reassigned(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided again."""

    cases: int
    messages: dict[str, int]  #: by type


async def put_in_force(  # noqa: PLR0917 - what was rehearsed, on whose word, and what must be there first
    db: Database,
    settings: Settings,
    newest: Release | None,
    tables_read: tuple[Tables, Tables],
    done: Rehearsed,
    said: Said,
    at: datetime,
    prepare: Callable[[Directory], Awaitable[object]],
) -> Release | None:
    """Release it; None: it is in force already. `newest` is the release that it was rehearsed against.

    Raises:
        Refused: something speaks against it and nobody forces it. Going back is never refused.
        Superseded: somebody else released something meanwhile.
    """
    now, new = tables_read
    before, after = versions_of(now), versions_of(new)
    changed = {kind: version for kind, version in after.items() if version != before[kind]}
    if not changed:
        return None
    if done.objections and not (said.forced or said.back):
        raise Refused(done.objections)
    await keep(db, now, settings.tables)
    await keep(db, new, settings.tables)
    if "directory" in changed:
        await prepare(new.router.directory)  # queues before anybody is sent there
    wanted = Release(
        n=1 if newest is None else newest.n + 1,
        at=at,
        by=said.by,
        reason=said.reason,
        versions=({} if newest is None else newest.versions) | changed,
        before={kind: before[kind] for kind in changed},
        tests=done.tests.tests,
        forced=done.objections if said.forced else [],
        back=said.back,
    )
    await release(db, wanted)
    log.info("released", action="rules_released", release=wanted.n, by=said.by, forced=bool(wanted.forced), **changed)
    return wanted


async def reassign_open(db: Database, room: Room, since: datetime, n: int, by: str) -> Reassigned:
    """Decide the open orders of the days that were rehearsed again, with the tables of the room, and send."""
    cases, messages = 0, Counter[str]()
    async for page in stored_since(db, room.store, since):
        before = {case.id: case for case in page.cases.values()}
        moved = await redecide_page(list(before.values()), room, n, by)
        for case in moved:
            messages.update(row.type.value for row in case.dispatches[len(before[case.id].dispatches) :])
        cases += len(moved)
    return Reassigned(cases=cases, messages=dict(messages))
