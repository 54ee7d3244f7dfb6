"""`intake departments replay`: send a department again what it was sent before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import click

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.rights.accesses import Seen, note
from intake.rights.together import with_news
from intake.screen import SHANGHAI
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms
from router.errors import RouterError
from router.replaying import Refused, replay

MOMENTS = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command("replay", help="补发：同样的编号再发一次 · send again, with the same ids")
@click.argument("department")
@click.option("--since", required=True, type=MOMENTS, help="自何时起发出的，本地时间 · sent since, local time")
@click.option("--case", "case", help="只补这一件：编号或工单号 · this case alone")
@click.option("--by", "--actor", "person", required=True, help="经办人 · who decides")
@click.option("--reason", required=True, help="理由 · why")
@command
def replay_command(app: App, department: str, since: datetime, case: str | None, person: str, reason: str) -> None:  # noqa: PLR0917
    """A case is told whole, from its first message on; nothing of the case changes by it."""
    code = department.upper()
    sent = run(_replay(app, code, since.replace(tzinfo=SHANGHAI), case, person, reason))
    if app.as_json:
        print_json({"department": code, "since": since, "sent": sent})
    else:
        click.echo(f"已向 {code} 补发 {sent} 条，编号不变，标有 replayed · sent again with the same ids")


async def _replay(app: App, code: str, since: datetime, case: str | None, person: str, reason: str) -> int:  # noqa: PLR0917
    settings, _ = app.settings_and_tables()
    sent = 0
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        if code not in rooms.router.tables.directory:
            fail(f"名录中没有 {code} · the directory has no {code}: see `intake departments list`")

        async def noted(cases: Collection[str]) -> None:
            at = datetime.now(UTC)
            shown = await with_news(house.db, list(cases))
            await note(house.db, shown, Seen.REPLAY, actor=person, reason=reason, at=at, department=code)

        try:
            async for count in replay(rooms.router, code, since, case, noted):
                sent += count
        except Refused as refused:
            fail(
                f"补发了 {sent} 条后，{code} 的队列不再接收：请单位先取件，再补发一次 · "
                f"after {sent} messages the queue takes no more, let it be read first: {refused}"
            )
        except RouterError as error:
            fail(f"补发了 {sent} 条后中断，请再补发一次，重复无害 · cut short after {sent}, ask again: {error}")
    return sent
