"""`intake feedback`: say by hand what a department's program would send, and see what becomes of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click
import msgspec

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.life import find_ids
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms
from router.cases.hearing import REFUSALS, order_of
from router.cases.work import NAMES, STEPS, Work
from router.desk import find_case
from router.dispatch import MessageType
from router.errors import RouterError
from router.feedback import Feedback, Outcome
from router.listening import take_said


@click.command("feedback", help="替单位反馈：签收、办理、退单、答复… · a department's feedback by hand")
@click.argument("department")
@click.argument("id_", metavar="CASE")
@click.argument("kind", type=click.Choice(list(STEPS)))
@click.option("--set", "fields", multiple=True, metavar="NAME=VALUE", help="该类反馈的字段 · a field of this kind")
@click.option("--note", help="备注 · a note")
@click.option("--handler", default="热线中心代录", show_default=True, help="经办 · who handles it")
@click.option("--id", "name", help="反馈编号，缺省新编一个 · its id; the same one again changes nothing")
@command
def feedback_command(
    app: App,
    *,
    department: str,
    id_: str,
    kind: str,
    fields: tuple[str, ...],
    note: str | None,
    handler: str,
    name: str | None,
) -> None:
    """It goes through the same checks as what comes over the broker, and is answered on the department's queue."""
    said: dict[str, Any] = {"kind": kind, "id": name or f"hand-{uuid4().hex}", "handler": handler}
    said |= dict(map(_field, fields)) | ({} if note is None else {"note": note})
    try:
        outcome = run(_take(app, department.upper(), id_, said))
    except msgspec.ValidationError as wrong:
        raise click.UsageError(
            f"字段不对，见 intake schema feedback · wrong fields, see `intake schema feedback`: {wrong}"
        ) from wrong
    except RouterError as refused:
        fail(f"没有记入 · not taken in: {refused}")
    if app.as_json:
        print_json(outcome)
    else:
        state = f"（{NAMES[Work(outcome.state)][1]}）" if outcome.state else ""
        click.echo(f"{outcome.outcome} {outcome.code}{state}：{outcome.sentence}")
    if outcome.outcome == "refused":
        fail(f"反馈未采纳 · refused: {outcome.code}")


def _field(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.UsageError(f"写成 名称=值 · write NAME=VALUE: {text}")
    try:
        found = json.loads(value)
    except ValueError:
        return name, value
    return name, found if isinstance(found, int | bool) else value


async def _take(app: App, department: str, id_: str, said: dict[str, Any]) -> Outcome:
    settings, _ = app.settings_and_tables()
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        ids = await find_ids(house.db, id_)
        case = await find_case(ids[0] if len(ids) == 1 else id_, rooms.router)
        whole = {"case": case.id, "dispatch": order_of(case, department) or "-", "at": datetime.now(UTC).isoformat()}
        feedback: Feedback = msgspec.convert(whole | said, Feedback)
        after = await take_said(feedback, department, rooms.ear)
    told = (row.told for row in after.dispatches if row.type is MessageType.OUTCOME) if after else ()
    found = next((each for each in told if each and each.get("feedback") == feedback.id), None)
    if found is not None:
        return msgspec.convert(found, Outcome)
    code = "not_holder"
    return Outcome(feedback=feedback.id, case=case.id, outcome="refused", code=code, sentence=REFUSALS[code], state="")
