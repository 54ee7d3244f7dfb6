"""`intake`, the front door's command line: every command of DESIGN section 6, one small file each."""

from __future__ import annotations

from pathlib import Path

import click

from intake.cli import App
from intake.commands.balance import balance_command
from intake.commands.bench import bench_command
from intake.commands.departments import departments_command
from intake.commands.import_ import import_command
from intake.commands.later import COMMANDS, later
from intake.commands.migrate import migrate_command
from intake.commands.normalize import normalize_command
from intake.commands.parked import parked_command
from intake.commands.run import run_command
from intake.commands.schema import schema_command
from intake.commands.servers import servers_command
from intake.commands.show import show_command
from intake.commands.sources import sources_command
from intake.commands.status import status_command
from intake.commands.triage import triage_command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--config", type=click.Path(path_type=Path), default=None, help="设置文件 · settings file")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON · JSON to standard output")
@click.version_option(package_name="intake")
@click.pass_context
def main(context: click.Context, config: Path | None, as_json: bool) -> None:
    """诉求汇集与派发：从各渠道到承办单位的队列 · citizens' appeals, from every channel to the department's queue."""
    context.obj = App(config=config, as_json=as_json)


for _command in (
    run_command,
    normalize_command,
    import_command,
    bench_command,
    migrate_command,
    balance_command,
    status_command,
    show_command,
    schema_command,
    servers_command,
    sources_command,
    departments_command,
    triage_command,
    parked_command,
):
    main.add_command(_command)

for _name, _help in COMMANDS.items():
    main.add_command(later(_name, _help))


if __name__ == "__main__":
    main()
