"""How far the reading of all cases has come, on the error stream of a terminal: a large city takes a minute."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from intake.facts import Reader
from intake.house import House
from intake.rules.releases import released_over
from intake.tables import Tables


@asynccontextmanager
async def reading(house: House, tables: Tables, now: datetime) -> AsyncIterator[Reader]:
    """Give what facts are read with; whoever waits sees how many there still are."""
    total = await house.db.cases.estimated_document_count()
    columns = (TextColumn("读取工单"), BarColumn(), MofNCompleteColumn(), TextColumn("剩余"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("read", total=total)
        tables = await released_over(house, tables)
        yield Reader(house.db, house.settings, tables, now, partial(bar.advance, task))
