"""What the street is doing, for people: counters in memory and why each source waits."""

from __future__ import annotations

import time
from collections import deque
from enum import StrEnum

import msgspec

RATE_WINDOW = 10.0  #: seconds over which a rate is shown


class State(StrEnum):
    """What a source is doing here."""

    STARTING = "starting"
    READING = "reading"
    RESTING = "resting"  #: read to its end, waits for its next time
    WAITING = "waiting"  #: asks for patience, with the reason
    ELSEWHERE = "elsewhere"  #: another worker reads it
    PAUSED = "paused"  #: by an operator, until one resumes it
    LISTENING = "listening"  #: pushed to us: whatever comes is taken in
    STOPPED = "stopped"  #: an operator is needed, with the reason


class SourceProgress(msgspec.Struct):
    """One source."""

    state: State = State.STARTING
    reason: str | None = None
    items: int = 0
    reads: int = 0  #: how often it was read to its end


class Progress:
    """All of it."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = {name: SourceProgress() for name in sources}
        self.normalized = 0
        self.routed = 0
        self.pages = 0
        self.failures: list[str] = []
        self._marks: deque[tuple[float, int]] = deque()

    def source(self, name: str) -> SourceProgress:
        return self.sources.setdefault(name, SourceProgress())

    def page_done(self, items: int) -> None:
        self.pages += 1
        self.routed += items
        self._marks.append((time.monotonic(), items))

    def rate(self) -> float:
        """Items a second that reached the end of the street lately."""
        now = time.monotonic()
        while self._marks and self._marks[0][0] < now - RATE_WINDOW:
            self._marks.popleft()
        if not self._marks:
            return 0.0
        return sum(items for _, items in self._marks) / RATE_WINDOW
