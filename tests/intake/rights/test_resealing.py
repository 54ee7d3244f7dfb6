"""What an earlier version sealed under the month's key gets a key of its own, and can then be ended alone."""

from __future__ import annotations

import msgspec

from intake.rights.custody import open_part
from intake.rights.persons import by_phone, show
from intake.rights.resealing import reseal
from normalizer.appeal import Secrets
from normalizer.vault import Part
from tests.intake.rights.conftest import KEY, PHONE, Desk

SECRETS = Secrets(
    originals={"text:手机1": PHONE, "text:门牌1": "702"}, matter=["text:门牌1"], contact={"mobile": PHONE}
)


async def as_before(desk: Desk, id_: str, payload: bytes) -> None:
    """Put it as version 6 of the schema had it."""
    for label in ("raw/hotline/2026-11", "vault/hotline/2026-11"):
        await desk.sealer.ready(label)
    raw = desk.sealer.seal("raw/hotline/2026-11", f"raw/{id_}/1".encode(), payload)
    vault = desk.sealer.seal("vault/hotline/2026-11", f"vault/{id_}/1".encode(), msgspec.json.encode(SECRETS))
    old = {"payload": raw, "key": "raw/hotline/2026-11", "context": {"about": "帖子标题"}}
    await desk.db.raw.update_one({"_id": id_}, {"$set": old, "$unset": {"destroyed": ""}})
    document = await desk.db.raw.find_one({"_id": id_})
    assert document is not None
    await desk.db.raw_revisions.insert_one(document | {"_id": f"{id_}-1", "of": id_})
    await desk.db.vault.replace_one(
        {"_id": id_}, {"_id": id_, "revision": 1, "sealed": vault, "key": "vault/hotline/2026-11"}
    )
    await desk.db.item_keys.delete_many({})


async def test_every_earlier_value_is_sealed_anew_and_reads_the_same(desk: Desk) -> None:
    (id_,) = await desk.take({"native_id": 1, "text": f"电话{PHONE}，楼上3栋2单元702漏水", "phone": PHONE})
    await as_before(desk, id_, b"as it came")
    assert await desk.custody.raw.payload(id_) == b"as it came"

    assert await reseal(desk.custody) == 3
    assert await reseal(desk.custody) == 0

    assert await desk.custody.raw.payload(id_) == b"as it came"
    (loaded,) = await desk.reading.store.raw.load({id_: False})
    assert dict(loaded.context) == {"about": "帖子标题"}
    contact, matter = [await open_part(desk.custody, id_, part) for part in (Part.CONTACT, Part.MATTER)]
    assert contact is not None
    assert matter is not None
    assert (contact.contact, contact.originals) == ({"mobile": PHONE}, {"text:手机1": PHONE})
    assert matter.originals == {"text:门牌1": "702"}
    for name in ("raw", "raw_revisions", "vault"):
        async for document in desk.db[name].find():
            assert "#" in document["key"]
            assert not {"context", "sealed"} & document.keys()


async def test_then_it_can_be_found_and_ended_alone(desk: Desk) -> None:
    (id_,) = await desk.take({"native_id": 1, "text": "路灯不亮", "phone": PHONE})
    await as_before(desk, id_, b"as it came")
    await reseal(desk.custody)
    wanted = by_phone(PHONE, KEY)
    assert wanted is not None
    assert len(await show(wanted, desk.custody, actor="a", reason="r")) == 1

    assert await desk.sealer.destroy_items([id_]) == 3

    assert await desk.custody.raw.payload(id_) == b""
    assert await open_part(desk.custody, id_, Part.CONTACT) is None
