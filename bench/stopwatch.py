"""What a run of a side cost: wall clock, CPU of this process and of the servers, and the most memory it ever held."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil

from bench.ground import Task
from bench.machine import ServersClock, cpu_of


class Stopwatch:
    """Started when everything is connected and declared; stopped when the last message is confirmed."""

    def __init__(self, task: Task) -> None:
        self._servers = ServersClock(mongod=task.mongo_url, broker=task.amqp_url)
        self._before = _cpu()
        self._began = time.perf_counter()

    def stop(self, records: int, **more: Any) -> tuple[float, dict[str, Any]]:
        """Give the seconds and, for people, what they went into."""
        seconds = time.perf_counter() - self._began
        cpu = _cpu() - self._before
        facts = {
            "records": records,
            "seconds": round(seconds, 3),
            "own_cpu_us": round(cpu / records * 1e6, 1),
            "peak_rss_mb": peak_rss_mb(),
        }
        return seconds, facts | self._servers.microseconds_a_record(records) | more


def peak_rss_mb() -> float:
    """Read the most memory that this side's processes held, the one that normalizes beside the worker among them."""
    return round(sum(_peak_mb(process.pid) for process in _processes()), 1)


def _peak_mb(pid: int) -> float:
    """`getrusage` would count what its parent held when it was forked."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{pid}/status has no VmHWM: this bench needs Linux")


def _cpu() -> float:
    return time.process_time() + sum(map(cpu_of, _processes()[1:]))


def _processes() -> list[psutil.Process]:
    here = psutil.Process()
    return [here, *here.children(recursive=True)]
