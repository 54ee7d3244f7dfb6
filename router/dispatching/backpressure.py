"""How long to leave a department alone whose queue refuses more (背压): its own affair (promise 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

_FIRST = timedelta(seconds=1)
_LONGEST = timedelta(minutes=2)


class Backpressure:
    """In memory and a worker's own: it only spares the broker what it would refuse anyway."""

    def __init__(self, first: timedelta = _FIRST, longest: timedelta = _LONGEST) -> None:
        self._first = first
        self._longest = longest
        self._waits: dict[str, tuple[datetime, timedelta]] = {}

    def held(self, department: str, now: datetime) -> datetime | None:
        """Say until when this department is left alone, or None."""
        wait = self._waits.get(department)
        return wait[0] if wait is not None and wait[0] > now else None

    def refused(self, department: str, now: datetime) -> datetime:
        """Note a refusal and say until when to wait: twice as long as the time before."""
        wait = self._waits.get(department)
        if wait is not None and wait[0] > now:
            return wait[0]  # the others of the same page
        pause = self._first if wait is None else min(wait[1] * 2, self._longest)
        self._waits[department] = (now + pause, pause)
        return now + pause

    def taken(self, department: str) -> None:
        """Note that its queue takes messages again."""
        self._waits.pop(department, None)

    def all_held(self, now: datetime) -> dict[str, datetime]:
        """Give the departments that are left alone now."""
        return {code: until for code, (until, _) in self._waits.items() if until > now}
