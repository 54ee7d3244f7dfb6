"""Push in → a department's queue: orders come one by one at a steady pace through the real door of a real worker.

The worker is this process; who pushes and who reads the department's queue is another (pusher.py), which tells both
moments by one clock. Each push is counted from the moment at which it was due, whenever it went out.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec
import uvloop

from bench.city import NAME, files, orders_of, read
from bench.ground import ROOT, Ground, Task, states_in
from bench.one_desk import DESK
from bench.pusher import APP_KEY, SECRET, Orders
from bench.row import Pair, Row, Sample
from bench.stopwatch import Stopwatch
from connectors.channels.push_12345 import Push12345Settings
from connectors.raw_appeal import Mode
from intake import migrations, topology
from intake.door.door import Door
from intake.door.settings import DoorSettings
from intake.house import House, open_house
from intake.settings import Broker, Database, Demo, Keys, Settings
from intake.street.collecting import look_seldom
from intake.street.rooms import Rooms, open_rooms
from intake.street.turns import take_short_turns
from intake.street.worker import Street

LIMIT_MS = 250.0
RATE = 200  #: pushes a second
WHAT = "push in → the department's quorum queue, {rate} a second for {seconds:.0f} s, p99; the baseline is the limit"
SOURCE = Push12345Settings(
    name="bench-push",
    kind="push_12345",
    channel="hotline",
    mode=Mode.ROUTE,
    zone="Asia/Shanghai",
    app_key=APP_KEY,
    secret_env="BENCH_SECRET",
    requests_per_minute=1_000_000,
)


def compare(ground: Ground, records: int) -> Row:
    """Push so many, and take the 99th percentile of what it took."""
    pairs = []
    for number in range(1, ground.runs + 1):
        sample = ground.run("push", records, one_desk=True)
        facts = sample.facts
        ground.tell(
            f"{number}/{ground.runs}: p50 {facts['p50_ms']:.0f}, p99 {sample.figure:.0f} ms; answered: "
            f"p50 {facts['answer_p50_ms']:.0f}, p99 {facts['answer_p99_ms']:.0f} ms; {facts['pages']} pages"
        )
        pairs.append(Pair(sample, Sample(LIMIT_MS)))
    middle = sorted(pairs, key=lambda pair: pair.ours.figure)[len(pairs) // 2]
    return Row(
        name="push",
        what=WHAT.format(rate=RATE, seconds=records / RATE),
        ours=middle.ours.figure,
        baseline=LIMIT_MS,
        unit="ms",
        ratio=middle.ratio,
        goal=f"≤ {LIMIT_MS:g} ms",
        met=middle.ours.figure <= LIMIT_MS,
        runs=pairs,
    )


def run(task: Task) -> Sample:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return uvloop.run(_run(task, Path(folder)))


async def _run(task: Task, folder: Path) -> Sample:
    settings = _settings(task, folder)
    async with open_house(settings) as house:
        await migrations.migrate(house.db)
        await topology.ensure_topology(house, read(settings.tables).router.directory.units.values())
        async with open_rooms(house, "bench") as rooms:
            await rooms.connectors.store.sources.ensure([SOURCE.name])
            return await _measure(task, house, rooms)


async def _measure(task: Task, house: House, rooms: Rooms) -> Sample:
    assert house.settings.door is not None
    street = Street(rooms, [])
    door = Door(house.settings.door, house, rooms, street)
    street.open_beside(door.run)
    look_seldom()
    take_short_turns()
    running = asyncio.create_task(street.run())
    async with asyncio.timeout(30):
        while not door.port:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    watch = Stopwatch(task)
    found = await _pushed(task, door.port)
    _, facts = watch.stop(task.records)
    street.stopping.set()
    await running
    if street.progress.failures:
        raise RuntimeError(f"the street failed: {street.progress.failures}")
    states = await states_in(house.db)
    if states.get("delivered") != found["messages"]:
        raise RuntimeError(f"{found['messages']} orders came out of the queue, and the cases say {states}")
    pages = await house.db.pages.count_documents({})
    return Sample(found.pop("p99_ms"), facts | found | {"states": states, "pages": pages, "queues": 1})


async def _pushed(task: Task, port: int) -> dict[str, float]:
    orders = Orders(
        url=f"http://127.0.0.1:{port}/push/{SOURCE.name}",
        source=SOURCE.name,
        amqp_url=task.amqp_url,
        queue=f"dept.{DESK}",
        rate=RATE,
        orders=[order.decode() for order in orders_of(task)],
    )
    pusher = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.pusher", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    told, _ = await pusher.communicate(msgspec.json.encode(orders))
    if pusher.returncode:
        raise RuntimeError("the pusher failed; see above")
    return msgspec.json.decode(told, type=dict[str, float])


def _settings(task: Task, folder: Path) -> Settings:
    """Write down what an operator would have in intake.toml."""
    return Settings(
        file=folder / "intake.toml",
        city=NAME,
        database=Database(name=task.database, url=task.mongo_url),
        broker=Broker(vhost=task.vhost, url=task.amqp_url, management_url=task.management_url),
        tables=files(folder, one_desk=task.one_desk),
        demo=Demo(),
        keys=Keys(folder=folder / "keys"),
        door=DoorSettings(port=0),
        sources=(SOURCE,),
        environment={"BENCH_SECRET": SECRET},
    )
