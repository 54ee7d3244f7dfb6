"""The store alone: races, claims, and the questions that people ask."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from normalizer.appeal import Mode, Urgency
from router.cases.case import Case
from router.cases.deciding import call_duty, open_case
from router.cases.delivery import confirm, park
from router.cases.moves import Kind, State
from router.dispatch import Context
from router.store import CaseStore
from router.store_indexes import ensure_indexes
from tests.router.city import AT, STAMPER, appeal, decide
from tests.router.conftest import Database

PAST, SOON = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def case(name: str, to: str = "ZJJ", urgency: Urgency = Urgency.NORMAL) -> Case:
    of = appeal(name, to, urgency=urgency)
    return open_case(of, Mode.ROUTE, decide(of, Context()), Context(), AT)


async def test_first_moves_that_are_there_already_are_named(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    assert await store.insert([case("a"), case("b")]) == set()
    assert await store.insert([case("b"), case("c")]) == {"b"}
    assert sorted(await store.load(["a", "b", "c", "d"])) == ["a", "b", "c"]


async def test_a_case_reads_back_as_it_was_written(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    first = case("a", "ZJJ+CGJ")
    await store.insert([first])
    assert await store.get("a") == first
    assert len(first.stamps) == len(first.events)


async def test_whoever_loses_a_race_reads_again_and_does_the_same(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    await store.insert([case("a", "triage")])
    stale = case("a", "triage")
    await asyncio.gather(*(store.change(stale, lambda now, n=n: call_duty(now, str(n), AT)) for n in range(8)))  # type: ignore[misc]
    after = await store.get("a")
    assert after is not None
    assert after.version == 9
    assert sorted(event.department or "" for event in after.events[2:]) == sorted(map(str, range(8)))
    assert [event.n for event in after.events] == list(range(1, 11))


async def test_the_table_is_the_filter_of_a_write(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    first = case("a")
    await store.insert([first])
    await mongo["cases"].update_one({"_id": "a"}, {"$set": {"state": "withdrawn"}})
    after = await store.change(first, lambda now: confirm(now, [now.dispatches[0].id], AT), [Kind.DELIVERED])
    assert after == first
    document = await mongo["cases"].find_one({"_id": "a"})
    assert document is not None
    assert (document["version"], document["state"]) == (1, "withdrawn")


async def test_a_page_is_confirmed_in_one_write_and_reads_as_the_pure_function_says(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    page = [case("a"), case("b", "ZJJ+CGJ"), case("c")]
    await store.insert(page)
    won, lost = await store.confirm_all(page, AT)
    assert (len(won), lost) == (3, [])
    assert await store.load(["a", "b", "c"]) == {each.id: each for each in won}
    assert all(each.state is State.DELIVERED and each.version == 2 for each in won)


async def test_those_that_changed_meanwhile_are_given_back_as_they_are_now(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    page = [case("a"), case("b")]
    await store.insert(page)
    await store.change(page[0], lambda now: park(now, now.dispatches[0].id, "x", AT))
    won, lost = await store.confirm_all(page, AT)
    assert ([each.id for each in won], [each.id for each in lost]) == (["b"], ["a"])
    assert lost[0].state is State.PARKED


async def test_only_what_lapsed_or_is_ones_own_can_be_claimed(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    await store.insert([case(name) for name in "abcd"])
    for name, fence, until in (("a", 1, SOON), ("b", 2, SOON), ("c", 2, PAST), ("d", None, None)):
        await mongo["cases"].update_one({"_id": name}, {"$set": {"fence": fence, "until": until}})
    mine, theirs = await store.claim(list("abcd"), 1, SOON)
    assert (sorted(each.id for each in mine), theirs) == (["a", "c", "d"], 1)


async def test_two_sweeps_share_what_was_forgotten_and_never_both_take_one(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    await store.insert([case(f"a{n}") for n in range(40)])
    both = await asyncio.gather(store.claim_forgotten(1, SOON, 40), store.claim_forgotten(2, SOON, 40))
    taken = [each.id for claimed in both for each in claimed.mine]
    assert len(taken) == len(set(taken)) == 40
    assert (await store.claim_forgotten(3, SOON)).mine == []


async def test_the_questions_that_people_ask(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    await ensure_indexes(mongo)
    await ensure_indexes(mongo)
    first = case("a")
    await store.insert([first, case("b", "ZJJ+CGJ"), case("old", "triage"), case("now", "triage", Urgency.CRITICAL)])
    await store.confirm_all([first], AT)
    assert await store.lists.counts() == {"delivered": 1, "in_flight": 1, "triage": 2}
    assert [each.id for each in await store.lists.triage()] == ["now", "old"]
    assert [each.id for each in await store.lists.waiting_critical(AT)] == ["now"]
    assert await store.lists.waiting_critical(AT - timedelta(seconds=1)) == []
    assert await store.lists.unsent() == 1
    message = case("b", "ZJJ+CGJ").dispatches[1].id
    found = await store.by_message("b", message)
    assert found is not None
    assert found.id == "b"
    assert await store.by_message("a", message) is None
    for name in ("b", found.case_no.lower(), found.native_id, message):
        assert [each.id for each in await store.lists.find(name)] == ["b"], name
    assert await store.lists.find("nobody") == []


async def test_each_question_of_the_hot_path_has_its_index(mongo: Database) -> None:
    await ensure_indexes(mongo)
    questions = (
        {"unsent": {"$gt": 0}, "until": None},
        {"parked": {"$gt": 0}},
        {"goal": "triage", "urgency": "critical"},
        {"case_no": "x"},
    )
    for question in questions:
        plan = await mongo["cases"].find(question).explain()
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"]), question
