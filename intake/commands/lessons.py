"""`intake triage lessons`: what upheld returns have taught, and a person's word on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import msgspec

from intake.cli import App, command, fail, print_json, run
from intake.commands.cases.desk import BY, ONE, opened, plain
from intake.commands.viewer import VIEWER
from intake.house import Database
from intake.life import find_ids
from intake.refusals import why
from intake.rights.accesses import Seen, note
from intake.screen import SHANGHAI, console, table
from intake.street.rooms import Rooms
from router import learning
from router.desk import find_case
from router.dispatching.lesson_list import Listed, listed
from router.errors import RouterError

Answer = TypeVar("Answer")

REASON = click.option("--reason", required=True, help="理由 · why")
LESSON = click.argument("lesson")


@click.group("lessons", help="退单定责：退单教会的派单 · what upheld returns have taught")
def lessons_group() -> None:
    """Group."""


@lessons_group.command("list", help="先例清单：从谁改派给谁、凭什么 · from whom to whom, and by what")
@VIEWER
@command
def list_command(app: App, viewer: str) -> None:
    """Every worker has the same within seconds. The words are those of the cases beside them."""

    async def look(rooms: Rooms, db: Database) -> list[Listed]:
        return await _all(rooms, db, viewer)

    rows = _do(app, look)
    if app.as_json:
        print_json([msgspec.structs.asdict(row) for row in rows])
        return
    lines = [
        [
            row.id,
            row.rule,
            f"{row.sent_to} → {row.owner}",
            f"{row.precedents}/{row.against}",
            " ".join(row.words),
            " ".join(row.cases),
            f"{row.since.astimezone(SHANGHAI):%Y-%m-%d}",
            "停用" if row.forbidden else "",
        ]
        for row in rows
    ]
    head = ["编号", "规则", "改派", "先例/相反", "字词与地点", "最近的工单", "自", ""]
    console().print(table(f"退单定责 {len(lines)}", head, lines))


@lessons_group.command("forbid", help="停用一条 · follow it no more")
@LESSON
@BY
@REASON
@command
def forbid_command(app: App, lesson: str, person: str, reason: str) -> None:
    """The precedents stay; what is decided from now on goes where the rules say."""
    _ruled(app, lesson, person, reason, allowed=False)
    click.echo(f"{lesson} 已停用，新的工单按规则派 · forbidden")


@lessons_group.command("allow", help="恢复停用的一条 · follow it again")
@LESSON
@BY
@REASON
@command
def allow_command(app: App, lesson: str, person: str, reason: str) -> None:
    """Undo `forbid`."""
    _ruled(app, lesson, person, reason, allowed=True)
    click.echo(f"{lesson} 已恢复 · allowed again")


@lessons_group.command("undo", help="撤销一件先例 · let a case teach nothing")
@ONE
@BY
@REASON
@command
def undo_command(app: App, id_: str, person: str, reason: str) -> None:
    """The case itself stays where it is."""
    _undone(app, id_, person, reason, undone=True)
    click.echo(f"{id_} 不再作为先例 · teaches nothing any more")


@lessons_group.command("restore", help="恢复撤销的先例 · let it teach again")
@ONE
@BY
@REASON
@command
def restore_command(app: App, id_: str, person: str, reason: str) -> None:
    """Undo `undo`."""
    _undone(app, id_, person, reason, undone=False)
    click.echo(f"{id_} 重新作为先例 · teaches again")


# ---------------------------------------------------------------- inside


async def _all(rooms: Rooms, db: Database, viewer: str) -> list[Listed]:
    rows = list(listed(rooms.router.tables.lessons))
    numbers = {number for row in rows if row.words for number in row.cases}
    ids = [case["_id"] async for case in db.cases.find({"case_no": {"$in": list(numbers)}}, {"_id": 1})]
    await note(db, ids, Seen.TEXT, actor=viewer, reason="intake triage lessons list", at=rooms.clock.now())
    return rows


def _ruled(app: App, lesson: str, person: str, reason: str, *, allowed: bool) -> None:
    async def act(rooms: Rooms, _: Database) -> None:
        await learning.rule_on(lesson, person, plain(reason), rooms.router, allowed=allowed)

    _do(app, act)


def _undone(app: App, id_: str, person: str, reason: str, *, undone: bool) -> None:
    async def act(rooms: Rooms, db: Database) -> None:
        ids = await find_ids(db, id_)
        case = await find_case(ids[0] if len(ids) == 1 else id_, rooms.router)
        await learning.undo(case, person, plain(reason), rooms.router, undone=undone)

    _do(app, act)


def _do(app: App, act: Callable[[Rooms, Database], Awaitable[Answer]]) -> Answer:
    async def do() -> Answer:
        async with opened(app) as (rooms, db):
            return await act(rooms, db)

    try:
        return run(do())
    except RouterError as refused:
        fail(f"没有办成 · not done: {why(refused)}")
