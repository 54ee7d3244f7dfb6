"""`intake consume DEPARTMENT`: what a department's program would do, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec

from intake.cli import App, command, fail, run, write_out
from intake.commands.viewer import VIEWER
from intake.house import open_house
from intake.rights.accesses import Seen, note
from intake.rights.together import with_news
from intake.screen import URGENCIES, console, table
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms
from router.cases.case import dispatch_of, facts_of, from_document
from router.cases.moves import Sent
from router.dispatching.statement import TYPE as STATEMENT
from router.dispatching.taking import take
from router.dispatching.topology import queue_of
from router.errors import RouterError

ROLES = {"lead": "主办", "assist": "协办", "copy": "抄送"}


@click.command("consume", help="替单位取件，取走即确认 · take a department's messages")
@click.argument("department")
@click.option("--max", "most", type=click.IntRange(min=1), help="最多几条 · at most")
@click.option("--peek", is_flag=True, help="只看已送未确认的，不碰队列 · only look, from our own store")
@VIEWER
@command
def consume_command(app: App, department: str, most: int | None, viewer: str, *, peek: bool) -> None:
    """Who looks is written down, then messages are printed, then acknowledged; with --json they make one JSON array."""
    code = department.upper()
    shown = _Shown(as_json=app.as_json)
    try:
        run(_peek(app, code, most, shown, viewer) if peek else _take(app, code, most, shown, viewer))
    except RouterError as error:
        shown.close()
        fail(f"取不到 {queue_of(code)} · cannot read {queue_of(code)}: {error}")
    shown.close()


class _Shown:
    """Prints as messages come: what is printed may be acknowledged."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._rows: list[list[object]] = []
        self._count = 0

    def add(self, body: bytes) -> None:
        """Print one message; a table is printed at the end, but a row is kept before it is acknowledged."""
        if self._as_json:
            write_out((b"," if self._count else b"[") + b"\n" + body)
        else:
            self._rows.append(_row(body))
        self._count += 1

    def close(self) -> None:
        """Print what is left to print."""
        if self._as_json:
            write_out(b"\n]\n" if self._count else b"[]\n")
            return
        console().print(
            table(f"消息 {self._count}", ["类型", "工单号", "序号", "角色", "紧急", "标题", "办结时限"], self._rows)
        )


def _row(body: bytes) -> list[object]:
    try:
        event: dict[str, Any] = msgspec.json.decode(body)
        data = event["data"]
        if event["type"] == STATEMENT:
            return [event["type"], None, data["part"], None, None, f"{data['day']} 在办 {data['open']} 件", None]
        role, urgency = ROLES.get(data["role"], data["role"]), URGENCIES.get(data["urgency"], data["urgency"])
        due = msgspec.convert(data.get("deadline"), datetime | None)
        return [event["type"], data["case_no"], data["sequence"], role, urgency, data.get("title"), due]
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError):
        return ["不是本系统的消息", None, None, None, None, None, None]


async def _take(app: App, code: str, most: int | None, shown: _Shown, viewer: str) -> None:
    """Also of a department that was retired: its queue stays until it is empty."""
    async with open_house(app.settings()) as house:

        async def show(bodies: Sequence[bytes]) -> None:
            seen = await with_news(house.db, list(dict.fromkeys(filter(None, map(_case, bodies)))))
            at = datetime.now(UTC)
            await note(house.db, seen, Seen.TEXT, actor=viewer, reason="intake consume", at=at, department=code)
            for body in bodies:
                shown.add(body)

        await take(house.broker_url, queue_of(code), show, limit=most)


def _case(body: bytes) -> str | None:
    """Which case a message is about; None: a statement, or none of ours."""
    try:
        event = msgspec.json.decode(body, type=_Subject)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return None if event.type == STATEMENT else event.subject


class _Subject(msgspec.Struct):
    type: str
    subject: str


async def _peek(app: App, code: str, most: int | None, shown: _Shown, viewer: str) -> None:
    """Make the bodies again from what is stored: the same bytes as were sent."""
    settings, _ = app.settings_and_tables()
    left = most
    async with open_house(settings, broker=False) as house, open_rooms(house, worker_name()) as rooms:
        _must_know(code, rooms.router.tables.directory)
        sent = {"dispatches": {"$elemMatch": {"department": code, "state": Sent.SENT.value}}}
        shows = house.db.cases.find(sent, {"_id": 1}).sort("opened_at", 1).limit(most or 0)
        ids = await with_news(house.db, [case["_id"] async for case in shows])
        await note(house.db, ids, Seen.TEXT, actor=viewer, reason="intake consume --peek", at=rooms.clock.now())
        async for document in house.db.cases.find(sent).sort("opened_at", 1):
            case = from_document(document)
            for row in case.dispatches:
                if row.department != code or row.state is not Sent.SENT:
                    continue
                if left == 0:
                    return
                text = (case.id, row.revision)
                appeal = (await rooms.router.load_appeals([text])).get(text)
                if appeal is not None:
                    shown.add(
                        rooms.router.message(facts_of(case, row), dispatch_of(case, row), appeal, rooms.router.tables)
                    )
                    left = None if left is None else left - 1


def _must_know(code: str, directory: Any) -> None:  # noqa: ANN401 - only asked whether it holds the code
    if code not in directory:
        fail(f"名录中没有 {code} · the directory has no {code}: see `intake departments list`")
