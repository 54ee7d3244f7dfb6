"""`intake run`: the whole street, or the rooms that `--only` names."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import click
import structlog

from connectors.keeping.store import open_offers
from connectors.receiving.keys import BadKeys
from intake import migrations
from intake.balance import Balance
from intake.cli import App, command, fail, print_json, run
from intake.commands.balance import as_json, compute, show
from intake.demo_server import DemoFailed, demo_server
from intake.door.door import Door
from intake.house import FOLDER, House, open_house
from intake.pushing.pushing import pushing
from intake.screen import console
from intake.servers import watch
from intake.settings import Demo, Settings
from intake.street.collecting import look_seldom
from intake.street.ending import end
from intake.street.left_behind import let_go_of_the_dead, worker_name
from intake.street.live import watched
from intake.street.rooms import Rooms, open_connectors, open_rooms
from intake.street.turns import take_short_turns
from intake.street.watching import LOOK_AT_PUSHES_EVERY, look_at_pushes, overheard, watches_of
from intake.street.worker import ROOMS, Left, Street
from intake.topology import prepare_queues

log = structlog.get_logger()


@click.command("run", help="运行整条街 · run the whole street")
@click.option("--once", is_flag=True, help="读完、送完、平账、退出 · drain everything, print the balance, exit")
@click.option("--only", metavar="ROOM,…", help="只开这些环节：connectors,normalizer,router · only these rooms")
@click.option("--embedded", is_flag=True, help="自带数据库与消息队列 · start MongoDB and RabbitMQ itself")
@command
def run_command(app: App, once: bool, only: str | None, embedded: bool) -> None:
    """Exit 0 with --once only if nothing is in flight and every source was read to its end."""
    del embedded  # servers of our own start whenever no address is named; the option says that one wants just that
    rooms = _rooms(only)
    settings, _ = app.settings_and_tables()
    try:
        left, total = run(_run(settings, rooms, once=once))
    except (BadKeys, DemoFailed, migrations.SchemaRefused) as refused:
        fail(str(refused))
    if left is not None and total is not None:
        _report(app, left, total)


def _rooms(only: str | None) -> frozenset[str]:
    named = frozenset(ROOMS if only is None else only.replace("，", ",").split(","))
    if not named <= set(ROOMS):
        raise click.BadParameter(f"只有 · there are only: {', '.join(ROOMS)}", param_hint="--only")
    return named


async def _run(settings: Settings, only: frozenset[str], *, once: bool) -> tuple[Left | None, Balance | None]:
    async with open_house(settings) as house, watching(house):
        await migrations.migrate(house.db)
        await migrations.check(house.db)
        await let_go_of_the_dead(house.db)
        async with (
            demo_server(
                settings.demo if "connectors" in only else Demo(), live=not once, door=None if once else _door(settings)
            ),
            open_rooms(house, worker_name()) as rooms,
            _street(house, rooms, only) as street,
        ):
            look_seldom()
            take_short_turns()
            with stopped_by_signals(street.stopping):
                async with watched(street, house, rooms):
                    left = await _work(street, once=once)
        return left, (await compute(house.db))[0] if once else None


def _door(settings: Settings) -> str | None:
    """Where the demonstration pushes orders: a street that runs once opens no door."""
    return f"http://{settings.door.listen}:{settings.door.port}" if settings.door is not None else None


async def _work(street: Street, *, once: bool) -> Left | None:
    if once:
        return await street.once()
    await street.run()
    return None


@asynccontextmanager
async def _street(house: House, rooms: Rooms, only: frozenset[str]) -> AsyncIterator[Street]:
    store, settings = rooms.connectors.store, house.settings
    pulled = [source for source in settings.sources if source.transport == "pull"]
    await store.sources.ensure(source.name for source in settings.sources if source.transport != "import")
    if "router" in only:
        await prepare_queues(house, rooms.tables.router.directory)
    watches = watches_of(pulled, rooms)
    async with open_connectors(pulled, settings, rooms.clock, store.budgets, over=overheard(watches)) as readers:
        street = Street(rooms, readers, only=only, watches=watches)
        if settings.door is not None and "connectors" in only:
            street.open_beside(Door(settings.door, house, rooms, street).run)
        if settings.pushes and "router" in only:
            street.open_beside(pushing(house, rooms, worker_name()).run, "pushing")
        pushed = watches_of([source for source in settings.sources if source.transport == "push"], rooms)
        if pushed and "connectors" in only:
            offers = open_offers(house.db, store, rooms.clock.now)
            street.sweep_too("pushes", LOOK_AT_PUSHES_EVERY, partial(look_at_pushes, pushed, rooms, offers))
        yield street


@asynccontextmanager
async def watching(house: House) -> AsyncIterator[None]:
    """Start servers of our own again when they die."""
    if not house.own_servers:
        yield
        return
    watching = asyncio.create_task(watch(FOLDER, _tell_server))
    try:
        yield
    finally:
        await end([watching])


def _tell_server(server: str, what: str) -> None:
    log.warning("server", action="server_watched", server=server, what=what)


@contextmanager
def stopped_by_signals(stopping: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the street in the order in which data flows; a second one ends it at once."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopping.is_set():
            sys.exit(1)
        stopping.set()
        click.echo("正在收尾…… · closing", err=True)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _report(app: App, left: Left, total: Balance) -> None:
    if app.as_json:
        sources = {source.name: {"to_end": source.to_end, "why": source.why} for source in left.sources}
        print_json({"balance": as_json(total), "sources": sources, "failures": left.failures})
    else:
        show(total, console())
    problems = problems_of(left, total)
    if problems:
        fail("\n  ".join(problems))


def problems_of(left: Left, total: Balance) -> list[str]:
    """Say what `--once` did not bring to its end; with none of it the exit code is 0."""
    in_flight = total.totals().get("in_flight", 0)
    problems = [
        f"来源没有读到底：{each.name}，{each.why} · not read to its end" for each in left.sources if not each.to_end
    ]
    problems += [f"失败 · failed: {failure}" for failure in left.failures]
    problems += [f"还有 {in_flight} 条在途 · still in flight"] if in_flight else []
    problems += [f"还有 {left.pages} 页没有做完 · pages not done"] if left.pages and not in_flight else []
    # A case that went back to triage counts as triage, also while the recall to its department is still unsent.
    problems += [f"还有 {left.dispatches} 件未送出 · not sent"] if left.dispatches and not in_flight else []
    problems += [f"账不平 {total.difference_count} 处 · does not add up"] if not total.adds_up else []
    return problems
