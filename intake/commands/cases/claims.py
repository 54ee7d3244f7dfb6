"""剔除 and 申诉 on the command line: claim for a department that cannot, see what is open, decide by a clause."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click
import msgspec

from intake.cli import App, command, fail, print_json, run
from intake.commands.cases.desk import BY, ONE, REASON, one, opened, plain
from intake.commands.viewer import VIEWER
from intake.life import find_ids
from intake.refusals import why
from intake.rights.accesses import Seen, note
from intake.screen import console, table
from intake.street.rooms import Rooms
from router import claiming
from router.cases.case import Case
from router.cases.claims import closes, open_claims
from router.cases.hearing import order_of
from router.desk import find_case
from router.errors import RouterError
from router.feedback import Feedback
from router.listening import take_said

DEPARTMENT = click.option("--department", required=True, help="替哪个单位 · for which department")
CLAUSE = click.option("--clause", required=True, help="条款，见 intake schema claims · which clause")
EVIDENCE = click.option("--evidence", required=True, help="证据，会脱敏 · the evidence; masked")


@click.command("exclude", help="代单位申请剔除：不计入考核 · claim that it should not count")
@ONE
@DEPARTMENT
@CLAUSE
@EVIDENCE
@BY
@command
def exclude_command(app: App, id_: str, department: str, clause: str, evidence: str, person: str) -> None:  # noqa: PLR0917 - options
    """The same as the feedback `exclusion_requested`."""
    _claim(app, id_, department, person, {"kind": "exclusion_requested", "clause": clause, "evidence": evidence})


@click.command("dispute", help="代单位申诉：评价或退单决定不当 · dispute a rating, or the refusal of a return")
@ONE
@DEPARTMENT
@click.option("--against", type=click.Choice(["rating", "return"]), required=True, help="评价，还是退单决定 · of which")
@CLAUSE
@EVIDENCE
@BY
@command
def dispute_command(  # noqa: PLR0917 - options
    app: App, id_: str, department: str, against: str, clause: str, evidence: str, person: str
) -> None:
    """The same as the feedback `disputed`."""
    said = {"kind": "disputed", "against": against, "clause": clause, "evidence": evidence}
    _claim(app, id_, department, person, said)


@click.command("claims", help="待决定的剔除和申诉，及核定时间 · claims that nobody has decided")
@VIEWER
@command
def claims_command(app: App, viewer: str) -> None:
    """Those signed off next come first."""
    rows = run(_open(app, viewer))
    if app.as_json:
        print_json(rows)
        return
    heads = ["编号", "工单号", "单位", "申请", "条款", "证据", "核定前"]
    names = ("case", "case_no", "department", "about", "clause", "evidence", "sign_off")
    console().print(table(f"剔除与申诉 {len(rows)}", heads, [[row[name] for name in names] for row in rows]))


@click.command("judge", help="决定剔除或申诉，须引条款 · decide a claim, by a clause")
@ONE
@click.option("--grant/--refuse", "granted", required=True, default=None, help="同意或驳回 · which")
@click.option("--claim", help="哪一项：反馈编号或 单位/编号，有几项时必须 · its feedback id, or DEPARTMENT/ID")
@CLAUSE
@BY
@REASON
@command
def judge_command(  # noqa: PLR0917 - options
    app: App, id_: str, claim: str | None, clause: str, person: str, reason: str, *, granted: bool
) -> None:
    """The department gets `appeal.decided.v1`."""

    async def act(name: str, rooms: Rooms) -> Case:
        return await claiming.judge(name, claim, clause, person, plain(reason), rooms.router, granted=granted)

    one(app, id_, act)


# ---------------------------------------------------------------- inside


def _claim(app: App, id_: str, department: str, person: str, said: dict[str, Any]) -> None:
    said |= {"id": f"hand-{uuid4().hex}", "handler": plain(person), "at": datetime.now(UTC).isoformat()}
    try:
        outcome = run(_said(app, id_, department.upper(), said))
    except RouterError as refused:
        fail(f"没有记入 · not taken in: {why(refused)}")
    if outcome is None:
        fail(f"没有记入：{department} 没有办过这一件 · {department} never had this case")
    if app.as_json:
        print_json(outcome)
    else:
        click.echo(json.dumps(outcome["sentence"], ensure_ascii=False).strip('"'))
    if outcome["outcome"] == "refused":
        fail(f"未采纳 · refused: {outcome['code']}")


async def _said(app: App, id_: str, department: str, said: dict[str, Any]) -> dict[str, Any] | None:
    async with opened(app) as (rooms, db):
        ids = await find_ids(db, id_)
        case = await find_case(ids[0] if len(ids) == 1 else id_, rooms.router)
        whole = {"case": case.id, "dispatch": order_of(case, department) or "-"} | said
        after = await take_said(msgspec.convert(whole, Feedback), department, rooms.ear)
    told = [row.told for row in after.dispatches if row.told] if after else []
    return next((each for each in told if each.get("feedback") == said["id"]), None)


async def _open(app: App, viewer: str) -> list[dict[str, Any]]:
    async with opened(app) as (rooms, db):
        tables = rooms.router.tables
        cases = [case for case in await rooms.cases.lists.claimed() if open_claims(case)]
        ids, at = [case.id for case in cases], rooms.clock.now()
        await note(db, ids, Seen.EVIDENCE, actor=viewer, reason="intake case claims", at=at)
    rows = [
        {
            "case": case.id,
            "case_no": case.case_no,
            "feedback": event.data["feedback"],
            "department": event.department,
            "about": event.data["about"],
            "clause": event.data["clause"],
            "evidence": event.data["evidence"],
            "at": event.at,
            "sign_off": closes(case, tables.claims.sign_off_days, event.at, tables.calendar),
        }
        for case in cases
        for event in open_claims(case)
    ]
    return sorted(rows, key=lambda row: row["sign_off"])
