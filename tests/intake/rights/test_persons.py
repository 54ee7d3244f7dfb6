"""A citizen's own rights: what is held is found however a number is written, and erased so that nothing is left."""

from __future__ import annotations

import pytest

from connectors.base import BadItem, Page
from connectors.raw_appeal import appeal_id
from connectors.receiving.contract import Medium, Received
from intake.door.media import MediaStore
from intake.rights import persons
from intake.rights.custody import open_part
from intake.rights.persons import by_author, by_id_number, by_phone, erase, show
from normalizer.vault import Part
from router.cases.moves import Kind
from tests.intake.rights.conftest import KEY, PHONE, SOURCE, Desk

OWN = {"native_id": 1, "text": "楼道灯坏了三天没人修，请尽快处理", "author": "陈建国", "phone": PHONE}
AGAIN = {"native_id": 2, "text": "小区垃圾没人清运，臭气熏天", "author": "陈建国", "phone": "138 0013 8000"}
OTHER = {
    "native_id": 3,
    "text": f"包工头拖欠工资，他的电话{PHONE}一直不接，我的电话13911112222",
    "author": "王小雨",
    "phone": "13911112222",
}
ID_CARD = "430102195503088317"
ASKED = {"actor": "李工", "reason": "本人申请"}


async def test_everything_of_a_person_is_found_however_the_number_is_written(desk: Desk) -> None:
    first, second, third = await desk.take(OWN, AGAIN, OTHER)
    await desk.open_case(first)

    for written in (PHONE, "+86 138-0013-8000", "幺三八〇〇幺三八〇〇〇"):
        wanted = by_phone(written, KEY)
        assert wanted is not None
        found = {one.id: one for one in await show(wanted, desk.custody, **ASKED)}
        assert {id_: one.relation for id_, one in found.items()} == {
            first: "own",
            second: "own",
            third: "mentioned",
        }
    assert found[first].what == ["原文", "联系方式", "同一人代号"]
    assert found[first].departments == ["ZJJ"]


async def test_asking_is_written_down_and_the_number_is_not(desk: Desk) -> None:
    (first,) = await desk.take(OWN)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    await show(wanted, desk.custody, actor="李工", reason=f"本人来电{PHONE}申请")

    (line,) = await desk.db.accesses.find({"item": first}).to_list(None)
    assert (line["actor"], line["reason"]) == ("李工", "本人来电〔手机1〕申请")
    assert PHONE not in await desk.dump()
    assert PHONE not in repr(wanted)


async def test_a_person_is_erased_and_a_second_time_nothing_is_left(desk: Desk) -> None:
    first, second, third = await desk.take(OWN, AGAIN, OTHER)
    await desk.open_case(first)
    before = await desk.appeal(first)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    assert wanted.ref is not None
    await desk.db.matters.insert_one({"_id": first, "person": wanted.ref})

    proof = await erase(wanted, desk.custody, **ASKED)

    assert (proof.erased, proof.mentioned, proof.left) == (sorted([first, second]), [third], [])
    assert (proof.keys_destroyed, proof.raw_emptied, proof.vault_removed, proof.unlinked) == (3, 3, 2, 2)
    assert [(told.department, len(told.messages)) for told in proof.departments] == [("ZJJ", 1)]
    after = await desk.appeal(first)
    assert (after.text, after.category) == (before.text, before.category)
    assert (after.citizen.ref, after.citizen.display, after.citizen.has_contact) == (None, None, False)
    assert [await desk.keys_left(id_) for id_ in (first, second)] == [0, 0]
    assert wanted.ref not in await desk.dump()
    assert await open_part(desk.custody, first, Part.CONTACT) is None
    again = await erase(wanted, desk.custody, **ASKED)
    assert (again.erased, again.mentioned, again.keys_destroyed) == ([], [], 0)


async def test_a_copy_from_before_cannot_be_opened_afterwards(desk: Desk) -> None:
    """A backup holds the values as they were; the item's key stood elsewhere, and is gone."""
    (first,) = await desk.take(OWN)
    vault, raw = await desk.db.vault.find_one({"_id": first}), await desk.db.raw.find_one({"_id": first})
    assert vault is not None
    assert raw is not None
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    await erase(wanted, desk.custody, **ASKED)
    await desk.db.vault.insert_one(vault)
    await desk.db.raw.replace_one({"_id": first}, raw)

    assert await open_part(desk.custody, first, Part.CONTACT) is None
    assert await desk.custody.raw.payload(first) == b""


async def test_what_belongs_to_the_other_caller_stays(desk: Desk) -> None:
    (third,) = await desk.take(OTHER)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    await erase(wanted, desk.custody, **ASKED)

    contents = await open_part(desk.custody, third, Part.CONTACT)
    assert contents is not None
    assert contents.contact == {"name": "王小雨", "mobile": "13911112222", "author_id": "王小雨"}
    assert list(contents.originals.values()) == ["13911112222"]
    assert await desk.keys_left(third) == 1
    assert await desk.custody.raw.payload(third) == b""
    assert (await desk.appeal(third)).citizen.ref is not None


async def test_what_its_source_still_shows_is_not_taken_in_again(desk: Desk) -> None:
    (first,) = await desk.take(OWN)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    await erase(wanted, desk.custody, **ASKED)

    await desk.take(OWN | {"likes": 3})
    await desk.take(OWN | {"text": "楼道灯还是没修好"})

    assert await desk.custody.raw.payload(first) == b""
    assert (await desk.appeal(first)).revision == 1
    assert await desk.db.vault.find_one({"_id": first}) is None


async def test_pictures_go_with_their_item_and_those_of_others_stay(desk: Desk) -> None:
    first, third = [(await desk.take(row))[0] for row in (OWN, OTHER)]
    media = MediaStore(desk.db, desk.sealer)
    picture = Medium(sha256="0" * 64, media_type="image/png", body=b"a picture")
    for row in (OWN, OTHER):
        page = Page(offered=(), items=(), cursor=None)
        await media.keep(SOURCE, [Received(page=page, media={str(row["native_id"]): (picture,)}, client="c")])
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    assert "图片 1 张" in (await show(wanted, desk.custody, **ASKED))[0].what

    await erase(wanted, desk.custody, **ASKED)

    assert await media.open(first, picture.sha256) is None
    assert [row["appeal"] async for row in desk.db.media.find()] == [third]
    assert await media.open(third, picture.sha256) == picture


async def test_superseded_revisions_go_too(desk: Desk) -> None:
    (first,) = await desk.take(OWN)
    await desk.take(OWN | {"text": "楼道灯坏了，我的手机13800138000，请回电"})
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    assert (await show(wanted, desk.custody, **ASKED))[0].what[:2] == ["原文", "旧版原文 1 份"]
    await erase(wanted, desk.custody, **ASKED)

    (kept,) = await desk.db.raw_revisions.find({"of": first}).to_list(None)
    assert kept["payload"] == b""
    (revision,) = await desk.db.appeal_revisions.find({"id": first}).to_list(None)
    assert revision["citizen"]["ref"] is None


async def test_a_person_is_found_by_id_number_and_by_a_sources_user(desk: Desk) -> None:
    first, second = await desk.take(
        {"native_id": 1, "text": f"我的身份证号{ID_CARD}，社保一直没有到账"},
        {"native_id": 2, "text": "路灯不亮", "author_id": "u-77"},
    )
    by_number = by_id_number(ID_CARD, KEY)
    assert by_number is not None

    assert [(one.id, one.relation) for one in await show(by_number, desk.custody, **ASKED)] == [(first, "mentioned")]
    user = by_author("hotline", "u-77", KEY)
    assert [(one.id, one.relation) for one in await show(user, desk.custody, **ASKED)] == [(second, "own")]
    assert await show(by_author("board", "u-77", KEY), desk.custody, **ASKED) == []


async def test_what_nobody_could_read_is_searched_as_it_came(desk: Desk) -> None:
    row = BadItem(native_id="x", payload=f'{{"tel": "{PHONE}"'.encode(), reason="the row is not JSON", context={})
    await desk.take(bad=(row,))
    id_ = appeal_id("hotline", "x")
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    assert [(one.id, one.relation) for one in await show(wanted, desk.custody, **ASKED)] == [(id_, "unread")]
    proof = await erase(wanted, desk.custody, **ASKED)

    assert (proof.erased, proof.left) == ([id_], [])


@pytest.mark.parametrize("written", ["", "陈先生", "12345", "abc"])
def test_what_is_no_number_is_not_looked_for(written: str) -> None:
    assert by_phone(written, KEY) is None
    assert by_id_number(written, KEY) is None


async def test_a_number_that_its_author_has_taken_out_since_is_found_and_ends_with_the_old_text(desk: Desk) -> None:
    (third,) = await desk.take(OTHER)
    await desk.take(OTHER | {"text": "包工头拖欠工资，一直不接电话，我的电话13911112222"})
    assert await desk.db.raw_revisions.count_documents({"of": third}) == 1
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    (found,) = await show(wanted, desk.custody, **ASKED)
    assert (found.id, found.relation) == (third, "mentioned")
    proof = await erase(wanted, desk.custody, **ASKED)

    assert (proof.mentioned, proof.left) == ([third], [])
    old = await desk.db.raw_revisions.find_one({"of": third})
    assert old is not None
    assert (old["payload"], old["destroyed"]["why"]) == (b"", "mentioned")
    contents = await open_part(desk.custody, third, Part.CONTACT)
    assert contents is not None, "what belongs to the other caller stays"
    assert contents.contact["mobile"] == "13911112222"


async def test_an_old_text_ends_where_nothing_else_is_held_of_the_item(desk: Desk) -> None:
    bare = {"native_id": 5, "text": f"楼下烧烤店油烟扰民，老板电话{PHONE}"}
    (item,) = await desk.take(bare)
    await desk.take(bare | {"text": "楼下烧烤店油烟扰民"})
    await desk.db.vault.delete_many({})
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    proof = await erase(wanted, desk.custody, **ASKED)

    assert (proof.mentioned, proof.left, proof.raw_emptied) == ([item], [], 1)
    (old,) = await desk.db.raw_revisions.find({"of": item}).to_list(None)
    assert old["payload"] == b""


async def test_a_number_in_full_width_digits_is_found_where_nobody_has_read(desk: Desk) -> None:
    wide = "１３８００１３８０００"
    bad = BadItem(
        native_id="9", payload=f"来电{wide}，身份证４３０１０２１９５５０３０８８３１７".encode(), reason="no text"
    )
    await desk.take(bad=(bad,))
    for wanted in (
        by_phone(PHONE, KEY),
        by_phone(wide, KEY),
        by_id_number("４３０１０２１９５５０３０８８３１７", KEY),
    ):
        assert wanted is not None
        assert [one.relation for one in await show(wanted, desk.custody, **ASKED)] == ["unread"]


async def test_an_erasure_that_broke_off_is_finished_and_told_the_second_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has messages of the person must be known also to whoever runs it again."""
    (first,) = await desk.take(OWN)
    await desk.open_case(first)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None

    async def breaks(*_: object, **__: object) -> int:
        raise RuntimeError("the machine stops")

    for step in ("tell_cases", "forget_number", "in_copies"):
        with monkeypatch.context() as patched:
            patched.setattr(persons, step, breaks)
            with pytest.raises(RuntimeError):
                await erase(wanted, desk.custody, **ASKED)
    proof = await erase(wanted, desk.custody, **ASKED)

    assert (proof.erased, proof.left) == ([first], [])
    assert [told.department for told in proof.departments] == ["ZJJ"]
    case = await desk.custody.cases.get(first)
    assert case is not None
    assert Kind.DESTROYED in {event.kind for event in case.events}
