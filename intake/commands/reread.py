"""`intake sources reread NAME` and `intake sources accept NAME`: after a source has changed."""

from __future__ import annotations

from functools import partial

import click

from connectors.base import Connector, Fetch
from connectors.keeping.sources import SourceStore
from connectors.keeping.store import open_store
from connectors.registry import REGISTRY
from connectors.source import Source
from intake import migrations
from intake.cli import App, fail, print_json, run
from intake.commands.run import stopped_by_signals, watching
from intake.house import House, keys_for, open_house
from intake.sealing import Sealer
from intake.settings import Settings
from intake.street.clock import Clock
from intake.street.left_behind import let_go_of_the_dead, worker_name
from intake.street.reread import Again, Reread, accept
from intake.street.rooms import Rooms, open_rooms
from intake.street.worker import Left, Street
from intake.topology import prepare_queues


def reread_source(app: App, name: str) -> None:
    """Read what was kept of it again; exit 0 if all of it could be read."""
    settings, _ = app.settings_and_tables()
    source = _source(settings, name)
    if REGISTRY[source.kind].open is None:
        fail(
            f"{name} 不是按时读取的来源，没有留存的页；请重新导入或请对方重推 · "
            f"{name} is not read by us, no page of it was kept: import its file again, or have it pushed again"
        )
    try:
        done, left = run(_reread(settings, source))
    except migrations.SchemaRefused as refused:
        fail(str(refused))
    _tell(app, source, done)
    problems = [
        f"{why}\n  映射改好后再运行一次；确实没有内容的页，用 sources accept {name} 放下 · "
        f"mend the mapping and run it again, or set these pages aside with `sources accept {name}`"
        for why in dict.fromkeys(done.failed)
    ]
    problems += left.failures
    problems += [f"还有 {left.pages} 页没有做完 · pages not done"] if left.pages else []
    if problems:
        fail("\n  ".join(problems))


def accept_source(app: App, name: str) -> None:
    """Take a source as it is now."""
    settings = app.settings()
    aside = run(_accept(settings, _source(settings, name)))
    if app.as_json:
        print_json({"source": name, "accepted": True, "set_aside": aside})
    else:
        click.echo(
            f"{name} 按现在的样子重新学习，放下留存的 {aside} 次读取 · "
            f"{name} is learned as it is now; {aside} kept readings are set aside"
        )


def _source(settings: Settings, name: str) -> Source:
    source = settings.source(name)
    if source is None:
        known = " ".join(each.name for each in settings.sources)
        fail(f"设置里没有来源 {name}，有：{known} · the settings have no source {name}; they have: {known}")
    return source


async def _reread(settings: Settings, source: Source) -> tuple[Reread, Left]:
    async with open_house(settings) as house, watching(house):
        await migrations.migrate(house.db)
        await migrations.check(house.db)
        await let_go_of_the_dead(house.db)
        async with open_rooms(house, worker_name()) as rooms:
            await rooms.connectors.store.sources.ensure([source.name])
            await prepare_queues(house, rooms.tables.router.directory)
            return await _work(house, rooms, source)


async def _work(house: House, rooms: Rooms, source: Source) -> tuple[Reread, Left]:
    street = Street(rooms, [])
    with stopped_by_signals(street.stopping):
        async with street.working():
            connect = partial(_connect, source, house.settings)
            done = await Again(source, connect, rooms.connectors, street.pipeline.put).reread()
            left = await street.drain()
    if not done.failed and done.readings:
        await rooms.connectors.store.sources.resume(source.name)
    return done, left


def _connect(source: Source, settings: Settings, fetch: Fetch) -> Connector:
    connect = REGISTRY[source.kind].open
    assert connect is not None
    return connect(source, fetch, settings.environment)


async def _accept(settings: Settings, source: Source) -> int:
    async with open_house(settings, broker=False) as house:
        await SourceStore(house.db.sources).ensure([source.name])
        sealer = Sealer(house.db, await keys_for(house.db, settings))
        watches = open_store(house.db, sealer).watches
        return await accept(source.name, watches, (await Clock.of(house.db)).now())


def _tell(app: App, source: Source, done: Reread) -> None:
    if app.as_json:
        counts = {"readings": done.readings, "rows": done.rows, "changed": done.changed, "unreadable": done.unreadable}
        print_json({"source": source.name, **counts, "failed": len(done.failed)})
    else:
        click.echo(
            f"{source.name}：重读 {done.readings} 次读取的 {done.rows} 行，{done.changed} 条有变化，"
            f"{done.unreadable} 行仍读不懂 · {done.rows} rows of {done.readings} readings, {done.changed} changed"
        )
