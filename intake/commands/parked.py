"""`intake parked`: what is set aside in any room, with its reason; retried or given up, one or many."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from intake.cli import App, command, fail, print_json, run
from intake.commands.parked_edit import edit_command
from intake.house import open_house
from intake.parked import Opened, Parked, discard, listed, opened
from intake.reasons import in_chinese
from intake.retrying import retry
from intake.screen import console, printable, table
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms
from router.errors import RouterError

STAGES = ("parse", "normalize", "route", "stray", "answer")


@click.group("parked", help="挂起件：各环节的死信 · what is set aside, in every room")
def parked_command() -> None:
    """Group."""


@parked_command.command("list", help="清单，不含内容 · the list, without contents")
@click.option("--stage", type=click.Choice(STAGES), help="只看一个环节 · only this stage")
@click.option("--source", help="只看一个来源 · only this source")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 1_000_000), help="最多几条 · at most")
@command
def list_command(app: App, stage: str | None, source: str | None, limit: int) -> None:
    """List what is parked, the oldest first within its stage."""
    rows = run(_listed(app, stage, source, limit))
    if app.as_json:
        print_json(rows)
        return
    lines = [
        [row.id, row.stage, row.source, row.native_id, row.department, row.at, in_chinese(row.reason)] for row in rows
    ]
    console().print(table(f"挂起 {len(lines)}", ["编号", "环节", "来源", "原编号", "单位", "自", "原因"], lines))


@parked_command.command("show", help="查看原文，留痕 · the raw item; who looked and why is recorded")
@click.argument("id_", metavar="ID")
@click.option("--by", "--actor", "actor", required=True, help="查看人 · who looks")
@click.option("--reason", required=True, help="事由 · why")
@command
def show_command(app: App, id_: str, actor: str, reason: str) -> None:
    """Seeing a raw item is an event (promise 9): it is written down before it is opened."""
    found = run(_opened(app, id_, actor, reason))
    if found is None:
        fail(f"没有挂起的 {id_} · nothing parked is called {id_}")
    if app.as_json:
        print_json(found)
        return
    row = found.parked
    click.echo(f"{row.id}  {row.stage}  {row.source}  {row.native_id}\n原因 {in_chinese(row.reason)}\n")
    click.echo(
        printable(found.payload)
        or "内容已销毁：已到期，或应本人要求删除 · destroyed: its time was over, or it was erased"
    )


@parked_command.command("retry", help="重试 · try again")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--all", "everything", is_flag=True, help="全部 · all of them")
@click.option("--stage", type=click.Choice(STAGES), help="与 --all 一起：只重试一个环节 · with --all: only this stage")
@click.option("--by", "--actor", "actor", default="operator", show_default=True, help="经办人 · who")
@command
def retry_command(app: App, ids: tuple[str, ...], everything: bool, stage: str | None, actor: str) -> None:
    """The same ids and bodies go out again; what still fails stays parked and is told."""
    _must_name(ids, everything=everything)
    try:
        chosen, still = run(_retry(app, ids, stage, actor))
    except RouterError as error:
        fail(f"没有重试 · not retried: {error}")
    if app.as_json:
        print_json({"retried": len(chosen), "still_parked": still})
    else:
        click.echo(f"已重试 {len(chosen)} 条 · retried")
    problems = [
        f"{len(still)} 条仍然挂起 · still parked:",
        *(f"{row.id} {in_chinese(row.reason)}" for row in still[:50]),
    ]
    missing = " ".join(sorted(set(ids) - {row.id for row in chosen}))
    told = [
        *(problems if still else []),
        *([f"没有挂起或已放弃：{missing} · not parked, or given up"] if missing else []),
    ]
    if told:
        fail("\n  ".join(told))


@parked_command.command("discard", help="放弃，留痕 · give up, with who and why")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--all", "everything", is_flag=True, help="全部 · all of them")
@click.option("--stage", type=click.Choice(STAGES), help="与 --all 一起：只放弃一个环节 · with --all: only this stage")
@click.option("--by", "--actor", "actor", required=True, help="经办人 · who")
@click.option("--reason", required=True, help="理由 · why")
@command
def discard_command(
    app: App, *, ids: tuple[str, ...], everything: bool, stage: str | None, actor: str, reason: str
) -> None:
    """An item stays in the balance as parked: nothing offered disappears."""
    _must_name(ids, everything=everything)
    done = run(_discard(app, ids, stage, actor, reason))
    if app.as_json:
        print_json({"discarded": done})
    else:
        click.echo(f"已放弃 {len(done)} 条 · discarded")
    if ids and len(done) < len(set(ids)):
        missing = " ".join(sorted(set(ids) - set(done)))
        fail(f"没有挂起或已放弃：{missing} · not parked, or given up already")


parked_command.add_command(edit_command)


def _must_name(ids: tuple[str, ...], *, everything: bool) -> None:
    if bool(ids) == everything:
        raise click.UsageError("写出编号，或者 --all，二者取一 · name ids, or say --all")


async def _listed(app: App, stage: str | None, source: str | None, limit: int) -> list[Parked]:
    async with open_house(app.settings(), broker=False) as house:
        return await listed(house.db, stage=stage, source=source, limit=limit)


async def _opened(app: App, id_: str, actor: str, reason: str) -> Opened | None:
    settings = app.settings()
    async with open_house(settings, broker=False) as house, open_rooms(house, worker_name()) as rooms:
        return await opened(house.db, rooms, id_, actor=actor, reason=reason, at=datetime.now(UTC))


async def _retry(app: App, ids: tuple[str, ...], stage: str | None, actor: str) -> tuple[list[Parked], list[Parked]]:
    """Give what was tried, and what of it is still parked."""
    settings, _ = app.settings_and_tables()
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        chosen = await listed(house.db, stage=stage, only=ids)
        await retry(house, rooms, chosen, actor)
        return chosen, await listed(house.db, only=[row.id for row in chosen]) if chosen else []


async def _discard(app: App, ids: tuple[str, ...], stage: str | None, actor: str, reason: str) -> list[str]:
    settings, _ = app.settings_and_tables()
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        chosen = await listed(house.db, stage=stage, only=ids)
        return await discard(house.db, rooms, chosen, actor=actor, reason=reason, at=datetime.now(UTC))
