"""`intake schema`: the JSON Schema of what we hand on, and the coded list of categories."""

from __future__ import annotations

from typing import cast

import click

from intake.cli import App, command, print_json
from router.dispatching.asyncapi import document
from router.dispatching.schema import CategoryListed, What, coded_list, schema


@click.command("schema", help="输出 JSON Schema、接口文档或分类代码表 · print schemas, AsyncAPI, the coded list")
@click.argument("what", type=click.Choice(["appeal", "dispatch", "feedback", "taxonomy", "asyncapi", "door"]))
@command
def schema_command(app: App, what: str) -> None:
    """Always JSON: it is for programs."""
    if what == "door":
        print_json(_door(app))
        return
    if what == "asyncapi":
        print_json(document())
        return
    if what != "taxonomy":
        print_json(schema(cast("What", what)))
        return
    _, tables = app.settings_and_tables()
    classes = [
        CategoryListed(code=each.code, name=each.name, path=list(each.path))
        for each in tables.normalizer.classes.values()
    ]
    rules = tables.router.rules
    leads = {each.code: rules.categories[each.code].lead for each in classes if each.code in rules.categories}
    print_json(coded_list(tables.normalizer.versions["taxonomy"], classes, leads))


def _door(app: App) -> object:
    """The OpenAPI document of the door, at the address of the settings where they have one."""
    from intake.door.openapi import document as openapi  # noqa: PLC0415 - the other schemas need no server

    settings, _ = app.settings_and_tables()
    return openapi(settings.door.public_url if settings.door is not None else "")
