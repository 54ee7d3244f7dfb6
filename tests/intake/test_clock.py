"""The database's clock, carried on here, and right again after a sleep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

from intake.street.clock import Clock


async def test_a_machine_that_slept_is_set_right_by_the_next_look(mongo: AsyncIOMotorDatabase[dict[str, Any]]) -> None:
    clock = await Clock.of(mongo)
    clock._base -= timedelta(hours=1)  # what a pause of the monotonic clock amounts to
    assert datetime.now(UTC) - clock.now() > timedelta(minutes=59)
    await clock.look()
    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)


async def test_without_a_database_there_is_nothing_to_look_at() -> None:
    clock = Clock.local(datetime(2026, 11, 22, tzinfo=UTC))
    await clock.look()
    assert clock.now().year == 2026
