"""`python -m bench [--json FILE] [--quick] [--data FOLDER] [NAME …]`: measure, print the table, write the JSON."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console

from bench import floor, grown, machine, memory, push, records, table, two_workers
from bench.ground import Ground
from bench.row import Pair, Row, Sample, Tell, faster, in_turn
from intake.compiled import advice, outdated
from intake.servers import embedded, status

SERVERS = Path(".intake") / "bench"


class Size(msgspec.Struct, frozen=True):
    """How much is measured."""

    street: int
    records: int
    memory: tuple[int, int]
    push: int
    grown: tuple[int, int]
    runs: int


FULL = Size(
    street=10_000,
    records=5_000,
    memory=(memory.SMALL, memory.LARGE),
    push=4_000,
    grown=(grown.SMALL, grown.LARGE),
    runs=5,
)
#: A worker that has seen only a few pages has not reached its level yet: no less than 6,000 for memory.
QUICK = Size(street=2_000, records=2_000, memory=(6_000, 18_000), push=2_000, grown=(5_000, 100_000), runs=3)


def _bridge(ground: Ground, _: Size) -> Row:
    """Both sides put each record once into one quorum queue: ours has a city with one desk."""
    what = "page source → confirmed in a quorum queue, one worker, against mq-bridge: file → MongoDB + quorum queue"
    pairs = _street_against("bridge", ground, one_desk=True)
    return faster("bridge", f"{what}; {_sent(pairs)}", pairs, unit="records/s", at_least=0.75)


def _floor(ground: Ground, _: Size) -> Row:
    what = "for information: the street's writes and publish of prepared bytes, normalize, decide, against mq-bridge"
    return faster("floor", what, floor.compare(ground), unit="records/s")


def _city(ground: Ground, _: Size) -> Row:
    what = "for information: the same street with a whole city's departments, against the same mq-bridge with one queue"
    pairs = _street_against("bridge", ground, one_desk=False)
    return faster("city", f"{what}; {_sent(pairs)}", pairs, unit="records/s")


def _publish(ground: Ground, _: Size) -> Row:
    what = "that city, in messages, against bare aio_pika publish with confirms, window 500, of the same bodies"
    pairs = [pair.by("messages_a_second") for pair in _street_against("publish", ground, one_desk=False)]
    return faster("publish", f"{what}; {_sent(pairs)}", pairs, unit="messages/s", at_least=0.6)


def _desk(ground: Ground, _: Size) -> Row:
    what = "for information: the city with one desk, in messages, against bare publish of the same bodies"
    pairs = [pair.by("messages_a_second") for pair in _street_against("publish", ground, one_desk=True)]
    return faster("desk", f"{what}; {_sent(pairs)}", pairs, unit="messages/s")


def _street_against(side: str, ground: Ground, *, one_desk: bool) -> list[Pair]:
    def run(name: str) -> Sample:
        return ground.run(name, one_desk=one_desk)

    return in_turn(lambda: run("street"), lambda: run(side), ground.runs, ground.tell)


def _sent(pairs: Sequence[Pair]) -> str:
    """Say how much work a record of ours was; every run has the same letters."""
    facts = pairs[0].ours.facts
    return f"ours sent {facts['messages'] / facts['records']:.2f} messages a record, queues: {facts['queues']}"


def _records(ground: Ground, size: Size) -> Row:
    return records.compare(size.records, ground.runs, ground.data, ground.tell)


def _memory(ground: Ground, size: Size) -> Row:
    return memory.compare(ground, *size.memory)


def _by_hand(ground: Ground, size: Size) -> Row:
    """It takes one order after the other, so a tenth of them tells how fast it is."""
    what = "the same against Scrapy, with a pymongo and a pika pipeline as one would write them by hand"
    few = max(size.street // 10, 50)
    pairs = in_turn(
        lambda: ground.run("street", one_desk=True), lambda: ground.run("by_hand", few), ground.runs, ground.tell
    )
    return faster("by_hand", what, pairs, unit="records/s", at_least=15)


def _workers(ground: Ground, _: Size) -> Row:
    return two_workers.compare(ground)


def _grown(ground: Ground, size: Size) -> Row:
    return grown.compare(ground, *size.grown)


def _push(ground: Ground, size: Size) -> Row:
    return push.compare(ground, size.push)


BENCHES: dict[str, Callable[[Ground, Size], Row]] = {
    "bridge": _bridge,
    "floor": _floor,
    "city": _city,
    "publish": _publish,
    "desk": _desk,
    "records": _records,
    "memory": _memory,
    "push": _push,
    "by_hand": _by_hand,
    "workers": _workers,
    "grown": _grown,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)), metavar="[NAME]…")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the result there.")
@click.option("--quick", is_flag=True, help="Smaller and noisier.")
@click.option("--size", type=int, help="Records of a street, for a test of the bench itself.")
@click.option("--runs", type=int, help="How often each pair runs.")
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Letters to read instead of our own."
)
def main(
    *, names: tuple[str, ...], file: Path | None, quick: bool, size: int | None, runs: int | None, data: Path | None
) -> None:
    """Measure each NAME (all of them if none is given) against its baseline in the same run."""
    if stale := outdated():
        raise click.ClickException(advice(stale))
    console = Console(width=None if sys.stdout.isatty() else 120)  # a log has no width, and the table needs its own
    chosen = QUICK if quick else FULL
    if size is not None:
        chosen = Size(street=size, records=size, memory=(size, 2 * size), push=size, grown=(size, 3 * size), runs=1)
    if runs is not None:
        chosen = msgspec.structs.replace(chosen, runs=runs)
    facts = machine.facts()
    rows = asyncio.run(_measure(names or tuple(BENCHES), chosen, data, lambda line: console.print(f"  {line}")))
    table.show(rows, facts, console)
    if file is not None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(table.as_json(rows, facts, quick=quick))))


async def _measure(names: tuple[str, ...], size: Size, data: Path | None, tell: Tell) -> list[Row]:
    wanted = set(names) != {"records"}
    async with embedded(SERVERS, mongo=wanted, broker=wanted) as servers:
        ground = Ground(servers, size.street, size.runs, data, tell)
        rows = []
        for name in names:
            tell(name)
            rows.append(await asyncio.to_thread(BENCHES[name], ground, size))
    await _give_back()
    return rows


async def _give_back() -> None:
    """Remove what was measured with, half a gigabyte, unless somebody else measures there or the servers are named."""
    if all(each.origin == "own" and not each.running for each in await status(SERVERS)):
        shutil.rmtree(SERVERS, ignore_errors=True)


if __name__ == "__main__":
    main()
