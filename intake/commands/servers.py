"""`intake servers`: the MongoDB and RabbitMQ of our own, for a demonstration or a single machine."""

from __future__ import annotations

import click

from intake.cli import App, command, print_json, run
from intake.house import FOLDER
from intake.screen import console, table
from intake.servers import ServerStatus, down, status, up


@click.group("servers", help="自带的 MongoDB 与 RabbitMQ · servers of our own")
def servers_command() -> None:
    """Group."""


@servers_command.command("up", help="启动并保持运行 · start and keep running")
@command
def up_command(app: App) -> None:
    """Start what the environment does not name."""
    run(up(FOLDER))
    _show(app, run(status(FOLDER)))


@servers_command.command("down", help="停止 · stop")
@command
def down_command(app: App) -> None:
    """Stop them, whoever started them."""
    stopped = run(down(FOLDER))
    if app.as_json:
        print_json({"stopped": stopped})
    else:
        click.echo(f"已停止：{' '.join(stopped) or '无'} · stopped")


@servers_command.command("status", help="现状 · what runs")
@command
def status_command(app: App) -> None:
    """Show what is there; nothing is started."""
    _show(app, run(status(FOLDER)))


def _show(app: App, servers: list[ServerStatus]) -> None:
    if app.as_json:
        print_json(servers)
        return
    rows = [[each.name, each.running, each.address, each.origin, each.pid, each.kept] for each in servers]
    console().print(table("服务器", ["名称", "运行", "地址", "来历", "进程", "常驻"], rows))
