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
from intake.screen import console, table
from intake.topology import DepartmentQueue, address_of, depths, management
from router.dispatching.directory import Unit
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
@command
def apply_command(app: App, dry_run: bool) -> None:
    """Nothing is ever taken away: a queue may hold orders."""
    made = run(_apply(app, dry_run=dry_run))
    if app.as_json:
        steps = [{"what": step.what.value, "name": step.name, "key": step.key} for step in made.steps]
        print_json({"changed": not dry_run, "steps": steps, "kept": made.kept, "wrong": made.wrong})
    else:
        rows = [[step.what.value, step.name, step.key] for step in made.steps]
        console().print(table("要改动" if dry_run else "已改动", ["种类", "名称", "绑定键"], rows))
        for name in made.kept:
            click.echo(f"名录中已没有，队列保留：{name} · kept, the directory no longer has it")
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
    async with open_house(settings, mongo=False) as house, aiohttp.ClientSession() as session:
        return list(tables.router.directory.units.values()), await depths(management(house, session))


async def _apply(app: App, *, dry_run: bool) -> Plan:
    settings, tables = app.settings_and_tables()
    async with open_house(settings, mongo=False) as house, aiohttp.ClientSession() as session:
        broker = management(house, session)
        made = plan(tables.router.directory.units.values(), await read_state(broker))
        if not dry_run:
            await apply(made, broker)
        return made


async def _credentials(app: App, code: str, which: str) -> Any:  # noqa: ANN401 - a pair
    settings, tables = app.settings_and_tables()
    unit = tables.router.directory.get(code)
    if unit is None:
        fail(f"名录中没有 {code} · the directory has no {code}")
    async with open_house(settings, mongo=False) as house, aiohttp.ClientSession() as session:
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
