"""`intake departments contact|matter CASE`: what a message leaves out, shown to the lead department, with a reason."""

from __future__ import annotations

import click

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.rights.contact import NotShown, Shown, show
from intake.rights.custody import open_custody
from intake.rules.releases import released_over
from intake.screen import console, table
from normalizer.vault import Part
from router.list_store import CaseLists

NAMES = {"name": "姓名", "mobile": "手机", "phone": "电话", "mail": "邮箱", "author_id": "来源账号"}


@click.command("contact", help="查看诉求人联系方式，留痕；举报不提供 · the caller's contact; recorded, never of a 举报")
@click.argument("case", metavar="CASE")
@click.option("--department", help="为哪个单位；不写就是主办单位 · for which unit; left out: its lead")
@click.option("--by", "--actor", "actor", required=True, help="查看人 · who looks")
@click.option("--reason", required=True, help="事由 · why")
@command
def contact_command(app: App, case: str, department: str | None, actor: str, reason: str) -> None:
    """The look is a line of the case, written before anything is opened."""
    _print(app, run(_shown(app, case, Part.CONTACT, department, actor=actor, reason=reason)))


@click.command("matter", help="查看事项信息（门牌、车牌），留痕 · which flat, which car; recorded")
@click.argument("case", metavar="CASE")
@click.option("--department", help="为哪个单位；不写就是主办单位 · for which unit; left out: its lead")
@click.option("--by", "--actor", "actor", required=True, help="查看人 · who looks")
@click.option("--reason", required=True, help="事由 · why")
@command
def matter_command(app: App, case: str, department: str | None, actor: str, reason: str) -> None:
    """Only what the directory grants the unit (`may_see`); never the caller's own."""
    _print(app, run(_shown(app, case, Part.MATTER, department, actor=actor, reason=reason)))


def _print(app: App, shown: Shown) -> None:
    if app.as_json:
        print_json(shown)
        return
    rows = [[NAMES.get(name, name), value] for name, value in shown.contact.items()]
    rows += [[f"〔{key.rpartition(':')[2]}〕", value] for key, value in shown.originals.items()]
    if not rows:
        click.echo("没有可以看的 · there is nothing to see")
        return
    console().print(table(f"{shown.case_no} {shown.department}（已留痕）", ["什么", "内容"], rows))


async def _shown(app: App, name: str, part: Part, department: str | None, *, actor: str, reason: str) -> Shown:
    settings, tables = app.settings_and_tables()
    async with open_house(settings, broker=False) as house, open_custody(house) as custody:
        tables = await released_over(house, tables)
        cases = await CaseLists(house.db).find(name)
        if not cases:
            fail(f"没有找到工单 {name} · no case is called {name}")
        if len(cases) > 1:
            fail(f"{name} 可能是 {len(cases)} 件，请写编号 · may be any of: {' '.join(case.id for case in cases)}")
        unit = department and department.upper()
        try:
            return await show(cases[0], part, unit, tables.router.directory, custody, actor=actor, reason=reason)
        except NotShown as refused:
            fail(str(refused))
