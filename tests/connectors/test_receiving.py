"""What connectors/receiving/contract.py promises, for every kind that is pushed to us.

A new one joins by its line in the registry and a folder with push.toml; no test is written for it.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import BadItem, Item
from connectors.flow import Room, take_pushed
from connectors.raw_appeal import RawAppeal, appeal_id
from connectors.receiving.contract import Pushed, Received, Refused
from connectors.registry import REGISTRY
from normalizer.mappers import MAPPERS
from tests.connectors.push_recording import AT, FOLDER, PushRecording, push_recordings
from tests.connectors.test_contract import DIRT

every_recording = pytest.mark.parametrize(
    "folder", push_recordings(), ids=lambda folder: str(folder.relative_to(FOLDER))
)


def test_every_kind_that_is_pushed_has_a_recording() -> None:
    kinds = {name for name, kind in REGISTRY.items() if kind.receive is not None}
    assert {folder.relative_to(FOLDER).parts[0] for folder in push_recordings()} == kinds


@every_recording
def test_a_push_offers_what_it_holds(folder: Path) -> None:
    recording = PushRecording(folder)
    received = recording.received()

    for each in received:
        told = Counter(item.native_id for item in each.page.items) + Counter(bad.native_id for bad in each.page.bad)
        assert told == Counter(each.page.offered)
    named = {native_id for each in received for native_id in each.page.offered}
    assert {native_id for native_id in named if not native_id.startswith("push-")} == set(recording.told["ids"])
    bad = {bad.native_id for each in received for bad in each.page.bad}
    assert {"push-" if name.startswith("push-") else name for name in bad} == set(recording.told["bad"])
    deleted = {item.native_id for each in received for item in each.page.items if item.deleted}
    assert deleted == set(recording.told.get("deleted", []))


@every_recording
def test_a_page_is_a_function_of_its_push(folder: Path) -> None:
    assert PushRecording(folder).received() == PushRecording(folder).received()


@every_recording
def test_without_its_key_or_signature_nothing_is_read(folder: Path) -> None:
    recording = PushRecording(folder)
    for pushed in recording.pushes():
        form = {name: value for name, value in pushed.form.items() if name != "api_key"}
        with pytest.raises(Refused) as refused:
            recording.receiver().receive(msgspec.structs.replace(pushed, headers={}, form=form))
        assert refused.value.status in {401, 403}
        wrong = {name: f"{value}x" for name, value in pushed.headers.items()}
        with pytest.raises(Refused) as refused:
            recording.receiver().receive(msgspec.structs.replace(pushed, headers=wrong, form=form | {"api_key": "x"}))
        assert refused.value.status in {401, 403}


@every_recording
def test_who_may_push_is_admitted_by_the_head_alone_and_who_shows_no_key_there_is_not(folder: Path) -> None:
    recording = PushRecording(folder)
    for pushed in recording.pushes():
        head = Pushed(headers=pushed.headers, query=pushed.query, nonce=pushed.nonce, at=pushed.at)
        recording.receiver().admit(head)
        if "api_key" in pushed.form:
            continue  # the standard has it in the body
        with pytest.raises(Refused) as refused:
            recording.receiver().admit(msgspec.structs.replace(head, headers={}))
        assert refused.value.status in {401, 403}


@every_recording
@pytest.mark.parametrize("dirt", DIRT)
def test_whatever_is_pushed_is_kept_or_refused(folder: Path, dirt: str) -> None:
    recording = PushRecording(folder)
    for pushed in recording.pushes():
        received_or_refused(recording, recording.with_body(pushed, DIRT[dirt](pushed.body)))


STRANGE = [
    *(None, 0, -1, 1e30, True, "", "-", [], [1], [None], {}, {"a": 1}, [{"a": None}]),
    *("2026-13-41", "0001-01-01 00:00:00", "9999-12-31 23:59:59"),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, part in parts for place in places(part, (*path, name)))]


def replaced(value: Any, path: tuple[Any, ...], strange: Any) -> Any:
    if not path:
        return strange
    if isinstance(value, dict):
        return {**value, path[0]: replaced(value[path[0]], path[1:], strange)}
    return [replaced(part, path[1:], strange) if index == path[0] else part for index, part in enumerate(value)]


@every_recording
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_one_strange_value_is_kept_or_refused(folder: Path, data: st.DataObject) -> None:
    recording = PushRecording(folder)
    for pushed in recording.pushes():
        if pushed.body.startswith(b"{"):
            body = msgspec.json.decode(pushed.body)
            place, strange = data.draw(st.sampled_from(places(body))), data.draw(st.sampled_from(STRANGE))
            received_or_refused(
                recording, recording.with_body(pushed, msgspec.json.encode(replaced(body, place, strange)))
            )


def received_or_refused(recording: PushRecording, pushed: Pushed) -> Received | None:
    statuses = range(400, 500)
    try:
        received = recording.receiver().receive(pushed)
    except Refused as refused:
        status = refused.status
    else:
        assert received.page.offered
        return received
    assert status in statuses
    return None


@every_recording
async def test_taking_the_same_pushes_in_again_changes_nothing(folder: Path, room: Room, database: Any) -> None:
    recording = PushRecording(folder)
    merge = getattr(recording.receiver(), "merge", None)
    for received in recording.received():
        await take_pushed(received.page, recording.settings, room, merge)
    before = {each["_id"]: each["digest"] async for each in database.raw.find({})}

    again = [await take_pushed(each.page, recording.settings, room, merge) for each in recording.received()]

    assert again == [None] * len(again)
    assert {each["_id"]: each["digest"] async for each in database.raw.find({})} == before
    offered = {native_id for each in recording.received() for native_id in each.page.offered}
    assert before.keys() == {appeal_id(recording.settings.name, native_id) for native_id in offered}


@every_recording
def test_what_is_read_can_be_mapped(folder: Path) -> None:
    recording = PushRecording(folder)
    for received in recording.received()[:2]:
        for item in received.page.items:
            if b"majorContent" in item.payload or not hasattr(recording.receiver(), "merge"):
                draft = MAPPERS[recording.settings.kind](raw_of(item, recording))
                assert draft.text
                assert draft.posted_at
                assert [each.sha256 for each in draft.attachments] == [
                    each.sha256 for each in received.media.get(item.native_id, ())
                ]


def raw_of(item: Item, recording: PushRecording) -> RawAppeal:
    source = recording.settings
    return RawAppeal(
        id=appeal_id(source.name, item.native_id),
        source=source.name,
        kind=source.kind,
        channel=source.channel,
        native_id=item.native_id,
        payload=item.payload,
        transport=source.transport,
        received_at=AT,
    )


@every_recording
def test_a_bad_row_can_be_read_again(folder: Path) -> None:
    recording = PushRecording(folder)
    for bad in [bad for each in recording.received() for bad in each.page.bad]:
        again = recording.receiver().reread(bad.native_id, bad.payload, bad.context)
        assert isinstance(again, BadItem | Item)
        assert again.native_id == bad.native_id


@every_recording
def test_what_is_pushed_says_so(folder: Path) -> None:
    recording = PushRecording(folder)
    assert recording.settings.transport == "push"
    assert recording.settings.problems() == []
