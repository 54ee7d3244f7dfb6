"""How often one caller may come (限流): as many a minute as the settings say, in bursts of a few seconds' worth."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from connectors.receiving.contract import Refused

BURST = 5.0  #: seconds' worth that may come at once
LEAST_BURST = 5.0
MOST_CALLERS = 20_000  #: remembered at one time; whoever is forgotten begins anew


class _Bucket(msgspec.Struct):
    left: float
    at: float


class Limit:
    """One limit, for each of its callers."""

    def __init__(self, a_minute: float, clock: Callable[[], float]) -> None:
        self._rate = a_minute / 60
        self._most = max(LEAST_BURST, self._rate * BURST)
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, caller: str) -> None:
        """Count one request; Refused says after how many seconds the next may come."""
        now = self._clock()
        bucket = self._buckets.pop(caller, None) or _Bucket(self._most, now)
        self._buckets[caller] = bucket  # the last to come stands last
        if len(self._buckets) > MOST_CALLERS:
            del self._buckets[next(iter(self._buckets))]
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.left < 1:
            raise TooMany((1 - bucket.left) / self._rate)
        bucket.left -= 1


class TooMany(Refused):
    """The caller comes too often, or we have no hand free."""

    def __init__(
        self, seconds: float, status: int = 429, reason: str = "太频繁，请稍后再试 · too many requests"
    ) -> None:
        super().__init__(status, reason)
        self.seconds = max(1, round(seconds))
