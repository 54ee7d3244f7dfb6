"""`intake schema`: the JSON Schema of what we hand on, and the coded list of categories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import click
import msgspec

from intake.cli import App, command, fail, print_json
from intake.tables import Tables
from router.dispatching.asyncapi import document
from router.dispatching.schema import CategoryListed, What, coded_list, crosswalk_list, schema
from router.dispatching.versions import VERSIONS
from router.sandbox.samples import sample_statement, samples

#: Samples are the same whenever they are printed.
SAMPLED = datetime(2026, 11, 23, 1, tzinfo=UTC)


WHAT = (
    *("appeal", "dispatch", "feedback", "outcome", "statement", "taxonomy", "crosswalk", "claims", "asyncapi"),
    *("samples", "door", "versions"),
)


@click.command("schema", help="输出数据格式、接口文档、样例、分类代码表 · schemas, documents, samples, codes")
@click.argument("what", type=click.Choice(WHAT))
@click.argument("department", required=False)
@command
def schema_command(app: App, what: str, department: str | None) -> None:
    """Always JSON: it is for programs. DEPARTMENT goes with crosswalk alone (theirs and ours)."""
    if department is not None and what != "crosswalk":
        raise click.UsageError("只有 crosswalk 可以写单位 · only crosswalk takes a department")
    match what:
        case "door":
            print_json(_door(app))
        case "versions":
            print_json(VERSIONS)
        case "asyncapi":
            print_json(document())
        case "samples":
            print_json(_samples(app))
        case "taxonomy":
            print_json(_taxonomy(app))
        case "claims":
            print_json(app.settings_and_tables()[1].router.claims)
        case "crosswalk":
            print_json(_crosswalk(app, department and department.upper()))
        case _:
            print_json(schema(cast("What", what)))


def _crosswalk(app: App, department: str | None) -> object:
    """One department's table, or those of all that have one."""
    _, tables = app.settings_and_tables()
    router, version = tables.router, tables.normalizer.versions["taxonomy"]
    if department is not None and department not in router.crosswalks:
        fail(f"{department} 没有代码对照：请写 crosswalk/{department}.toml，放在名录旁边 · there is no such table yet")
    made = {
        code: crosswalk_list(found, version, _classes(tables), router.directory)
        for code, found in router.crosswalks.items()
    }
    return made if department is None else made[department]


def _classes(tables: Tables) -> list[CategoryListed]:
    return [
        CategoryListed(code=each.code, name=each.name, path=list(each.path))
        for each in tables.normalizer.classes.values()
    ]


def _taxonomy(app: App) -> object:
    _, tables = app.settings_and_tables()
    classes = _classes(tables)
    rules = tables.router.rules
    leads = {each.code: rules.categories[each.code].lead for each in classes if each.code in rules.categories}
    return coded_list(tables.normalizer.versions["taxonomy"], classes, leads)


def _samples(app: App) -> object:
    """One message of every type, as the unit ZJJ would get it."""
    _, tables = app.settings_and_tables()
    made = {str(each.type): msgspec.Raw(each.body) for each in samples("ZJJ", SAMPLED, tables.router)}
    return made | {"statement": msgspec.Raw(sample_statement("ZJJ", SAMPLED))}


def _door(app: App) -> object:
    """The OpenAPI document of the door, at the address of the settings where they have one."""
    from intake.door.openapi import document as openapi  # noqa: PLC0415 - the other schemas need no server

    settings, _ = app.settings_and_tables()
    return openapi(settings.door.public_url if settings.door is not None else "")
