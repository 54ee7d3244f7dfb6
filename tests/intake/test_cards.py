"""Who stands under which cards is asked of an index that holds just those, also for orders of before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from intake.cards import cards, fill
from intake.migrations import migrate
from router.cases.case import Case, to_document
from router.cases.standing import standing
from tests.conftest import Database
from tests.router.cases.test_carded import shown
from tests.router.cases.test_hearing import delivered
from tests.router.city import AT


def named(case: Case, name: str) -> dict[str, Any]:
    return to_document(replace(case, id=name, case_no=name.upper()))


async def filled(mongo: Database) -> None:
    yellow, red = shown(delivered("ZJJ"), 1.6), shown(delivered("ZJJ+CGJ"), 30)
    assert standing(yellow).card is not None
    await mongo.cases.insert_many([named(delivered("ZJJ"), "none"), named(yellow, "early"), named(red, "late")])


async def test_each_department_is_told_with_its_oldest_card(mongo: Database) -> None:
    await migrate(mongo)
    await filled(mongo)
    held = {each.department: each for each in await cards(mongo)}
    assert set(held) == {"ZJJ", "CGJ"}
    assert held["ZJJ"].red + held["ZJJ"].yellow == 2
    assert (held["CGJ"].red, held["CGJ"].yellow, held["CGJ"].case_no) == (1, 0, "LATE")
    assert held["ZJJ"].oldest is not None
    assert held["ZJJ"].oldest < AT + timedelta(days=2)


async def test_only_what_stands_under_a_card_is_looked_at(mongo: Database) -> None:
    await migrate(mongo)
    await mongo.cases.insert_many([named(delivered("ZJJ"), f"quiet{number}") for number in range(200)])
    await filled(mongo)
    query = {"handling.card": {"$type": "string"}, "goal": "delivered"}
    plan = await mongo.command("explain", {"find": "cases", "filter": query}, verbosity="executionStats")
    assert plan["executionStats"]["totalDocsExamined"] == 2


async def test_orders_of_before_are_read_off_their_ledgers(mongo: Database) -> None:
    await migrate(mongo)
    await filled(mongo)
    before = {row["_id"]: row async for row in mongo.cases.find({})}
    await mongo.cases.update_many({"handling": {"$ne": None}}, {"$unset": {"handling.card": "", "handling.tracks": ""}})
    assert await cards(mongo) == []
    await fill(mongo)
    after = {row["_id"]: row async for row in mongo.cases.find({})}
    for name in ("early", "late"):
        assert after[name]["handling"]["card"] == before[name]["handling"]["card"]
        assert after[name]["version"] == before[name]["version"] + 1, "whoever has read it reads it again"
    assert after["none"] == before["none"]
