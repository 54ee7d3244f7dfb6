"""`intake report daily|weekly|monthly`: documents for those on duty, for the leaders and for the departments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from intake.cli import App, command, print_json, run
from intake.commands.export import row_of
from intake.commands.focus import Day
from intake.commands.reading import reading
from intake.commands.viewer import VIEWER
from intake.house import open_house
from intake.reports.document import FORMS, Document, write
from intake.reports.material import Material, material
from intake.reports.period import LENGTHS, Length, Period, period_of
from intake.reports.periodic import BY_DEFAULT, Audience, report
from intake.rights.accesses import ALL, Seen, note
from intake.screen import SHANGHAI
from intake.street.second_look import look_at_all
from router.cases.figures import FIGURES

_DAY = click.option("--day", type=Day(), help="报告期里的任何一天，缺省今天 · any day in it, today if left out")
_HELP: dict[Length, str] = {
    "daily": "日报，缺省是值班调度 · the day, for those on duty",
    "weekly": "周报，周一至周日，缺省是汇总 · the week, for the leaders",
    "monthly": "月报，缺省是通报 · the month, for the departments",
}


class Month(click.ParamType[date]):
    """A month as people write it here."""

    name = "YYYY-MM"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            self.fail(f"{value} 不是月份，写作 2026-11 · not a month", param, ctx)


class Out(click.ParamType[Path]):
    """A file whose name says how it is to be written."""

    name = "FILE"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        file = Path(value)
        if file.suffix.lower() not in FORMS:
            self.fail(f"只能写成 · only {' '.join(FORMS)}: {file.name}", param, ctx)
        if not file.absolute().parent.is_dir():
            self.fail(f"没有这个文件夹，先建好 · no such folder, make it first: {file.parent}", param, ctx)
        return file


def periodic(length: Length) -> click.Command:
    """Make the command of one length."""

    def callback(
        app: App,
        *,
        kind: Audience,
        day: date | None,
        ranked: bool,
        files: tuple[Path, ...],
        viewer: str,
        month: date | None = None,
    ) -> None:
        if day is not None and month is not None:
            raise click.UsageError("--day 和 --month 只写一个 · give --day or --month, not both")
        now = datetime.now(UTC)
        period = period_of(length, day or month or now.astimezone(SHANGHAI).date())
        document, of = run(_made(app, period, kind, now, viewer, ranked=ranked))
        for file in files:
            write(document, file)
        _tell(app, of, kind, files)

    options: list[Callable[..., Any]] = [
        click.option(
            "--kind",
            type=click.Choice(["调度", "汇总", "通报"]),
            default=BY_DEFAULT[length],
            show_default=True,
            help="给谁看：值班、领导、单位 · for whom",
        ),
        _DAY,
        click.option("--rank", "ranked", is_flag=True, help="通报里给出组内名次 · ranks within groups; off by default"),
        click.option(
            "--out", "files", multiple=True, required=True, type=Out(), help=f"写到 {' '.join(FORMS)}，可给几个"
        ),
    ]
    if length == "monthly":
        options.append(click.option("--month", type=Month(), help="哪个月，缺省本月 · which month"))
    made: Callable[..., Any] = VIEWER(command(callback))
    for option in reversed(options):
        made = option(made)
    return click.command(length, help=_HELP[length])(made)


async def _made(
    app: App, period: Period, kind: Audience, now: datetime, viewer: str, *, ranked: bool
) -> tuple[Document, Material]:
    """Read what it needs; that its cases go out of the house is written down first."""
    settings, tables = app.settings_and_tables()
    async with open_house(settings, broker=False) as house:
        await note(house.db, [ALL], Seen.EXPORT, actor=viewer, reason=f"intake report {period.length}", at=now)
        if period.length != "daily":
            await look_at_all(house.db, tables.normalizer)
        async with reading(house, tables, now) as reader:
            of = await material(reader, period)
    return report(of, kind, ranked=ranked), of


def _tell(app: App, of: Material, kind: Audience, files: tuple[Path, ...]) -> None:
    if app.as_json:
        print_json(_told(of, kind, files))
        return
    name = LENGTHS[of.period.length][0]
    accepted, due = (of.found[each].text() for each in ("accepted", "on_time_close"))
    click.echo(f"{name} {kind} {of.period.title}：受理 {accepted} 件，按时办结率 {due}")
    for file in files:
        click.echo(f"已写出 · written: {file}")


def _told(of: Material, kind: Audience, files: tuple[Path, ...]) -> dict[str, object]:
    return {
        "report": of.period.length,
        "kind": kind,
        "since": of.period.since,
        "until": of.period.until,
        "made": of.now,
        "files": [str(file) for file in files],
        "versions": dict(of.versions),
        "figures": [row_of(figure, of.found[figure.name]) for figure in FIGURES],
    }
