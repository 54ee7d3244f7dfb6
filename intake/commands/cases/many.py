"""What is done to many cases at once: taken back, given to another department, visited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from intake.cli import App, command, fail, print_json, run
from intake.commands.cases.desk import BY, DESPITE, REASON, opened, plain
from intake.refusals import why
from intake.screen import SHANGHAI
from intake.street.rooms import Rooms
from intake.visits import BadSheet, read_visits
from router import centre
from router.cases.case import Case
from router.desk import find_case
from router.errors import RouterError


@click.command("recall", help="收回，转人工研判 · take back; a person decides")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--rule", help="成批：由这条规则派出的 · many: sent by this rule")
@click.option("--department", help="成批：现由该单位主办的 · many: led by this department")
@click.option("--since", type=click.DateTime(), help="成批：派单时间从 · many: sent from (Shanghai)")
@click.option("--until", type=click.DateTime(), help="成批：派单时间到 · many: sent before (Shanghai)")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="最多几件 · at most")
@click.option("--yes", is_flag=True, help="成批时必须：真的做 · with many: really do it; without, they are listed")
@BY
@REASON
@command
def recall_command(app: App, *, ids: tuple[str, ...], yes: bool, person: str, reason: str, **which: Any) -> None:  # noqa: ANN401
    """Each department gets `appeal.recalled.v1` with the reason."""

    async def act(case: Case, rooms: Rooms) -> Case:
        return await centre.recall(case, person, plain(reason), rooms.router)

    _many(app, ids, which, act, yes=yes)


@click.command("reassign", help="改派 · give it to another department")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--to", required=True, help="改派给 · to which department")
@click.option("--rule", help="成批：由这条规则派出的 · many: sent by this rule")
@click.option("--department", help="成批：现由该单位主办的 · many: led by this department")
@click.option("--since", type=click.DateTime(), help="成批：派单时间从 · many: sent from (Shanghai)")
@click.option("--until", type=click.DateTime(), help="成批：派单时间到 · many: sent before (Shanghai)")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="最多几件 · at most")
@click.option("--yes", is_flag=True, help="成批时必须：真的做 · with many: really do it; without, they are listed")
@DESPITE
@BY
@REASON
@command
def reassign_command(
    app: App,
    *,
    ids: tuple[str, ...],
    to: str,
    yes: bool,
    despite: bool,
    person: str,
    reason: str,
    **which: Any,  # noqa: ANN401
) -> None:
    """Recalled there, dispatched here."""

    async def act(case: Case, rooms: Rooms) -> Case:
        return await centre.reassign(case, to.upper(), person, plain(reason), rooms.router, despite=despite)

    _many(app, ids, which, act, yes=yes)


@click.command("visits", help="导入回访结果，或看覆盖率 · import call-backs, or show their coverage")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", "--actor", "person", help="经办人，导入时必须 · who, for an import")
@command
def visits_command(app: App, file: Path | None, person: str | None) -> None:
    """A CSV with the columns 工单号, 联系上, 已联系, 是否解决, 满意度, 客观原因, 意见."""
    if file is not None and person is None:
        raise click.UsageError("导入时写明 --by · say who: --by")
    counts, failed, done = run(_visits(app, file, person or ""))
    asked = sum(counts.values())
    if app.as_json:
        share = counts["visited"] / asked if asked else None
        print_json({**counts, "coverage": share, "imported": done, "failed": failed})
    else:
        click.echo(f"已导入 {done} 条；{covered(counts)}" if file else covered(counts))
    if failed:
        fail("\n  ".join([f"{len(failed)} 行没有记入 · not taken in:", *failed[:50]]))


def covered(counts: Mapping[str, int]) -> str:
    """Say how many of those that were to be visited were (回访覆盖率)."""
    asked = sum(counts.values())
    share = f"{counts['visited'] / asked:.1%}（{counts['visited']}/{asked}）" if asked else "无件"
    return f"回访覆盖率 {share}，待回访 {counts['waiting']}，期满未回访 {counts['expired']} · coverage of call-backs"


# ---------------------------------------------------------------- inside


def _many(
    app: App,
    ids: tuple[str, ...],
    which: dict[str, Any],
    act: Callable[[Case, Rooms], Awaitable[Case]],
    *,
    yes: bool,
) -> None:
    limit = which.pop("limit")
    wanted = {name: value for name, value in which.items() if value is not None}
    if bool(ids) == bool(wanted):
        raise click.UsageError("写出编号，或者用 --rule --department --since --until 选 · name ids, or choose")

    async def do() -> list[centre.Done]:
        async with opened(app) as (rooms, _):
            if ids:
                cases = [await find_case(name, rooms.router) for name in ids]
            else:
                cases = await centre.chosen(_chosen(wanted), rooms.router, limit)
            if not ids and not yes:
                return [centre.Done(case=case.id, case_no=case.case_no) for case in cases]
            return [done async for done in centre.each(cases, lambda case: act(case, rooms))]

    try:
        done = run(do())
    except RouterError as refused:
        fail(f"没有办成 · not done: {why(refused)}")
    failed = [each for each in done if each.why_not]
    only_listed = bool(wanted) and not yes
    if app.as_json:
        print_json({"done": [] if only_listed else done, "listed": done if only_listed else []})
    elif only_listed:
        click.echo(f"选中 {len(done)} 件，加 --yes 才真的做 · {len(done)} chosen; add --yes to do it")
    else:
        click.echo(f"办成 {len(done) - len(failed)} 件 · done")
    if failed:
        fail(
            "\n  ".join(
                [f"{len(failed)} 件没有办成 · not done:", *(f"{each.case_no} {each.why_not}" for each in failed)]
            )
        )


def _chosen(wanted: dict[str, Any]) -> centre.Chosen:
    named: dict[str, Any] = {
        name: value.replace(tzinfo=SHANGHAI) if isinstance(value, datetime) else value for name, value in wanted.items()
    }
    if "department" in named:
        named["department"] = named["department"].upper()
    return centre.Chosen(**named)


async def _visits(app: App, file: Path | None, person: str) -> tuple[dict[str, int], list[str], int]:
    failed: list[str] = []
    done = 0
    async with opened(app) as (rooms, _):
        for row in read_visits(file, plain) if file else ():
            if isinstance(row, BadSheet):
                failed.append(row.why)
                continue
            try:
                await centre.visit(row.case, row.visit, person, rooms.router)
            except RouterError as refused:
                failed.append(f"第 {row.line} 行 · line {row.line}: {why(refused)}")
            else:
                done += 1
        return await rooms.cases.lists.visits(), failed, done
