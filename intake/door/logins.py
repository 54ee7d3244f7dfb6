"""Who calls for a department: its own login at the broker, kept open between its requests.

There is no second store of secrets: whoever may read `dept.ZJJ` may fetch it here, with the same password, and a new
password counts here as soon as it counts there. Of the password only a digest stays in memory, under a key that ends
with the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
from yarl import URL

from intake.street.patience import is_away
from router.dispatching.leasing import Login

log = structlog.get_logger()

LOOK_EVERY = 1.0  #: seconds between two looks at what is on loan
#: Seconds after which a login is closed while nothing is on loan: one that nobody uses, and any, so that a password
#: that was changed is asked for again.
IDLE = 60.0
OLD = 600.0
_STRIPES = 16  #: so many log in side by side


class _Kept(NamedTuple):
    login: Login
    digest: bytes
    since: float


class Logins:
    """The logins of all departments that call here."""

    def __init__(self, broker_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = URL(broker_url)
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._kept: dict[str, _Kept] = {}
        self._used: dict[str, float] = {}
        self._opening = [asyncio.Lock() for _ in range(_STRIPES)]

    async def of(self, user: str, password: str, before_opening: Callable[[], None]) -> Login:
        """Give the login of this user; `before_opening` counts the tries, or refuses.

        Raises BrokerRefuses where the password is not right, BrokerAway.
        """
        digest = hashlib.blake2b(password.encode(), key=self._key).digest()
        async with self._opening[hash(user) % _STRIPES]:
            kept = self._kept.get(user)
            if kept is None or not kept.login.alive or not secrets.compare_digest(kept.digest, digest):
                before_opening()
                kept = await self._open(user, password, digest)
            self._used[user] = self._clock()
            return kept.login

    async def run(self) -> None:
        """Put back what was lent for too long, and close what nobody uses, until cancelled; then close all."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY)
                await self.look()
        finally:
            await asyncio.gather(*(kept.login.close() for kept in self._kept.values()))
            self._kept.clear()

    async def look(self) -> None:
        """Do that once."""
        for user, kept in list(self._kept.items()):
            try:
                back = await kept.login.let_go()
            except Exception as error:
                if not is_away(error):
                    raise
                await self._close(user, kept)
                continue
            if back:
                log.info("messages lie in their queue again", action="lease_over", user=user, messages=back)
            if not kept.login.alive or self._is_over(user, kept):
                await self._close(user, kept)

    def _is_over(self, user: str, kept: _Kept) -> bool:
        now = self._clock()
        return not kept.login.lent and (now - self._used.get(user, 0) > IDLE or now - kept.since > OLD)

    async def _open(self, user: str, password: str, digest: bytes) -> _Kept:
        login = await Login.open(str(self._url.with_user(user).with_password(password)), user, self._clock)
        before = self._kept.get(user)
        self._kept[user] = kept = _Kept(login, digest, self._clock())
        if before is not None:
            await before.login.close()
        return kept

    async def _close(self, user: str, kept: _Kept) -> None:
        if self._kept.get(user) is kept:
            del self._kept[user]
            self._used.pop(user, None)
        await kept.login.close()
