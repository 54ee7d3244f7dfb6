"""What this room keeps, opened once by the front door: pages, raw items, sources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from connectors.keeping.budgets import BudgetStore
from connectors.keeping.claims import DatabaseClock, Fences
from connectors.keeping.offers import OfferStore
from connectors.keeping.pages import PageStore
from connectors.keeping.raw import RawStore
from connectors.keeping.sealing import Seal
from connectors.keeping.sources import SourceStore
from connectors.keeping.watches import PageSeal, WatchStore


class Index(NamedTuple):
    """One index and what it is for."""

    collection: str
    keys: list[tuple[str, int]]
    options: dict[str, Any]


INDEXES = (
    #: the next page that nobody holds
    Index("pages", [("stage", 1), ("_id", 1)], {}),
    #: the balance of a day
    Index("pages", [("day", 1)], {}),
    #: a sweep's view of its board or article; items of no enumeration are not in it
    Index("raw", [("source", 1), ("scope", 1)], {"partialFilterExpression": {"scope": {"$gt": ""}}}),
    #: `intake parked`; readable items are not in it
    Index("raw", [("parked.at", 1)], {"partialFilterExpression": {"parked.stage": {"$exists": True}}}),
    #: bad pages that wait to be read again, and the end of them
    Index("kept", [("source", 1), ("at", 1)], {}),
    Index("kept", [("expires", 1)], {"expireAfterSeconds": 0}),
    #: the life of one item
    Index("raw_revisions", [("of", 1)], {}),
)  # fmt: skip


class Sealing(Seal, PageSeal, Protocol):
    """Items with keys of their own, and whole pages."""


class Store(NamedTuple):
    """The collections of this room."""

    pages: PageStore
    raw: RawStore
    sources: SourceStore
    budgets: BudgetStore
    watches: WatchStore
    clock: DatabaseClock


def open_offers(database: Any, store: Store, now: Callable[[], datetime]) -> OfferStore:  # noqa: ANN401
    """Where the sentinel finds what was pushed."""
    return OfferStore(database.pages, database.sources, store.raw, now)


def open_store(database: Any, seal: Sealing) -> Store:  # noqa: ANN401  motor ships no types
    """Nothing is asked of the database yet."""
    clock = DatabaseClock(database)
    return Store(
        pages=PageStore(database.pages, Fences(database.counters), clock),
        raw=RawStore(database.raw, database.raw_revisions, seal),
        sources=SourceStore(database.sources),
        budgets=BudgetStore(database.sources),
        watches=WatchStore(database.watches, database.kept, database.sources, seal),
        clock=clock,
    )


async def ensure_indexes(database: Any) -> None:  # noqa: ANN401
    """Safe to repeat: `intake migrate` calls it at every start."""
    for index in INDEXES:
        await database[index.collection].create_index(index.keys, **index.options)
