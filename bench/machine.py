"""On what machine the figures came about: part of every result, since only ratios travel."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("aio-pika", "aiormq", "motor", "pymongo", "msgspec", "uvloop", "opencc", "ahocorasick-rs", "mq-bridge")


def facts() -> dict[str, Any]:
    """Describe this machine and how busy others kept it when the run began."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": [round(each, 2) for each in os.getloadavg()],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _cpu_name() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


class ServersClock:
    """CPU time of the servers on this machine, so that a run can say what it cost beside our own process.

    Servers elsewhere, or of another user, cannot be seen: then the answer is empty.
    """

    def __init__(self) -> None:
        self._processes = {
            name: [each for each in psutil.process_iter(["name"]) if each.info["name"] == executable]
            for name, executable in (("mongod", "mongod"), ("broker", "beam.smp"))
        }
        self._before = self._read()

    def microseconds_a_record(self, records: int) -> dict[str, float]:
        """Say what each server spent since this clock was made."""
        now = self._read()
        return {
            f"{name}_cpu_us": round((now[name] - before) / records * 1e6, 1) for name, before in self._before.items()
        }

    def _read(self) -> dict[str, float]:
        return {name: sum(_cpu(each) for each in processes) for name, processes in self._processes.items()}


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
