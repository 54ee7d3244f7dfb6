"""The outside proof rests on one rule of names: our connectors, read to the end, hold exactly what was offered."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.base import Request, Response
from connectors.registry import REGISTRY
from demo.city import build
from demo.deal import EXCHANGE, SOURCES
from demo.hotline import KEY
from tests.demo.conftest import Served, Serving

SETTINGS = Path(__file__).parents[2] / "demo" / "intake.toml"


def settings(name: str) -> dict[str, Any]:
    table = tomllib.loads(SETTINGS.read_text("utf-8"))
    found: dict[str, Any] = next(source for source in table["source"] if source["name"] == name)
    return found


def test_the_settings_name_every_source_of_the_city() -> None:
    table = tomllib.loads(SETTINGS.read_text("utf-8"))
    assert {source["name"] for source in table["source"]} == {*SOURCES, EXCHANGE}


async def read_once(served: Served, name: str, cursor: str | None) -> tuple[set[str], str | None]:
    async def fetch(request: Request) -> Response:
        address = request.url.replace("http://127.0.0.1:28080", served.url)
        asking = served.session.get(address, params=dict(request.query), headers=dict(request.headers))
        async with asking as answer:
            headers = {key.lower(): value for key, value in answer.headers.items()}
            body = await answer.read()
            return Response(status=answer.status, headers=headers, body=body, fetched_at=datetime.now(UTC))

    row = settings(name)
    kind = REGISTRY[row["kind"]]
    assert kind.open is not None
    connector = kind.open(msgspec.convert(row, kind.settings), fetch, {"DEMO_HOTLINE_KEY": KEY})
    seen: set[str] = set()
    async for page in connector.pages(cursor):
        seen.update(page.offered)
        cursor = cursor if page.cursor is None else page.cursor
    return seen, cursor


@pytest.mark.parametrize("name", SOURCES)
async def test_what_a_connector_saw_is_what_was_offered(serving: Serving, name: str) -> None:
    # Begun by hand: a reader that looks once more behind the last page would meet the late posts at once.
    async with serving(build(1, faults=False, phase_after=0)) as served:
        story = served.city.stories[name]
        first, cursor = await read_once(served, name, None)
        assert story.completed, "one reading to the end begins the second phase, where nobody begins it by hand"
        assert first == set(await served.offered(name))
        story.advance()
        second, cursor = await read_once(served, name, cursor)
        third, _ = await read_once(served, name, cursor)
        assert first | second | third == set(await served.offered(name))
        assert second - first, "late posts were seen"
