"""Messages that belong to no case (无主消息): kept sealed, since their bodies may be anything, and shown as parked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import structlog

from router.dispatch import SHANGHAI
from router.store import CaseStore

logger = structlog.get_logger(__name__)


class Seal(Protocol):
    """What this room needs of intake/sealing.py."""

    async def ready(self, label: str) -> None:
        """Make or load the data key of this label."""

    def seal(self, label: str, bind: bytes, plain: bytes) -> bytes:
        """Seal a value under the key of this label."""


class Letter(Protocol):
    """What is read of a message; aio-pika's incoming message has it."""

    @property
    def message_id(self) -> str | None: ...
    @property
    def routing_key(self) -> str | None: ...
    @property
    def headers(self) -> Mapping[str, Any]: ...
    @property
    def body(self) -> bytes: ...


async def keep(  # noqa: PLR0917 - a letter, where it lay and why, and where it goes
    letter: Letter,
    queue: str,
    reason: str,
    at: datetime,
    store: CaseStore,
    seal: Seal,
    *,
    of: Callable[[str], Mapping[str, Any]] = lambda _: {},
) -> str:
    """Keep one; the same letter again is the same stray. `of` gives what else is to be kept of it; gives its id."""
    label = f"strays/{at.astimezone(SHANGHAI):%Y-%m}"
    known = f"{queue}\0{letter.message_id}".encode() + b"\0" + letter.body
    name = hashlib.blake2b(known, digest_size=16).hexdigest()
    await seal.ready(label)
    await store.strays.add(
        {
            "_id": name,
            "message_id": letter.message_id,
            "queue": queue,
            "routing_key": letter.routing_key,
            "reason": reason,
            "at": at,
            "body": seal.seal(label, f"strays/{name}".encode(), letter.body),
            "key": label,
            **of(name),
        }
    )
    logger.warning("Kept a stray message", action="stray", stray=name, queue=queue, reason=reason)
    return name
