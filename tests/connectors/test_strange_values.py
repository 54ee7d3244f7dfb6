"""Whatever one value of an answer turns into, a connector offers it, parks it, or says what is wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.channels.table import TableSettings, read_row
from connectors.channels.table_rows import Row
from connectors.errors import ConnectorError
from tests.connectors.recording import FOLDER, Recording, read, recordings

STRANGE = [
    *(None, 0, -1, 1e30, 17, True, "", "x", "-", [], [1], [None], {}, {"a": 1}, [{"a": None}]),
    *("2026-13-41", "0001-01-01 00:00:00", "9999-12-31 23:59:59"),  # the last two: how programs write no time
]
JSON = [folder for folder in recordings() if list(folder.glob("*.json"))]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*path, name))
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, (*path, index))


def replaced(value: Any, path: tuple[Any, ...], strange: Any) -> Any:
    if not path:
        return strange
    head, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, head: replaced(value[head], rest, strange)}
    return [replaced(part, rest, strange) if index == head else part for index, part in enumerate(value)]


@pytest.mark.parametrize("folder", JSON, ids=lambda folder: str(folder.relative_to(FOLDER)))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_one_strange_value_never_breaks_a_reading(folder: Any, data: st.DataObject) -> None:
    asked = Recording(folder)
    asyncio.run(read(asked.connect()))
    only = data.draw(st.integers(0, len(asked.asked) - 1))
    strange = data.draw(st.sampled_from(STRANGE))
    chance = data.draw(st.randoms(use_true_random=False))

    def alter(body: bytes) -> bytes:
        try:
            answer = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        except msgspec.DecodeError:
            return body  # a page or a text that completes a row
        return msgspec.json.encode(replaced(answer, chance.choice(list(places(answer))), strange))

    try:
        pages = asyncio.run(read(Recording(folder, alter, only=only).connect()))
    except ConnectorError:
        return
    for page in pages:
        told = Counter(item.native_id for item in page.items) + Counter(bad.native_id for bad in page.bad)
        assert told == Counter(page.offered)


@pytest.mark.parametrize("cell", [*STRANGE, "words", 3.5], ids=repr)
@pytest.mark.parametrize("name", ["text", "title", "native_id", "likes", "posted_at"])
def test_a_row_of_any_cells_is_an_item_or_is_parked(name: str, cell: Any) -> None:
    table = {"name": "t", "kind": "table", "channel": "board", "mode": "route", "zone": "Asia/Shanghai"}
    settings_ = msgspec.convert(table, TableSettings)

    for cells in ({name: cell}, {"text": "words", "native_id": "1", name: cell}):
        assert read_row(Row(cells), settings_).native_id
