"""The second look (复核) from the front door: off the hot path, where the street has nothing else in hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from intake.house import Database
from normalizer.matter import flow
from normalizer.matter.likeness import Lexicon
from normalizer.matter.store import MatterStore
from normalizer.tables import Tables


def matters_of(db: Database, tables: Tables) -> flow.Room:
    """Give what knows who belongs together."""
    return flow.Room(store=MatterStore(db), lexicon=Lexicon.of([*tables.keywords.words, *tables.cues.words]))


def second_look_of(db: Database, tables: Tables) -> Callable[[], Awaitable[int]]:
    """Give what compares appeals that nobody compared yet; it says how many there were."""
    return partial(flow.second_look, matters_of(db, tables))


async def look_at_all(db: Database, tables: Tables) -> None:
    """Compare everything that waits, so that a list read now is whole."""
    look = second_look_of(db, tables)
    while await look():
        pass
