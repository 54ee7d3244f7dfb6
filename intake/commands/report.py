"""`intake report`: documents for people: the day, the week and the month (periodic.py), and a shadow week."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec

from intake.cli import App, command, fail, print_json, run
from intake.commands.periodic import periodic
from intake.commands.viewer import VIEWER
from intake.house import open_house
from intake.reports.document import FORMS, Document, shown, write
from intake.reports.period import LENGTHS
from intake.reports.shadow import sheet
from intake.reports.shadow_figures import Compared, figures
from intake.reports.shadow_items import items_of, names_known
from intake.rights.accesses import Seen, note
from intake.screen import SHANGHAI, console, table
from router.dispatching.directory import Directory

WEEK = 7


@click.group("report", help="报表：日报、周报、月报，影子周对照表 · the day, the week, the month; a shadow week")
def report_command() -> None:
    """Group."""


for length in LENGTHS:
    report_command.add_command(periodic(length))


@report_command.command("shadow", help="影子周对照表：我方决定与来源承办单位 · our decisions beside the source's own")
@click.option("--source", "source_name", required=True, metavar="NAME", help="来源 · source")
@click.option(
    "--from", "first", metavar="YYYY-MM-DD", help="首日，缺省为连今天一周 · seven days with today if left out"
)
@click.option("--to", "last", metavar="YYYY-MM-DD", help="末日，缺省为今天 · last day, today if left out")
@click.option(
    "--out", "files", multiple=True, required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="写到 .xlsx、.html 或 .docx，可以给几个 · where to write it; may be given more than once",
)  # fmt: skip
@VIEWER
@command
def shadow_command(  # noqa: PLR0917 - options
    app: App, source_name: str, first: str | None, last: str | None, files: tuple[Path, ...], viewer: str
) -> None:
    """Compare what was first offered on these days."""
    settings, tables = app.settings_and_tables()
    if source_name not in {source.name for source in settings.sources}:
        raise click.BadParameter(f"设置里没有这个来源 · not in the settings: {source_name}", param_hint="--source")
    for file in files:
        if file.suffix.lower() not in FORMS:
            raise click.BadParameter(f"只能写成 · only {' '.join(FORMS)}: {file.name}", param_hint="--out")
    today = datetime.now(UTC).astimezone(SHANGHAI)
    begin = _day(first, "--from") or f"{today - timedelta(days=WEEK - 1):%Y-%m-%d}"
    end = _day(last, "--to") or f"{today:%Y-%m-%d}"
    items = run(_items(app, tables.router.directory, source_name, begin, end, viewer))
    if not items:
        fail(f"{source_name} 在 {begin} 至 {end} 没有收到诉求，没有写出报表 · nothing was offered on these days")
    known = names_known(tables.router.directory)
    document = sheet(items, source=source_name, period=f"{begin} 至 {end}", known_names=known)
    for file in files:
        write(document, file)
    if app.as_json:
        print_json(
            {"source": source_name, "from": begin, "to": end, "files": [str(file) for file in files]} | _told(items)
        )
    else:
        _show(document, files)


async def _items(  # noqa: PLR0917 - what is asked for, and who asks
    app: App, directory: Directory, source: str, first: str, last: str, viewer: str
) -> list[Compared]:
    async with open_house(app.settings(), broker=False) as house:
        items = [item async for item in items_of(house.db, directory, source, first, last)]
        ids = [item.id for item in items]
        await note(house.db, ids, Seen.EXPORT, actor=viewer, reason="intake report shadow", at=datetime.now(UTC))
        return items


def _told(items: list[Compared]) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(figures(items))
    return plain


def _show(document: Document, files: tuple[Path, ...]) -> None:
    summary = document.tables[0]
    out = console()
    rows = [[shown(cell) for cell in row] for row in summary.rows]
    out.print(table(document.title, summary.headings, rows))
    for line in (*summary.notes, *(f"已写出 · written: {file}" for file in files)):
        out.print(line, markup=False)


def _day(day: str | None, option: str) -> str | None:
    if day is None:
        return None
    try:
        return f"{datetime.strptime(day, '%Y-%m-%d').replace(tzinfo=UTC):%Y-%m-%d}"
    except ValueError as error:
        raise click.BadParameter(
            f"要写成 2026-11-22 · write it like 2026-11-22, not {day}", param_hint=option
        ) from error
