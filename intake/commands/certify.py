"""`intake departments certify`: play the script to a department's program and print its pass sheet."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import click

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.rules.releases import released_over
from intake.screen import console, table
from intake.topology import address_of
from router.dispatching.broker import Management
from router.errors import NoSuchUnit, RouterError
from router.sandbox.flow import VHOST, NobodyCame, Pace, certify, open_sandbox
from router.sandbox.script import TO_LOOK_AT, script
from router.sandbox.sheet import Line, passed

VERDICTS = {"passed": "通过", "failed": "不通过", "unseen": "未见"}


@click.command("certify", help="联调验收：沙箱脚本与验收单 · the sandbox's script and pass sheet")
@click.argument("department")
@click.option("--wait", default=300.0, show_default=True, help="等程序连上来多少秒 · seconds to wait for the program")
@click.option("--patience", default=30.0, show_default=True, help="每一步等多少秒 · seconds for each step")
@command
def certify_command(app: App, department: str, wait: float, patience: float) -> None:
    """Real queues are never touched; the program needs no change but the address that is printed."""
    code = department.upper()
    try:
        lines = run(_certify(app, code, Pace(wait, patience)))
    except NobodyCame:
        fail(
            f"等了 {wait:.0f} 秒，没有程序来读沙箱里的 dept.{code}：请用上面的 AMQP_URL 启动单位的程序，再运行一次 · "
            f"no program read the sandbox in {wait:.0f} s: start it with the address above"
        )
    except RouterError as error:
        fail(f"联调中断 · cut short: {error}")
    good = passed(lines)
    if app.as_json:
        print_json({"department": code, "passed": good, "lines": lines, "to_look_at": dict(TO_LOOK_AT)})
    else:
        rows = [[line.what, VERDICTS[line.verdict], line.sentence] for line in lines]
        console().print(table(f"联调验收单 {code}", ["项目", "结果", "说明"], rows))
        for case, words in TO_LOOK_AT:
            click.echo(f"请在单位系统里核对 {case} 件 · look at case {case}: {words}")
    if not good:
        fail("联调未通过 · not passed")


async def _certify(app: App, code: str, pace: Pace) -> list[Line]:
    settings, tables = app.settings_and_tables()
    async with open_house(settings) as house, aiohttp.ClientSession() as session:
        tables = await released_over(house, tables)
        unit = tables.router.directory.get(code)
        if unit is None:
            fail(f"名录中没有 {code} · the directory has no {code}: see `intake departments list`")
        management = Management(session, house.management_url, VHOST)
        try:
            given = await open_sandbox(unit, management)
        except NoSuchUnit as error:
            fail(f"{code} 不收单，没有队列 · {error}")
        inside = urlunsplit(urlsplit(house.broker_url)._replace(path=f"/{VHOST}"))
        click.echo(f"AMQP_URL={address_of(given, inside)}\nDEPARTMENT={code}", err=True)
        at = datetime.now(UTC).replace(microsecond=0)
        played = list(script(code, at, tables.router, run=secrets.token_hex(4)))
        return await certify(given, inside, management, played, pace)
