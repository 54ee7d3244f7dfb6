"""`intake show ID`: one appeal's whole life."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from intake.cli import App, command, fail, print_json, run
from intake.commands.viewer import VIEWER
from intake.house import open_house
from intake.life import Life, find_ids, life_of
from intake.rights.accesses import Seen, note
from intake.rights.together import with_news, with_parts
from intake.screen import STATES, console, printable, table
from router.cases.work import NAMES, Work


@click.command("show", help="一条诉求的全过程：按编号、工单号、原编号、消息编号 · one appeal's whole life")
@click.argument("id_", metavar="ID")
@VIEWER
@command
def show_command(app: App, id_: str, viewer: str) -> None:
    """Find by case id, case number, native id, dispatch or message id; nothing sealed is opened."""
    lives = run(_lives(app, id_, viewer))
    if not lives:
        fail(f"没有找到 {id_} · nothing is known of {id_}")
    if app.as_json:
        print_json(lives[0] if len(lives) == 1 else lives)
        return
    for life in lives:
        _show(life)


async def _lives(app: App, name: str, viewer: str) -> list[Life]:
    async with open_house(app.settings(), broker=False) as house:
        ids = await find_ids(house.db, name)
        seen = await with_parts(house.db, await with_news(house.db, ids))
        await note(house.db, seen, Seen.TEXT, actor=viewer, reason="intake show", at=datetime.now(UTC))
        lives = [await life_of(house.db, id_) for id_ in ids]
    return [life for life in lives if life is not None]


def _show(life: Life) -> None:
    out = console()
    state = STATES.get(life.state or "", life.state or "-")
    out.print(f"{life.id}  工单 {life.case_no or '-'}  来源 {life.source}  原编号 {printable(life.native_id)}  {state}")
    if life.source_changed:
        out.print(printable(f"来源变了样 · its source has changed: {life.source_changed}"), markup=False)
    if life.appeal is not None:
        out.print(printable(f"{life.appeal['title']}\n{life.appeal['text']}"), markup=False)
    if life.case is not None and life.case.get("decision"):
        out.print(printable(f"依据：{life.case['decision']['sentence']}"), markup=False)
    if life.parts:
        others = [
            [
                part.id,
                part.cue or part.why,
                part.title,
                part.category,
                STATES.get(part.state or "", part.state),
                part.department,
                part.case_no,
            ]
            for part in life.parts
        ]
        headings = ["编号", "起头", "标题", "分类", "状态", "单位", "工单号"]
        out.print(table(f"一条多诉：同一来件的其他 {len(others)} 项", headings, others))
    if life.rounds:
        each = [
            [
                one.case_no,
                one.id,
                one.opened_at,
                STATES.get(one.state, one.state),
                NAMES[Work(one.work)][1] if one.work else "-",
                one.department,
            ]
            for one in life.rounds
        ]
        headings = ["工单号", "编号", "登记", "状态", "办理", "单位"]
        out.print(table(f"办结后再次反映：共 {len(each)} 件，最后一件是现在的", headings, each))
    rows = [[moment.at, moment.room, moment.what, moment.who, moment.detail] for moment in life.timeline]
    out.print(table("经过", ["时间", "环节", "事项", "经办", "说明"], rows))
