"""`intake rehearse --text --apply`: what the rehearsal showed comes into force, through the street. Resumable."""

from __future__ import annotations

import click

from intake import migrations
from intake.cli import App, fail, print_json, run
from intake.commands.run import stopped_by_signals, watching
from intake.house import House, open_house
from intake.rehearsal import Rehearsed, Which, note_shown, rehearse
from intake.rights.custody import open_custody
from intake.settings import Settings
from intake.street.again import Renewal
from intake.street.left_behind import let_go_of_the_dead, worker_name
from intake.street.rooms import Rooms, open_rooms
from intake.street.worker import Left, Street
from intake.topology import prepare_queues


def apply_rehearsed(app: App, which: Which, limit: int, viewer: str) -> None:
    """Normalize again for good what would read otherwise; exit 0 if all of it came to its end."""
    settings, _ = app.settings_and_tables()
    try:
        done, renewal, left = run(_apply(settings, which, limit, viewer if app.as_json else None))
    except migrations.SchemaRefused as refused:
        fail(str(refused))
    if app.as_json:
        print_json({"rehearsed": done, "closed": renewal.closed, "unknown_sources": renewal.unknown})
    else:
        click.echo(
            f"已更新 {done.applied} 件，已办结不动 {renewal.closed} 件 · {done.applied} applied, closed ones stand"
        )
        for name, count in renewal.unknown.items():
            click.echo(f"设置里没有来源 {name}，{count} 件没有更新 · the settings have no such source", err=True)
    problems = list(left.failures)
    problems += [f"还有 {left.pages} 页没有做完，再运行一次 · pages not done, run it again"] if left.pages else []
    if problems:
        fail("\n  ".join(problems))


async def _apply(settings: Settings, which: Which, limit: int, viewer: str | None) -> tuple[Rehearsed, Renewal, Left]:
    async with open_house(settings) as house, watching(house):
        await migrations.migrate(house.db)
        await migrations.check(house.db)
        await let_go_of_the_dead(house.db)
        async with open_rooms(house, worker_name()) as rooms:
            await prepare_queues(house, rooms.tables.router.directory)
            return await _work(house, rooms, which, limit, viewer)


async def _work(
    house: House, rooms: Rooms, which: Which, limit: int, viewer: str | None
) -> tuple[Rehearsed, Renewal, Left]:
    street = Street(rooms, [])
    sources = {source.name: source for source in house.settings.sources}
    renewal = Renewal(sources=sources, room=rooms.connectors, cases=rooms.cases, put=street.pipeline.put)
    with stopped_by_signals(street.stopping):
        async with street.working(), open_custody(house) as custody:
            done = await rehearse(which, rooms.tables.normalizer, custody, limit, renewal.apply)
            left = await street.drain()
            if viewer is not None:
                await note_shown(done, custody, viewer)
    return done, renewal, left
