"""Has items normalized again for good (规整更新), after their difference was looked at: by the flow of every page.

Each becomes a revision of the same content. What reads the same is recorded and not sent; what was only seen otherwise
is decided again, and only those hear of it to whom it moves or from whom it is taken. What is over stays as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.flow import Batch, Room, take_again
from connectors.raw_appeal import RawAppeal
from connectors.source import Source
from normalizer.appeal import family, message_of
from router.cases.case import Case
from router.cases.work import Work
from router.rounds import newest
from router.store import CaseStore


@dataclass
class Renewal:
    """The street that the items go down, and what was left out."""

    sources: Mapping[str, Source]
    room: Room
    cases: CaseStore
    put: Callable[[Batch], Awaitable[None]]
    closed: int = 0  #: their cases are closed: nobody is given last year's order again
    unknown: dict[str, int] = field(default_factory=dict)  #: the settings have no such source any more

    async def apply(self, raws: Sequence[RawAppeal]) -> int:
        """Bring these on their way; says how many."""
        over = await self._over([raw.id for raw in raws])
        wanted: dict[str, list[str]] = {}
        for raw in raws:
            if raw.id in over:
                self.closed += 1
            elif raw.source in self.sources:
                wanted.setdefault(raw.source, []).append(raw.id)
            else:
                self.unknown[raw.source] = self.unknown.get(raw.source, 0) + 1
        count = 0
        for source, ids in wanted.items():
            async for batch in take_again(ids, self.sources[source], self.room):
                count += len(batch.raws)
                await self.put(batch)
        return count

    async def _over(self, ids: Sequence[str]) -> set[str]:
        """Those of which any part is closed, and nothing was said since."""
        found = await newest(family(ids), self.cases)
        return {message_of(case.id) for case in found.values() if _is_closed(case)}


def _is_closed(case: Case) -> bool:
    return case.handling is not None and case.handling.work is Work.CLOSED
