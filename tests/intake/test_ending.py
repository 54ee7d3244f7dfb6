"""Ending what runs beside us."""

import asyncio

import pytest

from intake.street import ending
from intake.street.ending import end


async def test_what_forgets_its_cancellation_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "AGAIN", 0.01)
    told = 0

    async def forgetful() -> None:
        nonlocal told
        while told < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told += 1

    running = asyncio.create_task(forgetful())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end([running])
    assert (running.done(), told) == (True, 3)


async def test_a_failure_and_an_end_of_its_own_are_no_trouble() -> None:
    async def fail() -> None:
        raise ValueError

    failing = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end([failing, asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(asyncio.sleep(3600))])
    await end([])
