"""The four modes of a source (promise 2), for the recordings of every kind that there is."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.base import Item
from connectors.raw_appeal import Mode, RawAppeal, appeal_id
from connectors.registry import REGISTRY
from intake.settings import TableFiles
from intake.tables import Tables, load_files
from normalizer.appeal import Appeal, DecidedBy
from normalizer.errors import Unmappable
from normalizer.flow import normalize
from router.dispatch import Context, Decision, Outcome
from router.dispatching.decide import decide
from tests.connectors.push_recording import FOLDER, PushRecording
from tests.connectors.recording import Recording, read, recordings

CITY = Path(__file__).resolve().parents[2] / "demo" / "city"
SENT_OR_ENDED = {Outcome.DISPATCH, Outcome.TRIAGE, Outcome.INFORMED, Outcome.HANDED_OVER}
PUSHED = sorted(folder.parent for folder in FOLDER.rglob("push.toml"))
EVERY = [*recordings(), *PUSHED]
#: Kinds whose sources say which unit has an item: there `follow` follows.
TELL_UNITS = {"hotline_12345", "http_json", "open311", "table", "push_12345"}

every_recording = pytest.mark.parametrize("folder", EVERY, ids=lambda folder: str(folder.relative_to(FOLDER)))


@cache
def tables() -> Tables:
    return load_files(TableFiles(places=CITY / "places.toml", directory=CITY / "directory.toml"), city="云泽市")


def in_mode(folder: Path, mode: Mode) -> Any:
    """The recording's reader, in another mode."""
    recording: Any = PushRecording(folder) if folder in PUSHED else Recording(folder)
    recording.settings = msgspec.structs.replace(recording.settings, mode=mode)
    return recording


async def items_of(folder: Path, mode: Mode) -> list[Item]:
    recording = in_mode(folder, mode)
    if folder in PUSHED:
        return [item for received in recording.received() for item in received.page.items]
    return [item for page in await read(recording.connect()) for item in page.items]


async def decided(folder: Path, mode: Mode) -> list[tuple[Appeal, Decision]]:
    source = in_mode(folder, mode).settings
    found = []
    for item in await items_of(folder, mode):
        raw = RawAppeal(
            id=appeal_id(source.name, item.native_id), source=source.name, native_id=item.native_id, kind=source.kind,
            channel=source.channel, zone=source.zone, mode=mode, transport=source.transport, revision=1,
            received_at=datetime(2026, 11, 22, tzinfo=UTC), payload=item.payload, context=dict(item.context),
        )  # fmt: skip
        try:
            appeal = normalize(raw, tables().normalizer, b"k" * 32).appeal
        except Unmappable:
            continue
        if appeal.quality.is_appeal:
            found.append((appeal, decide(appeal, Context(mode=mode), tables().router)))
    return found


def test_every_kind_is_among_them() -> None:
    assert {folder.relative_to(FOLDER).parts[0] for folder in EVERY} == set(REGISTRY)


@every_recording
@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.HISTORY])
async def test_observe_and_history_decide_and_send_nothing(folder: Path, mode: Mode) -> None:
    routed = {appeal.id: decision for appeal, decision in await decided(folder, Mode.ROUTE)}

    for appeal, decision in await decided(folder, mode):
        assert decision.outcome is Outcome.OBSERVED
        assert decision.routing.lead == routed[appeal.id].routing.lead, "it is the decision that would have been made"


@every_recording
async def test_route_decides_by_itself_whatever_unit_the_source_has(folder: Path) -> None:
    for _, decision in await decided(folder, Mode.ROUTE):
        assert decision.outcome in SENT_OR_ENDED
        assert decision.routing.decided_by is not DecidedBy.SOURCE


@every_recording
async def test_follow_takes_the_unit_of_the_source_or_asks_a_person(folder: Path) -> None:
    for appeal, decision in await decided(folder, Mode.FOLLOW):
        unit = tables().router.directory.find(appeal.signals.handler or "", appeal.place)
        if decision.routing.lead is not None:
            assert decision.routing.decided_by is DecidedBy.SOURCE
            assert unit is not None
        elif decision.outcome is Outcome.TRIAGE and appeal.signals.handler and unit is None:
            assert "承办单位" in decision.sentence


@pytest.mark.parametrize("kind", sorted(TELL_UNITS))
async def test_another_unit_is_news_to_follow_and_to_nobody_else(kind: str) -> None:
    """Somewhere among the recordings of this kind an item has a unit; it is changed."""
    tried = 0
    for folder in EVERY:
        if folder.relative_to(FOLDER).parts[0] != kind:
            continue
        for appeal, _ in await decided(folder, Mode.ROUTE):
            unit = appeal.signals.handler
            if unit is None:
                continue
            before = await contents(folder, appeal.native_id, None)
            after = await contents(folder, appeal.native_id, unit)
            if after is None or before is None:
                continue  # the unit is not written in the payload as the appeal has it
            tried += 1
            assert before[Mode.ROUTE] == after[Mode.ROUTE] == after[Mode.OBSERVE]
            assert before[Mode.FOLLOW] != after[Mode.FOLLOW]
    assert tried, f"no recording of {kind} names a unit"


async def contents(folder: Path, native_id: str, unit: str | None) -> dict[Mode, tuple[str, ...]] | None:
    """What counts as written, by mode; with `unit` replaced by another one."""
    found = {}
    for mode in (Mode.ROUTE, Mode.OBSERVE, Mode.FOLLOW):
        recording = in_mode(folder, mode)
        (item, *_) = [item for item in await items_of(folder, mode) if item.native_id == native_id]
        payload = item.payload
        if unit is not None:
            payload = payload.replace(f'"{unit}"'.encode(), '"市气象局"'.encode())
            if payload == item.payload:
                return None
        reader = recording.receiver() if folder in PUSHED else recording.connect()
        again = reader.reread(native_id, payload, item.context)
        assert isinstance(again, Item)
        found[mode] = again.content
    return found
