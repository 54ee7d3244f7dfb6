"""What connectors/base.py promises, for every kind in the registry.

A new channel joins by its line in the registry and a folder of recordings; no test is written for it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.base import BadItem, Item
from connectors.errors import ConnectorError, SourceDown
from connectors.flow import Room, read_source
from connectors.raw_appeal import appeal_id
from connectors.registry import REGISTRY
from tests.connectors.recording import (
    FOLDER,
    Alter,
    Recording,
    ids_of,
    position,
    read,
    recordings,
    until_broken,
    until_killed,
)

every_recording = pytest.mark.parametrize("folder", recordings(), ids=lambda folder: str(folder.relative_to(FOLDER)))
every_recording_of_a_server = pytest.mark.parametrize(
    "folder",
    [folder for folder in recordings() if Recording(folder).kind.open is not None],
    ids=lambda folder: str(folder.relative_to(FOLDER)),
)
every_kind = pytest.mark.parametrize("kind", REGISTRY)

LOG_IN = b'<html><form action="/login"><input name="user"><input type="password"></form></html>'
DIRT: dict[str, Alter] = {
    "empty": lambda body: b"",
    "log-in page": lambda body: LOG_IN,
    "empty object": lambda body: b"{}",
    "empty list": lambda body: b"[]",
    "null": lambda body: b"null",
    "cut off": lambda body: body[: len(body) // 2],
    "not text": lambda body: bytes(range(256)) * 3,
    "strings for objects": lambda body: body.replace(b"{", b'"').replace(b"}", b'"'),
    "nested without end": lambda body: b'{"data":' * 3_000 + b"1" + b"}" * 3_000,
    "lists for objects": lambda body: body.replace(b'": {', b'": [{').replace(b"}", b"}]"),
}


def test_every_kind_has_a_recording() -> None:
    read_by_us = {name for name, kind in REGISTRY.items() if kind.receive is None}
    assert {folder.relative_to(FOLDER).parts[0] for folder in recordings()} == read_by_us


@every_recording
async def test_a_reading_ends_and_offers_everything(folder: Path) -> None:
    recording = Recording(folder)

    pages = await read(recording.connect())

    named = {native_id for native_id in ids_of(pages) if not native_id.startswith(("row-", "entry-"))}
    assert named == recording.ids
    assert len(ids_of(pages) - named) == recording.told.get("nameless", 0)


@every_recording
async def test_items_and_bad_rows_together_are_what_was_offered(folder: Path) -> None:
    recording = Recording(folder)

    pages = await read(recording.connect())

    for page in pages:
        told = Counter(item.native_id for item in page.items) + Counter(bad.native_id for bad in page.bad)
        assert told == Counter(page.offered)
    bad = {bad.native_id for page in pages for bad in page.bad}
    deleted = {item.native_id for page in pages for item in page.items if item.deleted}
    assert bad >= set(recording.told["bad"])
    assert deleted == set(recording.told.get("deleted", ()))


@every_recording
async def test_the_cursor_is_the_whole_memory(folder: Path) -> None:
    """Killed after any page, a fresh connector given the position reads the rest and skips nothing."""
    whole = await read(Recording(folder).connect())

    for count in range(len(whole) + 1):
        first = await until_killed(Recording(folder).connect().pages(None), count)
        rest = await read(Recording(folder).connect(), position(first))

        assert ids_of(first) | ids_of(rest) == ids_of(whole)
    assert len(position(whole) or "") < 500


@every_recording
async def test_a_line_that_breaks_at_any_request_skips_nothing(folder: Path) -> None:
    """And so does a worker that is killed there: what it yielded is stored, the rest is asked for again."""
    whole = Recording(folder)
    everything = ids_of(await read(whole.connect()))

    for number in range(len(whole.asked)):
        stored = await until_broken(Recording(folder, dies_at=number).connect())
        rest = await read(Recording(folder).connect(), position(stored))

        assert ids_of(stored) | ids_of(rest) == everything


@every_recording
async def test_a_page_is_a_function_of_what_was_answered(folder: Path) -> None:
    assert await read(Recording(folder).connect()) == await read(Recording(folder).connect())


@every_recording
async def test_reading_twice_changes_nothing(folder: Path, room: Room, database: Any) -> None:
    recording = Recording(folder)
    source = recording.settings
    await room.store.sources.ensure([source.name])
    claim = await room.store.sources.claim(source.name, room.owner)
    assert claim is not None
    [batch async for batch in read_source(recording.connect(), source, claim, room)]
    pages = await database.pages.count_documents({})
    expected = {appeal_id(source.name, native_id) for native_id in ids_of(await read(Recording(folder).connect()))}

    again = [batch async for batch in read_source(Recording(folder).connect(), source, claim, room)]

    assert again == []
    assert await database.pages.count_documents({}) == pages
    assert {document["_id"] async for document in database.raw.find({}, {"_id": 1})} == expected


@every_recording
@pytest.mark.parametrize("dirt", DIRT)
async def test_whatever_a_source_answers_only_errors_of_ours_come_out(folder: Path, dirt: str, tmp_path: Path) -> None:
    recording = Recording(folder)
    if recording.kind.open_file is not None:
        file = tmp_path / recording.told["file"]
        file.write_bytes(DIRT[dirt]((folder / recording.told["file"]).read_bytes()))
        await _only_ours(recording, file)
        return
    await read(recording.connect())
    for number in range(len(recording.asked)):
        await _only_ours(Recording(folder, DIRT[dirt], only=number))


async def _only_ours(recording: Recording, file: Path | None = None) -> None:
    raised: list[ConnectorError] = []
    try:
        await read(recording.connect(file))
    except ConnectorError as error:
        raised.append(error)
    for told in map(str, raised):
        assert recording.settings.name in told or (file is not None and file.name in told)


@every_recording_of_a_server
async def test_an_error_of_the_network_comes_out_as_it_is(folder: Path) -> None:
    recording = Recording(folder)
    assert recording.kind.open is not None

    async def down(request: Any) -> Any:
        raise SourceDown("nobody is there")

    with pytest.raises(SourceDown):
        await read(recording.kind.open(recording.settings, down, recording.told.get("environment", {})))


@every_recording
async def test_a_bad_row_can_be_read_again(folder: Path) -> None:
    """`intake parked retry` hands its payload to the connector, which gives an item or says again what is wrong."""
    recording = Recording(folder)
    connector: Any = recording.connect()
    bad = [bad for page in await read(recording.connect()) for bad in page.bad]

    for each in bad:
        again = connector.reread(each.native_id, each.payload, each.context)
        assert isinstance(again, BadItem | Item)
        assert again.native_id == each.native_id


@every_recording
async def test_no_reason_repeats_a_citizens_words(folder: Path) -> None:
    """Reasons are stored and shown in clear."""
    for page in await read(Recording(folder).connect()):
        for bad in page.bad:
            assert not any("\u4e00" <= character <= "\u9fff" for character in bad.reason)


@every_kind
@pytest.mark.parametrize("name", ["mode", "zone", "channel", "name"])
def test_what_an_operator_must_decide_has_no_default(kind: str, name: str) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(REGISTRY[kind].settings)}

    assert fields[name].required


@every_recording
def test_the_settings_of_a_recording_have_no_problems(folder: Path) -> None:
    assert Recording(folder).settings.problems() == []
