"""`intake retention plan|run`: what personal data is due to be destroyed, and its end by hand."""

from __future__ import annotations

import click

from intake.cli import App, command, print_json, run
from intake.house import open_house
from intake.rights import retention
from intake.rights.custody import open_custody
from intake.screen import console, table


@click.group("retention", help="个人信息到期销毁 · the end of personal data's time")
def retention_command() -> None:
    """Group."""


@retention_command.command("plan", help="今天到期的，不销毁 · what is due; changes nothing")
@command
def plan_command(app: App) -> None:
    """Counts for people, ids for programs."""
    due = run(_plan(app))
    if app.as_json:
        print_json(due)
        return
    rows: list[list[object]] = [
        ["结案到期的诉求：联系方式、事项信息、原文", len(due.closed)],
        ["非诉求的原文", len(due.chatter)],
        ["整月的原文（数据密钥）", len(due.months)],
        ["到期但还有未结件、未回执的月份，暂不销毁", len(due.held)],
    ]
    console().print(table("到期", ["什么", "数"], rows))
    why = "（有未结件，或交换包没有回执 · cases are open, or a disc has no receipt）"
    for label in (*due.months, *due.held):
        click.echo(f"  {label}{why if label in due.held else ''}")


@retention_command.command("run", help="销毁到期的，留痕；worker 每天也会做 · destroy what is due; workers do it daily")
@click.option("--by", "--actor", "actor", required=True, help="经办人 · who")
@command
def run_command(app: App, actor: str) -> None:
    """What is destroyed is written into each case."""
    ran = run(_run(app, actor))
    if app.as_json:
        print_json(ran)
        return
    told = f"结案到期 {ran.closed} 件，非诉求原文 {ran.chatter} 件，整月 {len(ran.months)} 个，密钥 {ran.keys} 个"
    click.echo(f"已销毁：{told} · destroyed")


async def _plan(app: App) -> retention.Due:
    settings = app.settings()
    async with open_house(settings, broker=False) as house, open_custody(house) as custody:
        return await retention.plan(settings.retention, custody)


async def _run(app: App, actor: str) -> retention.Ran:
    settings = app.settings()
    async with open_house(settings, broker=False) as house, open_custody(house) as custody:
        return await retention.run(settings.retention, custody, actor)
