"""The demonstration city's own server of sources, as a child of `intake run`."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import structlog

from intake.settings import DEMO, Demo

log = structlog.get_logger()

READY_WITHIN = 20.0
ENDS_WITHIN = 0.3


class DemoFailed(Exception):
    """The demonstration's server does not start; the message says why and what to do."""


@asynccontextmanager
async def demo_server(demo: Demo, *, live: bool, door: str | None = None) -> AsyncIterator[None]:
    """Run it beside the street; one that answers already at this address is used as it is.

    With a `door` it pushes orders there as well.
    """
    if not demo.server or await _answers(demo):
        yield
        return
    child = await _start(demo, live=live, door=door)
    if child is None and not await _answers(demo):
        raise DemoFailed(
            f"示范城市的服务没有起来（{demo.host}:{demo.port}），端口可能被占用 · "
            f"the demonstration's server did not start at {demo.host}:{demo.port}; is the port taken?"
        )
    try:
        yield
    finally:
        if child is not None:
            await _end(child)


async def _start(demo: Demo, *, live: bool, door: str | None) -> Process | None:
    """Start it in a session of its own: a Ctrl-C in the terminal is for the street, which then ends its child.

    None: it did not come up, perhaps because another street was quicker.
    """
    arguments = ["-m", "demo.server", "--host", demo.host, "--port", str(demo.port)]
    arguments += [*(["--live"] if live else []), *(["--door", door] if door else [])]
    child = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=DEMO.parent.parent, stdin=DEVNULL, stdout=PIPE, start_new_session=True
    )
    assert child.stdout is not None
    line = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(READY_WITHIN):
            line = await child.stdout.readline()
    if not line:
        await _end(child)
        return None
    log.info("demonstration started", action="demo_started", port=demo.port)
    return child


async def _end(child: Process) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(ENDS_WITHIN):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _answers(demo: Demo) -> bool:
    url = f"http://{demo.host}:{demo.port}/demo/offered"
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer,
        ):
            return answer.ok
    except (aiohttp.ClientError, TimeoutError):
        return False
