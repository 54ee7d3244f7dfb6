"""`intake links`: what belongs together, with its evidence; people confirm it or undo it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import click
import msgspec

from intake.cli import App, command, fail, print_json, run
from intake.commands.viewer import VIEWER
from intake.house import House, open_house
from intake.life import find_ids
from intake.linking import Link, NotLinked, Shown, join_all, show, split_last, split_one
from intake.rights.accesses import Seen, note
from intake.screen import STATES, console, printable, table
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms
from intake.street.second_look import look_at_all, matters_of
from normalizer.appeal import appeal_of
from normalizer.matter.flow import Room
from normalizer.matter.web import Event
from router.cases.case import Case
from router.errors import RouterError
from router.flow import Room as RouterRoom

#: How what was joined is split: the last joining, or one member.
Split = Callable[[Room, RouterRoom, str, tuple[str, str, datetime]], Awaitable[tuple[Event, list[Case]]]]


@click.group("links", help="并单与拆单：重复诉求、同一事件 · what belongs together")
def links_command() -> None:
    """Group."""


@links_command.command("show", help="一件诉求与谁相关，依据是什么 · what it belongs with, and why")
@click.argument("id_", metavar="ID")
@VIEWER
@command
def show_command(app: App, id_: str, viewer: str) -> None:
    """By id, case number or native id; masked titles only."""
    shown = run(_show(app, id_, viewer))
    if shown is None:
        fail(f"没有找到 {id_} · nothing is known of {id_}")
    if app.as_json:
        print_json(msgspec.to_builtins(shown))
        return
    out = console()
    out.print(printable(f"{shown.native_id}  {shown.title}"), markup=False)
    out.print(_table("重复诉求（同一诉求人）", shown.same_person))
    status = "已确认" if shown.confirmed else "疑似，未确认" if shown.event else "无"
    order = f"，主单 {shown.order}" if shown.order else ""
    out.print(_table(f"同一事件（{status}{order}）", shown.members))
    for said in shown.said:
        out.print(
            printable(f"{said['at']} {said['by']} 并入 {len(said['members'])} 件：{said['reason']}"), markup=False
        )


@links_command.command("join", help="确认为同一事件：第一件为主单；只给一件即确认其疑似事件 · confirm an event")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--by", "--actor", "person", required=True, help="经办人 · who says so")
@click.option("--reason", required=True, help="理由 · why")
@command
def join_command(app: App, ids: Sequence[str], person: str, reason: str) -> None:
    """What another department holds keeps its own order."""
    event, moved = _said(app, ids, person, reason)
    if app.as_json:
        print_json({"event": event.id, "order": event.order, "linked": [case.id for case in moved]})
        return
    click.echo(
        f"已确认同一事件，主单 {event.order}；{len(moved)} 件并入主单，其余各自办理 · confirmed, {len(moved)} linked"
    )


@links_command.command("split", help="拆单：撤销最近一次并单，各归原处；--only 只拆出这一件 · undo the last joining")
@click.argument("id_", metavar="ID")
@click.option("--only", is_flag=True, help="只拆出这一件，其余不动 · take out this one, leave the others")
@click.option("--by", "--actor", "person", required=True, help="经办人 · who says so")
@click.option("--reason", required=True, help="理由 · why")
@command
def split_command(app: App, id_: str, *, only: bool, person: str, reason: str) -> None:
    """Everybody is where they were, with an order of their own."""
    event, moved = _said(app, [id_], person, reason, how=split_one if only else split_last)
    if app.as_json:
        print_json({"event": event.id, "alone": [case.id for case in moved]})
        return
    done = "已拆出这一件" if only else "已撤销并单"
    click.echo(f"{done}；{len(moved)} 件恢复单独办理 · undone, {len(moved)} have their own order again")


def _said(
    app: App, ids: Sequence[str], person: str, reason: str, *, how: Split | None = None
) -> tuple[Event, list[Case]]:
    try:
        return run(_say(app, ids, person, reason, how=how))
    except (NotLinked, RouterError) as refused:
        fail(str(refused))


async def _say(
    app: App, names: Sequence[str], person: str, reason: str, *, how: Split | None
) -> tuple[Event, list[Case]]:
    settings, tables = app.settings_and_tables()
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        await look_at_all(house.db, tables.normalizer)
        ids = [await _one(house, name) for name in names]
        said = (person, reason, datetime.now(UTC).replace(microsecond=0))
        room = matters_of(house.db, tables.normalizer)
        if how is not None:
            return await how(room, rooms.router, ids[0], said)
        return await join_all(room, rooms.router, ids[0], ids[1:], said)


async def _appeals(house: House, name: str) -> list[str]:
    """Give the appeals that a person may mean: links are of appeals, whichever of its cases is named."""
    return list(dict.fromkeys(map(appeal_of, await find_ids(house.db, name))))


async def _one(house: House, name: str) -> str:
    found = await _appeals(house, name)
    if len(found) != 1:
        raise NotLinked(
            f"{name} 对应 {len(found)} 件，请用编号指明 · {name} is {len(found)} appeals: say which by its id"
        )
    return found[0]


async def _show(app: App, name: str, viewer: str) -> Shown | None:
    settings, tables = app.settings_and_tables()
    async with open_house(settings, broker=False) as house:
        await look_at_all(house.db, tables.normalizer)
        found = await _appeals(house, name)
        shown = await show(house.db, matters_of(house.db, tables.normalizer), found[0]) if found else None
        ids = [] if shown is None else [shown.id, *(link.id for link in (*shown.same_person, *shown.members))]
        at = datetime.now(UTC)
        await note(house.db, list(dict.fromkeys(ids)), Seen.TEXT, actor=viewer, reason="intake links show", at=at)
        return shown


def _table(title: str, links: Sequence[Link]) -> object:
    rows = [
        [
            link.native_id,
            printable(link.title),
            STATES.get(link.state or "", link.state or "-"),
            "、".join(link.names),
            "、".join(link.words),
        ]
        for link in links
    ]
    return table(f"{title} {len(rows)}", ["原编号", "标题", "状态", "共同名称", "共同用词"], rows)
