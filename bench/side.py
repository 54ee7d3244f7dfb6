"""One side of a comparison, as a process: `python -m bench.side NAME` reads its task on stdin and prints its sample.

Only the side that runs is imported, so that its memory is its own.
"""

from __future__ import annotations

import sys
from importlib import import_module

import msgspec

from bench.ground import Task
from bench.row import Sample

SIDES = {
    "street": "bench.street",
    "publish": "bench.bare_publish",
    "bridge": "bench.bridge",
    "floor": "bench.floor",
    "by_hand": "bench.by_hand",
    "push": "bench.push",
}


def main() -> None:
    """Run what the first argument names."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sample: Sample = import_module(SIDES[sys.argv[1]]).run(task)
    sys.stdout.buffer.write(msgspec.json.encode(sample) + b"\n")


if __name__ == "__main__":
    main()
