"""`intake audit verify|anchor|anchors`: does the ledger still say what was written, and where did it end."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from intake.cli import App, command, fail, print_json, run
from intake.house import keys_folder, open_house
from intake.keys import load_keys
from intake.ledger import anchoring
from intake.ledger.anchoring import Anchor
from intake.ledger.verifying import Verified, verify
from intake.life import find_ids
from intake.screen import SHANGHAI, console, table
from intake.street.left_behind import worker_name
from router.store import CaseStore


@click.command("verify", help="台账校验：有没有事项被改、删、插 · was any event changed, removed, put in")
@click.argument("id_", metavar="[CASE]", required=False)
@click.option("--since", type=click.DateTime(), help="只看此后有变化的 · only what has grown since, Shanghai time")
@click.option("--kept", multiple=True, metavar="N:DIGEST", help="与另存的摘要核对 · against a digest kept elsewhere")
@command
def verify_command(app: App, id_: str | None, since: datetime | None, kept: tuple[str, ...]) -> None:
    """Exit 1 where anything does not fit: which case, which event, what."""
    moment = None if since is None else since.replace(tzinfo=SHANGHAI)
    done = run(_verify(app, id_, moment, dict(map(_digest, kept))))
    if app.as_json:
        print_json(done)
    else:
        _print(done)
    if done.findings:
        fail(
            f"台账有 {len(done.findings) + done.more} 处对不上：保护现场，报告负责人 · "
            f"{len(done.findings) + done.more} places do not fit: touch nothing, tell whoever is in charge"
        )


@click.command("anchor", help="现在锚定一次（每天自动一次）· anchor now; workers do it once a day")
@command
def anchor_command(app: App) -> None:
    """Where each ledger ends goes into one digest: print it, sign it, keep it elsewhere."""
    made = run(_anchor(app))
    if made is None:
        fail("别的程序正在锚定，稍后再试 · another program is at it: try again in a moment")
    print_json(made) if app.as_json else _list([made])


@click.command("anchors", help="历次锚定和摘要，可打印签字 · all anchors with their digests, to be signed")
@command
def anchors_command(app: App) -> None:
    """Each binds all before it: the last one alone is enough to keep."""
    found = run(_anchors(app))
    print_json(found) if app.as_json else _list(found)


def _digest(text: str) -> tuple[int, str]:
    number, colon, digest = text.partition(":")
    if not colon or not number.isdecimal():
        raise click.BadParameter(f"写成 编号:摘要 · write it as N:DIGEST: {text}")
    return int(number), digest.strip().lower()


def _print(done: Verified) -> None:
    rows = [
        ["工单 · cases", done.cases],
        ["事项 · events", done.events],
        ["其中启用骑缝章前、按原样补盖 · stamped as they stood", done.late],
        ["尚未盖章的旧工单 · not stamped yet", done.unstamped],
        ["送达名册 · rolls", done.rolls],
        ["锚定 · anchors", done.anchors],
        ["查阅记录 · lines of who saw what", done.accesses],
    ]
    console().print(table("台账校验", ["看过", "数"], rows))
    if done.last is None:
        click.echo("还没有锚定：整件删除、末尾删除查不出来 · no anchor yet: what is gone as a whole would not show")
    else:
        click.echo(f"最近一次锚定 {done.last.number}：{done.last.digest} · the last anchor")
    if done.findings:
        told = [[one.case_no or one.where, one.event, one.what] for one in done.findings[:200]]
        console().print(table(f"对不上 {len(done.findings)}", ["何处", "第几项", "什么"], told))


def _list(found: list[Anchor]) -> None:
    rows = [[one.number, one.at, one.cases, one.ends, one.late, one.accesses] for one in found]
    heads = ["编号", "时间", "工单", "所含台账", "补盖", "查阅记录"]
    console().print(table(f"锚定 {len(found)}", heads, rows))
    for one in found:
        click.echo(f"{one.number}:{one.digest}")


async def _verify(app: App, name: str | None, since: datetime | None, kept: dict[int, str]) -> Verified:
    settings = app.settings()
    async with open_house(settings, broker=False) as house:
        ids = None if name is None else await find_ids(house.db, name)
        if ids == []:
            fail(f"没有找到 {name}：如确有此件，不带编号再查一次 · nothing is known of {name}: verify without it")
        stamper = load_keys(keys_folder(settings)).stamper
        return await verify(house.db, stamper, ids=ids, since=since, kept=kept)


async def _anchor(app: App) -> Anchor | None:
    settings = app.settings()
    async with open_house(settings, broker=False) as house:
        stamper = load_keys(keys_folder(settings)).stamper
        store = CaseStore(house.db, stamper)
        return await anchoring.by_hand(house.db, store, stamper, datetime.now(UTC), worker_name())


async def _anchors(app: App) -> list[Anchor]:
    async with open_house(app.settings(), broker=False) as house:
        return [anchoring.shown(each) for each in await anchoring.all_anchors(house.db)]
