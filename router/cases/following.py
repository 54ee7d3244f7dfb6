"""A carried case follows the order that carries it (主单答复同步): its state and its reviewed reply, and nothing else.

So each member of an event can see how it goes and is answered, and none sees who the others are. Pure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from router.cases.carrying import carried
from router.cases.case import Case
from router.cases.ledger import draft_of, record
from router.cases.moves import Kind, State
from router.cases.public import public_face
from router.cases.track import Handling


def has_news(before: Case, after: Case) -> bool:
    """Say whether those that are carried are to be told of something."""
    if not carried(after):
        return False
    old, new = public_face(before), public_face(after)
    return (old.state, old.reply) != (new.state, new.reply)


def follow(member: Case, order: Case, at: datetime) -> Case:
    """Bring a carried case to where its order is; what it knows already changes nothing."""
    if member.goal is not State.LINKED or order.handling is None or member.id not in carried(order):
        return member
    handling, reply = member.handling or Handling(), order.handling.reply
    known = handling.reply.text if handling.reply else None
    text = reply.text if reply else None
    if handling.work is order.handling.work and (text is None or text == known):
        return member
    member = draft_of(member)
    member.handling = handling
    data: dict[str, Any] = {"order": order.id, "work": order.handling.work}
    if reply is not None:
        data |= {"text": reply.text, "feedback": reply.feedback}
    record(member, Kind.FOLLOWED, at, department=reply.department if reply else None, data=data)
    return member
