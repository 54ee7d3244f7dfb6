"""Our side: one worker, from a source's page to its confirmed messages, wired as `intake run` wires it.

Page source (pages_on_disk.py) -> offered, stored -> normalized -> decided -> confirmed in the departments' quorum
queues, cases marked, page done. The watch stops when the last page is done.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
import uvloop

from bench.city import NAME, SOURCE, files, orders_of, read
from bench.ground import Task, states_in
from bench.pages_on_disk import PagesOnDisk
from bench.row import Sample
from bench.stopwatch import Stopwatch
from connectors.channels.hotline_12345 import Hotline12345, HotlineSettings
from intake import migrations, topology
from intake.heaps import share_heaps
from intake.house import House, open_house
from intake.settings import Broker, Database, Demo, Keys, Settings
from intake.street.collecting import look_seldom
from intake.street.rooms import Rooms, open_rooms
from intake.street.turns import take_short_turns
from intake.street.worker import Street

LOOK_EVERY = 0.002
PATIENCE = 300.0  #: seconds for one run


def run(task: Task) -> Sample:
    share_heaps()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return uvloop.run(_run(task, Path(folder)))


async def _run(task: Task, folder: Path) -> Sample:
    pages = PagesOnDisk(folder, orders_of(task), page=task.page)
    settings = _settings(task, folder)
    async with open_house(settings) as house:
        await migrations.migrate(house.db)
        await topology.ensure_topology(house, read(settings.tables).router.directory.units.values())
        async with open_rooms(house, "bench") as rooms:
            await rooms.connectors.store.sources.ensure([task.source])
            return await _measure(task, house, rooms, pages)


async def _measure(task: Task, house: House, rooms: Rooms, pages: PagesOnDisk) -> Sample:
    source = _source(task)
    street = Street(rooms, [(source, Hotline12345(source, pages.fetch, {}))])
    look_seldom()
    take_short_turns()
    await rooms.beside.ready()
    await _gate(task)
    watch = Stopwatch(task)
    running = asyncio.create_task(street.run())
    try:
        async with asyncio.timeout(PATIENCE):
            await _all_routed(street, task.records, running)
    except TimeoutError:
        raise RuntimeError(f"the street stands still: {street.progress.sources}, {street.progress.failures}") from None
    seconds, facts = watch.stop(task.records)
    street.stopping.set()
    await running
    return Sample(task.records / seconds, facts | await _found(house, street, seconds))


def _source(task: Task) -> HotlineSettings:
    return msgspec.structs.replace(SOURCE, name=task.source)


async def _gate(task: Task) -> None:
    """Wait for the others, where several are to begin at once."""
    if task.gate is not None:
        gate = Path(task.gate)
        (gate / task.source).touch()
        while not (gate / "go").exists():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY)  # they are other processes


async def _all_routed(street: Street, records: int, running: asyncio.Task[None]) -> None:
    progress = street.progress
    while progress.routed < records and not progress.failures and not running.done():  # noqa: ASYNC110
        await asyncio.sleep(LOOK_EVERY)  # counters for people have no event


async def _found(house: House, street: Street, seconds: float) -> dict[str, object]:
    """What became of the records; a street that lost one is no result."""
    if street.progress.failures:
        raise RuntimeError(f"the street failed: {street.progress.failures}")
    states = await states_in(house.db)
    sent = [each async for each in house.db.cases.aggregate(_SENT)]
    messages, queues = (sent[0]["n"], sent[0]["queues"]) if sent else (0, 0)
    return {"states": states, "messages": messages, "queues": queues, "messages_a_second": messages / seconds}


_SENT = [
    {"$unwind": "$dispatches"},
    {"$match": {"dispatches.state": "sent"}},
    {"$group": {"_id": "$dispatches.department", "n": {"$sum": 1}}},
    {"$group": {"_id": None, "n": {"$sum": "$n"}, "queues": {"$sum": 1}}},
]


def _settings(task: Task, folder: Path) -> Settings:
    """Write down what an operator would have in intake.toml."""
    return Settings(
        file=folder / "intake.toml",
        city=NAME,
        database=Database(name=task.database, url=task.mongo_url),
        broker=Broker(vhost=task.vhost, url=task.amqp_url, management_url=task.management_url),
        tables=files(folder, one_desk=task.one_desk),
        demo=Demo(),
        keys=Keys(folder=folder / "keys" if task.keys is None else Path(task.keys)),
        sources=(_source(task),),
        environment={},
    )
