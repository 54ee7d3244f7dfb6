"""What the commands of `intake case` share: who and why, the way in, and what is said of one case afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import click

from intake.cli import App, fail, print_json, run
from intake.house import Database, open_house
from intake.life import find_ids
from intake.refusals import why
from intake.street.left_behind import worker_name
from intake.street.rooms import Rooms, open_rooms
from normalizer.steps.mask import Masker
from router.cases.case import Case
from router.cases.work import NAMES
from router.errors import RouterError, UnitAccused

BY = click.option("--by", "--actor", "person", required=True, help="经办人 · who")
REASON = click.option("--reason", required=True, help="理由，会告诉承办单位 · why; the department is told")
DESPITE = click.option("--despite", is_flag=True, help="明知反映的就是该单位 · although the appeal is about this unit")
ONE = click.argument("id_", metavar="ID")

Act = Callable[[str, Rooms], Awaitable[Case]]


def plain(text: str) -> str:
    """Mask what people write: it goes to departments, and perhaps to citizens."""
    return Masker().mask("reason", text)


@asynccontextmanager
async def opened(app: App) -> AsyncIterator[tuple[Rooms, Database]]:
    """Open everything that is needed to do something to a case."""
    settings, _ = app.settings_and_tables()
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        yield rooms, house.db


def one(app: App, id_: str, act: Act) -> None:
    """Do something to the one case that is meant, and say where it then stands."""

    async def do() -> Case:
        async with opened(app) as (rooms, db):
            ids = await find_ids(db, id_)
            return await act(ids[0] if len(ids) == 1 else id_, rooms)

    try:
        case = run(do())
    except UnitAccused as refused:
        fail(f"没有办成：诉求反映的就是该单位，请改派其上级，或加 --despite · not done: {why(refused)}")
    except RouterError as refused:
        fail(f"没有办成 · not done: {why(refused)}")
    work = case.handling.work if case.handling else None
    if app.as_json:
        print_json({"id": case.id, "case_no": case.case_no, "state": case.state, "work": work, "holder": case.holder})
    else:
        click.echo(f"{case.case_no}  {NAMES[work][1] if work else case.state.value}  {case.holder or '-'} · done")
