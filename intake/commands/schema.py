"""`intake schema`: the JSON Schema of what we hand on, and the coded list of categories."""

from __future__ import annotations

import click

from intake.cli import App, command, print_json
from intake.schemas import SCHEMAS, schema


@click.command("schema", help="输出 JSON Schema 或分类代码表 · print a JSON Schema or the coded list")
@click.argument("what", type=click.Choice(SCHEMAS))
@command
def schema_command(app: App, what: str) -> None:
    """Always JSON: it is for programs."""
    print_json(schema(app, what))
