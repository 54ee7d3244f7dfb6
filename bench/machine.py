"""On what machine the figures came about: part of every result, since only ratios travel."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

PACKAGES = ("aio-pika", "aiormq", "motor", "pymongo", "msgspec", "uvloop", "opencc", "daachorse", "mq-bridge")


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
    """CPU time of the run's servers, so that it can say what it cost beside our own process.

    They are found by the ports of their addresses; a server elsewhere, or of another user, cannot be seen.
    """

    def __init__(self, **addresses: str) -> None:
        listening = _listening()
        self._processes = {
            name: psutil.Process(listening[port])
            for name, address in addresses.items()
            if (port := urlsplit(address).port) in listening
        }
        self._before = self._read()

    def microseconds_a_record(self, records: int) -> dict[str, float]:
        """Say what each server spent since this clock was made."""
        now = self._read()
        return {
            f"{name}_cpu_us": round((now[name] - before) / records * 1e6, 1) for name, before in self._before.items()
        }

    def _read(self) -> dict[str, float]:
        return {name: cpu_of(process) for name, process in self._processes.items()}


def _listening() -> dict[int | None, int]:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return {}
    listening = (each for each in connections if each.status == psutil.CONN_LISTEN)
    return {each.laddr.port: each.pid for each in listening if each.pid and each.laddr}


def cpu_of(process: psutil.Process) -> float:
    """Read what a process has spent so far, in seconds."""
    times = process.cpu_times()
    return float(times.user + times.system)
