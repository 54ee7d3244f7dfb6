"""`intake show` tells who gave something up, and tells lists as words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.raw_appeal import appeal_id
from intake.life import find_ids, life_of
from intake.life_words import KINDS
from router.cases.moves import Kind
from tests.conftest import Database

AT = datetime(2026, 11, 22, 3, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)


async def test_who_gave_up_a_row_and_why_is_told(mongo: Database) -> None:
    parked = {"stage": "parse", "reason": "the row has no orderId", "at": AT}
    parked["discarded"] = {"actor": "李工", "reason": "测试数据", "at": LATER}
    await mongo.raw.insert_one({"_id": "r1", "source": "hotline", "native_id": "1", "parked": parked})
    life = await life_of(mongo, "r1")
    assert life is not None
    last = life.timeline[-1]
    assert (last.what, last.who, last.detail, last.at) == ("放弃挂起件", "李工", "测试数据", LATER)


async def test_departments_are_told_by_their_codes(mongo: Database) -> None:
    event = {"at": AT, "kind": "dispatched", "actor": "router", "data": {"departments": ["ZJJ", "SCJ"]}}
    case = {"_id": "c1", "source": "hotline", "native_id": "1", "state": "in_flight", "events": [event]}
    await mongo.cases.insert_one({**case, "dispatches": []})
    life = await life_of(mongo, "c1")
    assert life is not None
    assert life.timeline[0].detail == "departments=ZJJ、SCJ"


async def test_an_item_is_found_by_whatever_name_people_have_for_it(mongo: Database) -> None:
    id_, message = appeal_id("hotline", "GD-7"), "0" * 31 + "a"
    await mongo.sources.insert_many([{"_id": "forum"}, {"_id": "hotline"}])
    await mongo.raw.insert_one({"_id": id_, "source": "hotline", "native_id": "GD-7"})
    await mongo.cases.insert_one({"_id": id_, "case_no": "20261122-RX-ABCDEF", "dispatches": [{"id": message}]})
    for name in (id_, "GD-7", "20261122-rx-abcdef", message):
        assert await find_ids(mongo, name) == [id_], name
    assert await find_ids(mongo, "GD-8") == []
    assert await find_ids(mongo, "1" * 32) == []


async def test_a_deadline_that_was_recomputed_is_told_in_words(mongo: Database) -> None:
    moved = {"kind": "close", "before": AT, "at": LATER, "provisional": False}
    data = {"calendar": "2026", "change": 1, "deadlines": [moved]}
    event = {"at": AT, "kind": "recomputed", "actor": "clock", "data": data}
    case = {"_id": "c1", "source": "hotline", "native_id": "1", "state": "delivered", "events": [event]}
    await mongo.cases.insert_one({**case, "dispatches": []})
    life = await life_of(mongo, "c1")
    assert life is not None
    assert life.timeline[0].what == "时限重算"
    assert life.timeline[0].detail is not None
    assert "at=2026-11-22 11:01:00" in life.timeline[0].detail, "as the clock on the wall says it"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_event_has_its_name_in_chinese(kind: Kind) -> None:
    assert kind.value in KINDS
