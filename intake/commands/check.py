"""`intake check [SOURCE]`: settings, servers, sources; one page of each, mapped, beside what came. Changes nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click
from msgspec.structs import replace

from connectors.base import Fetch
from connectors.keeping.budgets import BudgetStore
from connectors.keeping.sources import SourceStore
from connectors.raw_appeal import appeal_id
from connectors.source import Source
from intake.checking import Checked, CheckedSource, check_servers, check_source
from intake.cli import App, BadSettings, command, fail, print_json, run
from intake.commands.viewer import VIEWER
from intake.demo_server import DemoFailed, demo_server
from intake.house import House, open_house
from intake.probing import Probe
from intake.rights.accesses import Seen, note
from intake.rules.releases import newest
from intake.rules.showing import show_tests
from intake.rules.unit_tests import Tested, beside, run_beside
from intake.screen import console, printable, table
from intake.settings import Settings
from intake.street.clock import Clock
from intake.street.rooms import open_connectors
from intake.tables import BadTableFiles, Tables


@click.command(
    "check", help="检查设置、服务器、来源，各读一页，不改动 · check settings, servers, sources; changes nothing"
)
@click.argument("name", metavar="[SOURCE]", required=False)
@VIEWER
@command
def check_command(app: App, name: str | None, viewer: str) -> None:
    """Exit 1 if anything is wrong, with one sentence each. What it shows of items is recorded, or not shown."""
    settings, tables = app.settings_and_tables()
    sources = _chosen(settings, name)
    try:
        servers, found = run(_check(settings, tables, sources, viewer))
    except DemoFailed as failed:
        fail(str(failed))
    gaps, tests = tables.router.gaps(), _tests(settings, tables)
    if app.as_json:
        told = {"settings": str(settings.file), "servers": servers, "sources": found}
        print_json(told | {"tests": tests, "roles_without_unit": gaps})
    else:
        _show(settings, servers, found, gaps)
        show_tests(tests)
    wrong = [each.says for each in servers if not each.well]
    wrong += [f"{each.where}: 应当{each.expected}，结果{each.came}（规则 {each.rule}）" for each in tests.broken]
    wrong += [f"{each.name}: {each.says}" for each in found if not each.well]
    if wrong:
        fail("\n  ".join(wrong))


def _tests(settings: Settings, tables: Tables) -> Tested:
    """Run the tests beside the rules."""
    try:
        return run_beside(beside(settings.tables.rules), tables)
    except BadTableFiles as error:
        raise BadSettings(f"测试有 {len(error.problems)} 处问题 · problems in the tests:\n{error}") from error


def _chosen(settings: Settings, name: str | None) -> list[Source]:
    pulled = [source for source in settings.sources if source.transport == "pull"]
    if name is None:
        return pulled
    chosen = [source for source in pulled if source.name == name]
    if not chosen:
        known = " ".join(source.name for source in pulled)
        fail(f"没有可读取的来源 {name}，有：{known} · no source {name} to read; the settings have: {known}")
    return chosen


async def _check(
    settings: Settings, tables: Tables, sources: list[Source], viewer: str
) -> tuple[list[Checked], list[CheckedSource]]:
    async with open_house(settings) as house, demo_server(settings.demo, live=False):
        servers = await check_servers(house, tables)
        if servers[0].well:
            servers.append(await _released(house, tables))
        # Its own clock, so that sources are checked although the database is away.
        clock = Clock.local(datetime.now(UTC))
        books = await _books(house, sources) if servers[0].well else None
        ways: dict[str, Fetch] = {}

        def remembered(source: Source, fetch: Fetch) -> Fetch:
            ways[source.name] = fetch
            return fetch

        async with open_connectors(sources, settings, clock, books, over=remembered):
            probes = [Probe(source, ways[source.name], settings.environment) for source in sources]
            checks = (check_source(probe, tables, clock.now()) for probe in probes)
            found = list(await asyncio.gather(*checks))
        if not servers[0].well:
            return servers, [replace(each, items=[]) for each in found]
        ids = [appeal_id(each.name, item.native_id) for each in found for item in each.items]
        await note(house.db, ids, Seen.TEXT, actor=viewer, reason="intake check", at=clock.now())
        return servers, found


async def _released(house: House, tables: Tables) -> Checked:
    """Say which rules are in force: what was released stands above the files."""
    found = await newest(house.db)
    versions = tables.router.versions
    if found is None:
        says = f"按设置里的文件，{versions.rules} · the files of the settings"
    elif all(getattr(versions, kind) == version for kind, version in found.versions.items()):
        says = f"第 {found.n} 次发布，与文件相同 · release {found.n}, as the files"
    else:
        says = f"第 {found.n} 次发布；文件与它不同，发布才生效 · release {found.n}; the files differ: release them"
    return Checked(what="规则、名录", well=True, says=says)


async def _books(house: House, sources: list[Source]) -> BudgetStore | None:
    """The budgets that workers share; where nobody ever read these sources, nobody shares them."""
    read = {state.name for state in await SourceStore(house.db.sources).states()}
    return BudgetStore(house.db.sources) if read >= {source.name for source in sources} else None


def _show(settings: Settings, servers: list[Checked], sources: list[CheckedSource], gaps: list[str]) -> None:
    out = console()
    out.print(f"设置 {settings.file} 正常，{len(settings.sources)} 个来源 · settings are well")
    out.print(table("服务器", ["名称", "正常", "说明"], ([each.what, each.well, each.says] for each in servers)))
    rows = [[each.name, each.well, each.offered, each.unreadable, each.says] for each in sources]
    if not servers[0].well:
        out.print("查阅不能留痕，不显示内容；先修好数据库 · looks can't be recorded: no item is shown")
    out.print(table("来源（各读一页）", ["来源", "正常", "条数", "读不懂", "说明"], rows))
    for source in sources:
        items = [
            [each.native_id, each.raw[:300], _result(each.appeal), each.department, each.sentence]
            for each in source.items
        ]
        if items:
            out.print(table(source.name, ["原编号", "原文（已脱敏）", "规整结果", "单位", "理由"], items))
    if gaps:
        out.print(f"规则提到而名录没有单位的角色（转待研判）：{' '.join(gaps)} · roles without a unit")


def _result(appeal: dict[str, object] | None) -> str | None:
    if appeal is None:
        return None
    category = appeal["category"]
    assert isinstance(category, dict)
    return printable(f"{appeal['title']}\n{category['code']} {category['name']} {appeal['urgency']}")
