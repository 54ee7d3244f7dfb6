"""`intake status`: what runs, what is open, what is parked, how deep the queues are."""

from __future__ import annotations

from typing import Any

import aiohttp
import click

from connectors.keeping.sources import SourceState, SourceStore
from intake import migrations
from intake.cards import cards, cards_table
from intake.cli import App, command, print_json, run
from intake.commands.cases.many import covered
from intake.commands.sources import STANDING, standing
from intake.exchange import store as exchange
from intake.house import FOLDER, House, open_house
from intake.parked import counted
from intake.pushing.standing import Standing, StandingStore
from intake.screen import STATES, console, table
from intake.servers import ServerStatus, status
from intake.topology import DepartmentQueue, alarms, depths, management
from router.cases.work import NAMES
from router.errors import RouterError
from router.list_store import CaseLists


@click.command("status", help="现状：服务器、来源、在途、挂起、队列 · what runs and what is open")
@command
def status_command(app: App) -> None:
    """Show; nothing is changed."""
    found = run(_status(app))
    if app.as_json:
        print_json(found)
    else:
        _show(found)


async def _status(app: App) -> dict[str, Any]:
    settings = app.settings()
    async with open_house(settings) as house:
        sources = await SourceStore(house.db.sources).states()
        queues, alarm = await _broker(house)
        return {
            "schema": await migrations.version(house.db),
            "servers": await status(FOLDER),
            "sources": sources,
            "pages_open": await house.db.pages.count_documents({"stage": {"$ne": "done"}}),
            "parked": await counted(house.db),
            "cases": await CaseLists(house.db).counts(),
            "work": await CaseLists(house.db).counts_by_work(),
            "visits": await CaseLists(house.db).visits(),
            "cards": await cards(house.db),
            "queues": queues,
            "alarms": alarm,
            "pushes": await StandingStore(house.db).all(),
            "exchanges": await exchange.standings(house.db),
        }


async def _broker(house: House) -> tuple[list[DepartmentQueue] | None, list[str] | None]:
    """Ask for the depth of the queues, and whether the broker takes messages.

    None: the management API is not there, or does not tell our user; the street needs neither.
    """
    async with aiohttp.ClientSession() as session:
        broker = management(house, session)
        try:
            found = await depths(broker)
        except RouterError:
            return None, None
        queues = [queue for queue in found.values() if queue.name.startswith("dept.")]
        try:
            return queues, await alarms(broker)
        except RouterError:
            return queues, None


def _show(found: dict[str, Any]) -> None:
    out = console()
    servers: list[ServerStatus] = found["servers"]
    out.print(
        table("服务器", ["名称", "运行", "地址", "来历"], ([s.name, s.running, s.address, s.origin] for s in servers))
    )
    sources: list[SourceState] = found["sources"]
    out.print(table("来源", ["来源", *STANDING], [[source.name, *standing(source)] for source in sources]))
    out.print(table("工单", ["状态", "件数"], ([STATES.get(s, s), n] for s, n in sorted(found["cases"].items()))))
    work = [[NAMES[state][1], found["work"][state]] for state in NAMES if state in found["work"]]
    out.print(table("办理", ["状态", "件数"], work))
    out.print(covered(found["visits"]))
    out.print(table("挂起", ["环节", "件数"], found["parked"].items()))
    out.print(cards_table(found["cards"]))
    for alarm in found["alarms"] or ():
        out.print(alarm, style="bold red")
    queues = found["queues"]
    if queues is None:
        out.print("管理接口连不上，看不到队列深度 · the management API is away")
    else:
        deepest = sorted(queues, key=lambda queue: -queue.messages)[:20]
        rows = [[queue.name, queue.messages, queue.consumers] for queue in deepest]
        out.print(table(f"队列 {len(queues)}（最深的 {len(rows)} 个）", ["队列", "积压", "消费者"], rows))
    pushes: list[Standing] = found["pushes"]
    if pushes:
        out.print(table("推送", ["单位", "状态", "送到", "失败", "挂起", "上次送到", "原因"], map(_pushed, pushes)))
    exchanges: list[exchange.Standing] = found["exchanges"]
    if exchanges:
        rows = [[each.department, each.out, each.messages, each.oldest, each.last_in] for each in exchanges]
        out.print(table("断网交换", ["单位", "待回执的包", "其中消息", "最早", "读入到"], rows))
    out.print(f"未完成的页 {found['pages_open']}，库结构第 {found['schema']} 版")


def _pushed(each: Standing) -> list[object]:
    state = "没有进程在推" if not each.pushing else "停歇" if each.state == "resting" else "在推"
    return [each.department, state, each.taken, each.failed, each.parked, each.taken_at, each.reason]
