"""`intake keys list|add|rotate`: the master keys, and wrapping the data keys with a new one."""

from __future__ import annotations

import click

from intake.cli import App, command, print_json, run
from intake.house import keys_folder, open_house
from intake.keys import Keys, add_master, load_keys
from intake.rights.custody import open_custody
from intake.screen import console, table


@click.group("keys", help="密钥 · key files and what they wrap")
def keys_command() -> None:
    """Group."""


@keys_command.command("list", help="有哪些密钥文件、各包着几把数据密钥 · which there are, and what each wraps")
@command
def list_command(app: App) -> None:
    """No key is shown."""
    keys, wrapped = run(_list(app))
    rows = [{"name": f"master-{number}.key", "wraps": wrapped.get(number, 0)} for number in sorted(keys.masters)]
    if app.as_json:
        print_json({"masters": rows, "ref_version": keys.ref_version, "data_keys": wrapped[-1]})
        return
    console().print(
        table(
            f"主密钥 {len(rows)}，数据密钥 {wrapped[-1]}，代号密钥 ref-{keys.ref_version}.key",
            ["文件", "包着几把总钥"],
            [[row["name"], row["wraps"]] for row in rows],
        )
    )


@keys_command.command("add", help="加一把主密钥，先拷到每台机器 · one more master key: copy it everywhere first")
@command
def add_command(app: App) -> None:
    """It wraps nothing yet, so that every worker can have it before it is needed."""
    folder = keys_folder(app.settings())
    keys = add_master(folder)
    made = folder / f"master-{keys.master}.key"
    if app.as_json:
        print_json({"made": str(made)})
    else:
        click.echo(
            f"已建立 {made}：先备份，拷到每台机器，再运行 intake keys rotate · made: copy it everywhere, then rotate"
        )


@keys_command.command("rotate", help="用最新的主密钥重新包装 · wrap anew with the newest master key")
@command
def rotate_command(app: App) -> None:
    """Values stay as they are: what wraps their keys is wrapped anew. The older file may go when it wraps nothing."""
    number, count = run(_rotate(app))
    if app.as_json:
        print_json({"master": number, "wrapped": count})
    else:
        click.echo(f"已用 master-{number}.key 重新包装 {count} 把 · wrapped anew")


async def _list(app: App) -> tuple[Keys, dict[int, int]]:
    """Give the keys, and how many each wraps; under -1, how many data keys are still alive."""
    settings = app.settings()
    async with open_house(settings, broker=False) as house:
        wrapped: dict[int, int] = {-1: await house.db.data_keys.count_documents({"destroyed_at": None})}
        async for key in house.db.key_vault.find({}, {"masterKey": 1}):
            number = str(key["masterKey"]["provider"]).rpartition(":v")[2]
            if number.isdecimal():
                wrapped[int(number)] = wrapped.get(int(number), 0) + 1
        return load_keys(keys_folder(settings)), wrapped


async def _rotate(app: App) -> tuple[int, int]:
    settings = app.settings()
    keys = load_keys(keys_folder(settings))
    async with open_house(settings, broker=False) as house, open_custody(house) as custody:
        return keys.master, await custody.sealer.rotate()
