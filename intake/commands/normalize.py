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
from intake.house import FOLDER
from intake.keys import KeysError, make_keys
from intake.lines import Reader
from intake.settings import TableFiles
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
    reader = Reader(_tables(app), channel, _ref_key())
    with _until_the_reader_leaves():
        _write(reader.read(file))


def _tables(app: App) -> Tables:
    """Use the tables of a settings file that was named or stands here; else the packaged ones."""
    if app.config is not None or Path("intake.toml").exists():
        return app.settings_and_tables()[1]
    try:
        return tables.load_files(TableFiles())
    except tables.BadTableFiles as error:
        raise BadSettings(f"表有问题 · problems in the tables:\n{error}") from error


def _ref_key() -> bytes:
    """The key of this folder, so that the same person has the same reference as in the street."""
    try:
        return make_keys(FOLDER / "keys").ref_key
    except OSError as error:
        raise BadSettings(f"不能在 {FOLDER} 中建立密钥 · cannot make keys in {FOLDER}: {error}") from error
    except KeysError as error:
        raise BadSettings(str(error)) from error


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
