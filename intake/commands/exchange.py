"""`intake departments export|import`: signed files for a department behind an air gap (断网交换)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from intake import migrations
from intake.cli import App, command, fail, print_json, run
from intake.commands.viewer import VIEWER
from intake.exchange.bundle import BadBundle, Bundle, Way, folders, write
from intake.exchange.incoming import Incoming, Result, import_all
from intake.exchange.outgoing import Outgoing, export
from intake.exchange.settings import Exchange
from intake.exchange.store import ExchangeStore
from intake.house import House, keys_for, open_house
from intake.rights.accesses import Seen, note
from intake.rights.together import with_news
from intake.screen import console, table
from intake.street.left_behind import worker_name
from intake.street.rooms import Rooms, open_rooms
from router.dispatching.statement import TYPE as STATEMENT
from router.dispatching.topology import queue_of
from router.errors import RouterError


@click.command("export", help="把队列里的消息导成签名文件（刻盘）· what waits in the queue as signed files")
@click.argument("department")
@click.option("--out", "folder", required=True, type=click.Path(path_type=Path), help="写到哪里 · into which folder")
@VIEWER
@command
def export_command(app: App, department: str, folder: Path, viewer: str) -> None:
    """What was exported and has no receipt yet is written again, byte for byte. Whoever has the files can read them."""
    try:
        bundles, public = run(_export(app, department.upper(), folder, viewer))
    except (BadBundle, RouterError, OSError) as refused:
        fail(f"没有导出 · not exported: {refused}")
    rows = [[each.name, each.manifest.count, each.manifest.made_at, each.digest[:16]] for each in bundles]
    if app.as_json:
        named = [{"bundle": each.name, "messages": each.manifest.count, "sha256": each.digest} for each in bundles]
        print_json({"bundles": named, "public_key": public})
        return
    console().print(table(f"待回执的交换包 {len(bundles)}，在 {folder}", ["包", "消息", "生成", "摘要"], rows))
    click.echo(f"中心公钥（另行当面交给单位）· the centre's public key: {public}")


@click.command("import", help="读入单位带回的签名文件：回执与反馈 · a department's receipt and feedback")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@command
def import_command(app: App, folder: Path) -> None:
    """Read every bundle in order; what was read before changes nothing, what was changed on its way is refused."""
    exchanges = [each for each in app.settings().exchanges if folders(folder, Way.IN, each.department)]
    if not exchanges:
        fail(
            f"{folder} 里没有认得的反馈包（<代码>-in-<编号>），或设置里没有该单位的 [[exchange]] · "
            "no bundle of feedback here, or no [[exchange]] for its department"
        )
    results: list[Result] = []
    problems = run(_import(app, folder, exchanges, results))
    if app.as_json:
        print_json([msgspec.to_builtins(each) for each in results])
    else:
        rows = [[each.bundle, "" if each.new else "已读过，没有变化", each.feedback, each.received] for each in results]
        console().print(table(f"反馈包 {len(results)}", ["包", "", "反馈", "回执核销的包"], rows))
    if problems:
        fail("\n".join(problems))


async def _export(app: App, code: str, folder: Path, viewer: str) -> tuple[list[Bundle], str]:
    settings, _ = app.settings_and_tables()
    if any(each.department == code for each in settings.pushes):
        fail(f"{code} 是推送单位（[[push]]），不能同时导出 · messages are pushed to {code} already")
    if all(each.department != code for each in settings.exchanges):
        fail(
            f"设置里没有 {code} 的 [[exchange]]：先写进它的公钥，不然没有回执，取走的消息也到不了它手里 · "
            f"no [[exchange]] for {code}: what is taken off its queue would never be receipted"
        )
    async with _opened(app) as (house, rooms):
        if code not in rooms.router.tables.directory:
            fail(f"名录中没有 {code} · the directory has no {code}: see `intake departments list`")
        key = signing_key((await keys_for(house.db, settings)).ref_key)
        outgoing = Outgoing(store=ExchangeStore(house.db, rooms.sealer), broker_url=house.broker_url, key=key)
        at, reason = rooms.clock.now(), "intake departments export"
        bundles = await export(code, queue_of(code), outgoing, at)
        items = (item for bundle in bundles for item in bundle.manifest.items)
        cases = dict.fromkeys(item.case for item in items if item.type != STATEMENT)
        seen = await with_news(house.db, list(cases))
        await note(house.db, seen, Seen.EXPORT, actor=viewer, reason=reason, at=at, department=code)
    for bundle in bundles:
        write(bundle, folder)
    return bundles, base64.b64encode(key.public_key().public_bytes_raw()).decode()


async def _import(app: App, folder: Path, exchanges: list[Exchange], results: list[Result]) -> list[str]:
    """Read in department by department: one whose disc is bad holds up no other."""
    problems: list[str] = []
    async with _opened(app) as (house, rooms):
        store = ExchangeStore(house.db, rooms.sealer)
        for exchange in exchanges:
            incoming = Incoming(store=store, ear=rooms.ear, at=rooms.clock.now(), results=results)
            try:
                await import_all(folder, exchange, incoming)
            except BadBundle as refused:
                problems.append(str(refused))
    return problems


@asynccontextmanager
async def _opened(app: App) -> AsyncIterator[tuple[House, Rooms]]:
    async with open_house(app.settings()) as house:
        await migrations.check(house.db)
        async with open_rooms(house, worker_name()) as rooms:
            yield house, rooms


def signing_key(ref_key: bytes) -> Ed25519PrivateKey:
    """Derive what the centre signs with: from a key that every machine has for good, and that is backed up already."""
    return Ed25519PrivateKey.from_private_bytes(blake2b(b"exchange", digest_size=32, key=ref_key).digest())
