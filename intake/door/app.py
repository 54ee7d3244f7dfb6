"""Mini-programs and apps (小程序、客户端): POST /app/<source>/appeals, and later GET …/appeals/<number>."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from msgspec import Struct

from connectors.channels.app_intake import AppAppeal, AppIntake
from connectors.receiving.contract import Refused
from intake.door.desk import Desk
from intake.door.routes import Route, Table, json_answer

#: What a citizen is told (办理状态).
STATES = {
    "received": "已受理",
    "assigned": "已派单",
    "accepted": "承办单位已签收",
    "in_progress": "办理中",
    "replied": "已答复",
    "closed": "已办结",
    "merged": "已并入同一事项",
    "informed": "已告知",
    "handed_over": "已转有关机关",
    "withdrawn": "已撤回",
}


class Taken(Struct, frozen=True, kw_only=True):
    """收妥: the number to ask by; the same for the same Idempotency-Key."""

    number: str
    status_url: str


class Standing(Struct, frozen=True, kw_only=True):
    """办理进度."""

    number: str
    case_no: str | None  #: what callers quote on the telephone
    status: str  #: open or closed
    state: str
    state_name: str
    reply: str | None  #: the reviewed public reply
    updated_at: datetime | None


class Problem(Struct, frozen=True, kw_only=True):
    """出错."""

    error: str
    message: str


async def post(request: web.Request, desk: Desk) -> web.Response:
    """Take an appeal in; answer when it is stored."""
    (native_id,) = (await desk.take(await desk.read(request))).page.offered
    number = desk.receipt(native_id)
    url = f"{desk.public_url}/app/{desk.source.name}/appeals/{number}"
    return json_answer(Taken(number=number, status_url=url), 201)


async def get(request: web.Request, desk: Desk) -> web.Response:
    """Tell the app that sent it how it stands; another app's numbers are unknown here."""
    assert isinstance(desk.receiver, AppIntake)
    client = desk.receiver.client({name.lower(): value for name, value in request.headers.items()})
    desk.limit.take(client)
    number = request.match_info["number"]
    native_id = await desk.look.native_id(number)
    if native_id is None or not native_id.startswith(f"{client}:"):
        raise Refused(404, "没有这个编号 · no such number")
    for shown in await desk.look.by_ids([number]):
        face = shown.face
        return json_answer(
            Standing(
                number=number,
                case_no=shown.case_no,
                status=face.status,
                state=face.state,
                state_name=STATES[face.state],
                reply=face.reply,
                updated_at=face.updated_at,
            )
        )
    return json_answer(
        Standing(
            number=number,
            case_no=None,
            status="open",
            state="received",
            state_name=STATES["received"],
            reply=None,
            updated_at=None,
        )
    )


def refuse(_: web.Request, refused: Refused) -> web.Response:
    """Say no as JSON."""
    return json_answer(Problem(error=str(refused.status), message=refused.reason), refused.status)


TABLE = Table(
    routes=(
        Route(
            "POST",
            "/app/{source}/appeals",
            post,
            "提交诉求 · send an appeal",
            takes={"application/json": AppAppeal, "multipart/form-data": AppAppeal},
            gives={201: Taken, 400: Problem, 401: Problem, 403: Problem, 413: Problem, 415: Problem, 429: Problem},
        ),
        Route(
            "GET",
            "/app/{source}/appeals/{number}",
            get,
            "查询办理进度 · how it stands",
            gives={200: Standing, 401: Problem, 403: Problem, 404: Problem},
        ),
    ),
    refuse=refuse,
)
