"""Publish what is unsent and mark it (派发与确认): whoever publishes a dispatch again publishes the same id and body.

A department's next message goes out only when the one before is confirmed; a queue that is full or silent holds up its
own department alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from normalizer.appeal import Appeal
from router.cases.case import Case, Sending, dispatch_of, facts_of, sendable
from router.cases.delivery import confirm, park
from router.dispatching.message import routing_key
from router.dispatching.publish_page import LOST, Fate, Message, Receipt
from router.errors import BrokerAway, CallOperator, RouterError, TryLater
from router.room import Claim, Room, Text, claim_of, claimed

logger = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class RoutedPage:
    """What became of a page. `away` is set when the broker was not there: what is unsent goes out later."""

    opened: int = 0
    amended: int = 0
    states: Counter[str] = field(default_factory=Counter)  #: of the cases that this page touched
    sent: int = 0  #: dispatches confirmed
    parked: int = 0  #: dispatches or decisions parked
    waiting: int = 0  #: cases that still have something unsent
    away: RouterError | None = None

    def and_then(self, later: RoutedPage) -> RoutedPage:
        """Add what a later page did; where cases stand now is what the later one says of its own."""
        return RoutedPage(
            opened=self.opened + later.opened,
            amended=self.amended + later.amended,
            states=self.states + later.states,
            sent=self.sent + later.sent,
            parked=self.parked + later.parked,
            waiting=self.waiting + later.waiting,
            away=later.away or self.away,
        )


async def deliver(case_ids: Sequence[str], room: Room) -> RoutedPage:
    """Publish what is unsent in these cases, unless somebody else is at it."""
    claim = claim_of(room)
    claimed = await room.store.claim(case_ids, claim.fence, claim.until)
    return await _deliver_claimed(claimed.mine, claimed.theirs, room, claim)


async def deliver_forgotten(room: Room, limit: int = 500) -> RoutedPage:
    """Publish what a crash, a broker that was away or a full queue left behind, the longest forgotten first."""
    claim = claim_of(room)
    claimed = await room.store.claim_forgotten(claim.fence, claim.until, limit)
    return await _deliver_claimed(claimed.mine, claimed.theirs, room, claim)


async def _deliver_claimed(cases: Sequence[Case], theirs: int, room: Room, claim: Claim) -> RoutedPage:
    page = RoutedPage(waiting=theirs)
    delivered = await send(cases, {}, room, claim, page)
    page.states.update(case.state.value for case in delivered)
    return page


# ---------------------------------------------------------------- publish and mark


async def mine(cases: Iterable[Case], room: Room, claim: Claim) -> tuple[list[Case], int]:
    """Give those with something to send that are ours; claim what a crash left behind, leave what others are at."""
    unsent = [case for case in cases if case.unsent]
    mine = [case for case in unsent if case.fence == claim.fence]
    lapsed = await room.store.claim([case.id for case in unsent if case.fence != claim.fence], claim.fence, claim.until)
    return mine + lapsed.mine, lapsed.theirs


async def send(
    cases: Sequence[Case], texts: Mapping[Text, Appeal], room: Room, claim: Claim, page: RoutedPage
) -> list[Case]:
    """Send round by round: a department's next message goes out only when the one before is confirmed and marked."""
    done: dict[str, Case] = {}
    open_ = {case.id: case for case in cases}
    later: dict[str, datetime] = {}
    tried: set[str] = set()
    while open_ and page.away is None:
        rows = _next_round(open_.values(), tried, later, room)
        if not rows:
            break
        tried.update(row.id for _, row in rows)
        messages, failed = await _compose(rows, texts, room)
        receipts = await _publish(messages, room, page)
        for case in await _mark(open_, failed | receipts, room, claim, page):
            open_[case.id] = case
        for case in [case for case in open_.values() if not case.unsent]:
            done[case.id] = open_.pop(case.id)
    await _leave(open_, later, room, claim)
    page.waiting += len(open_)
    return [*done.values(), *open_.values()]


def _next_round(
    cases: Iterable[Case], tried: set[str], later: dict[str, datetime], room: Room
) -> list[tuple[Case, Sending]]:
    """Give what may go out now; a department whose queue is full is left alone, and it alone."""
    now = room.moment()
    held = room.backpressure.all_held(now)
    rows = []
    for case in cases:
        for row in sendable(case):
            if row.department in held:
                later[case.id] = held[row.department]
            elif row.id not in tried:
                rows.append((case, row))
    return rows


async def _compose(
    rows: Sequence[tuple[Case, Sending]], texts: Mapping[Text, Appeal], room: Room
) -> tuple[list[Message], dict[str, Receipt]]:
    """Make each message from the appeal of its own revision, so that it reads the same however often it is sent."""
    wanted = {(case.id, row.revision) for case, row in rows} - texts.keys()
    loaded = await room.load_appeals(sorted(wanted)) if wanted else {}
    messages, failed = [], {}
    for case, row in rows:
        key = (case.id, row.revision)
        appeal = texts.get(key) or loaded.get(key)
        if appeal is None:
            failed[row.id] = Receipt(Fate.RETURNED, f"revision {row.revision} of the appeal is not in the store")
            continue
        try:
            dispatch = dispatch_of(case, row)
            body = room.message(facts_of(case, row), dispatch, appeal, room.tables)
        except Exception as error:  # noqa: BLE001 - whatever it is, it parks this dispatch alone
            logger.error("Composing failed", action="dispatch_parked", case=case.id, error=type(error).__name__)  # noqa: TRY400
            failed[row.id] = Receipt(Fate.RETURNED, f"the message could not be made: {type(error).__name__}")
            continue
        messages.append(Message(row.id, row.department, routing_key(dispatch, appeal), body))
    # A queue's messages one after the other, each case's in their order: the broker takes them as one and writes less.
    messages.sort(key=lambda sent: sent.department)
    return messages, failed


async def _publish(messages: Sequence[Message], room: Room, page: RoutedPage) -> dict[str, Receipt]:
    try:
        receipts = await room.publisher.publish(messages)
    except (TryLater, CallOperator) as error:
        page.away = error
        logger.warning(
            "Nothing can be published now", action="broker_away", error=type(error).__name__, unsent=len(messages)
        )
        return {}
    if messages and all(receipt.fate is Fate.UNKNOWN for receipt in receipts):
        page.away = BrokerAway("RabbitMQ was lost under way: nothing of this page was answered")
        # It is there, and these queues alone are silent: asked at once again, they would cost the others the line.
        for code in {sent.department for sent in messages} if LOST not in receipts else ():
            room.backpressure.refused(code, room.moment())
        return {}
    now = room.moment()
    for sent, receipt in zip(messages, receipts, strict=True):
        if receipt.fate is Fate.SENT:
            room.backpressure.taken(sent.department)
        elif receipt.fate is not Fate.RETURNED:
            # A queue that does not answer costs each page its patience: it is left alone like a full one.
            room.backpressure.refused(sent.department, now)
    return {sent.id: receipt for sent, receipt in zip(messages, receipts, strict=True)}


async def _mark(
    cases: Mapping[str, Case],
    receipts: Mapping[str, Receipt],
    room: Room,
    claim: Claim,
    page: RoutedPage,
) -> list[Case]:
    """Write down what the broker said: in one write where everything went well, one by one where not."""
    at = room.moment()
    whole, rest = [], []
    for case in cases.values():
        fates = [receipts[row.id].fate for row in case.dispatches if row.id in receipts]
        page.sent += fates.count(Fate.SENT)
        page.parked += fates.count(Fate.RETURNED)
        if fates.count(Fate.SENT) == case.unsent:
            whole.append(case)
        elif Fate.SENT in fates or Fate.RETURNED in fates:
            rest.append(case)
    won, lost = await room.store.confirm_all(whole, at)
    changed = await room.store.change_all(
        [*lost, *rest], lambda case: claimed(case, _as_said(case, receipts, at), claim)
    )
    return won + changed


def _as_said(case: Case, receipts: Mapping[str, Receipt], at: datetime) -> Case:
    said = [(row.id, receipts[row.id]) for row in case.dispatches if row.id in receipts]
    case = confirm(case, [id_ for id_, receipt in said if receipt.fate is Fate.SENT], at)
    for id_, receipt in said:
        if receipt.fate is Fate.RETURNED:
            case = park(case, id_, receipt.reason or "returned", at)
            logger.warning(
                "Parked a dispatch", action="dispatch_parked", case=case.id, message=id_, reason=receipt.reason
            )
    return case


async def _leave(cases: Mapping[str, Case], later: Mapping[str, datetime], room: Room, claim: Claim) -> None:
    """Let go of what could not be sent: it is looked at again when its queue, or the broker, may be there again."""
    soon = room.moment() + room.again_after
    held = room.backpressure.all_held(room.moment())
    by_moment: dict[datetime, list[Case]] = {}
    for case in cases.values():
        waits = [held[row.department] for row in sendable(case) if row.department in held]
        by_moment.setdefault(max(waits, default=later.get(case.id, soon)), []).append(case)
    for until, group in by_moment.items():
        await room.store.postpone(group, claim.fence, until)
