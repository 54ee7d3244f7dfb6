"""Is the door open (健康检查): GET /health, for a proxy and for whoever watches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct

from connectors.receiving.contract import Refused
from intake.door.routes import Route, Table, json_answer


class Health(Struct, frozen=True, kw_only=True):
    """健康: whether a push would be stored now."""

    healthy: bool
    sources: list[str]


async def get(_: web.Request, look: Callable[[], Awaitable[Health]]) -> web.Response:
    """Answer 200 if a push would be stored now, else 503."""
    health = await look()
    return json_answer(health, 200 if health.healthy else 503)


def refuse(_: web.Request, refused: Refused) -> web.Response:
    """Say no as JSON."""
    return json_answer({"healthy": False, "reason": refused.reason}, refused.status)


TABLE = Table(
    routes=(Route("GET", "/health", get, "健康检查 · is the door open", gives={200: Health, 503: Health}),),
    refuse=refuse,
)
