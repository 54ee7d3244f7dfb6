"""`intake parked edit`: put a raw item right by hand, and have it go on; who and why is recorded."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from intake.cli import App, command, fail, print_json, run
from intake.house import open_house
from intake.parked import Parked, listed
from intake.reasons import in_chinese
from intake.retrying import edit
from intake.rights.accesses import Seen, note
from intake.street.left_behind import worker_name
from intake.street.rooms import open_rooms
from router.errors import RouterError

EDITABLE = ("parse", "normalize")
#: What sources write in; the editor shows text, and the same encoding is written back.
ENCODINGS = ("utf-8", "gb18030")


@click.command("edit", help="改正原始记录后重试，留痕 · put the raw item right and try again; recorded")
@click.argument("id_", metavar="ID")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="改好的内容，- 为标准输入；不给就打开 $EDITOR · the mended item; else $EDITOR opens",
)
@click.option("--by", "--actor", "actor", required=True, help="经办人 · who")
@click.option("--reason", required=True, help="理由 · why")
@command
def edit_command(app: App, id_: str, file: Path | None, actor: str, reason: str) -> None:
    """What cannot be read changes nothing; else it is a new revision, and what its source sent is kept."""
    try:
        still = run(_edit(app, id_, file, actor, reason))
    except RouterError as error:
        fail(f"改了，没有派出，仍可重试 · mended, not sent; try `intake parked retry {id_}`: {error}")
    if app.as_json:
        print_json({"edited": id_, "still_parked": still})
    else:
        click.echo(f"已改正并重试 · mended and tried again: {id_}")
    if still:
        told = "\n  ".join(f"{row.stage} {in_chinese(row.reason)}" for row in still)
        fail(f"已保存，但仍然挂起 · saved, and still parked:\n  {told}")


async def _edit(app: App, id_: str, file: Path | None, actor: str, reason: str) -> list[Parked]:
    settings, _ = app.settings_and_tables()
    async with open_house(settings) as house, open_rooms(house, worker_name()) as rooms:
        row = _editable(await listed(house.db, only=[id_]), id_)
        await note(house.db, [id_], Seen.RAW, actor=actor, reason=reason, at=datetime.now(UTC))
        before = await rooms.connectors.store.raw.payload(id_)
        after = before if file is None else _read(file)
        if file is None:
            after = await _edited(before)
        while True:
            if after == before:
                fail("内容没有改动，什么也没有保存 · nothing was changed, nothing is saved")
            why = await edit(house, rooms, row, after, actor=actor, reason=reason)
            if why is None:
                return await listed(house.db, only=[id_])
            if file is not None or not sys.stdin.isatty():
                fail(
                    f"还读不出来，什么也没有保存：{in_chinese(why)}；改好再来 · "
                    f"it still cannot be read, nothing is saved: {why}"
                )
            click.confirm(f"还读不出来 · still unreadable: {in_chinese(why)}\n接着改 · edit again", abort=True)
            after = await _edited(after)


def _editable(rows: list[Parked], id_: str) -> Parked:
    if not rows:
        fail(f"没有挂起的 {id_} · nothing parked is called {id_}; see `intake parked list`")
    row = rows[0]
    if row.stage not in EDITABLE:
        fail(
            f"{id_} 挂起在{row.stage}环节，没有可改的原始记录；先除去原因，再 intake parked retry {id_} · "
            f"what is parked in {row.stage} has no raw item to edit; mend its cause, then retry it"
        )
    return row


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


async def _edited(payload: bytes) -> bytes:
    """Open the editor; whoever leaves without saving has changed nothing."""
    text, encoding = _text(payload)
    kind = ".json" if text.lstrip()[:1] in {"{", "["} else ".txt"
    said = await asyncio.to_thread(click.edit, text, extension=kind)
    if said is None or said.rstrip("\n") == text.rstrip("\n"):
        return payload
    # Editors end a file with a line's end; where the item had none, it has none.
    return (said if text.endswith("\n") else said.rstrip("\n")).encode(encoding)


def _text(payload: bytes) -> tuple[str, str]:
    """Give it as text, and in what it is written."""
    found = next((encoding for encoding in ENCODINGS if _is_in(encoding, payload)), None)
    if found is None:
        fail("原始记录不是文字，编辑器打不开，用 --file · the raw item is no text; give it with --file")
    return payload.decode(found), found


def _is_in(encoding: str, payload: bytes) -> bool:
    try:
        payload.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
