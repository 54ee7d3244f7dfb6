"""docs/operators.md is complete: every command and every name in the logs is told."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import click

from intake.end_states import CASE_STATES
from intake.main import main
from intake.screen import STATES
from tests.docs.pages import OPERATORS, ROOT, rows

PAGE = OPERATORS.read_text(encoding="utf-8")
ROOMS = ("intake", "connectors", "normalizer", "router")
#: DESIGN section 6.
PROMISED = {
    "run", "check", "normalize", "import", "status", "balance", "sources", "consume", "feedback", "show", "case",
    "departments", "parked", "triage", "links", "focus", "report", "export", "audit", "train", "evaluate", "rehearse",
    "drill", "bench", "console", "schema", "migrate",
}  # fmt: skip


def named_on_the_page() -> set[str]:
    """`intake servers up|down` names `servers`, `servers up` and `servers down`."""
    named = set()
    for words in re.findall(r"`intake ([a-z|A-Z -]+)`", PAGE):
        command, _, rest = words.partition(" ")
        named |= {command, *(f"{command} {each}" for each in rest.split("|"))}
    return named


def commands() -> Iterator[str]:
    """Every command that `intake --help` and the groups' own help list."""
    context = click.Context(main)
    for name in main.list_commands(context):
        yield name
        found = main.get_command(context, name)
        if isinstance(found, click.Group):
            yield from (f"{name} {each}" for each in found.list_commands(context))


def test_every_command_is_on_the_page() -> None:
    assert {*commands(), *PROMISED} <= named_on_the_page()


def test_every_command_of_the_design_is_there() -> None:
    assert set(commands()) >= PROMISED


def actions() -> set[str]:
    """What the logs call things: `action="…"`, and what is handed on to be one."""
    found = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    found |= _actions_of(node)
    return found


def _actions_of(call: ast.Call) -> set[str]:
    handed_on = call.args[2:] if isinstance(call.func, ast.Attribute) and call.func.attr == "_tell" else []
    values = [*handed_on, *(word.value for word in call.keywords if word.arg == "action")]
    return {each.value for each in values if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def test_every_name_in_the_logs_is_told_and_no_other() -> None:
    told = {name for row in rows(OPERATORS, "日志") for name in re.findall(r"`(\w+)`", row[0])}
    assert told == actions()


def test_every_end_state_is_told() -> None:
    told = {name for row in rows(OPERATORS, "平账") for name in re.findall(r"`(\w+)`", row[0])}
    assert told >= CASE_STATES | {"not_an_appeal"}
    assert {row[0].split(" ")[0] for row in rows(OPERATORS, "平账")} == set(STATES.values())
