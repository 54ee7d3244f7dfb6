"""Who saw what is whole: each kind of look is listed, and erasing a person leaves every ledger as it was stamped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from intake.keys import Keys
from intake.ledger import anchoring
from intake.ledger.verifying import verify
from intake.rights.accesses import ALL, Seen, note, who_saw
from intake.rights.contact import show
from intake.rights.persons import by_phone, erase
from intake.rights.together import with_news, with_parts
from normalizer.appeal import Appeal, Change, Links
from normalizer.vault import Part
from router.flow import route_page
from tests.intake.rights.conftest import KEY, PHONE, Desk
from tests.intake.rights.test_contact import ASKED, ROW, case_of, directory
from tests.router import conftest as city_street
from tests.router.city import appeal, handed, revised
from tests.router.conftest import Street

street = city_street.street
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


async def test_who_saw_the_raw_text_of_a_message_saw_each_of_its_requests(desk: Desk) -> None:
    for what in (Seen.RAW, Seen.TEXT):
        await note(desk.db, ["m"], what, actor=what.name, reason="核对", at=desk.moment)
    assert [sight.who for sight in await who_saw(desk.db, "m-2")] == ["RAW"]
    assert sorted(sight.who for sight in await who_saw(desk.db, "m")) == ["RAW", "TEXT"]


async def test_whom_the_order_told_what_a_carried_case_says_now_is_listed_and_its_words_stand_in_no_line(
    street: Street,
) -> None:
    def again(name: str) -> Appeal:
        return replace(appeal(name, "ZJJ"), links=Links(same_person=["a"]))

    await route_page(street.appeals.keep(handed(appeal("a", "ZJJ"))), street.room)
    await route_page(street.appeals.keep(handed(again("b")), handed(again("c"))), street.room)
    told = [handed(revised(again(name), text=f"{name}又多了两盏不亮的"), Change.CHANGED) for name in "bc"]
    await route_page(street.appeals.keep(*told), street.room)
    db: Any = street.database
    for name in "bc":
        assert [(sight.what, sight.who) for sight in await who_saw(db, name)] == [
            ("随主单收到新内容（第 2 版，脱敏）", "dept.ZJJ")
        ]
    order = await who_saw(db, "a")
    assert [sight.what.split("（")[0] for sight in order].count("收到消息 updated") == 2
    assert "两盏不亮" not in str(order)
    assert await with_news(db, ["a"]) == ["a", "b", "c"]
    assert await with_news(db, ["b"]) == ["b"]


async def test_whose_titles_stand_beside_an_item_are_the_other_requests_of_its_message(desk: Desk) -> None:
    await desk.db.appeals.insert_many(
        [{"_id": "m", "links": {"same_message": ["m-2"]}}, {"_id": "n", "links": {"same_message": []}}]
    )
    assert await with_parts(desk.db, ["n", "m"]) == ["n", "m", "m-2"]
