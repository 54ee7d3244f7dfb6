"""A bundle (交换包): a folder with a file of lines, a manifest of every line, and a signature over that. Pure.

Bundles of one side are numbered from 1, and each names the digest of the manifest before it, so that a disc that is
lost, repeated or forged is seen. `taken` is the receipt (回执): the newest bundle of the other side that was read in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from normalizer.appeal import Instant, instant

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
LARGEST = 64 * 1024 * 1024  #: bytes of one file
_BEFORE_SIGNING = b"intake.exchange.v1\n"  #: a signature over something else is none over a manifest


class Way(StrEnum):
    """Which way a bundle goes; its value is how its folder is called."""

    OUT = "out"  #: to the department
    IN = "in"  #: from the department

    @property
    def file(self) -> str:
        """The file of lines."""
        return "messages.jsonl" if self is Way.OUT else "feedback.jsonl"


class BadBundle(Exception):
    """A bundle that is not taken; the message says what is wrong, where, and what to do next."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """回执: everything up to this bundle of the other side was read in."""

    number: int
    sha256: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file."""

    id: str
    sha256: str
    type: str = ""
    case: str = ""
    sequence: int | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """清单."""

    format: Literal["intake.exchange.v1"] = "intake.exchange.v1"
    way: Way
    department: str
    number: int
    previous: str | None  #: sha256 of the manifest before this one
    made_at: Instant
    count: int
    size: int  #: bytes of the file of lines
    sha256: str  #: of it
    items: list[Item]
    taken: Receipt | None = None


class Bundle(NamedTuple):
    """What a folder holds."""

    manifest: Manifest
    written: bytes  #: the manifest's very bytes
    signature: bytes
    content: bytes

    @property
    def name(self) -> str:
        """How its folder is called."""
        return name_of(self.manifest.department, self.manifest.way, self.manifest.number)

    @property
    def digest(self) -> str:
        """What the next one names as its predecessor, and a receipt as what was read."""
        return sha256(self.written)

    @property
    def lines(self) -> list[bytes]:
        """The messages or the feedback."""
        return self.content.removesuffix(b"\n").split(b"\n") if self.content else []


def name_of(department: str, way: Way, number: int) -> str:
    """Name a bundle's folder."""
    return f"{department}-{way.value}-{number:06}"


def sha256(content: bytes) -> str:
    """Digest something."""
    return hashlib.sha256(content).hexdigest()


def make(  # noqa: PLR0917 - what a manifest says
    department: str,
    number: int,
    previous: str | None,
    lines: Sequence[bytes],
    taken: Receipt | None,
    at: datetime,
    key: Ed25519PrivateKey,
) -> Bundle:
    """Make a bundle to a department."""
    content = b"".join(line + b"\n" for line in lines)
    manifest = Manifest(
        way=Way.OUT,
        department=department,
        number=number,
        previous=previous,
        made_at=instant(at),
        count=len(lines),
        size=len(content),
        sha256=sha256(content),
        items=[_item(line) for line in lines],
        taken=taken,
    )
    written = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    return Bundle(manifest, written, key.sign(_BEFORE_SIGNING + written), content)


class _Data(msgspec.Struct):
    case: str = ""
    sequence: int | None = None


class _Message(msgspec.Struct):
    id: str
    type: str = ""
    subject: str = ""
    data: _Data = msgspec.field(default_factory=_Data)


def _item(line: bytes) -> Item:
    read = msgspec.json.decode(line, type=_Message)
    return Item(
        id=read.id,
        type=read.type,
        case=read.data.case or read.subject,
        sequence=read.data.sequence,
        sha256=sha256(line),
    )


def write(bundle: Bundle, folder: Path) -> Path:
    """Write it, the signature last: a folder without one is none yet. The same bundle again changes nothing."""
    here = folder / bundle.name
    here.mkdir(parents=True, exist_ok=True)
    files = {
        bundle.manifest.way.file: bundle.content,
        MANIFEST: bundle.written,
        SIGNATURE: base64.b64encode(bundle.signature) + b"\n",
    }
    for name, content in files.items():
        path = here / name
        if path.exists() and path.read_bytes() != content:
            raise BadBundle(
                f"{path} 已有别的内容，换一个空目录再导出 · holds something else: export into an empty folder"
            )
        path.write_bytes(content)
    return here


def folders(folder: Path, way: Way, department: str) -> list[Path]:
    """Find a department's bundles in a folder, or the one that it is."""
    begins = f"{department}-{way.value}-"
    own = [folder] if folder.resolve().name.startswith(begins) else []
    return [path for path in (*own, *sorted(folder.glob(f"{begins}*"))) if path.is_dir()]


def read(folder: Path, way: Way, public_key: bytes, department: str) -> Bundle:
    """Read a bundle, and believe nothing in it before its signature fits."""
    written = _bytes(folder / MANIFEST)
    try:
        signature = base64.b64decode(_bytes(folder / SIGNATURE).strip(), validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _BEFORE_SIGNING + written)
    except (binascii.Error, ValueError, InvalidSignature) as error:
        raise BadBundle(
            f"{folder.name}：签名不对，不是 {department} 的密钥签的，或清单被改动过；请单位重新刻盘，什么也没读入 · "
            "the signature does not fit: nothing was taken, ask for the disc again"
        ) from error
    try:
        manifest = msgspec.json.decode(written, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadBundle(f"{folder.name}：清单看不懂 · the manifest is not understood: {error}") from error
    if (manifest.way, manifest.department) != (way, department):
        raise BadBundle(
            f"{folder.name}：这是 {manifest.department} 的 {manifest.way.value} 包，不是 {department} 的 {way.value} 包"
            " · is a bundle of another department or the other way"
        )
    bundle = Bundle(manifest, written, signature, _bytes(folder / way.file))
    for problem in differences(bundle):
        raise BadBundle(
            f"{folder.name}：{problem}；请单位重新刻盘，什么也没读入 · nothing was taken, ask for the disc again"
        )
    return bundle


def differences(bundle: Bundle) -> Iterator[str]:
    """Say where the file of lines is not what the manifest says."""
    manifest, lines = bundle.manifest, bundle.lines
    if not len(lines) == manifest.count == len(manifest.items):
        yield f"{manifest.way.file} 有 {len(lines)} 行，清单说 {manifest.count} · lines and manifest differ in number"
        return
    for number, (line, item) in enumerate(zip(lines, manifest.items, strict=True), start=1):
        if sha256(line) != item.sha256:
            yield f"{manifest.way.file} 第 {number} 行（{item.id}）与清单不符 · line {number} is not what was signed"
    if (len(bundle.content), sha256(bundle.content)) != (manifest.size, manifest.sha256):
        yield f"{manifest.way.file} 与清单不符 · the file is not what was signed"


def _bytes(path: Path) -> bytes:
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST:
            raise BadBundle(f"{path.name} 是链接或超过 64 MB，不读 · is a link or too large")
        return path.read_bytes()
    except OSError as error:
        raise BadBundle(
            f"{path.parent.name} 缺 {path.name}：盘没刻完？· {path.name} is missing: {error.strerror}"
        ) from error
