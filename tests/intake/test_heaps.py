"""A worker's threads share their heaps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: Threads that all hold memory of the C library at once, and how many heaps it then tells of.
PROGRAM = """
import ctypes, sys, threading
{begin}
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fclose.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
all_there = threading.Barrier(9)

def hold():
    held = [bytes(5000) for _ in range(50)]
    all_there.wait()
    all_there.wait()
    del held

threads = [threading.Thread(target=hold) for _ in range(8)]
for thread in threads:
    thread.start()
all_there.wait()
told = libc.fopen(sys.argv[1].encode(), b"w")
libc.malloc_info(0, told)
libc.fclose(told)
all_there.wait()
"""


def heaps(begin: str, folder: Path) -> int:
    told = folder / "told.xml"
    subprocess.run([sys.executable, "-c", PROGRAM.format(begin=begin), told], check=True, timeout=60)
    return told.read_text("ascii").count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_many_threads_share_two_heaps(tmp_path: Path) -> None:
    assert heaps("", tmp_path) > 2
    assert heaps("from intake.heaps import share_heaps; share_heaps()", tmp_path) == 2
