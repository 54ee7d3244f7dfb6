"""The key files: a folder that only its owner may read, one file a key, numbered.

- `master-<n>.key`, 96 bytes: the driver's local key-management provider wraps data keys with it. The highest number
  wraps; older ones are kept until every data key is wrapped anew (see `sealing.Sealer.rotate`).
- `ref-<n>.key`, 32 bytes: makes a citizen's one-way reference. It is not rotated with the others: a new one would make
  the same person a stranger.

Without these files nothing that was sealed can be read again, by anyone. Back them up apart from the database.
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec

from router.cases.stamps import Stamper

MASTER_BYTES = 96  # what MongoDB's local provider asks for
REF_BYTES = 32


class KeysError(Exception):
    """The key files cannot be used; the message names the file and what to do."""


class Keys(msgspec.Struct, frozen=True):
    """Every key of a folder by its number; its print shows numbers alone."""

    masters: Mapping[int, bytes]
    refs: Mapping[int, bytes]

    @property
    def master(self) -> int:
        """The number of the master key that wraps from now on."""
        return max(self.masters)

    @property
    def ref_key(self) -> bytes:
        return self.refs[self.ref_version]

    @property
    def ref_version(self) -> int:
        return max(self.refs)

    @property
    def visit_key(self) -> bytes:
        """What seals the links of call-backs."""
        return blake2b(b"visits", digest_size=32, key=self.ref_key).digest()

    @property
    def stamper(self) -> Stamper:
        """What stamps the ledgers: its keys follow from those of references, which each machine has for good."""
        return stamper_of(self.refs)

    def __repr__(self) -> str:
        return f"Keys(masters={sorted(self.masters)}, refs={sorted(self.refs)})"


def stamper_of(refs: Mapping[int, bytes]) -> Stamper:
    """Derive the keys of the ledgers' stamps."""
    return Stamper({number: blake2b(b"ledger", digest_size=32, key=key).digest() for number, key in refs.items()})


def make_keys(folder: Path) -> Keys:
    """Make the keys that are missing and read them all; a second call, or one at the same time, changes nothing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for kind, size in (("master", MASTER_BYTES), ("ref", REF_BYTES)):
        if not _numbered(folder, kind):
            _make(folder, kind, 1, size)
    return load_keys(folder)


def ref_key(folder: Path) -> tuple[bytes, Path | None]:
    """Read the key of references alone; where there is none, make it, and say which file was made.

    No master key is made: a folder whose keys were lost must not look as if it had them.
    """
    made = None
    if not _numbered(folder, "ref"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(folder, "ref", 1, REF_BYTES)
        made = folder / "ref-1.key"
    refs = _numbered(folder, "ref")
    return _read(refs[max(refs)], REF_BYTES), made


def load_keys(folder: Path) -> Keys:
    """Read the keys of a folder that has them."""
    masters = {number: _read(path, MASTER_BYTES) for number, path in _numbered(folder, "master").items()}
    refs = {number: _read(path, REF_BYTES) for number, path in _numbered(folder, "ref").items()}
    if not masters or not refs:
        raise KeysError(
            f"{folder} 中没有密钥，请从备份恢复；只有全新安装才运行 make setup / "
            f"no keys in {folder}: restore them from their backup; only a new installation runs `make setup`."
        )
    return Keys(masters, refs)


def add_master(folder: Path) -> Keys:
    """Make the next master key; `Sealer.rotate` then wraps the data keys with it."""
    _make(folder, "master", load_keys(folder).master + 1, MASTER_BYTES)
    return load_keys(folder)


def _numbered(folder: Path, kind: str) -> dict[int, Path]:
    found = folder.glob(f"{kind}-*.key")
    return {int(number): path for path in found if (number := path.stem.rpartition("-")[2]).isdecimal()}


def _make(folder: Path, kind: str, number: int, size: int) -> None:
    """Written aside and then linked: two that make the same key at once end with one, and never with half of one."""
    aside = folder / f".{kind}-{secrets.token_hex(8)}"
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(size))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        (folder / f"{kind}-{number}.key").hardlink_to(aside)
    aside.unlink()


def _read(path: Path, size: int) -> bytes:
    if path.stat().st_mode & 0o077:
        raise KeysError(f"{path} 可被他人读取，请运行 chmod 600 / others may read {path}: run `chmod 600` on it.")
    key = path.read_bytes()
    if len(key) != size:
        raise KeysError(
            f"{path} 长度为 {len(key)} 字节，应为 {size}，请从备份恢复 / "
            f"{path} holds {len(key)} bytes instead of {size}: restore it from its backup."
        )
    return key
