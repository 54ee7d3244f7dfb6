"""What was promised to departments stays as it was promised: a change that breaks their programs turns this red."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from router.dispatching.message import _TYPES
from router.dispatching.schema import schema
from router.dispatching.statement import TYPE
from router.dispatching.versions import VERSIONS, WAYS, Way, differences

PROMISED = Path(__file__).resolve().parents[3] / "docs" / "contract"
#: Versions of which the schema is still generated; an older one that runs beside it keeps its own types.
NEWEST = VERSIONS[-1]


def promised(part: str, version: int = NEWEST.version) -> dict[str, Any]:
    return dict(json.loads((PROMISED / f"v{version}" / f"{part}.json").read_text("utf-8")))


@pytest.mark.parametrize("part", NEWEST.parts)
def test_what_was_promised_still_holds(part: str) -> None:
    """Red? Then it is a new version (docs/departments.md, 版本): this one must not change so."""
    assert differences(promised(part), schema(part), WAYS[part]) == []  # type: ignore[arg-type]


def test_every_type_of_message_bears_a_version_that_is_in_force() -> None:
    types = {*_TYPES.values(), TYPE, "feedback.outcome.v1"}
    known = {each.version for each in VERSIONS}
    assert all((found := re.search(r"\.v([0-9]+)$", each)) and int(found[1]) in known for each in types)
    assert {part for each in VERSIONS for part in each.parts} == WAYS.keys()
    assert {path.name for path in PROMISED.iterdir()} == {f"v{number}" for number in known}


def _fields(part: dict[str, Any], record: str) -> dict[str, Any]:
    found: dict[str, Any] = part["$defs"][record]["properties"]
    return found


def _require(part: dict[str, Any], record: str, name: str) -> None:
    part["$defs"][record]["required"].append(name)


def _loosen(part: dict[str, Any], record: str, name: str) -> None:
    part["$defs"][record]["required"].remove(name)


Change = Callable[[dict[str, Any]], object]
NULL = {"anyOf": [{"type": "string"}, {"type": "null"}]}
SIGHED = {"type": "object", "properties": {"kind": {"enum": ["sighed"]}}, "required": ["kind"]}


def _set(record: str, **fields: dict[str, Any]) -> Change:
    return lambda part: _fields(part, record).update(fields)


def _gone(record: str, name: str) -> Change:
    return lambda part: _fields(part, record).pop(name)


BREAKING: list[tuple[str, Change, str]] = [
    ("dispatch", _gone("CaseData", "case_no"), "/data/case_no: is gone"),
    ("dispatch", _set("CaseData", sequence={"type": "string"}), '/data/sequence: may now be {"type": "string"}'),
    ("dispatch", _set("CaseData", title=NULL), '/data/title: may now be {"type": "null"}'),
    ("dispatch", _set("CaseData", role={"type": "string"}), "/data/role: may now be"),
    ("dispatch", lambda part: _loosen(part, "CaseData", "dispatch"), "/data/dispatch: may now be missing"),
    ("statement", _gone("StatedCase", "deadlines"), "/data/cases[]/deadlines: is gone"),
    ("statement", _set("StatementData", cases={"type": "string"}), "/data/cases: is no list any more"),
    ("feedback", lambda part: _require(part, "Accepted", "note"), "[accepted]/note: must now be there"),
    ("feedback", _gone("Replied", "reply_public"), "[replied]/reply_public: is gone"),
    ("feedback", lambda part: part["anyOf"].pop(0), "received is gone"),
    ("feedback", _set("Accepted", handler={"type": "integer"}), "[accepted]/handler: may no longer be"),
    ("feedback", lambda part: _fields(part, "Accepted")["handler"].update(maxLength=3), "handler: may no longer be"),
    ("feedback", _set("ReturnRequested", code={"enum": ["R1"]}), '/code: may no longer be "R2"'),
]


@pytest.mark.parametrize(("part", "change", "told"), BREAKING)
def test_what_breaks_a_program_is_named_with_its_place(part: str, change: Change, told: str) -> None:
    now = deepcopy(promised(part))
    change(now)
    found = differences(promised(part), now, WAYS[part])
    assert any(told in each for each in found), found


GROWING: list[tuple[str, Change]] = [
    ("dispatch", _set("CaseData", weather={"type": "string"})),
    ("dispatch", lambda part: _fields(part, "CaseData")["title"].update(title="另一个说法", description="words")),
    ("outcome", lambda part: _fields(part, "OutcomeData")["outcome"]["enum"].append("perhaps")),
    ("feedback", _set("Accepted", weather={"type": "string"})),
    ("feedback", lambda part: _loosen(part, "Accepted", "handler")),
    ("feedback", lambda part: part["anyOf"].append(SIGHED)),
]


@pytest.mark.parametrize(("part", "change"), GROWING)
def test_a_version_may_grow(part: str, change: Change) -> None:
    now = deepcopy(promised(part))
    change(now)
    assert differences(promised(part), now, WAYS[part]) == []


def test_a_record_within_itself_is_compared_once() -> None:
    tree = {"$ref": "#/$defs/T", "$defs": {"T": {"type": "object", "properties": {"t": {"$ref": "#/$defs/T"}}}}}
    assert differences(tree, tree, Way.OUT) == []
