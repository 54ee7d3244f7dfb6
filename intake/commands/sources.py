"""`intake sources`: the channels, where each is read on, and why one waits or stands still."""

from __future__ import annotations

from datetime import datetime

import click
import msgspec

from connectors.keeping.sources import SourceState, SourceStore
from connectors.raw_appeal import Mode
from connectors.source import Source
from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.screen import console, table

STANDING = ("状态", "原因", "等到", "读到底", "最近一页", "读者", "变化")


@click.group("sources", help="来源：查看、暂停、恢复 · list, pause, resume")
def sources_command() -> None:
    """Group."""


@sources_command.command("list", help="列出来源 · list the sources")
@command
def list_command(app: App) -> None:
    """What the settings name, and what the store knows of it."""
    known, states = run(_states(app))
    if app.as_json:
        print_json([_row(source, states.get(source.name)) for source in known])
        return
    rows = [
        [source.name, source.kind, source.channel, source.mode.value, *standing(states.get(source.name))]
        for source in known
    ]
    console().print(table("来源", ["来源", "类型", "渠道", "模式", *STANDING], rows))


@sources_command.command("pause", help="暂停一个来源 · stop reading a source")
@click.argument("name")
@click.option("--reason", default="人工暂停 · paused by hand", help="原因 · why")
@command
def pause_command(app: App, name: str, reason: str) -> None:
    """Its reader lets go at its next renewal."""
    run(_change(app, name, reason))
    _done(app, name, "已暂停 · paused")


@sources_command.command("resume", help="恢复一个来源 · read a source again")
@click.argument("name")
@command
def resume_command(app: App, name: str) -> None:
    """Forget why it was paused, stopped or had to wait."""
    run(_change(app, name, None))
    _done(app, name, "已恢复 · resumed")


@sources_command.command("rewind", help="倒回重读 · read again from an earlier position")
@click.argument("name")
@click.option(
    "--to", "moment", default=None, help="从哪天起重读；不写就从头 · since when; left out: from the beginning"
)
@command
def rewind_command(app: App, name: str, moment: str | None) -> None:
    """Nothing is taken in twice: what is read again and did not change changes nothing."""
    from intake.commands.rewind import rewind  # noqa: PLC0415 - `sources list` need not know how to read a forum

    rewind(app, name, moment)
    _done(app, name, "已倒回 · rewound")


@sources_command.command("backfill", help="补采往期，不耽误日常读取 · read the past beside the live reading")
@click.argument("name")
@click.option("--from", "begin", required=True, help="从哪天起 · since when, such as 2026-01-01")
@click.option("--to", "end", default=None, help="到哪天为止（不含）；不写就到今天零点 · until when; left out: today")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.HISTORY.value,
    show_default=True,
    help="往年件只留存；route 会派发 · what happens to them",
)
@command
def backfill_command(app: App, name: str, begin: str, end: str | None, mode: str) -> None:
    """It asks within the source's own budget, with a quarter of it at most; run again it goes on where it stopped."""
    from intake.commands.backfill import backfill  # noqa: PLC0415 - `sources list` need not know how to read a forum

    backfill(app, name, begin, end, mode)


@sources_command.command("reread", help="映射改好后，重读留存的坏页 · read the kept pages of a changed source again")
@click.argument("name")
@command
def reread_command(app: App, name: str) -> None:
    """Through the same flows; what is newer stands. The flag goes if everything could be read."""
    from intake.commands.reread import reread_source  # noqa: PLC0415 - `sources list` need not open the street

    reread_source(app, name)


@sources_command.command("accept", help="来源就该是现在这样，重新学习 · a source is right as it is now")
@click.argument("name")
@command
def accept_command(app: App, name: str) -> None:
    """Take the flag off, set the kept pages aside, and learn anew what the flag named."""
    from intake.commands.reread import accept_source  # noqa: PLC0415 - as above

    accept_source(app, name)


async def _states(app: App) -> tuple[tuple[Source, ...], dict[str, SourceState]]:
    settings = app.settings()
    async with open_house(settings, broker=False) as house:
        return settings.sources, {state.name: state for state in await SourceStore(house.db.sources).states()}


async def _change(app: App, name: str, reason: str | None) -> None:
    settings = app.settings()
    if settings.source(name) is None:
        known = " ".join(source.name for source in settings.sources)
        fail(f"设置里没有来源 {name}，有：{known} · the settings have no source {name}; they have: {known}")
    async with open_house(settings, broker=False) as house:
        store = SourceStore(house.db.sources)
        await store.ensure([name])
        await (store.resume(name) if reason is None else store.pause(name, reason))


def _done(app: App, name: str, what: str) -> None:
    if app.as_json:
        print_json({"source": name, "done": what})
    else:
        click.echo(f"{name} {what}")


def standing(state: SourceState | None) -> list[object]:
    """Say how a source stands, for people; `STANDING` heads these cells."""
    if state is None:
        return ["未读过", None, None, None, None, None, None]
    word, until = _word(state)
    times = [until, state.read_to_end_at, state.last_page_at]
    return [word, state.stopped or state.reason, *times, state.owner, drifted(state)]


def drifted(state: SourceState) -> str | None:
    """What has changed about a source, if anything."""
    if state.drift is None:
        return None
    well = "（已恢复，待确认 · well again）" if state.drift.well_since else ""
    return f"{state.drift.says}{well}"


def _word(state: SourceState) -> tuple[str, datetime | None]:
    """One word, and until when where that is known."""
    if state.paused or state.stopped:
        return "暂停" if state.paused else "停止", state.waiting_until
    if state.rest_until:
        return "对方要求等待", state.rest_until
    if state.breaker != "closed":
        return "熔断" if state.breaker == "open" else "熔断试探", state.open_until
    return "等待" if state.waiting_until else "正常", state.waiting_until


def _row(source: Source, state: SourceState | None) -> dict[str, object]:
    plain = {"name": source.name, "kind": source.kind, "channel": source.channel, "mode": source.mode.value}
    return {**plain, "state": None if state is None else msgspec.to_builtins(state)}
