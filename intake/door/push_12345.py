"""12345 platforms push work orders (12345 工单推送): POST /push/<source>."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from connectors.receiving.contract import Refused
from intake.door.desk import Desk
from intake.door.routes import Route, Table, json_answer


class Receipt(Struct, frozen=True, kw_only=True):
    """回执: ours for one order; the same order gets the same one, however often it is pushed."""

    id: str  #: the order as its platform calls it
    receipt: str
    parked: bool = False  #: kept as it came, and to be looked at by a person


class Receipts(Struct, frozen=True, kw_only=True):
    """回执."""

    receipts: list[Receipt]


class Told(Struct, frozen=True, kw_only=True):
    """答复: the envelope that such platforms read."""

    success: bool
    code: int
    message: str
    data: Receipts | None = None


async def post(request: web.Request, desk: Desk) -> web.Response:
    """Take orders in; answer when they are stored."""
    page = (await desk.take(await desk.read(request))).page
    bad = {each.native_id for each in page.bad}
    receipts = [Receipt(id=name, receipt=desk.receipt(name), parked=name in bad) for name in page.offered]
    return json_answer(Told(success=True, code=200, message="已收妥 · stored", data=Receipts(receipts=receipts)))


def refuse(_: web.Request, refused: Refused) -> web.Response:
    """Say no as JSON."""
    return json_answer(Told(success=False, code=refused.status, message=refused.reason), refused.status)


TABLE = Table(
    routes=(
        Route(
            "POST",
            "/push/{source}",
            post,
            "推送工单：新单、修改、办理状态、撤回 · push orders: new, edited, handled, withdrawn",
            takes={"application/json": dict},
            gives={200: Told, 401: Told, 429: Told, 503: Told},
        ),
    ),
    refuse=refuse,
)
