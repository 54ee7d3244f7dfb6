"""`intake rehearse --text`: normalize again what stands, with other tables or today's code, and show the difference.

What other rules would do stands beside, in rehearse_rules.py.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from intake import tables
from intake.cli import App, BadSettings, command, fail, print_json, run
from intake.commands.rehearse_apply import apply_rehearsed
from intake.commands.rehearse_rules import Asked, rehearse_rules, rules_options
from intake.commands.viewer import login
from intake.house import open_house
from intake.rehearsal import Rehearsed, Which, files_of, note_shown, rehearse
from intake.rights.custody import open_custody
from intake.screen import console, table

NAMES = {
    "title": "标题",
    "text": "正文",
    "request_type": "诉求类型",
    "category.code": "分类",
    "urgency": "紧急程度",
    "place.district": "区",
    "place.street": "街道",
    "place.community": "社区",
    "quality.is_appeal": "是否诉求",
    "quality.masked": "脱敏",
    "quality.repairs": "修复",
    "signals": "依据与线索",
}
DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command(
    "rehearse", help="预演：新规则或新表会改变什么；发布规则 · what other rules or tables would change; releases"
)
@click.option("--text", "of_text", is_flag=True, help="预演规整（正文、分类、地点…） · of what normalizing makes")
@click.option("--source", help="只看一个来源 · only this source")
@click.option("--from", "since", type=DAY, help="首次收到的日期，从 · first offered, from this day")
@click.option("--to", "until", type=DAY, help="到，含当日 · to this day, included")
@click.option(
    "--tables",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="放着新表的目录：taxonomy.toml、words.toml、places.toml，缺的用现在的 · a folder of new tables",
)
@click.option(
    "--apply", "applied", is_flag=True, help="看过差别后按现行的表更新，只通知真有变化的 · bring it into force"
)
@click.option("--yes", is_flag=True, help="与 --apply 同用：不再问 · with --apply: do not ask")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(0, 1_000_000), help="列出几件 · listed")
@rules_options
@command
def rehearse_command(
    app: App,
    *,
    of_text: bool,
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    folder: Path | None,
    applied: bool,
    yes: bool,
    limit: int,
    **of_rules: Any,  # noqa: ANN401 - the options of the other half
) -> None:
    """Both sides are masked; without --apply nothing is changed and nothing is sent."""
    if not of_text:
        rehearse_rules(app, Asked(**of_rules), limit)
        return
    days = [None if day is None else f"{day:%Y-%m-%d}" for day in (since, until)]
    which = Which(source=source, since=days[0], until=days[1])
    if applied and folder is not None:
        raise click.UsageError("先把新表写进设置，再 --apply · put the tables into the settings first, then --apply")
    viewer = of_rules["by"] or login()
    done = run(_rehearse(app, which, folder, limit, None if applied and app.as_json else viewer))
    if not app.as_json:
        _print(done)
    if applied and done.changed:
        if not yes:
            click.confirm(f"更新这 {done.changed} 件 · apply", abort=True, err=True)
        apply_rehearsed(app, which, limit, viewer)
    elif app.as_json:
        print_json(done)
    if done.unmappable:
        fail(f"{len(done.unmappable)} 件规整不了了，请先改表 · {len(done.unmappable)} could not be mapped any more")


async def _rehearse(app: App, which: Which, folder: Path | None, limit: int, viewer: str | None) -> Rehearsed:
    """Rehearse; without a viewer nobody is shown what differs."""
    settings = app.settings()
    if which.source is not None and settings.source(which.source) is None:
        fail(f"设置里没有来源 {which.source} · the settings have no source {which.source}")
    files = settings.tables if folder is None else files_of(folder, settings.tables)
    try:
        read = tables.load_files(files, city=settings.city)
    except tables.BadTableFiles as error:
        raise BadSettings(f"表有 {len(error.problems)} 处问题 · problems in the tables:\n{error}") from error
    async with open_house(settings, broker=False) as house, open_custody(house) as custody:
        done = await rehearse(which, read.normalizer, custody, limit)
        if viewer is not None:
            await note_shown(done, custody, viewer)
        return done


def _print(done: Rehearsed) -> None:
    out = console()
    versions = " ".join(f"{name}={version}" for name, version in done.versions.items())
    out.print(f"预演 {done.items} 件：不变 {done.same}，有变 {done.changed}，原文已销毁 {done.not_kept}（{versions}）")
    out.print(table("各项有变的件数", ["项", "件"], [[NAMES.get(name, name), n] for name, n in done.fields.items()]))
    rows = [
        [one.id, one.source, one.native_id, NAMES.get(name, name), str(before), str(after)]
        for one in done.differences
        for name, (before, after) in one.fields.items()
    ]
    out.print(table(f"逐件 {len(done.differences)}", ["编号", "来源", "原编号", "项", "现在", "预演"], rows))
