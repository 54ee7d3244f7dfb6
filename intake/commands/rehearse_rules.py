"""`intake rehearse --rules …`: what other rules would do; release them, go back, make decisions again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from intake.cli import App, BadSettings, fail, print_json, run
from intake.commands.viewer import login
from intake.house import House, open_house
from intake.rights.accesses import Seen, note
from intake.rules.rehearsal import Candidate, Rehearsed, Watch, candidate, candidate_back, read, rehearse
from intake.rules.releases import Release, Superseded, history, newest
from intake.rules.releasing import Reassigned, Refused, Said, put_in_force, reassign_open
from intake.rules.replay import Found, Moved
from intake.rules.reproduce import Again, Workshop
from intake.rules.showing import show, show_again, show_history, show_released
from intake.settings import Settings
from intake.street.left_behind import worker_name
from intake.street.rooms import Rooms, open_rooms
from intake.tables import BadTableFiles, Tables
from intake.topology import ensure_topology
from router.desk import find_case
from router.dispatching.directory import Directory
from router.errors import NotPossible, RouterError

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    rules: Path | None
    directory: Path | None
    days: int
    out: Path | None
    release: bool
    back: bool
    force: bool
    reassign_open: bool
    by: str | None
    reason: str | None
    history: bool
    reproduce: str | None


_OPTIONS = (
    click.option("--rules", type=FILE, help="预演这份派单规则（本市的一份） · rehearse these rules"),
    click.option("--directory", type=FILE, help="预演这份名录 · rehearse this directory"),
    click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="最近几天 · last days"),
    click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="逐件写到文件（JSON 行） · every one"),
    click.option("--release", is_flag=True, help="预演通过就发布 · put it in force if nothing speaks against it"),
    click.option("--back", is_flag=True, help="预演退回上一版 · rehearse what was in force before the last release"),
    click.option("--force", is_flag=True, help="有异议也发布，须写 --reason · release all the same"),
    click.option("--reassign-open", is_flag=True, help="没人动过的在办件按新规则改派 · open orders move too"),
    click.option("--by", help="经办人或查看人，留痕 · who releases, or looks"),
    click.option("--reason", help="理由 · why"),
    click.option("--history", is_flag=True, help="历次发布 · the releases"),
    click.option("--reproduce", metavar="ID", help="用当日的版本重做这件的每个决定 · make its decisions again"),
)


def rules_options(function: F) -> F:
    """Give a command the options of the rules half."""
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), function)


def rehearse_rules(app: App, asked: Asked, limit: int) -> None:
    """Do what was asked for; nothing is changed without --release."""
    _check(asked)
    settings = app.settings()
    if asked.history:
        _give(app, run(_history(settings)), show_history)
    elif asked.reproduce is not None:
        again = run(_reproduce(settings, asked.reproduce, asked.by or login()))
        _give(app, again, show_again)
        differing = [each for each in again if each.verdict in {"differs", "not_kept"}]
        if differing:
            fail(f"{len(differing)} 个决定没能复现 · {len(differing)} decisions did not come out the same")
    else:
        _rehearse_and_tell(app, settings, asked, limit)


def _check(asked: Asked) -> None:
    does = [asked.rules or asked.directory, asked.back, asked.history, asked.reproduce]
    if sum(map(bool, does)) != 1:
        raise click.UsageError(
            "写明 --text、--rules（--directory）、--back、--history、--reproduce 之一 · say exactly one of these"
        )
    if asked.release and not (asked.by and asked.reason):
        raise click.UsageError("发布须写 --by 和 --reason · a release needs --by and --reason")


def _give(app: App, what: Any, shower: Callable[[Any], None]) -> None:  # noqa: ANN401 - what its shower shows
    if app.as_json:
        print_json(what)
    else:
        shower(what)


# ---------------------------------------------------------------- rehearse and release


class _Came(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that came of it."""

    rehearsed: Rehearsed
    released: Release | None = None
    reassigned: Reassigned | None = None
    refused: list[str] = []
    in_force_already: bool = False


def _rehearse_and_tell(app: App, settings: Settings, asked: Asked, limit: int) -> None:
    came = run(_work(settings, asked, limit))
    if app.as_json:
        print_json(came)
    else:
        show(came.rehearsed, reassign=asked.reassign_open)
        show_released(came.released, came.reassigned, in_force_already=came.in_force_already)
    if came.refused:
        fail("没有发布 · not released:\n  " + "\n  ".join([*came.refused, "要发布就写 --force · --force releases it"]))
    if came.rehearsed.tests.broken and not came.released:
        fail(f"{len(came.rehearsed.tests.broken)} 条测试不通过 · tests break")


async def _work(settings: Settings, asked: Asked, limit: int) -> _Came:
    try:
        async with open_house(settings, broker=asked.release) as house, open_rooms(house, worker_name()) as rooms:
            return await _in_rooms(house, rooms, asked, limit)
    except BadTableFiles as error:
        raise BadSettings(f"表有 {len(error.problems)} 处问题 · problems in the tables:\n{error}") from error
    except (Superseded, RouterError) as error:
        fail(str(error))


async def _in_rooms(house: House, rooms: Rooms, asked: Asked, limit: int) -> _Came:
    settings, db = house.settings, house.db
    found = await newest(db)
    now = rooms.tables._replace(router=rooms.router.tables)
    wanted = await _wanted(house, found, now, asked)
    new = await read(wanted, now, settings)
    with _written(asked.out) as hand_on, _counting() as count:
        watch = Watch(hand_on=hand_on, count=count, limit=limit)
        done = await rehearse(
            rooms.router, db, settings, wanted, (now, new), asked.days, watch, reassign=asked.reassign_open
        )
    if not asked.release:
        return _Came(rehearsed=done)
    said = Said(by=asked.by or "", reason=asked.reason or "", forced=asked.force, back=asked.back)

    async def prepare(directory: Directory) -> None:
        await ensure_topology(house, directory.units.values())

    try:
        at = rooms.router.moment()
        released = await put_in_force(db, settings, found, (now, new), done, said, at, prepare)
    except Refused as refused:
        return _Came(rehearsed=done, refused=refused.why)
    n = released.n if released else found.n if found else 0
    rooms.router.tables = new.router
    reassigned = await reassign_open(db, rooms.router, done.since, n, said.by) if asked.reassign_open else None
    return _Came(rehearsed=done, released=released, reassigned=reassigned, in_force_already=released is None)


async def _wanted(house: House, found: Release | None, now: Tables, asked: Asked) -> Candidate:
    if not asked.back:
        return candidate(asked.rules, asked.directory, now, house.settings)
    if found is None:
        fail("还没有发布过，没有上一版 · nothing was ever released: there is nothing to go back to")
    return await candidate_back(house.db, found, now, house.settings)


@contextmanager
def _written(out: Path | None) -> Iterator[Callable[[Found], None]]:
    """Write everything that is found to a file, a line each."""
    if out is None:
        yield lambda _: None
        return
    with out.open("wb") as file:
        encoder = msgspec.json.Encoder()

        def write(found: Found) -> None:
            kind = {"kind": "moved" if isinstance(found, Moved) else "message"}
            file.write(encoder.encode(kind | msgspec.structs.asdict(found)) + b"\n")

        yield write


@contextmanager
def _counting() -> Iterator[Callable[[int, int], None]]:
    """Show on the error stream how far it is."""
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("预演")
        yield lambda done, total: bar.update(task, completed=done, total=total)


# ---------------------------------------------------------------- looking back


async def _history(settings: Settings) -> list[Release]:
    async with open_house(settings, broker=False) as house:
        return await history(house.db)


async def _reproduce(settings: Settings, name: str, viewer: str) -> list[Again]:
    try:
        async with open_house(settings, broker=False) as house, open_rooms(house, worker_name()) as rooms:
            case = await find_case(name, rooms.router)
            again = await Workshop(house.db, settings, rooms.router).again(case)
            # Which parts differ: the words that a decision was made by are among them.
            shown = [case.id] if any(each.verdict == "differs" for each in again) else []
            reason, at = "intake rehearse --reproduce", rooms.clock.now()
            await note(house.db, shown, Seen.TEXT, actor=viewer, reason=reason, at=at)
            return again
    except NotPossible as error:
        fail(str(error))
