"""The second look over a real MongoDB: whoever stored at the same moment finds each other, and people's word stands."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from normalizer.document import encoded
from normalizer.matter.flow import HELD, MOST_BEARERS, Room, nearest, second_look, telling
from normalizer.matter.gather import TOO_COMMON
from normalizer.matter.likeness import Lexicon
from normalizer.matter.store import EVERYBODY, MatterStore, ensure_indexes
from normalizer.store import AppealStore
from tests.normalizer.matter.appeals import appeal

Database = AsyncIOMotorDatabase[dict[str, Any]]
LAMPS = {
    "1": ("青杉苑小区南门路灯不亮", "青杉苑小区南门外的路灯已经三周不亮，老人出门摔倒过，请维修路灯。"),
    "2": ("青杉苑小区南门一片漆黑", "我住青杉苑小区，南门外路灯不亮快一个月了，走夜路很害怕，路灯什么时候修好。"),
    "3": ("青杉苑小区南门的路灯坏了没人修", "青杉苑小区南门路灯坏了很久，打电话报修了一直没来人，请维修路灯。"),
}


@pytest.fixture
async def room(mongo: Database) -> Room:
    await ensure_indexes(mongo)
    return Room(store=MatterStore(mongo), lexicon=Lexicon.of(["路灯不亮"]))


async def store(mongo: Database, *ids: str) -> None:
    """What a worker does with its page."""
    appeals = AppealStore(mongo)
    await appeals.insert([encoded(appeal(id_, *LAMPS[id_]), withdrawn=False) for id_ in ids])
    await appeals.note_for_second_look(list(ids))


async def homes(mongo: Database) -> dict[str, str | None]:
    return {one["_id"]: one["links"]["same_event"] async for one in mongo["appeals"].find()}


async def test_two_workers_that_stored_at_the_same_moment_find_each_other(mongo: Database, room: Room) -> None:
    await asyncio.gather(store(mongo, "1"), store(mongo, "2"), store(mongo, "3"))
    assert await second_look(room) == 3
    assert len({*(await homes(mongo)).values()} - {None}) == 1
    assert await room.store.left() == 0
    assert await second_look(room) == 0


async def test_what_comes_later_joins_and_the_event_keeps_its_name(mongo: Database, room: Room) -> None:
    await store(mongo, "1", "2")
    await second_look(room)
    before = (await homes(mongo))["1"]
    await store(mongo, "3")
    await second_look(room)
    assert await homes(mongo) == dict.fromkeys("123", before)


async def test_the_same_notes_again_change_nothing(mongo: Database, room: Room) -> None:
    await store(mongo, "1", "2", "3")
    await second_look(room)
    before = [one async for one in mongo["matters"].find()]
    await AppealStore(mongo).note_for_second_look(["1", "2", "3"])
    await second_look(room)
    assert [one async for one in mongo["matters"].find()] == before


async def test_only_one_looks_at_a_time_and_a_dead_one_is_got_past(mongo: Database, room: Room) -> None:
    await store(mongo, "1")
    assert await room.store.claim() is not None
    assert await second_look(room) == 0
    await mongo["matter_claim"].update_one(
        {}, [{"$set": {"until": {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": 1}}}}]
    )
    assert await second_look(room) == 1


async def test_what_was_withdrawn_is_in_no_event_and_has_no_portrait(mongo: Database, room: Room) -> None:
    await store(mongo, "1", "2", "3")
    await second_look(room)
    await mongo["appeals"].update_one({"_id": "2"}, {"$set": {"withdrawn": True}})
    await AppealStore(mongo).note_for_second_look(["2"])
    await second_look(room)
    assert [one["_id"] async for one in mongo["matters"].find().sort("_id", 1)] == ["1", "3"]


async def test_whom_a_person_put_somewhere_the_machine_leaves_there(mongo: Database, room: Room) -> None:
    await store(mongo, "1", "2")
    await second_look(room)
    await room.store.place({"1": "elsewhere"})
    await room.store.fix(["1"], fixed=True)
    await store(mongo, "3")
    await second_look(room)
    assert (await homes(mongo))["1"] == "elsewhere"


async def test_a_look_that_gathers_them_one_by_one_finds_the_same_event(mongo: Database, room: Room) -> None:
    await store(mongo, "1", "2", "3")
    assert await second_look(room, at_once=1) == 3
    assert len({*(await homes(mongo)).values()} - {None}) == 1
    assert await room.store.left() == 0


async def test_a_name_that_very_many_bear_counts_as_everybodys(
    mongo: Database, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(mongo, "1", "2", "3")
    await second_look(room)
    assert await room.store.counts(["青杉苑", "没有人"]) == {"青杉苑": 3}
    assert await room.store.counts([]) == {}
    monkeypatch.setattr("normalizer.matter.store.COUNTED", 2)
    assert await room.store.counts(["青杉苑"]) == {"青杉苑": EVERYBODY}


def test_others_are_looked_for_by_the_rarest_keys_and_by_none_that_is_everybodys() -> None:
    assert telling({"b": 3, "a": TOO_COMMON, "c": 2, "d": TOO_COMMON + 1}) == ["c", "b", "a"]
    many = {f"k{n}": TOO_COMMON for n in range(MOST_BEARERS)}
    assert 0 < len(telling(many)) * TOO_COMMON <= MOST_BEARERS


def test_however_many_share_a_key_only_the_nearest_are_held() -> None:
    """A worker's memory must not grow with what is stored."""
    crowd = [(f"far{n}", ["common"]) for n in range(10 * HELD)]
    near = [(f"near{n}", ["common", "rare"]) for n in range(5)]
    sharing = {"common": ["a", "b"], "rare": ["a"]}
    found = nearest({"a", "b"}, sharing, {"common": 10 * HELD, "rare": 6}, [*crowd, *near, ("b", ["common"])])
    assert {id_ for id_, _ in near} <= found
    assert len(found) <= HELD
    assert not found & {"a", "b"}
