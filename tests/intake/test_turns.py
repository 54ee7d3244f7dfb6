"""A thread that computes gives way to the loop."""

from __future__ import annotations

import subprocess
import sys

#: A loop hands small things to threads and waits for them, as the driver does, beside a thread that computes.
PROGRAM = """
import asyncio, threading, time
{begin}
over = threading.Event()

def compute():
    while not over.is_set():
        sum(range(100))

async def steps():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, int)
    began = time.perf_counter()
    for _ in range(60):
        await loop.run_in_executor(None, int)
    return time.perf_counter() - began

threading.Thread(target=compute).start()
try:
    print(asyncio.run(steps()))
finally:
    over.set()
"""


SHORT = "from intake.street.turns import take_short_turns; take_short_turns()"


def test_the_loop_need_not_wait_long_for_a_thread_that_computes() -> None:
    # On a machine with more to do than cores the system itself takes turns, and one comparison may say little.
    assert any(seconds(SHORT) < seconds("") / 3 for _ in range(8))


def seconds(begin: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(begin=begin)], check=True, timeout=60, capture_output=True
    )
    return float(done.stdout)
