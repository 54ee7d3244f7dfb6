"""START HERE. The door (接入口): one HTTP server of a worker, open while the street is, closed before it.

It listens where `[door]` says. Where another worker of this machine has that address, this one waits for it: whoever is
left has the door. Closing, it takes no more, answers what it has taken, and hands on what is stored.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web

from connectors.receiving.contract import Receiver, Refused
from connectors.registry import REGISTRY
from connectors.source import Source
from intake.door import app, departments, health, open311, push_12345, visits
from intake.door.desk import Desk
from intake.door.health import Health
from intake.door.inbox import Inbox
from intake.door.limits import Limit
from intake.door.logins import Logins
from intake.door.looking import Look
from intake.door.media import MediaStore
from intake.door.routes import Table, Terms, add, server_logger
from intake.door.settings import DoorSettings
from intake.door.sharing import Sharing
from intake.house import House
from intake.rights.custody import custody
from intake.street.ending import end
from intake.street.rooms import Rooms
from intake.street.worker import Street

log = structlog.get_logger()

#: What callers of each kind of source may do; a new kind joins by its line here.
TABLES: Mapping[str, Table] = {
    "push_12345": push_12345.TABLE,  # 12345 工单推送
    "open311_server": open311.TABLE,  # Open311 服务端
    "app_intake": app.TABLE,  # 小程序、客户端
}

AGAIN_AFTER = 2.0  #: seconds between two tries to take an address that another has
CLOSING = 1.5  #: seconds that requests in hand get when the door closes
HEALTH_WITHIN = 2.0  #: seconds in which the database must answer


class Door:
    """The door of one worker."""

    def __init__(self, settings: DoorSettings, house: House, rooms: Rooms, street: Street) -> None:
        self._settings = settings
        self._house = house
        self._rooms = rooms
        media = MediaStore(house.db, rooms.sealer)
        self._desks = {
            source.name: self._desk(source, receiver, street, media)
            for source, receiver in receivers(house.settings.sources, house.settings.environment)
        }
        self._logins = Logins(house.broker_url)
        self._counter = self._departments(media) if settings.departments else None
        shared = {name: desk.limit for name, desk in self._desks.items()}
        if self._counter is not None:
            shared["(departments)"] = self._counter.limit  # no source is called so
        self._sharing = Sharing(house.db.door_limits, shared)
        self.port = 0  #: where it listens, once it does

    async def run(self) -> None:
        """Listen until cancelled."""
        inboxes = [asyncio.create_task(desk.inbox.run(), name=name) for name, desk in self._desks.items()]
        inboxes.append(asyncio.create_task(self._logins.run(), name="logins"))
        inboxes.append(asyncio.create_task(self._sharing.run(), name="limits"))
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._open())
                # Not gathered: closing, they must go on until every caller is answered.
                ended, _ = await asyncio.wait([*inboxes, _never()], return_when=asyncio.FIRST_COMPLETED)
                for inbox in ended:
                    inbox.result()  # they end only by a fault
        finally:
            await end(inboxes)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        runner = web.AppRunner(
            self._app(), access_log=None, logger=server_logger(), handle_signals=False, shutdown_timeout=CLOSING
        )
        await runner.setup()
        try:
            await self._listen(runner)
            yield
        finally:
            await runner.cleanup()
            if self.port:
                log.info("the door is closed", action="door_closed", port=self.port)
                self.port = 0

    async def _listen(self, runner: web.AppRunner) -> None:
        settings, told = self._settings, False
        while True:
            site = web.TCPSite(runner, settings.listen, settings.port, ssl_context=_tls(settings))
            try:
                await site.start()
            except OSError as error:
                if not told:
                    log.warning(
                        "the door's address is taken", action="door_taken", port=settings.port, reason=error.strerror
                    )
                told = True
                await asyncio.sleep(AGAIN_AFTER)
            else:
                self.port = runner.addresses[0][1]
                log.info("the door is open", action="door_open", port=self.port, sources=sorted(self._desks))
                return

    def _app(self) -> web.Application:
        settings = self._settings
        made = web.Application(client_max_size=settings.largest_body)
        made.on_response_prepare.append(_unnamed)
        by_address = Limit(settings.requests_per_minute, time.monotonic)
        terms = Terms(settings.seconds, settings.behind_proxy, by_address.take)
        add(made, health.TABLE, lambda _: self._health, terms)
        for kind, table in TABLES.items():
            add(made, table, self._finder(kind), terms)
        if self._counter is not None:
            add(made, departments.TABLE, lambda _: self._counter, terms)
        if settings.visits:
            callback = visits.Callback(
                room=self._rooms.router,
                key=self._rooms.keys.visit_key,
                by_address=Limit(visits.A_MINUTE, time.monotonic),
                by_case=Limit(visits.A_LINK, time.monotonic),
                behind_proxy=settings.behind_proxy,
                now=self._rooms.clock.now,
            )
            add(made, visits.TABLE, lambda _: callback, terms)
        return made

    def _finder(self, kind: str) -> Callable[[web.Request], Desk]:
        def find(request: web.Request) -> Desk:
            desk = self._desks.get(request.match_info["source"])
            if desk is None or desk.source.kind != kind:
                raise Refused(404, "没有这个来源 · no such source")
            return desk

        return find

    def _desk(self, source: Source, receiver: Receiver, street: Street, media: MediaStore) -> Desk:
        inbox = Inbox(
            source,
            self._rooms.connectors,
            street.pipeline,
            street.progress.source(source.name),
            merge=getattr(receiver, "merge", None),
            keep=media.keep,
        )
        settings = self._settings
        return Desk(
            source=source,
            receiver=receiver,
            inbox=inbox,
            limit=Limit(source.requests_per_minute, time.monotonic),
            look=Look(self._house.db, source.name),
            tables=self._rooms.tables,
            public_url=settings.public_url.rstrip("/") or f"http://{settings.listen}:{settings.port}",
        )

    def _departments(self, media: MediaStore) -> departments.Counter:
        rooms, db = self._rooms, self._house.db
        return departments.Counter(
            logins=self._logins,
            directory=lambda: rooms.router.tables.directory,
            custody=custody(db, rooms.sealer, rooms.keys, rooms.clock.now),
            media=media,
            load_appeals=rooms.router.load_appeals,
            limit=Limit(departments.A_MINUTE, time.monotonic),
            tries=Limit(departments.TRIES_A_MINUTE, time.monotonic),
            behind_proxy=self._settings.behind_proxy,
        )

    async def _health(self) -> Health:
        async with asyncio.timeout(HEALTH_WITHIN):
            await self._house.db.command("ping")
        return Health(healthy=True, sources=sorted(self._desks))


def receivers(sources: Sequence[Source], environment: Mapping[str, str]) -> list[tuple[Source, Receiver]]:
    """Open what is pushed to us; BadKeys where the environment holds no usable key."""
    return [
        (source, receive(source, environment))
        for source in sources
        if (receive := REGISTRY[source.kind].receive) is not None
    ]


async def _unnamed(_: web.Request, response: web.StreamResponse) -> None:
    """Nobody outside need know which versions of what answer here."""
    response.headers["Server"] = "intake"


def _never() -> asyncio.Future[None]:
    """Keep a door without sources open: departments have routes as well."""
    return asyncio.get_running_loop().create_future()


def _tls(settings: DoorSettings) -> ssl.SSLContext | None:
    if settings.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate, settings.certificate_key)
    return context
