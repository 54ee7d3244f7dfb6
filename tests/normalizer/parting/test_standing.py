"""The parts of a message through real MongoDB: opened and taken back with its revisions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from connectors.raw_appeal import RawAppeal
from intake.sealing import Sealer
from normalizer.appeal import Change, Handed, part_id
from normalizer.flow import Room, normalize_page
from normalizer.parting import standing
from normalizer.store import AppealStore, ensure_indexes
from normalizer.tables import Tables
from normalizer.vault import Contents, Part, bound

Database = AsyncIOMotorDatabase[dict[str, Any]]
Raw = Callable[..., RawAppeal]
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
KEY = b"r" * 32
LIGHTS, SMOKE, LIFT = (
    "湖滨小区的路灯坏了半个月没人修。",
    "旁边烧烤店深夜油烟扰民，请查处。",
    "三号楼电梯经常困人，已经两次了。",
)
ONE, TWO, THREE = f"一、{LIGHTS}", f"一、{LIGHTS}二、{SMOKE}", f"一、{LIGHTS}二、{SMOKE}三、{LIFT}"


@pytest.fixture
async def room(mongo: Database, seal: Sealer, tables: Tables) -> Room:
    await ensure_indexes(mongo)
    return Room(tables=tables, ref_key=KEY, store=AppealStore(mongo), seal=seal, now=lambda: NOW)


def told(handed: list[Handed]) -> dict[str, tuple[Change, int]]:
    return {one.appeal.id.partition("-")[2]: (one.change, one.appeal.revision) for one in handed}


async def standing_parts(mongo: Database) -> dict[str, tuple[int, bool]]:
    """Every appeal that stands, by the number of its part: its revision, and whether it is taken back."""
    return {
        one["_id"].partition("-")[2]: (one["revision"], one["withdrawn"])
        async for one in mongo.appeals.find().sort("_id")
    }


async def test_each_request_is_stored_and_handed_on_as_an_appeal_of_its_own(
    mongo: Database, room: Room, raw: Raw
) -> None:
    item = raw(THREE)
    handed = await normalize_page([item], room)

    assert told(handed) == {"": (Change.NEW, 1), "2": (Change.NEW, 1), "3": (Change.NEW, 1)}
    stored = {one["_id"]: one async for one in mongo.appeals.find()}
    assert set(stored) == {item.id, f"{item.id}-2", f"{item.id}-3"}
    assert stored[item.id]["links"]["same_message"] == [f"{item.id}-2", f"{item.id}-3"]
    assert not any(one["links"]["same_person"] for one in stored.values())
    assert await normalize_page([item], room) == handed
    assert len(await mongo.appeals.find().to_list(None)) == 3


async def test_the_secrets_of_each_part_are_sealed_apart_with_the_key_of_the_message(
    room: Room, seal: Sealer, raw: Raw
) -> None:
    item = raw({"text": f"一、报修电话13800138000，{LIGHTS}二、店主13911112222，{SMOKE}", "phone": "13700000000"})
    await normalize_page([item], room)

    for number, phone in ((1, "13800138000"), (2, "13911112222")):
        id_ = part_id(item.id, number)
        kept = await room.store.secrets(id_)
        assert kept is not None
        opened = await seal.open_item(kept["key"], item.id, bound(id_, 1, Part.CONTACT), kept["contact"])
        assert opened is not None
        assert msgspec.json.decode(opened, type=Contents) == Contents(
            contact={"mobile": "13700000000"}, originals={"text:手机1": phone}
        )
    await seal.destroy_items([item.id])
    kept = await room.store.secrets(part_id(item.id, 2)) or {}
    assert await seal.open_item(kept["key"], item.id, bound(kept["_id"], 1, Part.CONTACT), kept["contact"]) is None


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (ONE, TWO, {"": (Change.CHANGED, 2), "2": (Change.NEW, 2)}),
        (TWO, ONE, {"": (Change.CHANGED, 2), "2": (Change.WITHDRAWN, 2)}),
        (THREE, TWO, {"": (Change.REREAD, 2), "2": (Change.REREAD, 2), "3": (Change.WITHDRAWN, 2)}),
        (THREE, ONE, {"": (Change.CHANGED, 2), "2": (Change.WITHDRAWN, 2), "3": (Change.WITHDRAWN, 2)}),
        (TWO, TWO + "谢谢！", {"": (Change.CHANGED, 2), "2": (Change.CHANGED, 2)}),
        (TWO, TWO.replace("路灯坏了半个月", "路灯坏了三个月"), {"": (Change.CHANGED, 2), "2": (Change.SAME, 2)}),
    ],
)
async def test_a_revision_opens_and_takes_back_parts_and_again_it_does_the_same(  # noqa: PLR0917
    mongo: Database, room: Room, raw: Raw, before: str, after: str, changes: dict[str, tuple[Change, int]]
) -> None:
    await normalize_page([raw(before)], room)
    handed = await normalize_page([raw(after, revision=2)], room)

    assert told(handed) == changes
    stands = await standing_parts(mongo)
    assert {name: (2, change is Change.WITHDRAWN) for name, (change, _) in changes.items()} == stands
    again = await normalize_page([raw(after, revision=2)], room)
    assert told(again) == changes
    assert await standing_parts(mongo) == stands


async def test_taking_the_message_back_takes_back_all_its_parts_and_they_come_back_with_it(
    mongo: Database, room: Room, raw: Raw
) -> None:
    await normalize_page([raw(TWO)], room)
    gone = await normalize_page([raw(TWO, revision=2, withdrawn=True)], room)
    assert told(gone) == {"": (Change.WITHDRAWN, 2), "2": (Change.WITHDRAWN, 2)}
    back = await normalize_page([raw(TWO, revision=3)], room)
    assert told(back) == {"": (Change.BACK, 3), "2": (Change.BACK, 3)}
    assert await standing_parts(mongo) == {"": (3, False), "2": (3, False)}


async def test_a_deletion_without_a_text_takes_back_all_parts(mongo: Database, room: Room, raw: Raw) -> None:
    await normalize_page([raw(TWO)], room)
    gone = await normalize_page([raw({}, revision=2, withdrawn=True)], room)
    assert told(gone) == {"": (Change.WITHDRAWN, 2), "2": (Change.WITHDRAWN, 2)}
    assert await standing_parts(mongo) == {"": (2, True), "2": (2, True)}


async def test_likes_reach_every_part_without_a_message(mongo: Database, room: Room, raw: Raw) -> None:
    await normalize_page([raw(TWO)], room)
    handed = await normalize_page([raw({"text": TWO, "likes": 7}, refreshed=True)], room)
    assert {change for change, _ in told(handed).values()} == {Change.REFRESHED}
    assert [one["engagement"]["likes"] async for one in mongo.appeals.find()] == [7, 7]


async def test_a_newer_version_that_parts_otherwise_does_not_part_what_stands(
    mongo: Database, room: Room, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page left behind by an older version is run again by a newer one; so are likes of what it stored."""
    with monkeypatch.context() as older:
        older.setattr("normalizer.parting.parts.requests_of", lambda *_: None)
        await normalize_page([raw(TWO)], room)
    assert told(await normalize_page([raw(TWO)], room)) == {"": (Change.NEW, 1)}
    assert told(await normalize_page([raw({"text": TWO, "likes": 7}, refreshed=True)], room)) == {
        "": (Change.REFRESHED, 1)
    }
    assert await standing_parts(mongo) == {"": (1, False)}


async def test_what_comes_late_leaves_no_part_behind(
    mongo: Database, room: Room, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker stopped between its look and its write: meanwhile the message became one request again."""
    ask = standing.without_unnamed

    async def stopped(made: Any, store: AppealStore) -> Any:
        found = await ask(made, store)
        monkeypatch.setattr("normalizer.flow.without_unnamed", ask)
        assert told(await normalize_page([raw(ONE, revision=2)], room)) == {"": (Change.NEW, 2)}
        return found

    monkeypatch.setattr("normalizer.flow.without_unnamed", stopped)
    late = await normalize_page([raw(TWO)], room)
    assert told(late)["2"] == (Change.WITHDRAWN, 2)
    assert await standing_parts(mongo) == {"": (2, False), "2": (2, True)}
