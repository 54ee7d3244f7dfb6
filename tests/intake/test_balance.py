"""The balance: derived, walked once, and every difference has a name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from motor.motor_asyncio import AsyncIOMotorDatabase

from intake.balance import Balance, balance, entries
from intake.end_states import APPEAL_MISSING, CASE_MISSING, PART_MISSING, RAW_MISSING, ROUND_MISSING, end_state
from intake.screen import STATES

Database = AsyncIOMotorDatabase[dict[str, Any]]
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


def raw(id_: str, **fields: Any) -> dict[str, Any]:
    plain = {"_id": id_, "source": "s", "native_id": f"n-{id_}", "day": "2026-11-22", "received_at": NOW}
    return plain | {"parked": None, "withdrawn": False} | fields


def page(ids: list[str], stage: str = "done", **fields: Any) -> dict[str, Any]:
    plain = {"source": "s", "day": "2026-11-22", "at": NOW, "ids": ids, "native_ids": [f"n-{id_}" for id_ in ids]}
    return plain | {"stage": stage} | fields


def case(id_: str, state: str = "delivered", **fields: Any) -> dict[str, Any]:
    rows = [{"department": "ZJJ", "state": "sent"}]
    return {"_id": id_, "state": state, "since": NOW, "holder": "ZJJ", "dispatches": rows} | fields


def appeal(id_: str, revision: int = 1, *, is_appeal: bool = True) -> dict[str, Any]:
    return {"_id": id_, "revision": revision, "quality": {"is_appeal": is_appeal}}


async def fill(mongo: Database, **collections: list[dict[str, Any]]) -> None:
    for name, documents in collections.items():
        if documents:
            await mongo[name].insert_many(documents)


async def test_every_end_state_is_found_where_it_is_known(mongo: Database) -> None:
    await fill(
        mongo,
        pages=[page(["delivered", "triage", "chatter", "unread", "unmapped", "gone"]), page(["fresh"], "stored")],
        raw=[
            raw("delivered"),
            raw("triage"),
            raw("chatter"),
            raw("unread", parked={"stage": "parse", "reason": "not JSON", "at": NOW}),
            raw("unmapped"),
            raw("gone", withdrawn=True),
            raw("fresh"),
        ],
        appeals=[appeal("delivered"), appeal("triage"), appeal("chatter", is_appeal=False)],
        unmapped=[{"_id": "unmapped", "revision": 1, "reason": "no text"}],
        cases=[case("delivered"), case("triage", "triage")],
    )
    found = {entry.id: entry.state async for entry in entries(mongo)}
    assert found == {
        "delivered": "delivered",
        "triage": "triage",
        "chatter": "not_an_appeal",
        "unread": "parked",
        "unmapped": "parked",
        "gone": "withdrawn",
        "fresh": "in_flight",
    }
    total = await balance(mongo, NOW)
    assert total.adds_up
    assert (total.offered, total.open_count) == (7, 2)


async def test_a_lost_document_is_a_difference_with_a_name(mongo: Database) -> None:
    await fill(
        mongo,
        pages=[page(["a", "b", "c", "d"])],
        raw=[raw("b"), raw("c"), raw("d")],
        appeals=[appeal("a"), appeal("c"), appeal("d")],
        cases=[case("a"), case("d")],
    )
    total = await balance(mongo, NOW)
    assert not total.adds_up
    assert {(each.id, each.native_id, each.missing) for each in total.differences} == {
        ("a", "n-a", RAW_MISSING),
        ("b", "n-b", APPEAL_MISSING),
        ("c", "n-c", CASE_MISSING),
    }
    assert total.offered == 4


async def test_a_lost_case_is_a_difference_also_where_its_author_took_it_back(mongo: Database) -> None:
    await fill(mongo, pages=[page(["a", "b"])], raw=[raw("a", withdrawn=True), raw("b", withdrawn=True)])
    await fill(mongo, appeals=[appeal("a", 2), appeal("b", 2)], cases=[case("b", "withdrawn")])
    assert [(each.id, each.missing) for each in (await balance(mongo, NOW)).differences] == [("a", CASE_MISSING)]


@pytest.mark.parametrize(
    ("states", "least"),
    [
        (("delivered", "delivered"), "delivered"),
        (("delivered", "triage"), "triage"),
        (("triage", "in_flight"), "in_flight"),
        (("informed", "delivered", "parked"), "parked"),
        (("handed_over", "linked"), "linked"),
        (("withdrawn", "withdrawn"), "withdrawn"),
    ],
)
async def test_a_message_with_several_requests_counts_once_where_its_least_finished_part_is(
    mongo: Database, states: tuple[str, ...], least: str
) -> None:
    ids = ["a", *(f"a-{number}" for number in range(2, len(states) + 1))]
    cases = [case(id_, state) for id_, state in zip(ids, states, strict=True)]
    cases[0]["parts"] = ids[1:]
    await fill(mongo, pages=[page(["a"])], raw=[raw("a")], appeals=[appeal(id_) for id_ in ids], cases=cases)
    total = await balance(mongo, NOW)
    assert (total.totals(), total.adds_up) == ({least: 1}, True)
    assert (total.parted, total.parts) == (1, len(states))


async def test_the_lost_case_of_a_part_is_a_difference_of_its_message(mongo: Database) -> None:
    await fill(mongo, pages=[page(["a"])], raw=[raw("a")], appeals=[appeal("a"), appeal("a-2")])
    await fill(mongo, cases=[case("a") | {"parts": ["a-2"]}])
    assert [(each.id, each.missing) for each in (await balance(mongo, NOW)).differences] == [("a", PART_MISSING)]


async def test_an_item_whose_author_spoke_again_after_the_end_is_where_its_newest_case_is(mongo: Database) -> None:
    rounds = [case("a", continued="a~2"), case("a~2", continued="a~3"), case("a~3", "triage", dispatches=[])]
    part = [case("b", parts=["b-2"]), case("b-2", continued="b-2~2"), case("b-2~2", "in_flight")]
    await fill(mongo, pages=[page(["a", "b"])], raw=[raw("a"), raw("b")], cases=[*rounds, *part])
    await fill(mongo, appeals=[appeal("a", 3), appeal("b"), appeal("b-2", 2)])
    found = {entry.id: (entry.state, entry.departments) async for entry in entries(mongo)}
    assert found == {"a": ("triage", ("ZJJ",)), "b": ("in_flight", ("ZJJ",))}
    total = await balance(mongo, NOW)
    assert (total.offered, total.adds_up) == (2, True)


@pytest.mark.parametrize(
    ("lost", "missing"),
    [("a", CASE_MISSING), ("a~2", ROUND_MISSING), ("a~3", ROUND_MISSING), ("b-2~2", ROUND_MISSING)],
)
async def test_any_lost_case_of_an_item_with_several_is_a_difference(mongo: Database, lost: str, missing: str) -> None:
    rounds = [case("a", continued="a~2"), case("a~2", continued="a~3"), case("a~3")]
    part = [case("b", parts=["b-2"]), case("b-2", continued="b-2~2"), case("b-2~2")]
    await fill(mongo, pages=[page(["a", "b"])], raw=[raw("a"), raw("b")], cases=[*rounds, *part])
    await fill(mongo, appeals=[appeal("a", 3), appeal("b"), appeal("b-2", 2)])
    await mongo.cases.delete_one({"_id": lost})
    assert [(each.id, each.missing) for each in (await balance(mongo, NOW)).differences] == [(lost[0], missing)]


async def test_what_is_only_offered_is_in_flight_and_counted_once(mongo: Database) -> None:
    await fill(mongo, pages=[page(["a", "b"], "offered"), page(["a"], "offered"), page(["b"])], raw=[raw("b")])
    await fill(mongo, appeals=[appeal("b")], cases=[case("b")])
    found = [(entry.id, entry.state) async for entry in entries(mongo)]
    assert sorted(found) == [("a", "in_flight"), ("b", "delivered")]


async def test_a_newer_revision_under_way_is_in_flight(mongo: Database) -> None:
    await fill(mongo, pages=[page(["a"]), page(["a"], "normalized")], raw=[raw("a")], appeals=[appeal("a")])
    await fill(mongo, cases=[case("a")])
    assert [entry.state async for entry in entries(mongo)] == ["in_flight"]


async def test_what_was_mapped_in_a_later_revision_is_not_parked(mongo: Database) -> None:
    await fill(mongo, pages=[page(["a", "b"])], raw=[raw("a"), raw("b")], cases=[case("a"), case("b")])
    await fill(
        mongo,
        unmapped=[{"_id": "a", "revision": 1, "reason": "x"}, {"_id": "b", "revision": 2, "reason": "x"}],
        appeals=[appeal("a", 2), appeal("b", 1)],
    )
    found = {entry.id: entry.state async for entry in entries(mongo)}
    assert found == {"a": "delivered", "b": "parked"}


async def test_a_day_is_the_day_of_first_offer(mongo: Database) -> None:
    await fill(mongo, pages=[page(["a"]), page(["b"], day="2026-11-21"), page(["lost"], day="2026-11-21")])
    await fill(mongo, raw=[raw("a"), raw("b", day="2026-11-21")], cases=[case("a"), case("b")])
    today, before = await balance(mongo, NOW, day="2026-11-22"), await balance(mongo, NOW, day="2026-11-21")
    assert (today.offered, today.difference_count) == (1, 0)
    assert (before.offered, before.difference_count) == (2, 1)


@given(
    state=st.sampled_from([*STATES, "nonsense"]),
    parked=st.booleans(),
    withdrawn=st.booleans(),
    unfinished=st.booleans(),
    has_case=st.booleans(),
    is_appeal=st.sampled_from([None, True, False]),
)
def test_every_item_has_one_end_state_or_is_a_difference(  # noqa: PLR0917
    state: str, parked: bool, withdrawn: bool, unfinished: bool, has_case: bool, is_appeal: bool | None
) -> None:
    document = raw("a", parked={"reason": "x"} if parked else None, withdrawn=withdrawn)
    mapped = None if is_appeal is None else appeal("a", is_appeal=is_appeal)
    entry = end_state(document, None, mapped, case("a", state) if has_case else None, {"a": NOW} if unfinished else {})
    assert (entry.state is None) == (entry.missing is not None)
    total = Balance(day=None)
    total.add(entry, NOW)
    assert sum(total.totals().values()) == total.offered == 1
