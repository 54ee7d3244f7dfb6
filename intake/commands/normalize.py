"""`intake normalize`: JSON lines in, appeals with routing out, in order; needs no server."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, get_args

import click

from connectors.source import Channel
from intake import tables
from intake.cli import App, BadSettings, command, write_out
from intake.house import FOLDER, keys_folder
from intake.keys import KeysError, ref_key
from intake.lines import Reader
from intake.settings import Settings, TableFiles
from intake.tables import Tables

BATCH = 256 * 1024  #: bytes written at once


@click.command("normalize", help="逐行规整并决定派单，不需要服务器 · JSON lines in, appeals with routing out")
@click.argument("file", type=click.File("rb"), default="-")
@click.option(
    "--channel", type=click.Choice(get_args(Channel)), default="other", show_default=True, help="渠道 · channel"
)
@command
def normalize_command(app: App, file: BinaryIO, channel: str) -> None:
    """One line for one line; a bad line yields {"error": …, "line": N}."""
    settings = _settings(app)
    folder = FOLDER / "keys" if settings is None else keys_folder(settings)
    reader = Reader(_tables(settings), channel, _ref_key(folder))
    with _until_the_reader_leaves():
        _write(reader.read(file))


def _settings(app: App) -> Settings | None:
    """Read a settings file that was named or stands here; the demonstration's has no say in this."""
    return app.settings() if app.config is not None or Path("intake.toml").exists() else None


def _tables(settings: Settings | None) -> Tables:
    """Use the tables of the settings; else the packaged ones."""
    try:
        return tables.load_files(TableFiles()) if settings is None else tables.load(settings)
    except tables.BadTableFiles as error:
        raise BadSettings(f"表有 {len(error.problems)} 处问题 · problems in the tables:\n{error}") from error


def _ref_key(folder: Path) -> bytes:
    """The key of this installation, so that the same person has the same reference as in the street."""
    try:
        key, made = ref_key(folder)
    except OSError as error:
        raise BadSettings(f"不能在 {folder} 中建立密钥 · cannot make keys in {folder}: {error}") from error
    except KeysError as error:
        raise BadSettings(str(error)) from error
    if made is not None:
        click.echo(
            f"没有密钥，已建立 {made}：同一人的代号由它算出，请留好 · no key here, made {made}: references of citizens "
            "are derived from it, keep it",
            err=True,
        )
    return key


def _write(lines: Iterable[bytes]) -> None:
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= BATCH:
            write_out(b"".join(waiting))
            waiting, size = [], 0
    write_out(b"".join(waiting))


@contextmanager
def _until_the_reader_leaves() -> Iterator[None]:
    """`intake normalize … | head` is no failure."""
    try:
        yield
    except BrokenPipeError:
        sys.stderr.close()
