"""The OpenAPI document says what is served."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import jsonschema
from click.testing import CliRunner

from intake.door.door import TABLES
from intake.door.openapi import document
from intake.main import main
from tests.intake.door.conftest import KEY, Opened
from tests.intake.door.test_app import APPEAL, send, standing


def test_every_route_is_in_it() -> None:
    made = document()
    for table in TABLES.values():
        for route in table.routes:
            for path in (route.path, *route.also):
                assert made["paths"][path][route.method.lower()]["summary"] == route.summary


def test_every_reference_leads_somewhere() -> None:
    made = document()
    references = {word.partition('"')[0] for word in json.dumps(made).split('"$ref": "')[1:]}
    assert references
    for each in references:
        assert each.removeprefix("#/components/schemas/") in made["components"]["schemas"], each


def schema_of(status: int, method: str, path: str) -> dict[str, Any]:
    made = document()
    schema = made["paths"][path][method]["responses"][str(status)]["content"]["application/json"]["schema"]
    return {**schema, "components": made["components"]}


async def test_what_is_answered_is_what_it_says(opened: Opened, session: aiohttp.ClientSession) -> None:
    status, taken = await send(session, opened, APPEAL)
    jsonschema.validate(taken, schema_of(status, "post", "/app/{source}/appeals"))
    status, told = await standing(session, opened, taken["number"])
    jsonschema.validate(told, schema_of(status, "get", "/app/{source}/appeals/{number}"))
    status, refused = await send(session, opened, {"text": ""})
    jsonschema.validate(refused, schema_of(status, "post", "/app/{source}/appeals"))
    form = {"api_key": KEY, "service_code": "0301", "address_string": "望湖区", "description": "路灯坏了一周没人修。"}
    async with session.post(f"{opened.url}/open311/open311/requests.json", data=form) as answer:
        await opened.case((await answer.json())[0]["service_request_id"])
    for path in ("services", "requests"):
        async with session.get(f"{opened.url}/open311/open311/{path}.json") as answer:
            rows = await answer.json()
        assert rows
        jsonschema.validate(rows, schema_of(200, "get", f"/open311/{{source}}/{path}.json"))


def test_the_command_prints_it() -> None:
    done = CliRunner().invoke(main, ["schema", "door"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["openapi"].startswith("3.1")
