"""People's word about an event, in both rooms: the whole of it, or one chosen member."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from intake.linking import NotLinked, join_all, split_one
from normalizer.document import encoded
from normalizer.matter.flow import Room, second_look
from normalizer.matter.likeness import Lexicon
from normalizer.matter.portrait import portrait_of
from normalizer.matter.store import MatterStore, ensure_indexes
from normalizer.store import AppealStore
from router.cases.carrying import carried
from router.flow import route_page
from tests.router import conftest as city_street
from tests.router.city import appeal, handed
from tests.router.conftest import Street

street = city_street.street
SAID = ("张三", "同一处路灯", datetime(2026, 11, 22, tzinfo=UTC))


async def joined(street: Street, *members: str) -> Room:
    """An event of these, with the first one's order acted on."""
    db: Any = street.database
    await ensure_indexes(db)
    room = Room(store=MatterStore(db), lexicon=Lexicon.of(["路灯"]))
    appeals = [appeal(name) for name in members]
    await AppealStore(db).insert([encoded(one, withdrawn=False) for one in appeals])
    await room.store.keep([portrait_of(one) for one in appeals])
    await route_page(street.appeals.keep(*(handed(one) for one in appeals)), street.room)
    await join_all(room, street.room, members[0], members[1:], SAID)
    return room


async def where(street: Street) -> dict[str, tuple[str | None, str]]:
    db: Any = street.database
    homes = {one["_id"]: one["event"] async for one in db.matters.find()}
    return {id_: (homes[id_], case.state.value) for id_, case in sorted((await street.cases()).items())}


async def test_one_member_is_taken_out_and_the_others_stay(street: Street) -> None:
    room = await joined(street, "a", "b", "c", "d")
    assert await where(street) == {"a": ("a", "delivered"), **dict.fromkeys("bcd", ("a", "linked"))}

    event, alone = await split_one(room, street.room, "c", SAID)

    assert [case.id for case in alone] == ["c"]
    assert await where(street) == {
        "a": ("a", "delivered"),
        "b": ("a", "linked"),
        "c": (None, "delivered"),
        "d": ("a", "linked"),
    }
    assert carried((await street.cases())["a"]) == ["b", "d"]
    assert await room.store.event("a") == event
    assert all("c" not in said.members for said in event.joinings)
    with pytest.raises(NotLinked):
        await split_one(room, street.room, "c", SAID)
    with pytest.raises(NotLinked, match="主单"):
        await split_one(room, street.room, "a", SAID)


async def test_joined_again_it_is_where_it_was(street: Street) -> None:
    room = await joined(street, "a", "b", "c")
    before = await where(street)
    await split_one(room, street.room, "c", SAID)
    await join_all(room, street.room, "a", ["c"], SAID)
    assert await where(street) == before


async def test_what_is_left_of_two_is_no_event(street: Street) -> None:
    room = await joined(street, "a", "b")
    await split_one(room, street.room, "b", SAID)
    assert await where(street) == {"a": (None, "delivered"), "b": (None, "delivered")}
    assert await room.store.confirmed() == []


async def test_no_later_look_brings_back_whom_a_person_took_out(street: Street) -> None:
    room = await joined(street, "a", "b", "c")
    await split_one(room, street.room, "c", SAID)
    await AppealStore(street.database).note_for_second_look(["c"])
    await second_look(room)
    assert (await where(street))["c"][0] is None
