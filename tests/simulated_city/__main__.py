"""Play some seasons and print what came of them: `python -m tests.simulated_city --seeds 20 --cases 1500`."""

from __future__ import annotations

import argparse
import sys

from tests.simulated_city.table import HEAD, play_all, row


def main() -> None:
    reads = argparse.ArgumentParser(description=__doc__)
    reads.add_argument("--seeds", type=int, default=20)
    reads.add_argument("--first", type=int, default=1)
    reads.add_argument("--cases", type=int, default=1500)
    said = reads.parse_args()
    sys.stdout.write(HEAD + "\n")
    for seed in range(said.first, said.first + said.seeds):
        sys.stdout.write(row(seed, play_all(seed, said.cases)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
