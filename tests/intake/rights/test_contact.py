"""Who may see what of a case: the lead its matter's data and the caller's contact, each look written down first."""

from __future__ import annotations

import msgspec
import pytest

from intake.rights.accesses import who_saw
from intake.rights.contact import NotShown, show
from normalizer.appeal import RequestType
from normalizer.vault import Part
from router.cases.case import Case
from router.cases.moves import Kind
from router.dispatching.directory import Directory
from tests.intake.rights.conftest import PHONE, Desk
from tests.router.city import UNITS

ROW = {
    "native_id": 1,
    "text": "楼上3栋2单元702半夜装修，一辆车牌湘A12345的车堵在门口",
    "author": "陈建国",
    "phone": PHONE,
}
ASKED = {"actor": "张三", "reason": "联系诉求人核实"}


def directory(may_see: list[str]) -> Directory:
    units = [msgspec.structs.replace(unit, may_see=may_see) if unit.code == "ZJJ" else unit for unit in UNITS]
    return Directory("d1", "云泽市", units)


async def case_of(desk: Desk, row: dict[str, object], to: str = "ZJJ+CGJ") -> Case:
    (id_,) = await desk.take(row)
    await desk.open_case(id_, to)
    case = await desk.custody.cases.get(id_)
    assert case is not None
    return case


async def test_the_lead_sees_the_contact_and_that_is_a_line_of_the_case(desk: Desk) -> None:
    case = await case_of(desk, ROW)

    shown = await show(case, Part.CONTACT, None, directory([]), desk.custody, **ASKED)

    assert shown.contact == {"name": "陈建国", "mobile": PHONE, "author_id": "陈建国"}
    assert shown.originals == {}
    after = await desk.custody.cases.get(case.id)
    assert after is not None
    event = after.events[-1]
    assert (event.kind, event.actor, event.department, event.note) == (Kind.REVEALED, "张三", "ZJJ", "联系诉求人核实")
    assert after.state == case.state


async def test_the_lead_sees_only_the_kinds_that_the_directory_grants(desk: Desk) -> None:
    case = await case_of(desk, ROW)

    doors = await show(case, Part.MATTER, "ZJJ", directory(["门牌"]), desk.custody, **ASKED)
    both = await show(case, Part.MATTER, "ZJJ", directory(["门牌", "车牌"]), desk.custody, **ASKED)

    assert set(doors.originals.values()) == {"702"}
    assert set(both.originals.values()) == {"702", "湘A12345"}
    assert doors.contact == both.contact == {}
    with pytest.raises(NotShown, match="may_see"):
        await show(case, Part.MATTER, "ZJJ", directory([]), desk.custody, **ASKED)


@pytest.mark.parametrize("department", ["CGJ", "GAJ"])
async def test_an_assistant_or_a_stranger_sees_nothing_and_nothing_is_opened(desk: Desk, department: str) -> None:
    case = await case_of(desk, ROW)

    with pytest.raises(NotShown, match="ZJJ"):
        await show(case, Part.CONTACT, department, directory(["门牌"]), desk.custody, **ASKED)

    assert await desk.db.accesses.count_documents({}) == 0


async def test_of_a_report_the_contact_is_never_shown_also_after_its_words_were_changed(desk: Desk) -> None:
    report = ROW | {"text": "我要举报副科长收受贿赂，请查处", "request_type": "举报"}
    case = await case_of(desk, report)
    await desk.take(report | {"text": "楼道灯坏了，没人修", "request_type": "求助"})
    changed = await desk.appeal(case.id)
    assert changed.revision == 2
    assert changed.request_type is not RequestType.REPORT
    assert (changed.citizen.confidential, changed.citizen.display) == (True, None)

    with pytest.raises(NotShown, match="中心代为联系"):
        await show(case, Part.CONTACT, None, directory([]), desk.custody, **ASKED)


async def test_a_secret_item_is_never_shown_either(desk: Desk) -> None:
    case = await case_of(desk, ROW | {"secret": "是"})

    with pytest.raises(NotShown, match="中心代为联系"):
        await show(case, Part.CONTACT, None, directory([]), desk.custody, **ASKED)


async def test_who_saw_a_case_names_deliveries_and_looks_and_masks_their_reasons(desk: Desk) -> None:
    case = await case_of(desk, ROW)
    desk.pass_by(minutes=1)
    await show(case, Part.CONTACT, None, directory([]), desk.custody, actor="张三", reason=f"回拨{PHONE}")

    seen = await who_saw(desk.db, case.id)

    assert [(one.who, one.department) for one in seen] == [("dept.ZJJ", "ZJJ"), ("dept.CGJ", "CGJ"), ("张三", "ZJJ")]
    assert (seen[-1].what, seen[-1].reason) == ("查看联系方式", "回拨〔手机1〕")
    assert PHONE not in await desk.dump()


async def test_what_was_destroyed_is_said_to_be_so(desk: Desk) -> None:
    case = await case_of(desk, ROW)
    await desk.sealer.destroy_items([case.id])

    with pytest.raises(NotShown, match="销毁"):
        await show(case, Part.CONTACT, None, directory([]), desk.custody, **ASKED)
