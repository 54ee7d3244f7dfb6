"""Within which budget this worker asks a source, whether it reads it or answers it."""

from __future__ import annotations

from connectors.asking.budget import Books, Budget, LocalBudget, SharedBudget, Terms, pause_of
from connectors.source import Source
from intake.street.clock import Clock
from intake.street.left_behind import worker_name

CONTACT = "the operator of this installation"


def budget_of(source: Source, clock: Clock, books: Books | None, share: float) -> Budget:
    """Give how a source may be asked: alone, or as all workers share it."""
    if books is None:
        return LocalBudget(source.requests_per_minute)
    terms = Terms(
        source=source.name,
        pause=pause_of(source.requests_per_minute),
        concurrency=source.concurrency,
        share=share,
    )
    return SharedBudget(
        books, terms, owner=worker_name(), now=clock.now, quiet_hours=source.quiet_hours, zone=source.zone
    )
