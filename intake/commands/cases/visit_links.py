"""`intake case visit-link`: one-time links with which citizens answer the call-back themselves."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from intake.cli import App, command, fail, print_json, run
from intake.commands.cases.desk import BY, opened
from intake.door.visit_link import PATH, link_of, sealed
from intake.life import find_ids
from intake.screen import console, table
from router.cases.case import Case
from router.cases.clock import CALLBACK_WITHIN
from router.cases.work import Work
from router.desk import find_case
from router.visiting import note_asked

MOST = 100_000
_HEADS = ("工单号", "链接", "有效到")


@click.command("visit-link", help="回访链接：一件一次，由短信平台发给诉求人 · one-time links for the call-back")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 7), help="几天内有效 · for how many days")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="写成 CSV，交短信平台 · as CSV")
@BY
@command
def visit_link_command(app: App, ids: tuple[str, ...], days: int, out: Path | None, person: str) -> None:
    """Of these cases, or of all that wait for a call-back. Whoever has a link can answer: it is the citizen's alone."""
    settings = app.settings()
    if settings.door is None or not settings.door.visits:
        fail("设置里没有打开回访页：[door] visits = true · the door does not take call-backs: set visits")
    door = settings.door
    base = door.public_url.rstrip("/") or f"http://{door.listen}:{door.port}"
    rows = run(_links(app, ids, timedelta(days=days), person, base))
    if out is not None:
        with out.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([_HEADS, *(list(row.values())[1:] for row in rows)])
    if app.as_json:
        print_json(rows)
    elif out is not None:
        click.echo(f"写了 {len(rows)} 条链接 · links written: {out}")
    else:
        shown = [[row["case_no"], row["url"], row["until"]] for row in rows]
        console().print(table(f"回访链接 {len(rows)}", list(_HEADS), shown))


async def _links(app: App, names: tuple[str, ...], holds: timedelta, person: str, base: str) -> list[dict[str, Any]]:
    async with opened(app) as (rooms, db):
        cases = []
        for name in names:
            ids = await find_ids(db, name)
            cases.append(await find_case(ids[0] if len(ids) == 1 else name, rooms.router))
        if not names:
            cases = await rooms.cases.lists.at_work([Work.CALLBACK], MOST)
        not_yet = [case.case_no for case in cases if case.handling is None or case.handling.work is not Work.CALLBACK]
        if not_yet:
            fail(f"不在待回访 · not waiting for a call-back: {' '.join(not_yet)}")
        at, key = rooms.clock.now(), rooms.keys.visit_key

        def until(case: Case) -> datetime:
            """Never longer than the case waits."""
            since = case.handling.since if case.handling and case.handling.since else at
            return min(at + holds, since + CALLBACK_WITHIN)

        noted = await note_asked(cases, person, until, rooms.router)
        return [
            {
                "case": case.id,
                "case_no": case.case_no,
                "url": base + PATH + sealed(link_of(case, until(case)), key),
                "until": until(case),
            }
            for case in noted
        ]
