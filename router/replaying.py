"""Send a department again what it was sent before (补发): after a gap, a lost database, a new program.

The same ids and the same bodies, but for `replayed`. Nothing of a case changes by it: no sequence, no event, no
clock. Only what was confirmed once goes out, given up or not, so that no number is missing; what was never confirmed
goes its own way (flow.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from router.cases.case import BEGINS, ENDS, Case, Sending, dispatch_of, facts_of, holders
from router.cases.moves import Sent
from router.cases.sending import stand_in
from router.dispatching.message import message, routing_key
from router.dispatching.publish_page import Fate, Message
from router.errors import BrokerAway, RouterError
from router.flow import Room

PAGE = 200  #: messages at once


class Refused(RouterError):
    """The queue did not take it: the department must read first, or `departments apply` must make its queue."""


#: Writes down which cases are about to be seen again.
Note = Callable[[Collection[str]], Awaitable[None]]


async def replay(room: Room, department: str, since: datetime, case: str | None, note: Note) -> AsyncIterator[int]:
    """Publish case by case, the oldest first; gives how many went out with each page.

    Raises BrokerAway, BrokerRefuses, or Refused with the reason that the broker gave. Who asks again loses nothing:
    a department drops what it has.
    """
    page: list[tuple[Case, Sending]] = []
    async for found in room.store.lists.sent_to(department, since, case):
        page += [(found, row) for row in rows_of(found, department, since)]
        if len(page) >= PAGE:
            yield await _send(page, room, note)
            page = []
    if page:
        yield await _send(page, room, note)


def rows_of(case: Case, department: str, since: datetime) -> list[Sending]:
    """Give what this department was sent of this case, in order. A case is told whole: its sequences have no gap."""
    sent = [_as_it_stands(case, row) for row in case.dispatches if row.department == department and _has_left(row)]
    return sent if any(row.at >= since and row.state is Sent.SENT for row in sent) else []


def _has_left(row: Sending) -> bool:
    return row.state is Sent.SENT or (row.state is Sent.DISCARDED and row.sent_at is not None)


def _as_it_stands(case: Case, row: Sending) -> Sending:
    """What lay in its queue and was then given up fills its number; an order or an end that was given up is none."""
    if row.state is Sent.SENT or not (row.type in BEGINS or row.type in ENDS):
        return row
    before = replace(case, dispatches=case.dispatches[: case.dispatches.index(row)])
    return stand_in(row, held=row.department in holders(before))


async def _send(rows: Sequence[tuple[Case, Sending]], room: Room, note: Note) -> int:
    await note({case.id for case, _ in rows})
    appeals = await room.load_appeals(sorted({(case.id, row.revision) for case, row in rows}))
    messages = []
    for case, row in rows:
        appeal = appeals[case.id, row.revision]
        dispatch = dispatch_of(case, row)
        body = message(facts_of(case, row), dispatch, appeal, room.tables, replayed=True)
        messages.append(Message(row.id, row.department, routing_key(dispatch, appeal), body))
    receipts = await room.publisher.publish(messages)
    for receipt in receipts:
        if receipt.fate is Fate.UNKNOWN:
            raise BrokerAway("RabbitMQ did not answer for everything that was sent again: ask for it again")
        if receipt.fate is not Fate.SENT:
            raise Refused(receipt.reason or receipt.fate.value)
    return len(messages)
