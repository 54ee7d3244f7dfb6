"""Nobody sees anything of an item without a line of `who-saw`: each command and each route is in one of two lists.

Whoever adds a command or a route decides here whether it shows an item's words, replies or personal data. What each
command really prints, and writes down, tests/intake/test_views_in_a_house.py and test_check.py ask of those that run.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from intake.door import departments, health, visits
from intake.door.door import TABLES
from intake.main import main

#: Commands that show something of items, and by which parameter they hear who looks.
SHOWS = {
    "check": "viewer",
    "show": "viewer",
    "consume": "viewer",
    "focus": "viewer",
    "links show": "viewer",
    "triage list": "viewer",
    "triage lessons list": "viewer",
    "case list": "viewer",
    "case advice": "viewer",
    "case claims": "viewer",
    "case dossier": "viewer",
    "export ledger": "viewer",
    "report daily": "viewer",
    "report weekly": "viewer",
    "report monthly": "viewer",
    "report shadow": "viewer",
    "parked show": "actor",
    "parked edit": "actor",
    "departments contact": "actor",
    "departments matter": "actor",
    "departments replay": "person",
    "departments export": "viewer",
    "person show": "actor",
    "person erase": "actor",
    "audit scan": "actor",
    "rehearse": "by",
}
#: Commands that show numbers, codes, times and names of units alone.
SHOWS_NOTHING = {
    *("run", "normalize", "import", "status", "balance", "schema", "migrate", "bench", "who-saw", "feedback"),
    *("departments apply", "departments certify", "departments credentials", "departments list", "departments ping"),
    "departments import",
    *("triage assign", "triage lessons allow", "triage lessons forbid"),
    *("triage lessons restore", "triage lessons undo", "parked list", "parked retry", "parked discard"),
    *("case close", "case decide", "case dispute", "case exclude", "case judge", "case reassign", "case recall"),
    *("case reopen", "case review", "case supervise", "case urge", "case visit", "case visit-link", "case visits"),
    *("export figures", "links join", "links split", "sources accept", "sources backfill", "sources list"),
    *("sources pause", "sources reread", "sources resume", "sources rewind"),
    *("servers down", "servers status", "servers up", "retention plan", "retention run"),
    *("audit anchor", "audit anchors", "audit verify", "keys add", "keys list", "keys rotate"),
    *("train", "evaluate", "drill", "console"),  # there is nothing behind these names yet
}

#: Routes that show something of items: by what `who-saw` knows of it.
ROUTES = {
    "GET /departments/{code}/messages": "a delivery: what the broker took stands in the case",
    "POST /departments/{code}/cases/{case}/contact": "a line each",
    "POST /departments/{code}/cases/{case}/matter": "a line each",
    "GET /departments/{code}/cases/{case}/text": "a line each",
    "GET /departments/{code}/cases/{case}/attachments/{attachment}": "a line each",
    "GET /open311/{source}/requests.json": "may be asked for by anybody: told once",
    "GET /open311/{source}/requests/{id}.json": "may be asked for by anybody: told once",
    "GET /app/{source}/appeals/{number}": "may be asked for by the app that sent it: told once",
}
ROUTES_OF_NOTHING = {
    "POST /departments/{code}/ack",
    "POST /departments/{code}/reject",
    "POST /departments/{code}/feedback",
    "GET /open311/{source}/discovery.json",
    "GET /open311/{source}/services.json",
    "GET /open311/{source}/services/{code}.json",
    "GET /open311/{source}/tokens/{id}.json",
    "POST /open311/{source}/requests.json",
    "POST /app/{source}/appeals",
    "POST /push/{source}",
    "GET /health",
    "GET /visit/{token}",  # the citizen's own link: a number and a day
    "POST /visit/{token}",
}


def commands(group: click.Command = main, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its whole name."""
    if not isinstance(group, click.Group):
        yield before, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from commands(found, f"{before} {name}".strip())


def test_of_every_command_it_is_known_whether_it_shows_anything_of_an_item() -> None:
    assert {name for name, _ in commands()} == SHOWS.keys() | SHOWS_NOTHING
    assert not SHOWS.keys() & SHOWS_NOTHING


@pytest.mark.parametrize("name", SHOWS)
def test_a_command_that_shows_anything_hears_who_looks(name: str) -> None:
    found = dict(commands())[name]
    (by,) = [each for each in found.params if each.name == SHOWS[name]]
    assert "--by" in by.opts


def test_of_every_route_of_the_door_it_is_known_whether_it_shows_anything_of_an_item() -> None:
    tables = [*TABLES.values(), departments.TABLE, health.TABLE, visits.TABLE]
    assert {f"{route.method} {route.path}" for table in tables for route in table.routes} == {
        *ROUTES,
        *ROUTES_OF_NOTHING,
    }
