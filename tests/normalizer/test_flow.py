"""A page through real MongoDB: stored once, sealed, repeated without a trace, mended after a crash."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from connectors.raw_appeal import Mode, RawAppeal
from intake.sealing import SealBroken, Sealer
from normalizer import flow, vault
from normalizer import normalize as module
from normalizer.appeal import Change, Handed
from normalizer.draft import Draft
from normalizer.flow import Room, normalize_page, retry_page
from normalizer.store import AppealStore, ensure_indexes
from normalizer.tables import Tables

Database = AsyncIOMotorDatabase[dict[str, Any]]
Raw = Callable[..., RawAppeal]
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
KEY = b"r" * 32
ROWS = ("路灯坏了没人修", "楼下烧烤店油烟直排，电话13800138000", "公交车等了四十分钟")


@pytest.fixture
async def room(mongo: Database, seal: Sealer, tables: Tables) -> Room:
    await ensure_indexes(mongo)
    return Room(tables=tables, ref_key=KEY, store=AppealStore(mongo), seal=seal, now=lambda: NOW)


_SEALED = frozenset({"contact", "matter", "key"})


async def dump(mongo: Database) -> dict[str, list[dict[str, Any]]]:
    """Everything of this room, but for the sealed bytes, which have a nonce."""
    found = {}
    for name in ("appeals", "appeal_revisions", "vault", "unmapped"):
        rows = await mongo[name].find().sort("_id", 1).to_list(None)
        found[name] = [
            {key: value for key, value in row.items() if key not in {"contact", "matter", "key"}} for row in rows
        ]
    return found


def changes(handed: list[Handed]) -> list[Change]:
    return [one.change for one in handed]


def page_of(raw: Raw) -> list[RawAppeal]:
    return [raw(text, native_id=number) for number, text in enumerate(ROWS)]


async def test_a_page_is_stored_and_handed_on_in_its_order(mongo: Database, room: Room, raw: Raw) -> None:
    page = [raw(text, native_id=number, mode=Mode.OBSERVE) for number, text in enumerate(ROWS)]
    handed = await normalize_page(page, room)

    assert [one.appeal.id for one in handed] == [item.id for item in page]
    assert changes(handed) == [Change.NEW] * 3
    assert {one.mode for one in handed} == {Mode.OBSERVE}
    stored = await mongo["appeals"].find().to_list(None)
    assert {one["_id"] for one in stored} == {item.id for item in page}
    assert all(isinstance(one["received_at"], datetime) for one in stored)
    assert await room.store.get(page[0].id) == handed[0].appeal


async def test_secrets_are_only_in_the_vault_and_sealed(mongo: Database, room: Room, seal: Sealer, raw: Raw) -> None:
    item = raw(ROWS[1], native_id=7)
    await normalize_page([item], room)
    kept = await room.store.secrets(item.id)

    assert kept is not None
    assert kept["key"].startswith("vault/test/2026-11#")
    assert b"13800138000" not in kept["contact"]
    opened = await seal.open_item(kept["key"], item.id, vault.bound(item.id, 1, vault.Part.CONTACT), kept["contact"])
    assert opened is not None
    assert msgspec.json.decode(opened, type=vault.Contents).originals == {"text:手机1": "13800138000"}
    for name in await mongo.list_collection_names():
        assert "13800138000" not in str(await mongo[name].find().to_list(None))


async def test_the_callers_data_and_the_matters_are_sealed_apart(room: Room, seal: Sealer, raw: Raw) -> None:
    item = raw("我叫李建国，电话13800138000。楼上3栋2单元702半夜装修，车牌湘A12345堵门。", native_id=8)
    await normalize_page([item], room)
    kept = await room.store.secrets(item.id)

    assert kept is not None
    held = {}
    for part in vault.Part:
        opened = await seal.open_item(kept["key"], item.id, vault.bound(item.id, 1, part), kept[part.value])
        assert opened is not None
        held[part] = set(msgspec.json.decode(opened, type=vault.Contents).originals.values())
    assert held == {vault.Part.CONTACT: {"李建国", "13800138000"}, vault.Part.MATTER: {"702", "湘A12345"}}
    with pytest.raises(SealBroken):  # the one cannot be passed off as the other
        await seal.open_item(kept["key"], item.id, vault.bound(item.id, 1, vault.Part.CONTACT), kept["matter"])


async def test_a_number_is_traced_however_it_is_written_and_nobody_reads_it(room: Room, raw: Raw) -> None:
    pages = [
        raw(text, native_id=at) for at, text in enumerate(["电话138 0013 8000", "打幺三八〇〇幺三八〇〇〇", "没有"])
    ]
    await normalize_page(pages, room)
    first, second = [(await room.store.secrets(item.id) or {})["traces"] for item in pages[:2]]

    assert first == second == [vault.trace("mobile", "13800138000", KEY)]
    assert first != [vault.trace("mobile", "13800138000", b"another key")]


async def test_what_was_erased_since_it_was_read_does_not_reach_the_vault(room: Room, seal: Sealer, raw: Raw) -> None:
    item = raw("电话13800138000，请回电", native_id=5)
    keys = await seal.keys_of("raw/test/2026-11", [item.id])
    await seal.destroy_items([item.id])

    await normalize_page([msgspec.structs.replace(item, keys=keys.name)], room)

    assert await room.store.secrets(item.id) is None


async def test_a_page_run_again_changes_nothing_and_hands_on_the_same(mongo: Database, room: Room, raw: Raw) -> None:
    page = [*page_of(raw), raw({"title": "没有正文"}, native_id=9)]
    first = await normalize_page(page, room)
    before = await dump(mongo)

    assert await normalize_page(page, room) == first
    assert await dump(mongo) == before


async def test_a_page_is_normalized_as_each_of_its_items_would_be(room: Room, raw: Raw) -> None:
    raws = [raw(f"第{number}栋的路灯坏了", native_id=number) for number in range(2 * module.GROUP + 1)]

    assert flow.normalize_all(raws, room.tables, room.ref_key) == [
        flow.normalize(one, room.tables, room.ref_key) for one in raws
    ]


async def test_one_bad_item_never_holds_up_the_others(
    mongo: Database, room: Room, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the failure is a mistake of ours; and what it says holds none of the citizen's words."""
    whole = module.STEPS
    seen = 0

    def stumble(_draft: Draft, _tables: Tables) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            raise RuntimeError("张三的电话是13800138000")

    monkeypatch.setattr(module, "STEPS", (*whole, stumble))
    handed = await normalize_page([*page_of(raw), raw("x", kind="nothing", native_id=9)], room)

    assert [one.appeal.native_id for one in handed] == ["0", "2"]
    aside = await room.store.unmapped()
    assert {one["native_id"]: one["reason"] for one in aside}.keys() == {"1", "9"}
    assert all(one["stage"] == "normalize" and one["at"] == NOW for one in aside)
    assert "13800138000" not in str(aside)

    monkeypatch.undo()
    handed = await retry_page([page_of(raw)[1]], room)
    assert changes(handed) == [Change.NEW]
    assert [one["native_id"] for one in await room.store.unmapped()] == ["9"]
    assert await room.store.resolve([aside[0]["_id"], aside[1]["_id"]]) == 1


async def test_a_changed_appeal_keeps_its_past(mongo: Database, room: Room, raw: Raw) -> None:
    await normalize_page([raw("路灯坏了", native_id=1)], room)
    handed = await normalize_page([raw("路灯坏了，井盖也没了", native_id=1, revision=2)], room)

    assert changes(handed) == [Change.CHANGED]
    assert handed[0].appeal.revision == 2
    past = await room.store.revisions(handed[0].appeal.id)
    assert [(one.revision, one.text) for one in past] == [(1, "路灯坏了")]
    before = await dump(mongo)
    again = await normalize_page([raw("路灯坏了，井盖也没了", native_id=1, revision=2)], room)
    assert again == handed
    assert await dump(mongo) == before


async def test_what_masks_to_the_same_is_recorded_and_told_apart(room: Room, raw: Raw) -> None:
    await normalize_page([raw("路灯坏了，电话13800138000", native_id=1)], room)
    page = [raw("路灯坏了，电话13900139000", native_id=1, revision=2)]

    assert changes(await normalize_page(page, room)) == [Change.SAME]
    assert changes(await normalize_page(page, room)) == [Change.SAME]
    kept = await room.store.secrets(page[0].id)
    assert kept is not None
    assert kept["revision"] == 2


async def test_a_late_old_revision_is_dropped(mongo: Database, room: Room, raw: Raw) -> None:
    await normalize_page([raw("路灯坏了，井盖也没了", native_id=1, revision=2)], room)
    before = await dump(mongo)

    assert await normalize_page([raw("路灯坏了", native_id=1)], room) == []
    assert await dump(mongo) == before


async def test_two_revisions_on_one_page_end_with_the_newer(room: Room, raw: Raw) -> None:
    page = [raw("路灯坏了", native_id=1), raw("路灯坏了，井盖也没了", native_id=1, revision=2)]
    handed = await normalize_page(page, room)

    assert changes(handed) == [Change.NEW, Change.CHANGED]
    standing = await room.store.get(page[0].id)
    assert standing is not None
    assert standing.revision == 2


async def test_likes_and_replies_move_in_place(mongo: Database, room: Room, raw: Raw) -> None:
    await normalize_page([raw({"text": "路灯坏了", "likes": 1}, native_id=1)], room)
    fresh = raw({"text": "路灯坏了", "likes": 9, "reply": "已修复", "reply_by": "城管局"}, native_id=1, refreshed=True)
    handed = await normalize_page([fresh], room)

    assert changes(handed) == [Change.REFRESHED]
    standing = await room.store.get(fresh.id)
    assert standing == handed[0].appeal
    assert standing is not None
    assert standing.engagement.likes == 9
    assert standing.official_reply is not None
    assert standing.revision == 1
    assert await mongo["appeal_revisions"].count_documents({}) == 0


async def test_who_had_it_before_is_remembered_also_by_a_newer_revision(mongo: Database, room: Room, raw: Raw) -> None:
    """The sheet of a shadow week asks what was returned: by whom, and to whom it went."""
    first = {"text": "路灯坏了", "department": "市城管局"}
    other = {"text": "路灯坏了", "department": "市住建局", "sent_back": "1"}
    await normalize_page([raw(first, native_id=1)], room)
    refreshed = raw(other, native_id=1, refreshed=True)
    handed = await normalize_page([refreshed], room)
    again = await normalize_page([refreshed], room)
    newer = await normalize_page([raw(other | {"text": "路灯又坏了"}, native_id=1, revision=2)], room)

    for (one,) in (handed, again, newer):
        signals = one.appeal.signals
        assert (signals.handler, signals.handled_before, signals.sent_back) == ("市住建局", ["市城管局"], 1)
    assert await room.store.get(refreshed.id) == newer[0].appeal


async def test_withdrawn_and_seen_again(mongo: Database, room: Room, raw: Raw) -> None:
    await normalize_page([raw("路灯坏了", native_id=1)], room)
    gone = raw("路灯坏了", native_id=1, revision=2, withdrawn=True)

    assert changes(await normalize_page([gone], room)) == [Change.WITHDRAWN]
    assert changes(await normalize_page([gone], room)) == [Change.WITHDRAWN]
    stored = await mongo["appeals"].find_one({"_id": gone.id})
    assert stored is not None
    assert stored["withdrawn"] is True
    for _ in range(2):
        back = await normalize_page([raw("路灯坏了", native_id=1, revision=3)], room)
        assert changes(back) == [Change.BACK]
    await normalize_page([raw("路灯坏了", native_id=1, revision=4, withdrawn=True)], room)
    other = await normalize_page([raw("路灯又坏了", native_id=1, revision=5)], room)
    assert changes(other) == [Change.CHANGED]


async def test_a_deletion_without_a_row_is_told_by_what_we_have(room: Room, raw: Raw) -> None:
    await normalize_page([raw("路灯坏了", native_id=1)], room)
    gone = msgspec.structs.replace(raw("", native_id=1, revision=2, withdrawn=True), payload=b"")
    handed = await normalize_page([gone], room)

    assert changes(handed) == [Change.WITHDRAWN]
    assert (handed[0].appeal.text, handed[0].appeal.revision) == ("路灯坏了", 2)
    assert await room.store.unmapped() == []


async def test_two_workers_on_one_page_store_it_once(mongo: Database, room: Room, raw: Raw) -> None:
    page = page_of(raw)
    newer = [raw(f"{text}，还有井盖", native_id=number, revision=2) for number, text in enumerate(ROWS)]
    both = await asyncio.gather(normalize_page(page, room), normalize_page(page, room))
    assert both[0] == both[1]
    both = await asyncio.gather(normalize_page(newer, room), normalize_page(newer, room))

    assert both[0] == both[1]
    assert changes(both[0]) == [Change.CHANGED] * 3
    assert await mongo["appeals"].count_documents({"revision": 2}) == 3
    assert await mongo["appeal_revisions"].count_documents({}) == 3


@pytest.mark.parametrize("stop", ["keep_secrets", "insert", "set_aside"])
async def test_a_crash_between_any_two_writes_is_mended_by_the_same_page(
    mongo: Database, room: Room, raw: Raw, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    page = [*page_of(raw), raw({"title": "没有正文"}, native_id=9)]

    async def killed(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(AppealStore, stop, killed)
        with pytest.raises(SystemExit):
            await normalize_page(page, room)
    handed = await normalize_page(page, room)
    after = await dump(mongo)

    assert changes(handed) == [Change.NEW] * 3
    assert len(after["appeals"]) == 3
    assert len(after["vault"]) == 1
    assert len(after["unmapped"]) == 1


async def test_the_front_door_finds_by_native_id(room: Room, raw: Raw) -> None:
    await normalize_page(page_of(raw), room)

    assert [one.native_id async for one in room.store.each({"native_id": "0"})] == ["0"]
    assert await room.store.get("nobody") is None
