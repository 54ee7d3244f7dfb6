"""`intake who-saw CASE`: everybody to whom anything of one case went."""

from __future__ import annotations

import click

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.life import find_ids
from intake.rights.accesses import Sight, who_saw
from intake.screen import console, table


@click.command("who-saw", help="谁看过、收到过这一件 · who saw it, or was sent it")
@click.argument("id_", metavar="CASE")
@command
def who_saw_command(app: App, id_: str) -> None:
    """Deliveries, looks at sealed data, exports; nothing sealed is opened."""
    found = run(_seen(app, id_))
    if not found:
        fail(f"没有找到 {id_} · nothing is known of {id_}")
    if app.as_json:
        print_json([{"id": name, "seen": sights} for name, sights in found.items()])
        return
    for name, sights in found.items():
        rows = [[one.at, one.who, one.department, one.what, one.reason] for one in sights]
        console().print(table(f"{name} 查阅 {len(rows)}", ["时间", "谁", "单位", "看到什么", "事由"], rows))


async def _seen(app: App, name: str) -> dict[str, list[Sight]]:
    async with open_house(app.settings(), broker=False) as house:
        return {id_: await who_saw(house.db, id_) for id_ in await find_ids(house.db, name)}
