"""`intake departments`: the directory and its queues, users and permissions on the broker."""

from __future__ import annotations

from typing import Any

import aiohttp
import click

from intake.cli import App, command, fail, print_json, run
from intake.commands.certify import certify_command
from intake.commands.contact import contact_command, matter_command
from intake.commands.exchange import export_command, import_command
from intake.commands.ping import ping_command
from intake.commands.replay import replay_command
from intake.house import open_house
from intake.retiring import Leaving, leaving
from intake.rules.releases import released_over
from intake.screen import console, table
from intake.topology import DepartmentQueue, address_of, depths, management
from router.dispatching.directory import Unit
from router.dispatching.retiring import retired
from router.dispatching.topology import (
    Plan,
    apply,
    credentials,
    plan,
    queue_of,
    read_state,
    receives,
)


@click.group("departments", help="承办单位：名录、队列、账号 · directory, queues, users")
def departments_command() -> None:
    """Group."""


@departments_command.command("list", help="列出名录与队列深度 · list the directory and its queues")
@command
def list_command(app: App) -> None:
    """Show every unit; the broker is asked for the depth of its queue."""
    units, queues = run(_list(app))
    if app.as_json:
        print_json([_unit(unit, queues.get(queue_of(unit.code))) for unit in units])
        return
    rows = [
        [unit.code, unit.short, unit.role, unit.area or "全市", *_depth(unit, queues.get(queue_of(unit.code)))]
        for unit in units
    ]
    console().print(table(f"承办单位 {len(units)}", ["代码", "简称", "角色", "辖区", "队列", "积压", "消费者"], rows))


@departments_command.command("apply", help="按名录建立队列与绑定 · make queues and bindings follow the directory")
@click.option("--dry-run", is_flag=True, help="只看要改什么 · only show what would change")
@click.option(
    "--retire", is_flag=True, help="名录里没有了的单位：停账号，办完的解绑 · withdraw what left the directory"
)
@click.option(
    "--remove-empty", is_flag=True, help="同 --retire 一起：删掉它们已空的队列 · remove their queues if empty"
)
@command
def apply_command(app: App, dry_run: bool, retire: bool, remove_empty: bool) -> None:
    """Nothing is taken away unasked, and no queue that holds a message: a directory may be the wrong one."""
    if remove_empty and not retire:
        raise click.UsageError("--remove-empty 要同 --retire 一起用 · goes with --retire")
    made, gone = run(_apply(app, dry_run=dry_run, retire=retire, remove=remove_empty))
    if app.as_json:
        steps = [{"what": step.what.value, "name": step.name, "key": step.key} for step in made.steps]
        told = {"changed": not dry_run, "steps": steps, "kept": made.kept, "wrong": made.wrong, "leaving": gone}
        print_json(told)
    else:
        rows = [[step.what.value, step.name, step.key] for step in made.steps]
        console().print(table("要改动" if dry_run else "已改动", ["种类", "名称", "绑定键"], rows))
        if gone:
            titles = ["代码", "队列积压", "消费者", "账号", "还收件", "在办", "下一步"]
            console().print(table(f"名录中已没有的单位 {len(gone)}", titles, map(_gone, gone)))
        for each in gone:
            click.echo(f"{each.code} 在办 {each.open} 件：{' '.join(each.cases)}") if each.open else None
    if made.wrong:
        fail("\n".join(made.wrong))


@departments_command.command("credentials", help="给一个单位发新密码 · a new password for one of its two users")
@click.argument("code")
@click.option(
    "--user", "which", type=click.Choice(["a", "b"]), default="a", help="两个账号之一 · which of its two users"
)
@command
def credentials_command(app: App, code: str, which: str) -> None:
    """The other user goes on as it is, so that a password changes without a stop."""
    given, address = run(_credentials(app, code.upper(), which))
    if app.as_json:
        print_json({"user": given.user, "password": given.password, "queues": given.queues, "amqp_url": address})
        return
    click.echo(f"账号 user      {given.user}\n密码 password  {given.password}\n队列 queues    {' '.join(given.queues)}")
    click.echo(f"AMQP_URL={address}\n密码只显示这一次 · shown this once, kept nowhere")


departments_command.add_command(certify_command)
departments_command.add_command(replay_command)
departments_command.add_command(ping_command)
departments_command.add_command(export_command)
departments_command.add_command(import_command)
departments_command.add_command(contact_command)
departments_command.add_command(matter_command)


async def _list(app: App) -> tuple[list[Unit], dict[str, DepartmentQueue]]:
    settings, tables = app.settings_and_tables()
    async with open_house(settings) as house, aiohttp.ClientSession() as session:
        tables = await released_over(house, tables)
        return list(tables.router.directory.units.values()), await depths(management(house, session))


async def _apply(app: App, *, dry_run: bool, retire: bool, remove: bool) -> tuple[Plan, list[Leaving]]:
    settings, tables = app.settings_and_tables()
    async with open_house(settings) as house, aiohttp.ClientSession() as session:
        units = list((await released_over(house, tables)).router.directory.units.values())
        broker = management(house, session)
        made = plan(units, state := await read_state(broker))
        if not dry_run:
            await apply(made, broker)
        if not retired(units, state):
            return made, []
    async with open_house(settings) as house:
        return made, await leaving(units, house, retire=retire and not dry_run, remove=remove)


def _gone(each: Leaving) -> list[object]:
    users = "已停" if not each.users else " ".join(each.users)
    return [each.code, each.messages, each.consumers, users, "是" if each.bound else "否", each.open, each.next]


async def _credentials(app: App, code: str, which: str) -> Any:  # noqa: ANN401 - a pair
    settings, tables = app.settings_and_tables()
    async with open_house(settings) as house, aiohttp.ClientSession() as session:
        unit = (await released_over(house, tables)).router.directory.get(code)
        if unit is None:
            fail(f"名录中没有 {code} · the directory has no {code}")
        given = await credentials(unit, management(house, session), which)
        return given, address_of(given, house.broker_url)


def _unit(unit: Unit, queue: DepartmentQueue | None) -> dict[str, object]:
    return {
        "code": unit.code,
        "name": unit.name,
        "short": unit.short,
        "role": unit.role,
        "area": unit.area,
        "kind": unit.kind,
        "receives": receives(unit),
        "queue": None
        if queue is None
        else {"name": queue.name, "messages": queue.messages, "consumers": queue.consumers},
    }


def _depth(unit: Unit, queue: DepartmentQueue | None) -> list[object]:
    if not receives(unit):
        return ["不收单", None, None]
    return (
        ["没有，请运行 departments apply", None, None]
        if queue is None
        else [queue.name, queue.messages, queue.consumers]
    )
