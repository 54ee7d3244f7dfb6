"""`intake`, the front door's command line: every command of DESIGN section 6, one small file each.

A command's file is imported when it is called: `intake balance` need not know how to read a forum.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from intake.cli import App, BadSettings, write_whole
from intake.commands.later import COMMANDS, later
from intake.compiled import advice, outdated
from intake.usage import chinese_first

#: name -> the module in intake/commands/ and the command in it
HERE: Mapping[str, tuple[str, str]] = {
    "run": ("run", "run_command"),
    "check": ("check", "check_command"),
    "normalize": ("normalize", "normalize_command"),
    "import": ("import_", "import_command"),
    "status": ("status", "status_command"),
    "balance": ("balance", "balance_command"),
    "show": ("show", "show_command"),
    "consume": ("consume", "consume_command"),
    "schema": ("schema", "schema_command"),
    "migrate": ("migrate", "migrate_command"),
    "bench": ("bench", "bench_command"),
    "departments": ("departments", "departments_command"),
    "triage": ("triage", "triage_command"),
    "parked": ("parked", "parked_command"),
    "feedback": ("feedback", "feedback_command"),
    "case": ("case", "case_command"),
    "export": ("export", "export_command"),
    "sources": ("sources", "sources_command"),
    "links": ("links", "links_command"),
    "focus": ("focus", "focus_command"),
    "servers": ("servers", "servers_command"),
    "report": ("report", "report_command"),
    "person": ("person", "person_command"),
    "who-saw": ("who_saw", "who_saw_command"),
    "retention": ("retention", "retention_command"),
    "audit": ("audit", "audit_command"),
    "keys": ("keys", "keys_command"),
    "rehearse": ("rehearse", "rehearse_command"),
}


class Commands(click.Group):
    """The commands, in the order in which they are listed above; those that are not there yet come last."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return [*HERE, *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in HERE:
            module, name = HERE[cmd_name]
            found = getattr(import_module(f"intake.commands.{module}"), name)
            assert isinstance(found, click.Command)
            return found
        return later(cmd_name, COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def make_context(self, *args: Any, **more: Any) -> click.Context:  # noqa: ANN401 - click's own
        if names := outdated():
            raise BadSettings(advice(names))
        with chinese_first():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's own signature
        with chinese_first():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--config", type=click.Path(path_type=Path), default=None, help="设置文件 · settings file")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON · JSON to standard output")
@click.version_option(package_name="intake")
@click.pass_context
def main(context: click.Context, config: Path | None, as_json: bool) -> None:
    """诉求汇集与派发：从各渠道到承办单位的队列 · citizens' appeals, from every channel to the department's queue."""
    write_whole()
    context.obj = App(config=config, as_json=as_json)


if __name__ == "__main__":
    main()
