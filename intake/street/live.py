"""What `run` shows: a live table on a terminal, plain lines of progress otherwise."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import structlog
from pymongo.errors import PyMongoError
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from intake.cards import Held, cards, cards_table
from intake.house import House
from intake.screen import STATES, table
from intake.street.progress import State
from intake.street.rooms import Rooms
from intake.street.worker import Street
from intake.topology import DepartmentQueue, alarms, depths, management
from router.errors import RouterError

log = structlog.get_logger()

EVERY = 1.0
LINE_EVERY = 5.0
QUEUES_EVERY = 5  #: turns: the broker counts its queues anew every five seconds
QUEUES_SHOWN = 15
CARDS_SHOWN = 8

_STATES = {
    State.STARTING: "准备",
    State.READING: "在读",
    State.RESTING: "读完，等下次",
    State.WAITING: "等待",
    State.ELSEWHERE: "别处在读",
    State.LISTENING: "等来件",
    State.PAUSED: "已暂停",
    State.STOPPED: "停止，需人工处理",
}


@asynccontextmanager
async def watched(street: Street, house: House, rooms: Rooms) -> AsyncIterator[None]:
    """Show what goes on for as long as this block runs."""
    showing = asyncio.create_task(_live(street, house, rooms) if sys.stdout.isatty() else _lines(street))
    try:
        yield
    finally:
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing


async def _lines(street: Street) -> None:
    while True:
        await asyncio.sleep(LINE_EVERY)
        progress = street.progress
        log.info(
            "progress",
            action="progress",
            pages=progress.pages,
            routed=progress.routed,
            per_second=round(progress.rate(), 1),
            in_hand=street.pipeline.in_hand(),
            waiting=[name for name, source in progress.sources.items() if source.state is State.WAITING],
        )


async def _live(street: Street, house: House, rooms: Rooms) -> None:
    view = _View()
    turn = 0
    with Live(console=Console(), auto_refresh=False, screen=False) as live:
        while True:
            await view.look(house, rooms, queues=turn % QUEUES_EVERY == 0)
            live.update(view.drawn(street), refresh=True)
            turn += 1
            await asyncio.sleep(EVERY)


class _View:
    """The last look at the stores; a server that is away leaves the last look standing."""

    def __init__(self) -> None:
        self._cases: dict[str, int] = {}
        self._cards: list[Held] = []
        self._queues: list[DepartmentQueue] = []
        self._alarms: list[str] = []

    async def look(self, house: House, rooms: Rooms, *, queues: bool) -> None:
        with suppress(PyMongoError):
            self._cases = await rooms.cases.lists.counts()
            self._cards = await cards(house.db)
        if queues:
            with suppress(RouterError, TimeoutError):
                async with asyncio.timeout(2), aiohttp.ClientSession() as session:
                    broker = management(house, session)
                    found = await depths(broker)
                    self._queues = [queue for queue in found.values() if queue.name.startswith("dept.")]
                    self._alarms = await alarms(broker)

    def drawn(self, street: Street) -> Group:
        away = street.patience.away
        progress, pages = street.progress, street.pipeline.in_hand()
        head = f"每秒 {progress.rate():.0f} 条，已送 {progress.routed} 条，在手 {pages} 页"
        lost = Text(f"服务器断开，等待恢复（{away}）", style="bold red") if away else Text("")
        return Group(
            self._sources(street),
            Text(head),
            lost,
            Text("\n".join(self._alarms), style="bold red"),
            self._states(),
            cards_table(self._cards, CARDS_SHOWN),
            self._deepest(),
        )

    def _sources(self, street: Street) -> Table:
        rows = [
            [name, _STATES[source.state], source.items, source.reads, source.reason]
            for name, source in street.progress.sources.items()
        ]
        return table("来源", ["来源", "状态", "收到", "读完次数", "原因"], rows)

    def _states(self) -> Table:
        return table("工单", ["状态", "件数"], [[STATES.get(s, s), n] for s, n in sorted(self._cases.items())])

    def _deepest(self) -> Table:
        deepest = sorted(self._queues, key=lambda queue: -queue.messages)[:QUEUES_SHOWN]
        title = f"单位队列 {len(self._queues)}，共 {sum(queue.messages for queue in self._queues)} 条"
        return table(title, ["队列", "积压", "消费者"], [[q.name, q.messages, q.consumers] for q in deepest])
