"""Whatever is done to the ledger by hand, in the database itself, is found and named."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from motor.motor_asyncio import AsyncIOMotorDatabase

from intake.ledger import anchoring, verifying
from intake.ledger.verifying import Verified, unsaid, verify
from intake.rights import accesses
from intake.rights.accesses import Seen, note
from normalizer.appeal import Mode
from router.cases import centre
from router.cases.case import Case, to_document
from router.cases.deciding import open_case
from router.cases.delivery import confirm
from router.cases.privacy import reveal
from router.cases.stamps import Stamper
from router.dispatch import Context
from router.store import CaseStore
from tests.router.cases.histories import history
from tests.router.city import AT, STAMPER, appeal, decide

Database = AsyncIOMotorDatabase[dict[str, Any]]
NOW = AT + timedelta(hours=5)


def case(name: str) -> Case:
    of = appeal(name, "ZJJ")
    return open_case(of, Mode.ROUTE, decide(of, Context()), Context(), AT)


async def filled(db: Database) -> CaseStore:
    """Four cases that were confirmed together; one of them was pressed and revealed since."""
    store = CaseStore(db, STAMPER)
    page = [case(name) for name in ("a", "b", "c", "d")]
    await store.insert(page)
    won, lost = await store.confirm_all(page, AT + timedelta(seconds=1))
    assert (len(won), lost) == (4, [])
    pressed = await store.change(
        won[0], lambda now: centre.urge(now, "王班长", "群众来电催办", AT + timedelta(hours=1))
    )
    await store.change(
        pressed,
        lambda now: reveal(now, "联系方式", department="ZJJ", actor="李工", reason="核实", at=AT + timedelta(hours=2)),
    )
    for n in range(3):
        await note(db, ["a"], Seen.TEXT, actor=f"person {n}", reason="查看", at=AT + timedelta(hours=3))
    return store


async def anchored(db: Database, store: CaseStore) -> anchoring.Anchor:
    made = await anchoring.by_hand(db, store, STAMPER, NOW, "w")
    assert made is not None
    return made


async def look(db: Database, **which: Any) -> Verified:
    return await verify(db, STAMPER, **which)


def places(done: Verified) -> list[tuple[str, int | None]]:
    return [(each.where, each.event) for each in done.findings]


async def test_what_nobody_touched_fits_whole_and_case_by_case(mongo: Database) -> None:
    store = await filled(mongo)
    assert (await look(mongo)).findings == []
    await anchored(mongo, store)
    done = await look(mongo)
    assert (done.findings, done.cases, done.events, done.rolls, done.anchors) == ([], 4, 14, 1, 1)
    assert (done.accesses, done.late, done.unstamped) == (3, 0, 0)
    alone = await look(mongo, ids=["a"])
    assert (alone.findings, alone.cases, alone.events) == ([], 1, 5)
    assert (await look(mongo, since=AT + timedelta(minutes=30))).cases == 1


ELSE = {
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "actor": "nobody",
    "kind": "closed",
    "note": "别的话",
    "department": "GAJ",
    "data": {"departments": []},
    "more": 1,
}


async def test_one_changed_field_of_any_past_event_is_found_there(mongo: Database) -> None:
    await filled(mongo)
    whole = await mongo.cases.find_one({"_id": "a"})
    assert whole is not None
    for n, (name, value) in itertools.product(range(1, 6), ELSE.items()):
        await mongo.cases.update_one({"_id": "a"}, {"$set": {f"events.{n - 1}.{name}": value}})
        assert places(await look(mongo)) == [("a", n)], (n, name)
        assert places(await look(mongo, ids=["a"])) == [("a", n)]
        assert places(await look(mongo, ids=["b"])) == []
        await mongo.cases.replace_one({"_id": "a"}, whole)


async def test_what_is_taken_out_put_in_or_moved_is_found(mongo: Database) -> None:
    await anchored(mongo, await filled(mongo))
    whole = await mongo.cases.find_one({"_id": "a"})
    assert whole is not None
    events, stamps = whole["events"], whole["stamps"]
    changes: tuple[dict[str, Any], ...] = (
        {"events": [events[0], *events[2:]], "stamps": [stamps[0], *stamps[2:]]},
        {"events": [*events[:3], events[1], *events[3:]], "stamps": [*stamps[:3], stamps[1], *stamps[3:]]},
        {"events": [events[1], events[0], *events[2:]]},
        {"events": [*events, events[-1] | {"n": 6}], "stamps": [*stamps, stamps[-1]]},
        {"stamps": stamps[:4]},
        {"stamps": []},
    )
    for changed in changes:
        await mongo.cases.update_one({"_id": "a"}, {"$set": changed})
        found = places(await look(mongo))
        assert found
        assert {where for where, _ in found} == {"a"}
        await mongo.cases.replace_one({"_id": "a"}, whole)
    assert (await look(mongo)).findings == []


async def test_an_event_of_another_case_with_its_stamp_does_not_pass(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    for minute, names in enumerate(("ab", "cd")):
        page = [case(name) for name in names]
        await store.insert(page)
        await store.confirm_all(page, AT + timedelta(minutes=minute))
    other = await mongo.cases.find_one({"_id": "c"})
    assert other is not None
    stolen = {"events.2": other["events"][2], "stamps.2": other["stamps"][2]}
    await mongo.cases.update_one({"_id": "a"}, {"$set": stolen})
    assert places(await look(mongo)) == [("a", 3)]


async def test_a_delivery_that_is_changed_taken_out_or_put_in_is_found(mongo: Database) -> None:
    await filled(mongo)
    whole = await mongo.cases.find_one({"_id": "a"})
    assert whole is not None
    for changed in (
        {"dispatches.0.sent_at": AT - timedelta(days=1)},
        {"dispatches.0.department": "GAJ"},
        {"dispatches": whole["dispatches"][1:]},
        {"dispatches": [*whole["dispatches"], whole["dispatches"][0] | {"department": "GAJ"}]},
    ):
        await mongo.cases.update_one({"_id": "a"}, {"$set": changed})
        assert set(places(await look(mongo))) == {("a", None)}
        await mongo.cases.replace_one({"_id": "a"}, whole)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_whatever_happens_to_a_case_its_messages_agree_with_its_ledger(seed: int) -> None:
    case, _ = history(seed)
    assert list(unsaid(to_document(case))) == []


async def test_an_end_that_is_gone_is_found_by_the_anchor_and_what_came_since_by_nobody(mongo: Database) -> None:
    store = await filled(mongo)
    await anchored(mongo, store)
    fourth = await store.get("a")
    assert fourth is not None
    await store.change(fourth, lambda now: centre.urge(now, "王班长", "再次催办", NOW + timedelta(hours=1)))
    cut = {"$pop": {"events": 1, "stamps": 1}}
    await mongo.cases.update_one({"_id": "a"}, cut)
    assert places(await look(mongo)) == []
    await mongo.cases.update_one({"_id": "a"}, cut)
    assert places(await look(mongo)) == [("a", 5)]
    assert places(await look(mongo, ids=["a"])) == [("a", 5)]


async def test_a_delivery_that_is_gone_is_found_by_the_roll_at_once(mongo: Database) -> None:
    await filled(mongo)
    await mongo.cases.update_one({"_id": "b"}, {"$pop": {"events": 1, "stamps": 1}})
    assert set(places(await look(mongo))) == {("b", None), ("b", 3)}


async def test_with_a_foreign_key_everything_is_wrong_and_not_all_of_it_is_listed(
    mongo: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(mongo)
    monkeypatch.setattr(verifying, "MOST", 5)
    done = await verify(mongo, Stamper({1: b"another key"}))
    assert (len(done.findings), done.more) == (5, 9)


async def test_who_lost_the_race_for_a_confirmation_is_named_by_a_roll_and_fits_all_the_same(mongo: Database) -> None:
    store = CaseStore(mongo, STAMPER)
    page = [case("a"), case("b")]
    await store.insert(page)
    await store.change(page[1], lambda now: reveal(now, "x", department=None, actor="李", reason="核实", at=AT))
    won, lost = await store.confirm_all(page, AT)
    assert ([each.id for each in won], [each.id for each in lost]) == (["a"], ["b"])
    assert (await look(mongo)).findings == [], "as after a crash: it is still to be sent"
    (fresh,) = lost
    await store.change_all([fresh], lambda now: confirm(now, [row.id for row in now.dispatches], AT))
    done = await look(mongo)
    assert (done.findings, done.events) == ([], 7)


async def test_a_whole_case_that_is_gone_is_found_by_the_roll_or_the_anchor(mongo: Database) -> None:
    store = await filled(mongo)
    await store.insert([case("e")])
    await anchored(mongo, store)
    await mongo.cases.delete_many({"_id": {"$in": ["c", "e"]}})
    assert places(await look(mongo)) == [("c", None), ("e", None)]
    assert places(await look(mongo, ids=["e"])) == [("e", None)]


async def test_a_roll_that_is_changed_or_gone_is_found_at_its_cases(mongo: Database) -> None:
    await filled(mongo)
    await mongo.rolls.update_one({}, {"$set": {"cases": ["a", "b", "c", "z"]}})
    assert ("b", 3) in places(await look(mongo))
    await mongo.rolls.delete_many({})
    assert places(await look(mongo)) == [("a", 3), ("b", 3), ("c", 3), ("d", 3)]


async def test_anchors_are_chained_and_the_last_digest_binds_them_all(mongo: Database) -> None:
    store = await filled(mongo)
    first = await anchored(mongo, store)
    last = await anchored(mongo, store)
    assert (first.number, last.number, first.ends, last.ends) == (1, 2, 4, 0)
    assert (await look(mongo, kept={2: last.digest})).findings == []
    assert places(await look(mongo, kept={2: first.digest})) == [("anchor 2", None)]
    await mongo.anchor_parts.update_one({}, {"$set": {"events.0": 1}})
    assert ("anchor 1", None) in places(await look(mongo))
    await mongo.anchors.delete_one({"_id": 1})
    assert places(await look(mongo)) == [("anchor 1", None)]
    await mongo.anchors.delete_many({})
    assert places(await look(mongo, kept={2: last.digest})) == [("anchor 2", None)]


async def test_an_anchor_made_without_the_key_is_found(mongo: Database) -> None:
    store = await filled(mongo)
    await anchored(mongo, store)
    await mongo.anchors.update_one({"_id": 1}, {"$set": {"cases": 3}})
    document = await mongo.anchors.find_one({"_id": 1})
    assert document is not None
    digest = anchoring.Digest("")
    async for part in anchoring.parts_of(mongo, 1):
        digest.add(part)
    await mongo.anchors.update_one({"_id": 1}, {"$set": {"digest": digest.end(document)}})
    assert places(await look(mongo)) == [("anchor 1", None)]


async def test_ledgers_of_before_are_stamped_as_they_stand_and_said_to_be(mongo: Database) -> None:
    old = to_document(case("old"))
    del old["stamps"]
    await mongo.cases.insert_one(old)
    store = CaseStore(mongo, STAMPER)
    assert (await look(mongo)).unstamped == 1
    made = await anchored(mongo, store)
    assert made.late == 1
    done = await look(mongo)
    assert (done.findings, done.late, done.unstamped) == ([], 2, 0)
    await mongo.cases.update_one({"_id": "old"}, {"$set": {"events.0.actor": "nobody"}})
    assert places(await look(mongo)) == [("old", 1)]


async def test_the_first_move_of_an_old_case_stamps_what_stood_there(mongo: Database) -> None:
    old = to_document(case("old"))
    del old["stamps"]
    await mongo.cases.insert_one(old)
    store = CaseStore(mongo, STAMPER)
    read = await store.get("old")
    assert read is not None
    won, lost = await store.confirm_all([read], AT)
    assert (won, [each.id for each in lost]) == ([], ["old"])
    after = await store.change(read, lambda now: centre.urge(now, "王班长", "催办", AT))
    assert (after.version, len(after.events), len(after.stamps)) == (3, 3, 3)
    assert await store.get("old") == after
    assert (await look(mongo)).findings == []


async def test_stamps_taken_off_to_be_made_again_over_a_change_are_found(mongo: Database) -> None:
    store = await filled(mongo)
    await anchored(mongo, store)
    young = case("young")
    await store.insert([young])
    late = {"stamps": [], "events.0.at": NOW + timedelta(minutes=1), "events.1.at": NOW + timedelta(minutes=1)}
    await mongo.cases.update_one({"_id": "young"}, {"$set": late})
    await mongo.cases.update_one({"_id": "b"}, {"$set": {"stamps": [], "events.0.actor": "nobody"}})
    await anchored(mongo, store)
    assert places(await look(mongo)) == [("young", 1), ("young", 2), ("b", 3)]


async def test_lines_of_who_saw_what_that_are_changed_gone_or_put_in_are_found(mongo: Database) -> None:
    store = await filled(mongo)
    await anchored(mongo, store)
    whole = await mongo.accesses.find({}).sort("_id", 1).to_list(None)
    assert [line["_id"] for line in whole] == [1, 2, 3]
    await mongo.accesses.update_one({"_id": 2}, {"$set": {"actor": "nobody"}})
    assert places(await look(mongo)) == [("accesses", 2)]
    await mongo.accesses.replace_one({"_id": 2}, whole[1])
    for gone in (1, 2, 3):
        await mongo.accesses.delete_one({"_id": gone})
        assert ("accesses", gone) in places(await look(mongo))
        await mongo.accesses.insert_one(whole[gone - 1])
    line = {"item": "a", "what": "x", "actor": "x", "reason": "x", "at": NOW + timedelta(minutes=1), "department": None}
    await mongo.accesses.insert_one(line)
    assert places(await look(mongo)) == [("accesses", None)]


async def test_lines_that_many_write_at_once_are_one_chain(mongo: Database) -> None:
    items = [f"i{n}" for n in range(20)]
    await asyncio.gather(*(note(mongo, items, Seen.EXPORT, actor=str(n), reason="导出", at=AT) for n in range(6)))
    done = await look(mongo)
    assert (done.accesses, done.findings) == (120, [])
    assert (await accesses.last_line(mongo)).number == 120
