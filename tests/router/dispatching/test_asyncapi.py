"""The AsyncAPI document is one by its own standard, and says what the code does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from router.dispatch import MessageType
from router.dispatching.asyncapi import document
from router.dispatching.schema import schema

SPECS = "@asyncapi/specs@6.11.1"


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON Schema of AsyncAPI 3.0, as its authors publish it."""
    folder = tmp_path_factory.mktemp("specs")
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    subprocess.run([*npm, SPECS], check=True, timeout=120)
    found = json.loads((folder / "node_modules/@asyncapi/specs/schemas/3.0.0.json").read_text("utf-8"))
    return dict(found)


def test_the_document_is_valid_by_the_schema_of_its_standard(standard: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(standard).validate(document())


def test_a_document_with_a_fault_is_refused(standard: dict[str, Any]) -> None:
    faulty = document()
    faulty["operations"]["readOrders"]["action"] = "read"

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(standard).validate(faulty)


def test_every_message_of_the_contract_is_in_it_under_its_name_on_the_wire() -> None:
    messages = document()["components"]["messages"]

    names = {each["name"] for each in messages.values()}
    assert {f"appeal.{kind.value}.v1" for kind in MessageType if kind is not MessageType.OUTCOME} < names
    assert {"feedback.outcome.v1", "feedback", "department.statement.v1"} < names


def test_every_reference_leads_somewhere() -> None:
    made = document()

    for reference in references(made):
        found: Any = made
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_its_schemas_are_those_that_intake_schema_prints() -> None:
    schemas = document()["components"]["schemas"]

    data, printed = schemas["CaseData"], schema("dispatch")["$defs"]["CaseData"]
    assert data["required"] == printed["required"]
    assert {name: shape["title"] for name, shape in data["properties"].items()} == {
        name: shape["title"] for name, shape in printed["properties"].items()
    }


def references(value: Any) -> list[str]:
    match value:
        case {"$ref": str(reference)}:
            return [reference]
        case dict():
            return [each for inner in value.values() for each in references(inner)]
        case list():
            return [each for inner in value for each in references(inner)]
        case _:
            return []


def test_the_folder_of_the_programs_of_departments_is_where_the_page_says() -> None:
    assert {file.name for file in (Path(__file__).parents[3] / "docs" / "consumers").iterdir()} == {
        "Consumer.java",
        "consumer.js",
        "exchange.py",
        "receiver.py",
    }
