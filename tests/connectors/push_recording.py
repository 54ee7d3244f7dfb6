"""Plays recorded pushes: the contract suite's stand-in for those who call us."""

from __future__ import annotations

import hashlib
import hmac
import struct
import tomllib
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from connectors.receiving.contract import File, Pushed, Received, Receiver
from connectors.registry import REGISTRY
from connectors.source import Source

FOLDER = Path(__file__).parent / "recordings"
AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


PIXEL = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + _chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
PNG = b"\x89PNG\r\n\x1a\n" + PIXEL + _chunk(b"tEXt", b"Comment\0taken at home") + _chunk(b"IEND", b"")


def signed(body: bytes, told: Mapping[str, Any], at: datetime, nonce: str = "n") -> dict[str, str]:
    """The headers of a caller that signs as we say by default."""
    moment, secret = str(int(at.timestamp())), told["environment"][told["source"]["secret_env"]].split()[-1]
    text = "\n".join([told["source"]["app_key"], moment, nonce, ""]).encode() + body
    made = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return {"x-app-key": told["source"]["app_key"], "x-timestamp": moment, "x-nonce": nonce, "x-sign": made}


class PushRecording:
    """One source's callers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = tomllib.loads((folder / "push.toml").read_text(encoding="utf-8"))
        self.kind = REGISTRY[self.told["source"]["kind"]]
        self.settings: Source = msgspec.convert(self.told["source"], self.kind.settings)

    def receiver(self) -> Receiver:
        assert self.kind.receive is not None
        return self.kind.receive(self.settings, self.told["environment"])

    def pushes(self) -> list[Pushed]:
        return [self._pushed(each, number) for number, each in enumerate(self.told["push"])]

    def with_body(self, pushed: Pushed, body: bytes) -> Pushed:
        """The same push with another body, properly signed where its caller signs."""
        pushed = msgspec.structs.replace(pushed, body=body)
        if "secret_env" not in self.told["source"]:
            return pushed
        return msgspec.structs.replace(pushed, headers=signed(body, self.told, pushed.at))

    def received(self) -> list[Received]:
        return [self.receiver().receive(pushed) for pushed in self.pushes()]

    def _pushed(self, told: dict[str, Any], number: int) -> Pushed:
        body = (self.folder / told["file"]).read_bytes() if "file" in told else b""
        files = (File(field="media", name="photo.png", body=PNG),) if told.get("picture") else ()
        pushed = Pushed(
            headers=told.get("headers", {}),
            body=body,
            form=told.get("form", {}),
            files=files,
            nonce=f"nonce-{number}",
            at=AT,
        )
        return self.with_body(pushed, body)


def push_recordings() -> list[Path]:
    return sorted(path.parent for path in FOLDER.rglob("push.toml"))
