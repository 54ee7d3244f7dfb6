"""`intake triage`: what waits for a person to decide, and that person's word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from intake.cli import App, command, fail, print_json, run
from intake.commands.lessons import lessons_group
from intake.commands.viewer import VIEWER
from intake.house import open_house
from intake.life import find_ids
from intake.refusals import why
from intake.rights.accesses import Seen, note
from intake.screen import STATES, URGENCIES, console, table
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms
from normalizer.appeal import appeal_of
from router import desk
from router.cases.case import Case
from router.errors import RouterError, UnitAccused
from router.list_store import CaseLists


@click.group("triage", help="人工研判 · what a person decides")
def triage_command() -> None:
    """Group."""


@triage_command.command("list", help="待研判清单，急的在前 · what waits, the most urgent first")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="最多几条 · at most")
@VIEWER
@command
def list_command(app: App, limit: int, viewer: str) -> None:
    """Show masked titles only; that they were looked at is a line of each case."""
    rows = run(_list(app, limit, viewer))
    if app.as_json:
        print_json(rows)
        return
    lines = [
        [row["id"], row["case_no"], URGENCIES[row["urgency"]], row["since"], row["place"], row["title"], row["why"]]
        for row in rows
    ]
    console().print(table(f"待研判 {len(lines)}", ["编号", "工单号", "紧急", "自", "地点", "标题", "原因"], lines))


@triage_command.command("assign", help="指派给一个单位并立即派发 · give it to a department, sent at once")
@click.argument("id_", metavar="ID")
@click.argument("department")
@click.option("--by", "--actor", "person", required=True, help="经办人 · who decides")
@click.option("--reason", required=True, help="理由 · why")
@click.option("--despite", is_flag=True, help="明知反映的就是该单位 · although the appeal is about this very unit")
@command
def assign_command(app: App, id_: str, department: str, person: str, reason: str, *, despite: bool) -> None:
    """A new revision does not move what a person assigned."""
    try:
        case = run(_assign(app, id_, department.upper(), person, reason, despite=despite))
    except UnitAccused:
        unit = department.upper()
        fail(
            f"没有指派：诉求反映的就是 {unit}，请改派其上级，或加 --despite 并在理由中说明 · "
            f"not assigned: the appeal is about {unit} itself; name its superior, or add --despite"
        )
    except RouterError as refused:
        fail(f"没有指派 · not assigned: {why(refused)}")
    if app.as_json:
        print_json({"id": case.id, "case_no": case.case_no, "state": case.state.value, "department": case.holder})
    else:
        state = STATES.get(case.state.value, case.state.value)
        click.echo(f"{case.case_no} → {case.holder}，{state} · assigned")


triage_command.add_command(lessons_group)


async def _list(app: App, limit: int, viewer: str) -> list[dict[str, Any]]:
    async with open_house(app.settings(), broker=False) as house:
        cases = await CaseLists(house.db).triage(limit)
        ids, at = [case.id for case in cases], datetime.now(UTC)
        await note(house.db, ids, Seen.TEXT, actor=viewer, reason="intake triage list", at=at)
        appeals = house.db.appeals.find({"_id": {"$in": list(map(appeal_of, ids))}}, {"title": 1, "place": 1})
        known = {row["_id"]: row async for row in appeals}
    return [_row(case, known.get(appeal_of(case.id), {})) for case in cases]


def _row(case: Case, appeal: dict[str, Any]) -> dict[str, Any]:
    alternatives = [] if case.decision is None else case.decision.routing.alternatives
    return {
        "id": case.id,
        "case_no": case.case_no,
        "source": case.source,
        "native_id": case.native_id,
        "urgency": case.urgency.value,
        "since": case.since,
        "place": " ".join(part for part in (case.district, case.street) if part),
        "category": case.category,
        "title": appeal.get("title"),
        "why": None if case.decision is None else case.decision.sentence,
        "alternatives": [{"department": each.department, "confidence": each.confidence} for each in alternatives],
    }


async def _assign(app: App, id_: str, department: str, person: str, reason: str, *, despite: bool) -> Case:
    settings, _ = app.settings_and_tables()
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        ids = await find_ids(house.db, id_)
        name = ids[0] if len(ids) == 1 else id_
        return await desk.assign(name, department, person, reason, rooms.router, despite=despite)
