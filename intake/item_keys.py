"""A key for every item: erasing one item, or one person, ends its values in the backups too.

An item's key is derived from the data key of its label and from 16 random bytes of its own. These stand in `item_keys`,
one document a page, so that five hundred items cost one insert. Taking an item's bytes out of it ends everything that
was ever sealed with them; back `item_keys` up with `data_keys`: apart from the values, and not for longer.

The name of a page's keys, `<label>#<page of keys>`, is stored beside what is sealed with them. An item's raw text and
its contact are sealed with the same: one removal ends all.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from bson import ObjectId
from bson.errors import InvalidId
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import DeleteMany, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
#: Pages of keys that are searched at a time for what is to be destroyed.
SEARCHED: Final = 200


class Cipher(StrEnum):
    """What items are sealed with; every sealed value says by its first byte which it was."""

    AES = "aes-256-gcm"
    SM4 = "sm4-gcm"  #: 国密: SM4 in the same mode, for those who must; six times as slow


_BYTES: Mapping[Cipher, bytes] = {Cipher.AES: b"\x02", Cipher.SM4: b"\x03"}
_SM4_KEY: Final = 16


def _counted() -> Callable[[], bytes]:
    """Give nonces that never repeat: drawn once for all of a page, then counted."""
    count = itertools.count(int.from_bytes(os.urandom(NONCE_BYTES)))
    return lambda: (next(count) & _ALL).to_bytes(NONCE_BYTES)


_ALL: Final = (1 << 8 * NONCE_BYTES) - 1


class ItemKeys(msgspec.Struct, frozen=True):
    """The keys of one page's items under one label."""

    name: str  #: what is stored beside a value
    key: bytes  #: of the label
    salts: Mapping[str, bytes]
    cipher: Cipher
    #: Making one costs as much as using it: what seals an item's raw text seals its contact, too.
    _made: dict[str, AESGCM] = {}
    _nonces: Callable[[], bytes] = msgspec.field(default_factory=_counted)

    def __repr__(self) -> str:
        """Show no key."""
        return f"ItemKeys({self.name})"

    def __contains__(self, id_: object) -> bool:
        """Say whether this item has a key here: one that was destroyed is not."""
        return id_ in self.salts

    def seal(self, id_: str, bind: bytes, plain: bytes) -> bytes:
        """Seal a value of this item to its place (`bind`)."""
        nonce = self._nonces()
        if self.cipher is Cipher.AES:
            return b"\x02" + nonce + self._aes(id_).encrypt(nonce, plain, bind)
        return b"\x03" + nonce + _sm4_encrypt(_derive(self.key, self.salts[id_]), nonce, plain, bind)

    def open(self, id_: str, bind: bytes, sealed: bytes) -> bytes | None:
        """Open it; None where the item's key is destroyed. Raises InvalidTag where it is not what was sealed."""
        salt = self.salts.get(id_)
        if salt is None:
            return None
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if len(body) < TAG_BYTES:
            raise InvalidTag
        if sealed.startswith(_BYTES[Cipher.AES]):
            return self._aes(id_).decrypt(nonce, body, bind)
        if sealed.startswith(_BYTES[Cipher.SM4]):
            return _sm4_decrypt(_derive(self.key, salt), nonce, body, bind)
        raise InvalidTag

    def _aes(self, id_: str) -> AESGCM:
        made = self._made.get(id_)
        if made is None:
            made = self._made[id_] = AESGCM(_derive(self.key, self.salts[id_]))
        return made


def _derive(key: bytes, salt: bytes) -> bytes:
    return hashlib.blake2b(salt, key=key, digest_size=32, person=b"item").digest()


def _sm4_encrypt(key: bytes, nonce: bytes, plain: bytes, bind: bytes) -> bytes:
    writer = BlockCipher(algorithms.SM4(key[:_SM4_KEY]), modes.GCM(nonce)).encryptor()
    writer.authenticate_additional_data(bind)
    return writer.update(plain) + writer.finalize() + writer.tag


def _sm4_decrypt(key: bytes, nonce: bytes, body: bytes, bind: bytes) -> bytes:
    mode = modes.GCM(nonce, body[-TAG_BYTES:])
    reader = BlockCipher(algorithms.SM4(key[:_SM4_KEY]), mode).decryptor()
    reader.authenticate_additional_data(bind)
    return reader.update(body[:-TAG_BYTES]) + reader.finalize()


class Salts:
    """The collection `item_keys`."""

    def __init__(self, database: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
        self._pages = database.get_collection(
            "item_keys", write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")
        )

    async def make(self, source: str, ids: Collection[str]) -> tuple[str, Mapping[str, bytes]]:
        """Make random bytes for each of these items, stored before anything is sealed with them."""
        drawn = os.urandom(SALT_BYTES * len(ids))
        salts = {
            id_: drawn[at : at + SALT_BYTES] for id_, at in zip(ids, range(0, len(drawn), SALT_BYTES), strict=True)
        }
        page = ObjectId()
        await self._pages.insert_one({"_id": page, "source": source, "salts": salts})
        return str(page), salts

    async def of(self, page: str) -> Mapping[str, bytes]:
        """Give the page's bytes; those of destroyed items are not among them."""
        found = await self._pages.find_one({"_id": _object_id(page)}, {"salts": 1})
        return {} if found is None else found["salts"]

    async def destroy(self, ids: Iterable[str], keep: Collection[str] = ()) -> int:
        """Destroy the keys of these items, wherever they stand; give how many there were. `keep` names pages of keys.

        An item has one for each page that ever brought it, also for what a later page wrote over: backups still hold
        that. So every page of keys is looked through, once for all ids.
        """
        wanted = frozenset(ids)
        destroyed = 0
        writes: list[UpdateOne] = []
        async for page in self._pages.find({}, {"salts": 1}, batch_size=SEARCHED):
            mine = wanted & page["salts"].keys()
            if mine and str(page["_id"]) not in keep:
                destroyed += len(mine)
                writes.append(UpdateOne({"_id": page["_id"]}, {"$unset": {f"salts.{id_}": "" for id_ in mine}}))
        if writes:
            await self._pages.bulk_write(writes, ordered=False)
            await self._pages.bulk_write([DeleteMany({"salts": {}})])
        return destroyed


def _object_id(page: str) -> ObjectId | None:
    try:
        return ObjectId(page)
    except InvalidId:
        return None
