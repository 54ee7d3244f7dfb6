"""Two workers beside one: how many times as many records the same CPU time brings to the departments' queues.

By CPU time, of workers and servers together: on two cores, two workers have none to themselves.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import msgspec

from bench.ground import Ground, in_a_process
from bench.machine import ServersClock
from bench.row import Row, Sample, in_turn
from intake.keys import make_keys

WORKERS = 2
GOAL = 1.8
WHAT = (
    "CPU of workers and servers for a record, one worker against two at once, each with a source of its own; times two"
)


def compare(ground: Ground) -> Row:
    """Give each worker so many records."""
    pairs = in_turn(lambda: _cost(ground, WORKERS), lambda: _cost(ground, 1), ground.runs, ground.tell)
    ratio = median(WORKERS * pair.baseline.figure / pair.ours.figure for pair in pairs)
    return Row(
        name="workers",
        what=WHAT,
        ours=median(pair.ours.figure for pair in pairs),
        baseline=median(pair.baseline.figure for pair in pairs),
        unit="µs/record",
        ratio=ratio,
        goal=f"≥ {GOAL:g} ×",
        met=ratio >= GOAL,
        runs=pairs,
    )


def _cost(ground: Ground, workers: int) -> Sample:
    """Give the microseconds of CPU that a record cost, whoever spent them."""
    with ground.fresh() as task, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        keys, gate = Path(folder, "keys"), Path(folder, "gate")
        gate.mkdir()
        make_keys(keys)
        tasks = [
            msgspec.structs.replace(task, source=f"bench-hotline-{number}", keys=str(keys), gate=str(gate))
            for number in range(1, workers + 1)
        ]
        with ThreadPoolExecutor(workers) as sides:
            running = [sides.submit(in_a_process, "street", each) for each in tasks]
            while len(list(gate.iterdir())) < workers and not any(each.done() for each in running):
                time.sleep(0.05)
            clock = ServersClock(mongod=task.mongo_url, broker=task.amqp_url)
            (gate / "go").touch()
            samples = [each.result() for each in running]
        servers = clock.microseconds_a_record(task.records * workers)
    own = sum(sample.facts["own_cpu_us"] for sample in samples) / workers
    return Sample(own + sum(servers.values()), samples[0].facts | servers | {"own_cpu_us": round(own, 1)})
