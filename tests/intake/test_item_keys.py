"""Every item has a key of its own: destroying it ends all that was sealed with it, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from intake.item_keys import Cipher
from intake.keys import load_keys
from intake.sealing import SealBroken, Sealer

Database = AsyncIOMotorDatabase[dict[str, Any]]
RAW, VAULT = "raw/board/2026-11", "vault/board/2026-11"
PLAIN = "楼道灯坏了".encode()


async def test_each_item_of_a_page_is_sealed_with_a_key_of_its_own(seal: Sealer, mongo: Database) -> None:
    keys = await seal.keys_of(RAW, ["a", "b"])
    sealed = keys.seal("a", b"raw/a/1", PLAIN)

    assert PLAIN not in sealed
    assert await seal.open_item(keys.name, "a", b"raw/a/1", sealed) == PLAIN
    with pytest.raises(SealBroken):
        await seal.open_item(keys.name, "b", b"raw/a/1", sealed)
    with pytest.raises(SealBroken):
        await seal.open_item(keys.name, "a", b"raw/b/1", sealed)
    assert await mongo.item_keys.count_documents({}) == 1


@pytest.mark.parametrize("damage", [lambda each: each[:-1], lambda each: each[:9], lambda each: b"\x09" + each[1:]])
async def test_a_damaged_value_is_refused(seal: Sealer, damage: Any) -> None:
    keys = await seal.keys_of(RAW, ["a"])

    with pytest.raises(SealBroken):
        await seal.open_item(keys.name, "a", b"x", damage(keys.seal("a", b"x", PLAIN)))


async def test_destroying_one_item_ends_all_of_it_and_nothing_else(seal: Sealer) -> None:
    first = await seal.keys_of(RAW, ["a", "b"])
    vault = await seal.keys_of(VAULT, ["a"], first.name)
    later = await seal.keys_of(RAW, ["a"])  # the same item, brought again by a later page
    values = [(keys, keys.seal("a", b"x", PLAIN)) for keys in (first, vault, later)]
    other = first.seal("b", b"x", PLAIN)

    assert await seal.destroy_items(["a"]) == 2

    assert [await seal.open_item(keys.name, "a", b"x", value) for keys, value in values] == [None] * 3
    assert await seal.open_item(first.name, "b", b"x", other) == PLAIN
    assert await seal.destroy_items(["a"]) == 0


async def test_a_copy_of_the_values_from_before_cannot_be_opened_either(
    seal: Sealer, mongo: Database, tmp_path: Path
) -> None:
    """As a backup is: the values are the same, all other keys are there, the item's own are not."""
    keys = await seal.keys_of(RAW, ["a"])
    backup = keys.seal("a", b"x", PLAIN)

    await seal.destroy_items(["a"])

    assert await mongo.data_keys.count_documents({}) == 1
    other = Sealer(mongo, load_keys(tmp_path / "keys"))
    assert await other.open_item(keys.name, "a", b"x", backup) is None
    assert await mongo.item_keys.count_documents({}) == 0


async def test_keys_beside_destroyed_ones_hold_nothing_of_that_item(seal: Sealer) -> None:
    first = await seal.keys_of(RAW, ["a", "b"])
    await seal.destroy_items(["a"])

    beside = await seal.keys_of(VAULT, ["a", "b"], first.name)

    assert "a" not in beside
    assert "b" in beside


async def test_the_months_key_ends_all_of_its_values(seal: Sealer) -> None:
    raw = await seal.keys_of(RAW, ["a"])
    other = await seal.keys_of("raw/board/2026-12", ["a"])
    values = [(keys, keys.seal("a", b"x", PLAIN)) for keys in (raw, other)]

    await seal.destroy(RAW)

    assert [await seal.open_item(keys.name, "a", b"x", value) for keys, value in values] == [None, PLAIN]


async def test_what_stands_beside_has_the_same_keys_and_no_nonce_twice(seal: Sealer) -> None:
    """Also in another process, which takes a page over: the same key may then seal a second time."""
    first = await seal.keys_of(RAW, ["a"])
    beside = await seal.keys_of(VAULT, ["a"], first.name)
    seal._at_hand.clear()
    elsewhere = await seal.keys_of(VAULT, ["a"], first.name)

    assert first.name == beside.name == elsewhere.name
    sealed = [keys.seal("a", b"x", PLAIN) for keys in (first, beside, elsewhere) for _ in range(100)]
    assert len({value[1:13] for value in sealed}) == len(sealed)
    assert {await seal.open_item(first.name, "a", b"x", value) for value in sealed} == {PLAIN}


async def test_sm4_seals_as_well_and_either_opens_what_the_other_sealed(
    seal: Sealer, mongo: Database, tmp_path: Path
) -> None:
    own = Sealer(mongo, load_keys(tmp_path / "keys"), cipher=Cipher.SM4)
    keys = await own.keys_of(RAW, ["a"])
    sealed = keys.seal("a", b"x", PLAIN)

    assert sealed[:1] == b"\x03"
    assert await seal.open_item(keys.name, "a", b"x", sealed) == PLAIN
    aes = await seal.keys_of(RAW, ["a"])
    assert await own.open_item(aes.name, "a", b"x", aes.seal("a", b"x", PLAIN)) == PLAIN
    with pytest.raises(SealBroken):
        await seal.open_item(keys.name, "a", b"y", sealed)


async def test_what_an_earlier_version_sealed_under_the_months_key_is_still_opened(seal: Sealer) -> None:
    await seal.ready(RAW)
    sealed = seal.seal(RAW, b"raw/a/1", PLAIN)

    assert await seal.open_item(RAW, "a", b"raw/a/1", sealed) == PLAIN
    await seal.destroy(RAW)
    assert await seal.open_item(RAW, "a", b"raw/a/1", sealed) is None


async def test_its_print_shows_no_key(seal: Sealer) -> None:
    keys = await seal.keys_of(RAW, ["a"])

    assert repr(keys) == f"ItemKeys({keys.name})"
