"""`intake sources backfill NAME --from D --to D`: what a source showed in the past, beside the live reading."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

import click
import msgspec
import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from connectors.errors import ConnectorError
from connectors.keeping.sources import SourceStore
from connectors.raw_appeal import Mode, RawAppeal
from connectors.registry import REGISTRY
from connectors.source import Source
from intake import migrations
from intake.cli import App, fail, print_json, run
from intake.commands.run import stopped_by_signals, watching
from intake.demo_server import demo_server
from intake.house import House, open_house
from intake.settings import Settings
from intake.street.backfill import SHARE, Backfill, Done, Span
from intake.street.ending import end
from intake.street.left_behind import let_go_of_the_dead, worker_name
from intake.street.rooms import Rooms, open_connectors, open_rooms
from intake.street.worker import Left, Street
from intake.topology import prepare_queues
from normalizer.mappers import MAPPERS

log = structlog.get_logger()

LINE_EVERY = 5.0


class Task(msgspec.Struct, frozen=True):
    """What was asked for."""

    source: Source  #: with the mode of the backfill
    span: Span


def backfill(app: App, name: str, begin: str, end: str | None, mode: str) -> None:
    """Read one span; exit 0 if it was read to its end."""
    settings, _ = app.settings_and_tables()
    task = Task(_source(settings, name, Mode(mode)), _span(begin, end, settings.source(name)))
    _must_be_past(task)
    try:
        done, left, why = run(_run(settings, task))
    except (ConnectorError, migrations.SchemaRefused) as refused:
        fail(str(refused))
    _tell(app, task, done, why)
    problems = [why] if why else []
    problems += left.failures
    problems += [f"还有 {left.pages} 页没有做完 · pages not done"] if left.pages else []
    if problems:
        fail("\n  ".join(problems))


def posted_at(raw: RawAppeal) -> datetime | None:
    """Ask the source's mapper; a row that it can't read is in every span, so that it is parked and not lost."""
    try:
        written = MAPPERS[raw.kind](raw).posted_at
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the normalizer will name it
        return None
    return None if written is None else datetime.fromisoformat(written)


def _source(settings: Settings, name: str, mode: Mode) -> Source:
    pulled = [source.name for source in settings.sources if REGISTRY[source.kind].open is not None]
    source = settings.source(name)
    if source is None or name not in pulled:
        known = " ".join(pulled)
        fail(f"没有可补采的来源 {name}，有：{known} · no source {name} to read; the settings have: {known}")
    return msgspec.structs.replace(source, mode=mode)


def _span(begin: str, end: str | None, source: Source | None) -> Span:
    zone = ZoneInfo(source.zone if source else "Asia/Shanghai")
    first = _moment(begin, zone, "--from")
    last = _moment(end, zone, "--to") if end else _today(zone)
    if first >= last:
        _bad("--to", f"要在 --from 之后 · must be after --from: {first:%Y-%m-%d %H:%M} {last:%Y-%m-%d %H:%M}")
    return Span(first, last)


def _moment(written: str, zone: ZoneInfo, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        _bad(option, f"不是日期或时间 · no date or time: {written}; 例 · such as 2026-01-01")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _today(zone: ZoneInfo) -> datetime:
    return datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _must_be_past(task: Task) -> None:
    """What a backfill learns as history is never sent: it must not take what the live reading has still to bring."""
    if task.source.mode is Mode.HISTORY and task.span.end > _today(ZoneInfo(task.source.zone)):
        _bad("--to", "history 只到今天零点：今天的件要由日常读取来派发 · history ends where today begins")


def _bad(option: str, words: str) -> NoReturn:
    raise click.BadParameter(words, param_hint=option)


async def _run(settings: Settings, task: Task) -> tuple[Done, Left, str | None]:
    async with open_house(settings) as house, watching(house):
        await migrations.migrate(house.db)
        await migrations.check(house.db)
        await let_go_of_the_dead(house.db)
        async with demo_server(settings.demo, live=False), open_rooms(house, worker_name()) as rooms:
            await rooms.connectors.store.sources.ensure([task.source.name])
            await prepare_queues(house, rooms.tables.router.directory)
            return await _read(house, rooms, task)


async def _read(house: House, rooms: Rooms, task: Task) -> tuple[Done, Left, str | None]:
    street = Street(rooms, [])
    books = rooms.connectors.store.budgets
    async with open_connectors([task.source], house.settings, rooms.clock, books, share=SHARE) as readers:
        ((source, connector),) = readers
        filling = Backfill(
            source,
            connector,
            task.span,
            room=rooms.connectors,
            positions=SourceStore(house.db.backfills),
            posted_at=posted_at,
            patience=street.patience,
        )
        with stopped_by_signals(street.stopping):
            async with _shown(filling.done, source.name), street.working():
                why = await filling.run(street.pipeline.put)
                left = await street.drain()
    return filling.done, left, why


def _tell(app: App, task: Task, done: Done, why: str | None) -> None:
    if app.as_json:
        span = {"from": task.span.begin, "to": task.span.end, "mode": task.source.mode}
        counts = {"pages": done.pages, "seen": done.seen, "within": done.within, "added": done.added}
        print_json({"source": task.source.name, **span, **counts, "to_end": why is None, "why": why})
    else:
        click.echo(
            f"{task.source.name}：看过 {done.seen} 条，其中这一段的 {done.within} 条，新收 {done.added} 条 · "
            f"{done.seen} rows seen, {done.within} in the span, {done.added} new"
        )


@asynccontextmanager
async def _shown(done: Done, name: str) -> AsyncIterator[None]:
    """Progress with rate and remaining time: a bar on a terminal, lines of the log otherwise."""
    showing = asyncio.create_task(_bar(done, name) if sys.stderr.isatty() else _lines(done, name))
    try:
        yield
    finally:
        await end([showing])


async def _lines(done: Done, name: str) -> None:
    while True:
        await asyncio.sleep(LINE_EVERY)
        log.info(
            "backfill",
            action="backfill",
            source=name,
            share=round(done.share, 3),
            seen=done.seen,
            within=done.within,
            added=done.added,
            per_second=round(done.rate, 1),
            remaining=_remaining(done),
            waits=done.waits,
        )


async def _bar(done: Done, name: str) -> None:
    columns = [
        TextColumn(f"补采 {name}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}% 每秒 {task.fields[rate]:.1f} 条，新收 {task.fields[added]} 条"),
        TimeElapsedColumn(),
        TextColumn("剩余 {task.fields[remaining]} {task.fields[waits]}"),
    ]
    with Progress(*columns, console=Console(stderr=True)) as bar:
        line: TaskID = bar.add_task("backfill", total=1.0, rate=0.0, added=0, remaining="-", waits="")
        while True:
            bar.update(
                line,
                completed=done.share,
                rate=done.rate,
                added=done.added,
                remaining=_remaining(done) or "-",
                waits=done.waits or "",
            )
            await asyncio.sleep(0.5)


def _remaining(done: Done) -> str | None:
    left = done.remaining
    return None if left is None else str(timedelta(seconds=round(left.total_seconds())))
