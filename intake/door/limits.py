"""How often one caller may come (限流): as many a minute as the settings say, in bursts of a few seconds' worth.

A limit is kept in memory, so that a request asks nobody. What is shared by all workers is told to them now and then
(sharing.py): each then counts against its own bucket what the others let in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from connectors.receiving.contract import Refused

BURST = 5.0  #: seconds' worth that may come at once
LEAST_BURST = 5.0
MOST_CALLERS = 20_000  #: remembered at one time; whoever is forgotten begins anew
FORGOTTEN = 60.0  #: seconds after which a caller that comes no more is not spoken of to other workers


class _Bucket(msgspec.Struct):
    left: float
    at: float
    came: float  #: its last request
    untold: int = 0  #: let in here, and not told to the others yet
    total: int | None = None  #: let in by all workers, as far as we heard


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
        bucket = self._buckets.pop(caller, None) or _Bucket(self._most, now, now)
        bucket.came = now
        self._buckets[caller] = bucket  # the last to come stands last
        if len(self._buckets) > MOST_CALLERS:
            del self._buckets[next(iter(self._buckets))]
        self._fill(bucket, now)
        if bucket.left < 1:
            raise TooMany((1 - bucket.left) / self._rate)
        bucket.left -= 1
        bucket.untold += 1

    def untold(self) -> dict[str, int]:
        """Who came lately, and how many of each were let in since the others were told."""
        now = self._clock()
        lately = {caller: bucket for caller, bucket in self._buckets.items() if now - bucket.came < FORGOTTEN}
        for caller, bucket in self._buckets.items():
            if caller not in lately:
                bucket.total = None  # what the others let in meanwhile is long over
        return {caller: bucket.untold for caller, bucket in lately.items()}

    def heard(self, told: Mapping[str, int], totals: Mapping[str, int]) -> None:
        """So many were told, and so many were let in by all since counting began."""
        for caller, total in totals.items():
            bucket = self._buckets.get(caller)
            if bucket is None:
                continue
            if bucket.total is not None:
                others = max(total - bucket.total - told[caller], 0)
                self._fill(bucket, self._clock())
                # Never more than a burst behind: whoever waits as he was told is let in.
                bucket.left = max(bucket.left - others, -self._most)
            bucket.total = total
            bucket.untold -= told[caller]

    def _fill(self, bucket: _Bucket, now: float) -> None:
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now


class TooMany(Refused):
    """The caller comes too often, or we have no hand free."""

    def __init__(
        self, seconds: float, status: int = 429, reason: str = "太频繁，请稍后再试 · too many requests"
    ) -> None:
        super().__init__(status, reason)
        self.seconds = max(1, round(seconds))
