"""The tables of a city with one desk: every letter that is dispatched goes to one unit, and nobody assists.

A bare transport puts each record once into one queue. To be compared with it, the street is given the packaged rules
with one lead in the place of all, so that a record is one message to one queue on both sides. What `decide` looks at
is the same as in any city.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DESK = "DESK"
_DATA = Path(__file__).resolve().parent.parent / "router" / "data"
_UNIT = {"code": DESK, "name": "云泽市诉求受理台", "short": "受理台", "role": DESK, "kind": "gov"}
_ROLE = ("code", "short", "kind", "aliases", "covers")


def write(folder: Path) -> tuple[Path, Path]:
    """Write directory and rules there, as an operator would have them."""
    packaged = tomllib.loads((_DATA / "directory.toml").read_text("utf-8"))
    rules = tomllib.loads((_DATA / "rules.toml").read_text("utf-8"))
    directory, ruling = folder / "one_desk_directory.toml", folder / "one_desk_rules.toml"
    kinds = [*packaged["unit"], *packaged["role"]]
    directory.write_text("\n".join(_directory(kinds)), "utf-8")
    ruling.write_text("\n".join(_rules(rules)), "utf-8")
    return directory, ruling


def _directory(kinds: list[dict[str, Any]]) -> Iterator[str]:
    yield 'version = "one-desk"\ncity = "云泽市"\n[[unit]]'
    yield from _fields(_UNIT)
    for kind in kinds:
        yield "[[role]]"
        yield from _fields({name: kind[name] for name in _ROLE if name in kind})


def _rules(packaged: dict[str, Any]) -> Iterator[str]:
    yield 'version = "one-desk"\n[thresholds]\nconfidence = 0.0\nmargin = 0.0\n[categories]'
    for code in packaged["categories"]:
        yield f'{code} = {{ lead = "{DESK}", assist = [] }}'
    for rule in packaged["rule"]:
        yield "[[rule]]"
        yield from _fields(
            {name: value for name, value in rule.items() if name != "test"} | {"lead": DESK, "assist": []}
        )


def _fields(values: dict[str, Any]) -> Iterator[str]:
    """Texts and lists of texts are written alike in JSON and in TOML."""
    return (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
