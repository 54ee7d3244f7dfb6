"""The demonstration's server: every source of 云泽市 at one address, and the list of what it offered.

    python -m demo.server --port 0 [--seed N] [--live] [--door URL] [--log FILE]

It prints {"port": N, "url": "..."} when it is ready.

GET  /demo/offered            what was ever offered (see offered.py), and the state of each source
GET  /demo/answers            what the hotline was told back of its orders (回写)
POST /demo/phase[?source=S]   begin phase 2 of one source or of all (see story.py)
POST /demo/submit?source=S    somebody writes to S now -> {"native_id": "..."}
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from demo.city import City, build
from demo.deal import ATOM, DISCUZ, EXCHANGE, GBK, HOTLINE, JSONFEED, RSS, SOURCES
from demo.discuz import Discuz
from demo.discuz import native_id as discuz_id
from demo.exchange import Exchange
from demo.feeds import Feeds, guid
from demo.hotline import Hotline, order_id
from demo.story import Post
from demo.waline import Waline, object_id

PACE = 4.0  #: seconds between two new items of a live city


def make_app(city: City, *, log: Path | None = None) -> web.Application:
    """Put all sources of a city behind one application."""
    hotline = Hotline(city)
    control = Control(city, hotline)
    app = web.Application(middlewares=[_logging(log)] if log else [])
    for part in (hotline, Feeds(city), Discuz(city), Waline(city), control):
        app.add_routes(part.routes())
    return app


class Control:
    """The demonstration's own questions and orders."""

    def __init__(self, city: City, hotline: Hotline) -> None:
        self._city = city
        self._hotline = hotline

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/demo/offered", self.offered),
            web.get("/demo/answers", self.answers),
            web.post("/demo/phase", self.phase),
            web.post("/demo/submit", self.submit),
        ]

    async def offered(self, _: web.Request) -> web.Response:
        sources = {
            name: {"phase": story.phase, "completed_reads": story.completed, "posts": len(story.posts)}
            for name, story in self._city.stories.items()
        }
        self._mark_withdrawn()
        return _json({"sources": sources, "offered": self._city.offered.listing()})

    async def answers(self, _: web.Request) -> web.Response:
        return _json(list(self._hotline.told.values()))

    def _mark_withdrawn(self) -> None:
        """What a source took back is in no answer any more: its last state is told from the story."""
        for name, story in self._city.stories.items():
            for post in story.posts.values():
                if post.withdrawn:
                    self._city.offered.gone(name, native_id(name, post))

    async def phase(self, request: web.Request) -> web.Response:
        asked = request.query.get("source")
        if asked is not None and asked not in self._city.stories:
            raise web.HTTPNotFound(text=f"no source {asked}")
        names = [asked] if asked else list(SOURCES)
        return _json({"advanced": [name for name in names if self._city.stories[name].advance()]})

    async def submit(self, request: web.Request) -> web.Response:
        source = request.query.get("source", HOTLINE)
        if source not in self._city.stories:
            raise web.HTTPNotFound(text=f"no source {source}")
        post = self._city.submit(source)
        return _json({"source": source, "native_id": native_id(source, post)})


def native_id(source: str, post: Post) -> str:
    """Tell under which id a connector of the source's kind knows a post."""
    if source in (HOTLINE, EXCHANGE):
        return order_id(post)
    if source in (RSS, ATOM, JSONFEED, GBK):
        return guid(source, post)
    if source == DISCUZ:
        return discuz_id(post)
    return object_id(post)


def _json(body: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


def _logging(log: Path) -> Middleware:
    @web.middleware
    async def write(request: web.Request, handler: Handler) -> web.StreamResponse:
        status = 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        else:
            return response
        finally:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now(UTC):%H:%M:%S.%f} {status} {request.method} {request.path_qs}\n")

    return write


@contextlib.asynccontextmanager
async def serve(
    city: City,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    pace: float | None = None,
    door: str | None = None,
    log: Path | None = None,
) -> AsyncIterator[str]:
    """Serve a city while the block runs; gives the address, without a slash at its end.

    With a `pace` the city lives: every so many seconds somebody writes. With a `door` its province pushes orders there.
    """
    runner = web.AppRunner(make_app(city, log=log), handle_signals=False, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    living = [asyncio.create_task(_go_on(city, pace))] if pace else []
    living += [asyncio.create_task(Exchange(city, door).run())] if door else []
    try:
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)
        await runner.cleanup()


async def _go_on(city: City, pace: float) -> None:
    """Let somebody write now and then, at a gentle pace: which source is the seed's choice, when is the clock's."""
    zone = ZoneInfo("Asia/Shanghai")
    while True:
        await asyncio.sleep(pace)
        now = datetime.now(zone).replace(tzinfo=None, microsecond=0)
        city.submit(city.rng.choice((HOTLINE, HOTLINE, *SOURCES)), now)


async def _main(arguments: argparse.Namespace) -> None:
    city = build(arguments.seed, faults=not arguments.smooth, phase_after=arguments.phase_after)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pace = PACE if arguments.live else None
    async with serve(
        city, host=arguments.host, port=arguments.port, pace=pace, door=arguments.door, log=arguments.log
    ) as url:
        print(json.dumps({"port": int(url.rpartition(":")[2]), "url": url}), flush=True)
        await stop.wait()


def main() -> None:
    """Start from the command line."""
    parser = argparse.ArgumentParser(description="The sources of 云泽市")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=28080, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--live", action="store_true", help="new items go on coming")
    parser.add_argument("--door", default=None, help="where orders are pushed, such as http://127.0.0.1:28090")
    parser.add_argument("--smooth", action="store_true", help="no 500, no 429, no broken answers")
    parser.add_argument("--phase-after", type=int, default=1, help="complete reads before phase 2; 0: only when told")
    parser.add_argument("--log", type=Path, default=None, help="a line a request")
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
