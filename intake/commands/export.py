"""`intake export`: the facts of every case, and the figures that are reckoned from them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.screen import SHANGHAI, console, table
from intake.street.left_behind import worker_name
from intake.street.rooms import Rooms, open_rooms
from normalizer.appeal import RequestType
from router.cases.case import Case
from router.cases.figures import FIGURES, Fact, fact_of, rate
from router.looking import clock_of

BATCH = 500
SINCE = click.option("--since", type=click.DateTime(), required=True, help="从，含 · from, Shanghai time")
UNTIL = click.option("--until", type=click.DateTime(), required=True, help="到，不含 · before, Shanghai time")


@click.group("export", help="一本账导出与指标 · the ledger's facts, and figures")
def export_command() -> None:
    """Group."""


@export_command.command("ledger", help="一件一行，没有群众的话 · one line a case, nobody's words")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="写到 · JSON lines")
@command
def ledger_command(app: App, out: Path) -> None:
    """Anybody can reckon the figures again from it: docs/figures.py does."""
    count = run(_ledger(app, out))
    if app.as_json:
        print_json({"cases": count, "file": str(out)})
    else:
        click.echo(f"写了 {count} 件 · cases written: {out}")


@export_command.command("figures", help="指标 · figures over a span of time")
@SINCE
@UNTIL
@click.option("--unit", help="只算一个主办单位 · of one lead")
@click.option("--open", "opened", help="打开一个指标：没达到的是哪些件 · which cases a figure lacks")
@command
def figures_command(app: App, since: datetime, until: datetime, unit: str | None, opened: str | None) -> None:
    """Every figure with its definition; small samples say so."""
    names = {figure.name for figure in FIGURES}
    if opened is not None and opened not in names:
        raise click.UsageError(f"没有这个指标 · no such figure: {opened}; {' '.join(sorted(names))}")
    first, last = (moment.replace(tzinfo=SHANGHAI) for moment in (since, until))
    if last <= first:
        fail("--until 要晚于 --since · --until must be later")
    facts = [fact for fact in run(_within(app, first, last)) if unit is None or fact.unit == unit.upper()]
    rates = {figure.name: rate(figure, facts, first, last) for figure in FIGURES}
    if opened is not None:
        print_json(list(rates[opened].cases)) if app.as_json else click.echo("\n".join(rates[opened].cases))
        return
    if app.as_json:
        print_json([_row(figure.name, figure.title, figure.definition, rates[figure.name]) for figure in FIGURES])
        return
    lines = [[figure.title, rates[figure.name].text(), figure.definition] for figure in FIGURES]
    console().print(table(f"指标 {since:%Y-%m-%d} 至 {until:%Y-%m-%d}", ["指标", "值", "口径"], lines))


def _row(name: str, title: str, definition: str, found: Any) -> dict[str, Any]:  # noqa: ANN401 - a rate
    return {
        "name": name,
        "title": title,
        "definition": definition,
        "numerator": found.numerator,
        "denominator": found.denominator,
        "percent": found.percent,
        "interval": found.interval,
        "text": found.text(),
    }


async def _ledger(app: App, out: Path) -> int:
    count = 0
    async with _opened(app) as rooms:
        with out.open("wb") as file:
            async for fact in _facts(rooms):
                file.write(msgspec.json.encode(fact) + b"\n")
                count += 1
    return count


async def _within(app: App, since: datetime, until: datetime) -> list[Fact]:
    """Only what some figure asks about is held in memory."""
    async with _opened(app) as rooms:
        return [
            fact
            async for fact in _facts(rooms)
            if fact.excluded is None and any(figure.asked(fact, since, until) for figure in FIGURES)
        ]


@asynccontextmanager
async def _opened(app: App) -> AsyncIterator[Rooms]:
    settings, _ = app.settings_and_tables()
    async with open_house(settings, broker=False) as house, open_rooms(house, worker_name()) as rooms:
        yield rooms


async def _facts(rooms: Rooms) -> AsyncIterator[Fact]:
    batch: list[Case] = []
    async for case in rooms.cases.all():
        batch.append(case)
        if len(batch) == BATCH:
            for fact in await _read(batch, rooms):
                yield fact
            batch = []
    for fact in await _read(batch, rooms):
        yield fact


async def _read(cases: Sequence[Case], rooms: Rooms) -> list[Fact]:
    appeals = await rooms.router.load_appeals([(case.id, case.revision) for case in cases])
    facts = []
    for case in cases:
        appeal = appeals.get((case.id, case.revision))
        clock = clock_of(appeal, rooms.router) if appeal else None
        praise = appeal is not None and appeal.request_type is RequestType.PRAISE
        facts.append(fact_of(case, clock, praise=praise))
    return facts
