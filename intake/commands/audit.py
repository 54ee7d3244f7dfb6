"""`intake audit scan`: does any number of a person stand in the clear, anywhere but in the vault."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from intake.cli import App, command, fail, print_json, run
from intake.commands.verify import anchor_command, anchors_command, verify_command
from intake.house import FOLDER, open_house
from intake.rights.accesses import ALL, Seen, note
from intake.rights.custody import open_custody
from intake.rights.persons import numbers_of_vault
from intake.rights.scanner import Known, Scanned, scan
from intake.screen import console, table
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms

KINDS = {"mobile": "手机", "id_card": "身份证", "bank_card": "银行卡", "mail": "邮箱", "known": "隐私库中的号码"}


@click.group("audit", help="审计 · who saw what, and whether anything leaked")
def audit_command() -> None:
    """Group."""


@audit_command.command("scan", help="明文扫描：各集合、发出的消息、日志里有没有号码 · numbers in the clear, anywhere")
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="日志文件，可多个 · log files",
)
@click.option("--against-vault", is_flag=True, help="逐一核对隐私库里的号码，留痕 · search for the vault's own numbers")
@click.option("--by", "--actor", "actor", default="operator", show_default=True, help="经办人 · who")
@command
def scan_command(app: App, logs: tuple[Path, ...], actor: str, *, against_vault: bool) -> None:
    """Where and of which kind, never the number."""
    done = run(_scan(app, logs, actor, against_vault=against_vault))
    if app.as_json:
        print_json(done)
    else:
        _print(done)
    if done.found:
        fail(f"明文号码 {len(done.found)} 处，请叫开发 · {len(done.found)} numbers in the clear: call us")


def _print(done: Scanned) -> None:
    counted = (("集合", done.collections), ("消息", done.messages), ("日志", done.logs))
    rows = [[name, what, count] for what, counts in counted for name, count in counts.items() if count]
    looked = sum(sum(counts.values()) for _, counts in counted)
    console().print(table(f"看过 {looked}，明文 {len(done.found)}", ["何处", "种类", "条数"], rows))
    if done.found:
        told = [[one.where, KINDS.get(one.kind, one.kind)] for one in done.found[:200]]
        console().print(table("明文", ["何处", "什么"], told))


audit_command.add_command(verify_command)
audit_command.add_command(anchor_command)
audit_command.add_command(anchors_command)


async def _scan(app: App, logs: tuple[Path, ...], actor: str, *, against_vault: bool) -> Scanned:
    settings, _ = app.settings_and_tables()
    ours = [file for file in sorted(FOLDER.glob("*.log")) if file.is_file()]
    async with open_house(settings, broker=False) as house, open_rooms(house, worker_name()) as rooms:
        numbers: list[str] = []
        if against_vault:
            # That all of it was opened is one line: nobody saw any of it.
            await note(house.db, [ALL], Seen.VAULT, actor=actor, reason="明文扫描", at=datetime.now(UTC))
            async with open_custody(house) as custody:
                numbers = [number async for number in numbers_of_vault(custody)]
        return await scan(house.db, Known(numbers), rooms.router, logs, ours)
