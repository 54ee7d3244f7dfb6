"""What is sealed can be read under its label, at its place, as long as its key lives."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase

from intake.keys import KeysError, add_master, load_keys, make_keys
from intake.sealing import KeyDestroyed, SealBroken, Sealer
from intake.servers import Servers

Database = AsyncIOMotorDatabase[dict[str, Any]]

LABEL = "raw/demo-hotline/2026-11"
BIND = b"raw/abc/1"
PLAIN = "楼道灯坏了".encode()


async def test_what_is_sealed_comes_back(seal: Sealer) -> None:
    await seal.ready(LABEL)

    sealed = seal.seal(LABEL, BIND, PLAIN)

    assert PLAIN not in sealed
    assert len(sealed) == 1 + 12 + len(PLAIN) + 16
    assert await seal.open(LABEL, BIND, sealed) == PLAIN


async def test_the_same_text_never_looks_the_same_twice(seal: Sealer) -> None:
    await seal.ready(LABEL)

    assert seal.seal(LABEL, BIND, PLAIN) != seal.seal(LABEL, BIND, PLAIN)


async def test_a_value_moved_to_another_document_is_refused(seal: Sealer) -> None:
    await seal.ready(LABEL)
    sealed = seal.seal(LABEL, BIND, PLAIN)

    with pytest.raises(SealBroken):
        await seal.open(LABEL, b"raw/other/1", sealed)


@pytest.mark.parametrize("damage", [lambda each: each[:-1], lambda each: each[:9], lambda each: b"\x02" + each[1:]])
async def test_a_damaged_value_is_refused(seal: Sealer, damage: Any) -> None:
    await seal.ready(LABEL)

    with pytest.raises(SealBroken):
        await seal.open(LABEL, BIND, damage(seal.seal(LABEL, BIND, PLAIN)))


async def test_another_label_does_not_open_it(seal: Sealer) -> None:
    await seal.ready(LABEL)
    await seal.ready("vault/demo-hotline/2026-11")

    with pytest.raises(SealBroken):
        await seal.open("vault/demo-hotline/2026-11", BIND, seal.seal(LABEL, BIND, PLAIN))


async def test_another_process_opens_it_with_the_same_key_files(seal: Sealer, mongo: Database, tmp_path: Path) -> None:
    await seal.ready(LABEL)

    other = Sealer(mongo, load_keys(tmp_path / "keys"))

    assert await other.open(LABEL, BIND, seal.seal(LABEL, BIND, PLAIN)) == PLAIN


async def test_other_key_files_open_nothing_and_say_so(seal: Sealer, mongo: Database, tmp_path: Path) -> None:
    await seal.ready(LABEL)
    stranger = Sealer(mongo, make_keys(tmp_path / "other"))

    with pytest.raises(KeysError, match="restore the key files"):
        await stranger.open(LABEL, BIND, seal.seal(LABEL, BIND, PLAIN))


async def test_a_destroyed_key_opens_nothing_and_is_not_made_again(
    seal: Sealer, mongo: Database, tmp_path: Path
) -> None:
    await seal.ready(LABEL)
    sealed = seal.seal(LABEL, BIND, PLAIN)

    await seal.destroy(LABEL)

    other = Sealer(mongo, load_keys(tmp_path / "keys"))
    for each in (seal, other):
        with pytest.raises(KeyDestroyed):
            await each.open(LABEL, BIND, sealed)
        with pytest.raises(KeyDestroyed):
            await each.ready(LABEL)


async def test_a_key_that_was_never_made_counts_as_gone(seal: Sealer) -> None:
    with pytest.raises(KeyDestroyed):
        await seal.open("raw/nowhere/2026-01", BIND, b"\x01" + bytes(40))


async def test_a_wrapped_key_cannot_be_passed_off_as_another_labels(
    seal: Sealer, mongo: Database, tmp_path: Path
) -> None:
    await seal.ready(LABEL)
    mine = await mongo.data_keys.find_one({"_id": LABEL})
    assert mine is not None
    await mongo.data_keys.insert_one(mine | {"_id": "raw/other/2026-11"})

    with pytest.raises(SealBroken):
        await Sealer(mongo, load_keys(tmp_path / "keys")).ready("raw/other/2026-11")


async def test_the_database_holds_no_key_in_the_clear(seal: Sealer, mongo: Database) -> None:
    await seal.ready(LABEL)

    kept = await mongo.data_keys.find_one({"_id": LABEL})

    assert kept is not None
    assert kept["wrapped"].subtype == 6


async def test_a_new_master_key_takes_over_and_the_old_one_may_go(
    seal: Sealer, mongo: Database, tmp_path: Path
) -> None:
    await seal.ready(LABEL)
    sealed = seal.seal(LABEL, BIND, PLAIN)
    keys = add_master(tmp_path / "keys")

    assert await Sealer(mongo, keys).rotate() == 1
    (tmp_path / "keys" / "master-1.key").unlink()

    after = Sealer(mongo, load_keys(tmp_path / "keys"))
    assert await after.open(LABEL, BIND, sealed) == PLAIN


RACER = """
import asyncio, sys
from pathlib import Path
from motor.motor_asyncio import AsyncIOMotorClient
from intake.keys import load_keys
from intake.sealing import Sealer

async def race(url, name, folder, label):
    seal = Sealer(AsyncIOMotorClient(url)[name], load_keys(Path(folder)))
    print("at the line", flush=True)
    sys.stdin.readline()
    await seal.ready(label)
    print(seal.seal(label, b"bind", b"from a racer").hex())

asyncio.run(race(*sys.argv[1:]))
"""


async def test_two_processes_that_make_the_same_key_at_once_share_one(
    mongo: Database, mongo_server: Servers, seal: Sealer, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", RACER, mongo_server.mongo_url, mongo.name, str(tmp_path / "keys"), LABEL]
    pipe = asyncio.subprocess.PIPE
    racers = [await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"at the line\n"

    outputs = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))

    for output, _ in outputs:
        assert await seal.open(LABEL, b"bind", bytes.fromhex(output.decode().strip())) == b"from a racer"
    assert await mongo.key_vault.count_documents({}) == 1
