"""Sealing at rest: what a citizen wrote is stored so that a copy of the database alone reads nothing.

Three levels. A master key (a file under `.intake/keys`, or a key server that speaks KMIP) wraps the vault key in
`key_vault` by the driver's client-side encryption; the vault key wraps one data key a label in `data_keys`; a data key
seals values with AES-256-GCM. The driver's own encryption of each value would cost fifty times as much.

A label says whose and which month's a value is (`raw/demo-hotline/2026-11`). Destroying its data key ends its values at
once, and in every backup that does not hold `data_keys`: back that collection up apart, and not for longer. What is of
a citizen is sealed with a key of its own item, made from the label's (item_keys.py): so one person can be erased.
"""

import os
import time
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from bson.binary import Binary
from bson.codec_options import CodecOptions
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from motor.motor_asyncio import AsyncIOMotorClientEncryption, AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError, EncryptionError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from intake.item_keys import Cipher, ItemKeys, Salts
from intake.keys import Keys, KeysError

VERSION: Final = b"\x01"
NONCE_BYTES: Final = 12
DATA_KEY_BYTES: Final = 32
#: The driver's algorithm for what nobody searches by.
WRAPPING: Final = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
#: The alternative name of the vault key; a unique index keeps it single.
VAULT_KEY: Final = "intake"
#: How long a key may be used for opening after another process destroyed it.
TRUST_SECONDS: Final = 300.0
#: Seconds within which a majority of the replica set has what one of it was told.
AGREED_WITHIN: Final = 10.0
#: Pages of item keys that are kept: those in hand, and what is opened as it was sealed, page by page.
AT_HAND: Final = 16


class SealError(Exception):
    """A value cannot be opened."""


class KeyDestroyed(SealError):
    """Its data key is gone, and so the value, for good: treat it as deleted."""


class SealBroken(SealError):
    """It is not what was sealed under this label for this place: altered, or moved from another document."""


class Kmip(msgspec.Struct, frozen=True):
    """A key server that wraps the vault key instead of the key file."""

    endpoint: str
    key_id: str | None = None
    certificate: str | None = None
    authority: str | None = None


class _Loaded(msgspec.Struct, frozen=True):
    cipher: AESGCM
    key: bytes
    at: float


class Sealer:
    """Seals and opens values, with the data keys of one database."""

    def __init__(
        self,
        database: AsyncIOMotorDatabase[dict[str, Any]],
        keys: Keys,
        kmip: Kmip | None = None,
        *,
        cipher: Cipher = Cipher.AES,
    ) -> None:
        self._database = database
        self._keys = keys
        self._kmip = kmip
        self._item_cipher = cipher
        self._salts = Salts(database)
        self._at_hand: dict[str, ItemKeys] = {}
        self._data_keys = database.get_collection(
            "data_keys", write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")
        )
        self._vault = database.get_collection("key_vault")
        self._loaded: dict[str, _Loaded] = {}
        self._driver: Any = None

    async def ready(self, label: str) -> None:
        """Make or load the data key of this label, so that `seal` needs no waiting."""
        if label not in self._loaded:
            wrapped = await self._wrapped(label) or await self._make(label)
            self._loaded[label] = await self._unwrap(label, wrapped)

    def seal(self, label: str, bind: bytes, plain: bytes) -> bytes:
        """Seal a value to its place (`bind`, such as `raw/<id>/<revision>`); its label must be ready."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._loaded[label].cipher.encrypt(nonce, plain, bind)

    async def open(self, label: str, bind: bytes, sealed: bytes) -> bytes:
        """Open a value that was sealed under this label for this place."""
        cipher = (await self._loaded_anew(label)).cipher
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if not sealed.startswith(VERSION) or len(nonce) < NONCE_BYTES:
            raise SealBroken(f"A value under {label} has no known seal; was it written by a newer version?")
        try:
            return cipher.decrypt(nonce, body, bind)
        except (InvalidTag, ValueError) as invalid:
            raise SealBroken(f"A value under {label} was altered, or moved from another document") from invalid

    async def keys_of(self, label: str, ids: Collection[str], beside: str | None = None) -> ItemKeys:
        """Make a key for each of these items under this label.

        `beside` names the keys of another value of the same items: then these are they, and end together. An item
        whose key was destroyed meanwhile has none here either, and nothing more of it is to be sealed.
        """
        if beside is not None and "#" in beside:
            return await self._item_keys(beside)
        await self.ready(label)
        page, salts = await self._salts.make(label.split("/")[1], ids)
        return self._keep(ItemKeys(f"{label}#{page}", self._loaded[label].key, salts, self._item_cipher))

    async def _item_keys(self, name: str) -> ItemKeys:
        """Give the keys of this name; those that were used last are at hand."""
        label, _, page = name.partition("#")
        loaded = await self._loaded_anew(label)
        found = self._at_hand.get(name)
        return found or self._keep(ItemKeys(name, loaded.key, await self._salts.of(page), self._item_cipher))

    def _keep(self, keys: ItemKeys) -> ItemKeys:
        self._at_hand[keys.name] = keys
        while len(self._at_hand) > AT_HAND:
            self._at_hand.pop(next(iter(self._at_hand)))
        return keys

    async def open_item(self, name: str, id_: str, bind: bytes, sealed: bytes) -> bytes | None:
        """Open a value of an item, sealed with the keys of this name; None: its key was destroyed, and so is it."""
        try:
            if "#" not in name:  # by version 6 of the schema or older: under the label's own key
                return await self.open(name, bind, sealed)
            keys = await self._item_keys(name)
        except KeyDestroyed:
            return None
        try:
            return keys.open(id_, bind, sealed)
        except InvalidTag as invalid:
            raise SealBroken(f"A value under {name} was altered, or moved from another document") from invalid

    async def destroy_items(self, ids: Iterable[str], keep: Iterable[str] = ()) -> int:
        """Destroy the keys of these items, and with them all their values, in every backup that holds no keys.

        Keys of the names in `keep` stay.
        """
        self._at_hand.clear()
        return await self._salts.destroy(ids, [name.partition("#")[2] for name in keep])

    async def destroy(self, label: str) -> None:
        """Destroy the data key of this label.

        Its name and the moment stay: as proof, and so that it is not made again.
        """
        gone = {"$unset": {"wrapped": ""}, "$set": {"destroyed_at": datetime.now(UTC)}}
        await self._data_keys.update_one({"_id": label}, gone, upsert=True)
        self._loaded.pop(label, None)
        self._at_hand.clear()

    async def rotate(self) -> int:
        """Wrap the vault key with the newest master key; return how many keys were wrapped anew.

        Values and data keys stay as they are, and so does what other processes have in memory.
        """
        provider, master_key = self._wrapping()
        driver = await self._encryption()
        result = await driver.rewrap_many_data_key({}, provider=provider, master_key=master_key)
        return 0 if result.bulk_write_result is None else int(result.bulk_write_result.modified_count)

    async def close(self) -> None:
        """Let go of the driver's part; the client stays open."""
        driver, self._driver = self._driver, None
        self._loaded.clear()
        self._at_hand.clear()
        if driver is not None:
            await driver.close()

    async def _loaded_anew(self, label: str) -> _Loaded:
        loaded = self._loaded.get(label)
        if loaded is None or time.monotonic() - loaded.at > TRUST_SECONDS:
            self._loaded.pop(label, None)
            self._at_hand.clear()
            wrapped = await self._wrapped(label)
            if wrapped is None:
                raise KeyDestroyed(f"There is no data key {label} in this database")
            loaded = self._loaded[label] = await self._unwrap(label, wrapped)
        return loaded

    async def _wrapped(self, label: str) -> bytes | None:
        found = await self._data_keys.find_one({"_id": label})
        if found is None:
            return None
        if "destroyed_at" in found:
            raise KeyDestroyed(f"The data key {label} was destroyed at {found['destroyed_at']:%Y-%m-%d %H:%M}")
        return bytes(found["wrapped"])

    async def _make(self, label: str) -> bytes:
        """The first of two that make the same key wins; the other takes what it finds."""
        driver = await self._encryption()
        # The label is sealed with its key, so that a wrapped key cannot be passed off as another label's.
        content = {"label": label, "key": Binary(AESGCM.generate_key(bit_length=DATA_KEY_BYTES * 8))}
        wrapped = await driver.encrypt(content, WRAPPING, key_alt_name=VAULT_KEY)
        try:
            await self._data_keys.insert_one({"_id": label, "wrapped": wrapped, "made_at": datetime.now(UTC)})
        except DuplicateKeyError:
            return await self._wrapped(label) or wrapped
        return bytes(wrapped)

    async def _unwrap(self, label: str, wrapped: bytes) -> _Loaded:
        driver = await self._encryption()
        try:
            content = await driver.decrypt(Binary(wrapped, 6))
        except EncryptionError as error:
            raise KeysError(self._wrong_keys()) from error
        if content["label"] != label:
            raise SealBroken(f"The data key stored as {label} was made for another label")
        return _Loaded(AESGCM(bytes(content["key"])), bytes(content["key"]), time.monotonic())

    async def _encryption(self) -> Any:  # noqa: ANN401 - motor gives its wrapper no type
        if self._driver is None:
            tls = {"kmip": _tls(self._kmip)} if self._kmip else None
            namespace = f"{self._database.name}.key_vault"
            driver: Any = AsyncIOMotorClientEncryption(
                self._providers(), namespace, self._database.client, CodecOptions(), kms_tls_options=tls
            )
            await self._make_vault_key(driver)
            self._driver = driver
        return self._driver

    async def _make_vault_key(self, driver: Any) -> None:  # noqa: ANN401 - as above
        names = {"keyAltNames": {"$exists": True}}
        await self._vault.create_index("keyAltNames", unique=True, partialFilterExpression=names)
        if await self._has_vault_key():
            return
        provider, master_key = self._wrapping()
        try:
            await driver.create_data_key(provider, master_key=master_key, key_alt_names=[VAULT_KEY])
        except EncryptionError as error:
            if not isinstance(error.cause, DuplicateKeyError):
                raise
            # Another worker's, made this moment: the driver finds it only once a majority has it.
            await AsyncRetrying(
                retry=retry_if_result(lambda found: not found),
                stop=stop_after_delay(AGREED_WITHIN),
                wait=wait_fixed(0.01),
            )(self._has_vault_key)

    async def _has_vault_key(self) -> bool:
        """Look as the driver does."""
        agreed = self._vault.with_options(read_concern=ReadConcern("majority"))
        return await agreed.find_one({"keyAltNames": VAULT_KEY}, {"_id": True}) is not None

    def _providers(self) -> dict[str, Mapping[str, Any]]:
        local = {f"local:v{number}": {"key": key} for number, key in self._keys.masters.items()}
        return {**local, **({"kmip": {"endpoint": self._kmip.endpoint}} if self._kmip else {})}

    def _wrapping(self) -> tuple[str, dict[str, str] | None]:
        if self._kmip is None:
            return f"local:v{self._keys.master}", None
        return "kmip", {"keyId": self._kmip.key_id} if self._kmip.key_id else {}

    def _wrong_keys(self) -> str:
        return (
            f"数据库 {self._database.name} 的数据密钥不能用现有主密钥打开，请恢复其密钥文件 / "
            f"the master keys at hand do not open the data keys of database {self._database.name}: "
            "restore the key files that belong to it."
        )


def _tls(kmip: Kmip) -> dict[str, str]:
    named = {"tlsCertificateKeyFile": kmip.certificate, "tlsCAFile": kmip.authority}
    return {name: path for name, path in named.items() if path is not None}
