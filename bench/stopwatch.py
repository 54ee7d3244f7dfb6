"""What a run of a side cost: wall clock, CPU of this process and of the servers, and the most memory it ever held."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.ground import Task
from bench.machine import ServersClock


class Stopwatch:
    """Started when everything is connected and declared; stopped when the last message is confirmed."""

    def __init__(self, task: Task) -> None:
        self._servers = ServersClock(mongod=task.mongo_url, broker=task.amqp_url)
        self._cpu = time.process_time()
        self._began = time.perf_counter()

    def stop(self, records: int, **more: Any) -> tuple[float, dict[str, Any]]:
        """Give the seconds and, for people, what they went into."""
        seconds = time.perf_counter() - self._began
        cpu = time.process_time() - self._cpu
        facts = {
            "records": records,
            "seconds": round(seconds, 3),
            "own_cpu_us": round(cpu / records * 1e6, 1),
            "peak_rss_mb": peak_rss_mb(),
        }
        return seconds, facts | self._servers.microseconds_a_record(records) | more


def peak_rss_mb() -> float:
    """Read the most memory that this process held; `getrusage` would count what its parent held when it was forked."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError("/proc/self/status has no VmHWM: this bench needs Linux")
