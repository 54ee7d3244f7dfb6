"""Who saw what is whole: each kind of look is listed, and erasing a person leaves every ledger as it was stamped."""

from __future__ import annotations

from datetime import timedelta

from intake.keys import Keys
from intake.ledger import anchoring
from intake.ledger.verifying import verify
from intake.rights.accesses import ALL, Seen, note, who_saw
from intake.rights.contact import show
from intake.rights.persons import by_phone, erase
from normalizer.vault import Part
from tests.intake.rights.conftest import KEY, PHONE, Desk
from tests.intake.rights.test_contact import ASKED, ROW, case_of, directory

STAMPER = Keys({}, {1: KEY}).stamper


async def test_delivery_view_reveal_attachment_and_export_are_listed_in_the_order_of_time(desk: Desk) -> None:
    before = desk.moment - timedelta(days=1)
    await note(desk.db, [ALL], Seen.EXPORT, actor="昨天导出的人", reason="月报", at=before)
    case = await case_of(desk, ROW)
    for n, (what, who) in enumerate(
        ((Seen.TEXT, "看的人"), (Seen.RAW, "开原文的人"), (Seen.ATTACHMENT, "dept.ZJJ.a")), 1
    ):
        await note(desk.db, [case.id], what, actor=who, reason="办理", at=desk.moment + timedelta(minutes=n))
    desk.pass_by(minutes=10)
    await show(case, Part.CONTACT, None, directory([]), desk.custody, **ASKED)
    await note(desk.db, [ALL], Seen.EXPORT, actor="导出的人", reason="月报", at=desk.moment + timedelta(minutes=1))

    told = [(sight.what, sight.who) for sight in await who_saw(desk.db, case.id)]
    assert sorted(told[:2]) == [
        ("收到消息 dispatched（第 1 版，脱敏）", "dept.CGJ"),
        ("收到消息 dispatched（第 1 版，脱敏）", "dept.ZJJ"),
    ]
    assert told[2:] == [
        ("查看正文（脱敏）", "看的人"),
        ("查看原始记录", "开原文的人"),
        ("查看附件", "dept.ZJJ.a"),
        ("查看联系方式", "张三"),
        ("查看导出", "导出的人"),
    ]


async def test_after_a_person_is_erased_every_ledger_still_fits(desk: Desk) -> None:
    case = await case_of(desk, ROW)
    await show(case, Part.CONTACT, None, directory([]), desk.custody, **ASKED)
    assert await anchoring.by_hand(desk.db, desk.custody.cases, STAMPER, desk.moment, "w") is not None
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    await erase(wanted, desk.custody, actor="李工", reason="本人申请")
    after = await desk.custody.cases.get(case.id)
    assert after is not None
    assert after.events[-1].kind == "destroyed"
    done = await verify(desk.db, STAMPER)
    assert (done.findings, done.cases, done.anchors) == ([], 1, 1)
    assert done.accesses == await desk.db.accesses.count_documents({})
