"""What every command shares: its two options, its way into the event loop, and its exit codes.

0 only when the command did what was asked, 1 when it failed, 2 for bad usage or bad settings.
"""

from __future__ import annotations

import functools
import io
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import click
import msgspec
import uvloop

from intake import logs, settings
from intake.heaps import share_heaps
from intake.mendable import sentence
from intake.settings import Settings
from intake.settings_problems import SettingsError

P = ParamSpec("P")
T = TypeVar("T")


class Failed(click.ClickException):
    """The command did not do what was asked; the message says what happened and what to do next."""

    exit_code = 1

    def show(self, file: Any = None) -> None:  # noqa: ANN401 - click's own signature
        click.echo(f"✗ {self.message}", err=True, file=file)


class BadSettings(Failed):
    """The settings can't be used."""

    exit_code = 2


if TYPE_CHECKING:
    from intake.tables import Tables


class App(msgspec.Struct, kw_only=True):
    """What was said before and after the command's name."""

    config: Path | None = None
    as_json: bool = False

    def settings(self) -> Settings:
        """Read the settings once, telling every problem at once."""
        file, by_default = settings.find(self.config, Path.cwd())
        if by_default:
            click.echo(
                f"没有 ./intake.toml，使用示范城市的设置 · no ./intake.toml, using the demonstration: {file}", err=True
            )
        try:
            return settings.load(file, _environment(file), _kinds())
        except SettingsError as error:
            raise BadSettings(f"设置有 {len(error.problems)} 处问题 · problems in the settings:\n{error}") from error

    def settings_and_tables(self) -> tuple[Settings, Tables]:
        """Read the settings and the tables they name; nothing secret is derived with these tables."""
        from intake import tables  # noqa: PLC0415 - most commands need no table

        read = self.settings()
        try:
            return read, tables.load(read)
        except tables.BadTableFiles as error:
            count = len(error.problems)
            raise BadSettings(f"表有 {count} 处问题 · problems in the tables:\n{error}") from error


def _environment(file: Path) -> Mapping[str, str]:
    """The demonstration's key is no secret: it stands in its own code, not in the operator's environment."""
    if file.resolve() != settings.DEMO:
        return os.environ
    from demo.exchange import SECRET  # noqa: PLC0415 - no other settings need the demonstration
    from demo.hotline import KEY  # noqa: PLC0415

    return {"DEMO_HOTLINE_KEY": KEY, "DEMO_EXCHANGE_SECRET": SECRET, **os.environ}


def _kinds() -> Any:  # noqa: ANN401 - narrowed by settings.load
    from connectors.registry import REGISTRY  # noqa: PLC0415 - `intake --help` needs no connector

    return {name: kind.settings for name, kind in REGISTRY.items()}


def write_whole() -> None:
    """Give standard output a buffer where PYTHONUNBUFFERED took it away.

    Without one a short write to a pipe loses the rest of a large document, without an error (seen with 1.3 MB).
    """
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        sys.stdout = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="backslashreplace")


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command --config and --json, before or after its name, and an App as its first argument."""

    @click.option("--config", type=click.Path(path_type=Path), default=None, help="设置文件 · settings file")
    @click.option("--json", "as_json", is_flag=True, help="输出 JSON · JSON to standard output")
    @functools.wraps(function)
    def wrapped(*, config: Path | None, as_json: bool, **rest: Any) -> None:  # noqa: ANN401 - a command's own options
        before = click.get_current_context().find_object(App) or App()
        logs.configure(as_json=not sys.stderr.isatty())
        try:
            function(App(config=config or before.config, as_json=as_json or before.as_json), **rest)
        except click.ClickException:
            raise
        except Exception as error:
            told = sentence(error)
            if told is None:
                raise
            raise Failed(told) from error

    return wrapped


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine."""
    # As Ctrl-C: servers of our own are stopped also when a supervisor ends a command that has no loop of its own.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    share_heaps()
    try:
        return uvloop.run(main)
    except KeyboardInterrupt:
        raise Failed("中断 · interrupted") from None


def print_json(value: object) -> None:
    """Write one JSON document to standard output."""
    write_out(msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain), indent=2) + b"\n")


def write_out(content: bytes) -> None:
    """Write bytes to standard output; its buffer sees to short writes (write_whole)."""
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def fail(message: str) -> NoReturn:
    """End the command with exit code 1."""
    raise Failed(message)
