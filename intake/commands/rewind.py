"""`intake sources rewind NAME [--to D]`: read a source again from an earlier position."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

import click

from connectors.base import Dated
from connectors.keeping.sources import SourceStore
from connectors.registry import REGISTRY
from connectors.source import Source
from intake.cli import App, fail, run
from intake.house import open_house
from intake.settings import Settings
from intake.street.clock import Clock
from intake.street.rooms import open_connectors


def rewind(app: App, name: str, moment: str | None) -> None:
    """Set the position back; whoever reads it at the moment lets go and reads from there."""
    settings = app.settings()
    source = settings.source(name)
    if source is None or REGISTRY[source.kind].open is None:
        known = " ".join(each.name for each in settings.sources if REGISTRY[each.kind].open is not None)
        fail(f"没有可倒回的来源 {name}，有：{known} · no source {name} to rewind; the settings have: {known}")
    run(_rewind(settings, source, None if moment is None else _moment(moment, source)))


def _moment(written: str, source: Source) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise click.BadParameter(f"不是日期或时间 · no date or time: {written}", param_hint="--to") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(source.zone))


async def _rewind(settings: Settings, source: Source, moment: datetime | None) -> None:
    cursor = None if moment is None else await _position(settings, source, moment)
    async with open_house(settings, broker=False) as house:
        store = SourceStore(house.db.sources)
        await store.ensure([source.name])
        await store.rewind(source.name, cursor)


async def _position(settings: Settings, source: Source, moment: datetime) -> str:
    async with open_connectors([source], settings, Clock.local(datetime.now(UTC))) as readers:
        connector = readers[0][1]
        if not hasattr(connector, "position_at"):
            fail(
                f"{source.name} 不是按时间读的，只能从头重读（不写 --to）· "
                f"{source.name} is not read by time: leave out --to to read it from the beginning"
            )
        return cast("Dated", connector).position_at(moment)
