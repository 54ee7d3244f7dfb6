"""What `run --once` says it left open: its exit code is 0 only where nothing is."""

from __future__ import annotations

import pytest

from intake.balance import Balance
from intake.commands.run import problems_of
from intake.street.sources import Ended
from intake.street.worker import Left

READ = Ended("s", to_end=True)


def left(pages: int = 0, dispatches: int = 0, source: Ended = READ, failures: tuple[str, ...] = ()) -> Left:
    return Left([source], pages, dispatches, failures=list(failures))


def total(**states: int) -> Balance:
    return Balance(day=None, sources={"s": states})


def test_with_everything_at_its_end_there_is_nothing_to_say() -> None:
    assert problems_of(left(), total(delivered=3, triage=2, parked=1)) == []


@pytest.mark.parametrize(
    ("what", "balance", "word"),
    [
        (left(), total(in_flight=1), "in flight"),
        (left(pages=1), total(), "pages not done"),
        (left(dispatches=1), total(triage=1), "not sent"),
        (left(source=Ended("s", to_end=False, why="x")), total(), "not read to its end"),
        (left(failures=("x",)), total(), "failed"),
        (left(), Balance(day=None, difference_count=1), "does not add up"),
    ],
)
def test_whatever_is_open_is_said(what: Left, balance: Balance, word: str) -> None:
    [said] = problems_of(what, balance)
    assert word in said
