"""What is only looked at: what waits for the centre, and one case on one page."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from intake.cli import App, command, fail, print_json, run
from intake.commands.cases.desk import ONE, opened
from intake.commands.viewer import VIEWER
from intake.dossier import Dossier, dossier
from intake.life import find_ids
from intake.refusals import why
from intake.rights.accesses import Seen, note
from intake.screen import console, printable, table
from router import centre
from router.cases.advice import Advice
from router.cases.case import Case
from router.cases.centre import open_asks, reply_of
from router.cases.deadlines import local
from router.cases.standing import standing
from router.cases.suspended import Suspended, suspended
from router.cases.work import NAMES, Ask, Work
from router.desk import find_case
from router.errors import RouterError
from router.learning import advise_on


@click.command("list", help="按办理状态列出 · by where the work stands")
@click.option("--work", multiple=True, type=click.Choice([work.value for work in Work]), help="状态 · states")
@click.option("--department", help="只看一个主办单位 · led by")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="最多几件 · at most")
@VIEWER
@command
def list_command(app: App, work: tuple[str, ...], department: str | None, limit: int, viewer: str) -> None:
    """What waits for the centre, unless states are named: requests, replies to be reviewed, call-backs."""
    waiting = ("return_requested", "extension_requested", "suspension_requested", "replied", "callback", "consultation")
    rows = run(_list(app, work or waiting, department, limit, viewer))
    if app.as_json:
        print_json(rows)
        return
    shown = ("id", "case_no", "work_name", "since", "holder", "asks", "suspended", "reply")
    lines = [[row[name] for name in shown] for row in rows]
    titles = ["编号", "工单号", "状态", "自", "主办", "申请", "挂起到", "待审答复"]
    console().print(table(f"工单 {len(lines)}", titles, lines))


@click.command("dossier", help="一页案卷，供会商与裁定 · one page, for whoever decides")
@ONE
@VIEWER
@command
def dossier_command(app: App, id_: str, viewer: str) -> None:
    """Masked: what departments see, whom it went to and why it came back, and whose time it was."""
    page = run(_dossier(app, id_, viewer))
    if app.as_json:
        print_json(page)
    else:
        click.echo(printable(page.page()))


@click.command("advice", help="退单审核建议 · what speaks for and against a return")
@ONE
@VIEWER
@command
def advice_command(app: App, id_: str, viewer: str) -> None:
    """What the directory, the rules and earlier cases say; the decision is a person's."""
    code, advice = run(_advice(app, id_, viewer))
    if app.as_json:
        print_json({"department": code} | msgspec.structs.asdict(advice))
        return
    said = {"uphold": "建议成立", "refuse": "建议驳回", "look": "请人工判断"}[advice.suggest]
    to = f"，改派 {advice.to}" if advice.to else ""
    lines = [f"{code} 的退单：{said}{to}", *(f"  {why}" for why in advice.why)]
    click.echo(printable("\n".join(lines)))


# ---------------------------------------------------------------- inside


async def _advice(app: App, id_: str, viewer: str) -> tuple[str, Advice]:
    async with opened(app) as (rooms, db):
        ids = await find_ids(db, id_)
        case = await find_case(ids[0] if len(ids) == 1 else id_, rooms.router)
        asking = [code for code, ask, _ in open_asks(case) if ask is Ask.RETURN]
        if not asking:
            fail(f"{case.case_no} 没有待审的退单 · no return of it waits for a decision")
        await note(db, [case.id], Seen.TEXT, actor=viewer, reason="intake case advice", at=rooms.clock.now())
        try:
            return asking[0], await advise_on(case, asking[0], rooms.router)
        except RouterError as refused:
            fail(f"没有办成 · not done: {why(refused)}")


async def _list(
    app: App, work: tuple[str, ...], department: str | None, limit: int, viewer: str
) -> list[dict[str, Any]]:
    async with opened(app) as (rooms, db):
        rows = [_row(case) for case in await rooms.cases.lists.at_work(work, limit, department and department.upper())]
        replies = [row["id"] for row in rows if row["reply"]]
        await note(db, replies, Seen.REPLY, actor=viewer, reason="intake case list", at=rooms.clock.now())
    return rows


def _row(case: Case) -> dict[str, Any]:
    handling = standing(case)
    return {
        "id": case.id,
        "case_no": case.case_no,
        "work": handling.work,
        "work_name": NAMES[handling.work][1] if handling.work else None,
        "since": handling.since,
        "holder": case.holder,
        "asks": " ".join(f"{code} {ask.value}" for code, ask, _ in open_asks(case)),
        "suspended": " ".join(f"{each.department} {_until(each)}" for each in suspended(case)),
        "reply": reply_of(case),
    }


def _until(granted: Suspended) -> str:
    return "未定" if granted.until is None else local(granted.until)


async def _dossier(app: App, id_: str, viewer: str) -> Dossier:
    async with opened(app) as (rooms, db):
        ids = await find_ids(db, id_)
        case = await find_case(ids[0] if len(ids) == 1 else id_, rooms.router)
        await note(db, [case.id], Seen.TEXT, actor=viewer, reason="intake case dossier", at=rooms.clock.now())
        appeals = await rooms.router.load_appeals([(case.id, case.revision)])
        arbiter = app.settings().arbiter or centre.ARBITER
        return dossier(case, appeals.get((case.id, case.revision)), rooms.router, arbiter)
