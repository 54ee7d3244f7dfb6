"""Commands of DESIGN section 6 that are not there yet: they say so and exit 1, they never pretend."""

from __future__ import annotations

import click

from intake.cli import fail

#: name -> what it will do
COMMANDS = {
    "train": "学习派单 · learned routing",
    "evaluate": "评测派单 · measure routing",
    "drill": "故障演练 · break it on purpose",
    "console": "网页控制台 · the web console",
}


def later(name: str, help_: str) -> click.Command:
    """Make a command that says that it is not there yet."""

    def callback(arguments: tuple[str, ...]) -> None:
        del arguments
        fail(f"intake {name} 还没有做好，本版不含 · `intake {name}` is not there yet in this version")

    return click.Command(
        name.rpartition(" ")[2],
        help=f"{help_}（尚未提供 · not there yet）",
        callback=callback,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
