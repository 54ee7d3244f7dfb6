"""`intake focus`: the focus list, each row opening to its members."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click
import msgspec

from intake.cli import App, command, print_json, run
from intake.commands.viewer import VIEWER
from intake.focus import PASSED, STRONG, TYPICAL, Row, focus, voices
from intake.house import open_house
from intake.rights.accesses import Seen, note
from intake.screen import console, printable, table
from intake.settings import Settings
from intake.street.second_look import look_at_all
from normalizer.tables import Tables

CRITERIA = {STRONG: "反映强烈", PASSED: "多次转办久拖不决", TYPICAL: "具有代表性"}


class Day(click.ParamType[date]):
    """A day as people write it here."""

    name = "YYYY-MM-DD"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} 不是日期，写作 2026-11-22 · not a day", param, ctx)


@click.command("focus", help="重点关注清单：反映强烈、多次转办久拖不决、具有代表性 · the focus list")
@click.option("--criterion", type=click.Choice(list(CRITERIA)), help="只列一类 · only one of the three lists")
@click.option("--from", "since", type=Day(), help="从这一天起反映的 · posted from this day")
@click.option("--to", "until", type=Day(), help="到这一天止反映的 · posted up to this day")
@VIEWER
@command
def focus_command(app: App, criterion: str | None, since: date | None, until: date | None, viewer: str) -> None:
    """By distinct people; what was stored but not compared yet is compared first."""
    settings, tables = app.settings_and_tables()
    rows = run(_rows(settings, tables.normalizer, criterion, (since, until), viewer))
    if app.as_json:
        print_json([msgspec.to_builtins(row) for row in rows])
        return
    lines = [
        [
            row.rank,
            printable(row.title),
            row.place or "-",
            row.people,
            row.voices,
            _growth(row),
            row.days,
            _reactions(row),
            _met(row),
        ]
        for row in rows
    ]
    heads = ["序", "事项", "地点", "人数", "件数", "近周增速", "持续天数", "赞/阅", "命中"]
    console().print(table(f"重点关注 {len(lines)}", heads, lines))


async def _rows(
    settings: Settings, tables: Tables, criterion: str | None, days: tuple[date | None, date | None], viewer: str
) -> list[Row]:
    async with open_house(settings, broker=False) as house:
        await look_at_all(house.db, tables)
        now = datetime.now(UTC)
        rows = focus(await voices(house.db, *days), now, criterion)
        await note(house.db, [row.titled for row in rows], Seen.TEXT, actor=viewer, reason="intake focus", at=now)
        return rows


def _growth(row: Row) -> str:
    return "-" if row.growth is None else f"{row.growth:.1f}"


def _reactions(row: Row) -> str:
    return f"{row.reactions['likes']}/{row.reactions['views']}"


def _met(row: Row) -> str:
    return "、".join(CRITERIA[name] for name in row.criteria) or "-"
