"""`intake export`: the facts of every case, and the figures that are reckoned from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from intake.cli import App, command, print_json, run
from intake.commands.reading import reading
from intake.commands.viewer import VIEWER
from intake.facts import facts, within
from intake.house import open_house
from intake.rights.accesses import ALL, Seen, note
from intake.screen import SHANGHAI, console, table
from router.cases.asked import Span
from router.cases.facts import Fact
from router.cases.figures import FIGURES, Figure, of_sources, of_units, reckon
from router.cases.measures import Measure, Rate, Score, Spread

SINCE = click.option("--since", type=click.DateTime(), required=True, help="从，含 · from, Shanghai time")
UNTIL = click.option("--until", type=click.DateTime(), required=True, help="到，不含 · before, Shanghai time")
OPENED = ["工单号", "编号", "主办", "登记", "办结时限", "办结", "工作小时"]
SHOWN = 200  #: cases that a table of people shows; a program gets all


@click.group("export", help="一本账导出与指标 · the ledger's facts, and figures")
def export_command() -> None:
    """Group."""


@export_command.command("ledger", help="一件一行，没有群众的话 · one line a case, nobody's words")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="写到 · JSON lines")
@VIEWER
@command
def ledger_command(app: App, out: Path, viewer: str) -> None:
    """Anybody can reckon the figures again from it: docs/figures.py does."""
    count = run(_ledger(app, out, viewer))
    if app.as_json:
        print_json({"cases": count, "file": str(out)})
    else:
        click.echo(f"写了 {count} 件 · cases written: {out}")


@export_command.command("figures", help="指标 · figures over a span of time")
@SINCE
@UNTIL
@click.option("--unit", help="只算一个单位 · of one department")
@click.option(
    "--each", type=click.Choice(["unit", "source"]), help="每个单位、每个来源各算一份 · one set of figures each"
)
@click.option("--open", "opened", metavar="FIGURE", help="打开一个指标：要看的是哪些件 · which cases to look at")
@command
def figures_command(
    app: App, *, since: datetime, until: datetime, unit: str | None, each: str | None, opened: str | None
) -> None:
    """Every figure with its definition; small samples say so."""
    names = [figure.name for figure in FIGURES]
    if opened is not None and opened not in names:
        raise click.UsageError(f"没有这个指标 · no such figure: {opened}；有 · there are: {' '.join(names)}")
    if until <= since:
        raise click.UsageError("--until 要晚于 --since · --until must be later")
    first, last = (moment.replace(tzinfo=SHANGHAI) for moment in (since, until))
    span = Span(first, last, unit.upper() if unit else None, app.settings_and_tables()[0].figures.weights)
    found, known = run(_within(app, span))
    if span.unit is not None and span.unit not in known and span.unit not in of_units(found):
        raise click.UsageError(f"名录里没有单位 {span.unit}，见 intake departments list · no such unit")
    if opened is not None:
        _open(app, opened, found, span)
    elif each is not None:
        _show_each(app, each, found, span)
    else:
        _show(app, reckon(found, span), f"指标 {since:%Y-%m-%d} 至 {until:%Y-%m-%d}（不含）{span.unit or ''}")


def _show(app: App, found: dict[str, Measure], title: str) -> None:
    if app.as_json:
        print_json([row_of(figure, found[figure.name]) for figure in FIGURES])
        return
    lines = [[figure.title, found[figure.name].text(), figure.definition] for figure in FIGURES]
    console().print(table(title, ["指标", "值", "口径"], lines))


def _show_each(app: App, by: str, found: Sequence[Fact], span: Span) -> None:
    groups = of_units(found) if by == "unit" else of_sources(found)
    each = {
        name: reckon(groups[name], span._replace(unit=name) if by == "unit" else span)
        for name in sorted(groups)
        if span.unit in {None, name} or by == "source"
    }
    if app.as_json:
        rows = {name: [row_of(figure, told[figure.name]) for figure in FIGURES] for name, told in each.items()}
        print_json([{by: name, "figures": told} for name, told in rows.items()])
        return
    for name, told in each.items():
        lines = [[figure.title, told[figure.name].text()] for figure in FIGURES]
        console().print(table(name, ["指标", "值"], lines))


def _open(app: App, name: str, found: Sequence[Fact], span: Span) -> None:
    """What a good rate lacks, what a bad one has, what was counted, the longest first."""
    cases = reckon(found, span)[name].cases
    if app.as_json:
        print_json(list(cases))
        return
    by_case = {fact.case: fact for fact in found}
    title = next(figure.title for figure in FIGURES if figure.name == name)
    out = console()
    out.print(table(f"{title} {len(cases)} 件", OPENED, [_opened(by_case[case]) for case in cases[:SHOWN]]))
    if len(cases) > SHOWN:
        click.echo(f"只列了前 {SHOWN} 件，全部用 --json · the first {SHOWN}; all of them with --json", err=True)


def _opened(fact: Fact) -> list[object]:
    hours = None if fact.worked_seconds is None else round(fact.worked_seconds / 3600, 1)
    return [fact.case_no, fact.case, fact.unit, fact.opened_at, fact.close_due, fact.resolved_at, hours]


def row_of(figure: Figure, found: Measure) -> dict[str, Any]:
    """Give one figure as a program reads it; what its kind does not have is null."""
    row: dict[str, Any] = {
        "name": figure.name,
        "title": figure.title,
        "definition": figure.definition,
        "kind": figure.kind,
        "numerator": None,
        "denominator": None,
        "percent": None,
        "interval": None,
        "text": found.text(),
        "cases": len(found.cases),
    }
    if isinstance(found, Rate):
        rate = {"numerator": found.numerator, "denominator": found.denominator}
        return row | rate | {"percent": found.percent, "interval": found.interval}
    if isinstance(found, Spread):
        names = ("n", "median", "p75", "p90", "mean")
        return row | {"value": found.median} | {name: getattr(found, name) for name in names}
    if isinstance(found, Score):
        return row | {"value": found.value, "n": found.n, "parts": dict(found.parts)}
    return row | {"value": found.n}


async def _ledger(app: App, out: Path, viewer: str) -> int:
    """Written beside and then put in its place, so that no half ledger stands there."""
    settings, tables = app.settings_and_tables()
    beside, count, now = out.with_name(f"{out.name}.part"), 0, datetime.now(UTC)
    async with open_house(settings, broker=False) as house:
        await note(house.db, [ALL], Seen.EXPORT, actor=viewer, reason="intake export ledger", at=now)
        async with reading(house, tables, now) as reader:
            with beside.open("wb") as file:
                async for fact in facts(reader):
                    file.write(msgspec.json.encode(fact) + b"\n")
                    count += 1
    beside.replace(out)
    return count


async def _within(app: App, span: Span) -> tuple[list[Fact], Collection[str]]:
    """Give what concerns the span, and the units that there are."""
    settings, tables = app.settings_and_tables()
    async with open_house(settings, broker=False) as house, reading(house, tables, datetime.now(UTC)) as reader:
        (found,) = await within(reader, span)
        return found, reader.tables.router.directory.units
