"""`intake migrate`: bring the database's schema to this program's version."""

from __future__ import annotations

import click

from intake import migrations
from intake.cli import App, command, fail, print_json, run
from intake.house import open_house


@click.command("migrate", help="升级库结构 · bring the schema and the indexes up to date")
@command
def migrate_command(app: App) -> None:
    """Expand, then contract; recorded, under a lock."""
    try:
        applied, version = run(_migrate(app))
    except migrations.SchemaRefused as refused:
        fail(str(refused))
    if app.as_json:
        print_json({"applied": applied, "version": version})
    else:
        done = " ".join(str(each) for each in applied) or "无 · none"
        click.echo(f"库结构第 {version} 版，本次升级：{done} · schema version {version}")


async def _migrate(app: App) -> tuple[list[int], int]:
    async with open_house(app.settings(), broker=False) as house:
        applied = await migrations.migrate(house.db)
        return applied, await migrations.version(house.db)
