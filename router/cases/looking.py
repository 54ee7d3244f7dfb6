"""What the clock makes of a case that is due (黄牌、红牌、挂起期满、回访期满). Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from normalizer.appeal import instant
from router.cases.case import Case, holders
from router.cases.centre import close
from router.cases.clock import CALLBACK_WITHIN, Card, Clock, cards, next_look
from router.cases.ledger import CLOCK, count, draft_of, record
from router.cases.moves import Kind, State
from router.cases.resuming import wake
from router.cases.sending import append
from router.cases.track import Handling
from router.cases.work import Work
from router.dispatch import MessageType

EXPIRED = "回访期满，按规定办结"


def look(case: Case, clock: Clock | None, now: datetime) -> Case:
    """End suspensions, show the cards that are due, close what nobody visited in time; say when to look again."""
    if case.due is None or case.due > now:
        return case
    if clock is None or case.goal is not State.DELIVERED:
        return replace(case, due=None)
    after = case
    handling = case.handling or Handling()
    if handling.work is Work.CALLBACK and handling.since is not None and now >= handling.since + CALLBACK_WITHIN:
        after = close(after, CLOCK, EXPIRED, now, expired=True)
    else:
        after = wake(case, clock, now)
        for card in cards(after, clock, now):
            after = _show(after, card, now)
    return replace(after, due=next_look(after, clock))


def _show(case: Case, card: Card, now: datetime) -> Case:
    due = card.due
    role = holders(case)[due.department]
    after = draft_of(case)
    after.handling = after.handling or Handling()
    said: dict[str, Any] = {"kind": due.kind, "colour": card.colour, "rule": due.rule}
    record(after, Kind.CARDED, now, actor=CLOCK, department=due.department, data=said | {"deadline": due.at})
    told = {"card": said | {"deadline": instant(due.at)}}
    append(after, due.department, MessageType.DEADLINE, role, now, told=told)
    count(after)
    return after
