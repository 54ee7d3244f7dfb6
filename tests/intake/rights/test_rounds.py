"""An item with several cases (再次反映): its data is one, ends with the last of them, and each look is told of all."""

from __future__ import annotations

import msgspec
import pytest

from connectors.flow import Batch
from connectors.raw_appeal import RawAppeal
from intake.life import find_ids, life_of
from intake.rights import retention
from intake.rights.accesses import Seen, note, who_saw
from intake.rights.contact import NotShown, show
from intake.rights.custody import open_part
from intake.rights.persons import by_phone, erase
from intake.rights.together import with_parts
from intake.street.again import Renewal
from normalizer.appeal import Change
from normalizer.vault import Part
from router.cases.deciding import amend, open_case
from router.cases.delivery import confirm
from router.cases.moves import Kind
from router.dispatch import Context
from router.dispatching.directory import Directory
from tests.intake.rights.conftest import KEY, PHONE, SOURCE, Desk
from tests.intake.rights.test_retention import ROW, TERMS, close, is_kept
from tests.router.city import UNITS, decide

AGAIN = ROW | {"text": "楼道灯修了两天又坏了，请再派人来修"}


async def two(desk: Desk) -> tuple[str, str]:
    """An item whose case was closed, and the case of what its author said since."""
    (id_,) = await desk.take(ROW)
    await desk.open_case(id_)
    await close(desk, id_)
    desk.pass_by(days=1)
    await desk.take(AGAIN)
    later = await desk.appeal(id_)
    assert later.revision == 2
    old = await desk.custody.cases.get(id_)
    assert old is not None
    closed = await desk.custody.cases.change(old, lambda now: amend(now, later, Change.CHANGED, desk.now()))
    fated = msgspec.structs.replace(later, signals=msgspec.structs.replace(later.signals, subject_entity="ZJJ"))
    context = Context()
    case = open_case(later, closed.mode, decide(fated, context), context, desk.now(), closed)
    await desk.custody.cases.insert([confirm(case, [row.id for row in case.dispatches], desk.now())])
    return id_, case.id


async def test_nothing_ends_before_the_last_case_of_an_item_is_closed_long_enough(desk: Desk) -> None:
    old, new = await two(desk)
    desk.pass_by(days=400)
    assert (await retention.plan(TERMS, desk.custody)).closed == []
    await close(desk, new)
    desk.pass_by(days=29)
    assert (await retention.plan(TERMS, desk.custody)).closed == []
    desk.pass_by(days=1)
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 1
    assert not await is_kept(desk, old)
    for case in (await desk.custody.cases.load([old, new])).values():
        assert case.events[-1].kind is Kind.DESTROYED
    assert (await retention.run(TERMS, desk.custody, "w")).closed == 0


async def test_the_lead_of_the_case_that_stands_sees_the_contact_and_of_the_closed_one_nobody(desk: Desk) -> None:
    old, new = await two(desk)
    directory = Directory("d1", "云泽市", UNITS)
    cases = await desk.custody.cases.load([old, new])
    shown = await show(cases[new], Part.CONTACT, None, directory, desk.custody, actor="王", reason="回电")
    assert (shown.case, shown.contact["mobile"]) == (new, PHONE)
    for case in (old, new):
        sights = await who_saw(desk.db, case)
        assert [sight.what for sight in sights if sight.who == "王"] == ["查看联系方式"]
        assert sum(sight.who == "dept.ZJJ" for sight in sights) == 2


async def test_what_was_once_confidential_stays_so_in_its_next_case(desk: Desk) -> None:
    _, new = await two(desk)
    await desk.db.appeal_revisions.update_many({}, {"$set": {"citizen.confidential": True}})
    case = await desk.custody.cases.get(new)
    assert case is not None
    with pytest.raises(NotShown):
        await show(case, Part.CONTACT, None, Directory("d1", "云泽市", UNITS), desk.custody, actor="王", reason="回电")


async def test_erasing_a_person_tells_every_case_and_names_every_message_that_went_out(desk: Desk) -> None:
    old, new = await two(desk)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    proof = await erase(wanted, desk.custody, actor="王", reason="本人申请")
    assert (proof.erased, proof.left) == ([old], [])
    cases = await desk.custody.cases.load([old, new])
    assert [case.events[-1].kind for case in cases.values()] == [Kind.DESTROYED] * 2
    assert sorted(told.case_no for told in proof.departments) == sorted(case.case_no for case in cases.values())
    assert await open_part(desk.custody, new, Part.CONTACT) is None


async def test_what_is_normalized_again_is_left_alone_only_while_its_newest_case_is_closed(desk: Desk) -> None:
    old, new = await two(desk)
    raw = RawAppeal(
        id=old,
        source="gone",
        kind="line",
        channel="board",
        native_id="1",
        revision=2,
        payload=b"",
        received_at=desk.now(),
    )

    async def nothing(_: Batch) -> None: ...

    for closed, unknown in ((0, {"gone": 1}), (1, {})):
        renewal = Renewal(sources={}, room=desk.reading, cases=desk.custody.cases, put=nothing)
        await renewal.apply([raw])
        assert (renewal.closed, renewal.unknown) == (closed, unknown)
        await close(desk, new)


async def test_a_look_at_any_case_of_an_item_is_told_of_all_and_all_stand_in_its_life(desk: Desk) -> None:
    old, new = await two(desk)
    await desk.db.sources.insert_one({"_id": SOURCE.name})
    assert await find_ids(desk.db, "1") == [new]
    assert await find_ids(desk.db, old) == [old]
    await note(desk.db, await with_parts(desk.db, [new]), Seen.TEXT, actor="李", reason="x", at=desk.now())
    assert [sight.who for sight in await who_saw(desk.db, old) if sight.what.startswith("查看")] == ["李"]
    for name in (old, new):
        life = await life_of(desk.db, name)
        assert life is not None
        assert life.case is not None
        assert (life.case["_id"], [one.id for one in life.rounds]) == (name, [old, new])
        assert [moment.what for moment in life.timeline].count("登记") == 2
        assert [moment.who for moment in life.timeline if moment.what.startswith("查看")] == ["李"]
