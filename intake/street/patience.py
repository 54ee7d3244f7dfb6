"""What to do when a server goes away: wait, ask again, say it once, never give up a page (promises 1 and 11)."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    EncryptionError,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)

import router.errors
from normalizer.errors import StoreAway

T = TypeVar("T")
log = structlog.get_logger()

FIRST_WAIT = 0.1
LONGEST_WAIT = 2.0

#: Server codes that say "not now": shutting down, no primary, stepping down, interrupted, write concern not met,
#: and out of disk space.
_NOT_NOW = frozenset({6, 7, 64, 89, 91, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436, 14031})


class Stopping(Exception):
    """The street is closing; what is in hand is left to whoever claims it next."""


def is_away(error: BaseException) -> bool:
    """Say whether this is a server that went away and will be back, not a fault of ours."""
    if isinstance(error, router.errors.TryLater | StoreAway | ConnectionFailure | WaitQueueTimeoutError):
        return True
    if isinstance(error, EncryptionError):
        return is_away(error.cause)  # the driver's wrapping of keys asks the same server
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        failed = [*details.get("writeConcernErrors", []), *details.get("writeErrors", [])]
        refused = {each["code"] for each in details.get("writeErrors", [])}
        return bool(failed) and refused <= _NOT_NOW
    if isinstance(error, OperationFailure):
        return error.code in _NOT_NOW or error.has_error_label("RetryableWriteError")
    return isinstance(error, PyMongoError) and error.has_error_label("RetryableWriteError")


class Patience:
    """Asks again until the servers are back; tells the log when they went and when they came."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._away: set[str] = set()

    @property
    def away(self) -> str | None:
        """Which room's server is missed at the moment, for the live table."""
        return next(iter(sorted(self._away)), None)

    async def ask(self, what: str, step: Callable[[], Awaitable[T]], *, give_up: bool = True) -> T:
        """Do `step` as often as its servers are away; every step may be repeated safely.

        Raises Stopping when the street is closing and the server is away: it will not be back in time.
        """
        wait = FIRST_WAIT
        while True:
            try:
                result = await step()
            except Exception as error:
                if not is_away(error):
                    raise
                self._tell_away(what, error)
                if give_up and self._stopping.is_set():
                    raise Stopping from error
                await self.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                self._tell_back(what)
                return result

    async def sleep(self, seconds: float) -> bool:
        """Wait, but not past the end of the street; False when it is closing."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return True
        await asyncio.sleep(FIRST_WAIT if seconds else 0)
        return False

    def _tell_away(self, what: str, error: BaseException) -> None:
        if what not in self._away:
            self._away.add(what)
            log.warning("server away, waiting for it", action="server_away", room=what, error=type(error).__name__)

    def _tell_back(self, what: str) -> None:
        if what in self._away:
            self._away.discard(what)
            log.warning("server is back", action="server_back", room=what)


def fault(error: BaseException) -> str:
    """Name a fault by its class, its cause and its place; never by its text, which may quote a citizen."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in last]
    cause = getattr(error, "cause", None) or error.__cause__
    return " ".join([type(error).__name__, *([] if cause is None else [f"({type(cause).__name__})"]), *where])
