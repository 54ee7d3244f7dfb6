"""`intake import FILE --source NAME`: a file's rows through the whole street, resumable at any row."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from connectors.channels.table import TableFile
from connectors.errors import ConnectorError
from connectors.registry import REGISTRY
from connectors.source import Source
from intake import migrations
from intake.cli import App, command, fail, print_json, run
from intake.commands.run import stopped_by_signals, watching
from intake.house import House, open_house
from intake.settings import Settings
from intake.street.ending import end
from intake.street.left_behind import let_go_of_the_dead, worker_name
from intake.street.rooms import open_rooms
from intake.street.watching import watches_of
from intake.street.worker import Left, Street
from intake.topology import prepare_queues

LOOK_EVERY = 0.2


@click.command("import", help="导入文件：CSV、XLSX、JSON lines · import a file")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", "name", required=True, help="设置中的来源（列映射在那里）· the source whose mapping applies")
@command
def import_command(app: App, file: Path, name: str) -> None:
    """Kill it anywhere and run it again: the end states are the same, and a second import changes nothing."""
    settings, _ = app.settings_and_tables()
    source = _source(settings, name)
    try:
        left, imported = run(_import(settings, source, file))
    except (ConnectorError, migrations.SchemaRefused) as refused:
        fail(str(refused))
    if app.as_json:
        print_json({"source": name, "imported": imported, "pages_open": left.pages, "unsent": left.dispatches})
    else:
        click.echo(f"已导入 {imported} 条有变化的 · imported {imported} new or changed rows of {file.name}")
    problems = [f"没有读完：{each.why} · not read to its end" for each in left.sources if not each.to_end]
    problems += left.failures
    problems += (
        [f"还有 {left.pages} 页、{left.dispatches} 件未送出 · still open"] if left.pages or left.dispatches else []
    )
    if problems:
        fail("\n  ".join(problems))


def _source(settings: Settings, name: str) -> Source:
    files = [source.name for source in settings.sources if REGISTRY[source.kind].open_file is not None]
    source = settings.source(name)
    if source is None or name not in files:
        fail(
            f"设置里没有可导入的来源 {name}，有：{' '.join(files) or '无'} · "
            f"the settings have no source {name} of a kind that reads files; they have: {' '.join(files) or 'none'}"
        )
    return source


async def _import(settings: Settings, source: Source, file: Path) -> tuple[Left, int]:
    open_file = REGISTRY[source.kind].open_file
    assert open_file is not None
    reader = cast("TableFile", open_file(source, file))
    async with open_house(settings) as house, watching(house):
        await migrations.migrate(house.db)
        await migrations.check(house.db)
        await let_go_of_the_dead(house.db)
        async with open_rooms(house, worker_name()) as rooms:
            await rooms.connectors.store.sources.ensure([source.name])
            await prepare_queues(house, rooms.tables.router.directory)
            street = Street(rooms, [(source, reader)], watches=watches_of([source], rooms), in_order=True)
            with stopped_by_signals(street.stopping):
                async with _bar(street, house, source, reader):
                    left = await street.once()
    return left, street.progress.source(source.name).items


@asynccontextmanager
async def _bar(street: Street, house: House, source: Source, reader: TableFile) -> AsyncIterator[None]:
    """Total, imported, rate and what remains, on the error stream."""
    total = await asyncio.to_thread(reader.count)
    columns: list[Any] = [
        TextColumn("导入 {task.fields[file]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("每秒 {task.fields[rate]:.0f} 条"),
        TimeElapsedColumn(),
        TextColumn("剩余"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=not sys.stderr.isatty()) as bar:
        watched = _Watched(
            bar, bar.add_task("import", total=total, file=source.name, rate=0.0), street, house, source, reader
        )
        showing = asyncio.create_task(watched.show())
        try:
            yield
        finally:
            await end([showing])
            await watched.look()


class _Watched(NamedTuple):
    """A bar and what it shows."""

    bar: Progress
    task: TaskID
    street: Street
    house: House
    source: Source
    reader: TableFile

    async def show(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """The position in the store is the truth: what was imported before a crash counts too."""
        document = await self.house.db.sources.find_one({"_id": self.source.name}, {"cursor": 1})
        done = self.reader.rows_done(document["cursor"]) if document else 0
        self.bar.update(self.task, completed=done, rate=self.street.progress.rate())
