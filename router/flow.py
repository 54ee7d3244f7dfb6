"""START HERE. A page of appeals in; each becomes a case, and each case's dispatches are in the departments' queues.

Decide, store, publish, mark. A dispatch is written down before it is published, and whoever publishes it again
publishes the same id and the same body, so a crash between any two of these steps is mended by running the same flow
again: on the page, or by `deliver_forgotten` on what lapsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog
from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, Handed
from router.cases.case import Case, Sending, dispatch_of, facts_of, holders, needs_duty, sendable
from router.cases.clock import Clock, first_look
from router.cases.deciding import amend, call_duty, decide_again, needs_decision, open_case, open_withdrawn
from router.cases.delivery import confirm, park
from router.cases.moves import Kind, State
from router.dispatch import CaseFacts, Context, Decision, Dispatch
from router.dispatching.accused import Accused
from router.dispatching.backpressure import Backpressure
from router.dispatching.decide import decide
from router.dispatching.message import message, routing_key
from router.dispatching.publish_page import LOST, Fate, Message, Receipt
from router.dispatching.tables import Tables
from router.dispatching.topology import receives
from router.errors import BrokerAway, CallOperator, RouterError, TryLater
from router.lesson_store import LessonStore
from router.linking import Carrier, carrier_of, carriers, named, orphans, tell_carriers, tell_news
from router.store import CaseStore

logger = structlog.get_logger(__name__)

Text = tuple[str, int]  #: an appeal's id and revision


class Outgoing(Protocol):
    """What the flow needs of router/dispatching/publisher.py."""

    async def publish(self, page: Sequence[Message]) -> list[Receipt]:
        """One receipt a message, in order. TryLater or CallOperator only if nothing was written."""


@dataclass(kw_only=True, eq=False)
class Room:
    """What the front door hands in. Only `tables` is ever replaced: whole, between two steps, while the street runs."""

    store: CaseStore
    publisher: Outgoing
    tables: Tables  #: in force now: a release, and what is learned, put others here
    load_appeals: Callable[[Sequence[Text]], Awaitable[Mapping[Text, Appeal]]]  #: from `appeals` and `appeal_revisions`
    now: Callable[[], datetime]  #: the database's clock, aware UTC
    fence: Callable[[], int]  #: a number that no other claim has
    decide: Callable[[Appeal, Context, Tables], Decision] = decide
    message: Callable[[CaseFacts, Dispatch, Appeal, Tables], bytes] = message
    backpressure: Backpressure = field(default_factory=Backpressure)
    #: Sources that can be answered (回写), and within which time an answer must have reached them.
    answering: Mapping[str, timedelta] = field(default_factory=dict)
    lessons: LessonStore | None = None  #: the log of what upheld returns teach; None: nothing is learned
    lease: timedelta = timedelta(seconds=30)
    again_after: timedelta = timedelta(seconds=1)  #: when to look again for a broker that is away

    def moment(self) -> datetime:
        """Now, as exactly as the store keeps it."""
        now = self.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def fallback(self, appeal: Appeal) -> str | None:
        """Who answers for its place when nobody else does, and is called for a critical one in triage (promise 7).

        Where the appeal is about that unit, its superior does (promise 8).
        """
        unit = self.tables.directory.fallback(appeal.place)
        if unit is not None:
            accused = Accused(appeal, self.tables.directory)
            unit = accused.superior_of(unit) if unit in accused else unit
        return unit.code if unit is not None and receives(unit) else None


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


class Claim(NamedTuple):
    """For whom, and until when, a case is kept."""

    fence: int
    until: datetime | None  #: None: anybody may take it at once


# ---------------------------------------------------------------- the flow


async def route_page(handed: Sequence[Handed], room: Room) -> RoutedPage:
    """Decide, store, publish, mark. Running it twice on the same page changes nothing and sends nothing new."""
    once = {item.appeal.id: item for item in reversed(handed)}
    if len(once) < len(handed):
        return await _route_in_turn(handed, once, room)
    waits = [item for item in handed if any(id_ in once for id_, _ in named(item))]
    if waits and len(waits) < len(handed):
        # Their orders may be on this very page: those first, so that there is something to be carried by.
        now = [item for item in handed if item not in waits]
        return (await route_page(now, room)).and_then(await route_page(waits, room))
    page, claim = RoutedPage(), claim_of(room)
    texts: dict[Text, Appeal] = {(item.appeal.id, item.appeal.revision): item.appeal for item in handed}

    opened, known, carrying = await _open(handed, room, claim)
    amended = await _amend(known, room, claim)
    page.opened, page.amended = len(opened), len(amended)

    mine, theirs = await _mine([*opened, *amended, *carrying], room, claim)
    delivered = await _deliver(mine, texts, room, claim, page)

    cases = {case.id: case for case in (*opened, *amended, *delivered)}
    page.states.update(case.state.value for case in cases.values())
    page.parked += sum(case.state is State.PARKED for case in opened)
    page.waiting += theirs
    return page


async def _route_in_turn(handed: Sequence[Handed], once: Mapping[str, Handed], room: Room) -> RoutedPage:
    """Route a page that has an appeal more than once: the first of each, then what builds on it."""
    first = [item for item in handed if once[item.appeal.id] is item]
    rest = [item for item in handed if once[item.appeal.id] is not item]
    return (await route_page(first, room)).and_then(await route_page(rest, room))


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
    delivered = await _deliver(cases, {}, room, claim, page)
    page.states.update(case.state.value for case in delivered)
    return page


# ---------------------------------------------------------------- decide and store


async def _open(
    handed: Sequence[Handed], room: Room, claim: Claim
) -> tuple[list[Case], list[tuple[Case, Handed]], list[Case]]:
    """Begin a case for each appeal that has none; give the others with the case they have, and orders that carry."""
    older = await room.store.load([item.appeal.id for item in handed if item.change is not Change.NEW])
    at = room.moment()
    known = [(older[item.appeal.id], item) for item in handed if item.appeal.id in older]
    # Chatter never becomes a case.
    begins = {item.appeal.id: item for item in handed if item.appeal.id not in older and item.appeal.quality.is_appeal}
    candidates = await carriers(list(begins.values()), room.store)
    linked: dict[str, tuple[Case, Carrier]] = {}
    cases = [begun(item, room, claim, at, candidates, linked) for item in begins.values()]
    # First the order says that it carries them; then they are there.
    carrying = await tell_carriers(linked, room.store, at, claim) if linked else []
    there = await room.store.insert(cases)
    if there:
        found = await room.store.load(list(there))
        known += [(case, begins[case.id]) for case in found.values()]
    opened = [case for case in cases if case.id not in there]
    for case in opened:
        tell_duty(case)
    return opened, known, carrying


def begun(  # noqa: PLR0917 - an item, what surrounds it, and what may carry it
    item: Handed,
    room: Room,
    claim: Claim,
    at: datetime,
    candidates: Mapping[str, Sequence[Carrier]],
    linked: dict[str, tuple[Case, Carrier]],
) -> Case:
    """Begin a case; what is carried by another order is told in `linked`."""
    if item.change is Change.WITHDRAWN:
        return open_withdrawn(item.appeal, item.mode, at)
    context = Context(mode=item.mode)
    decision = decided(item.appeal, context, room)
    carrier = carrier_of(decision, candidates.get(item.appeal.id, ()))
    if carrier is not None:
        context = replace(context, linked_to=carrier.order.id)
    case = open_case(item.appeal, item.mode, decision, context, at)
    if carrier is not None:
        linked[case.id] = case, carrier
    if needs_duty(case):
        case = call_duty(case, room.fallback(item.appeal), at)
    if not case.unsent:
        return case
    return replace(case, fence=claim.fence, until=claim.until, due=_first_look(item.appeal, at, room.tables))


def _first_look(appeal: Appeal, at: datetime, tables: Tables) -> datetime | None:
    """When the clock looks at a new order for the first time: reckoned once for each class and type of a page."""
    return first_look(Clock(appeal.deadline_class, appeal.request_type, tables.deadlines, tables.calendar), at)


async def _amend(known: Sequence[tuple[Case, Handed]], room: Room, claim: Claim) -> list[Case]:
    at = room.moment()
    items = {case.id: item for case, item in known}
    before = {case.id: case.version for case, _ in known}
    # As where a case begins: first the order that carries it knows, then the case does.
    told, alone = await tell_news(known, lambda case, item: decided(*_asked(case, item), room), room.store, at, claim)
    changed = await room.store.change_all(
        [case for case, _ in known], lambda case: amended(case, items[case.id], room, claim, at, alone=case.id in alone)
    )
    for case in changed:
        if case.version != before[case.id]:
            tell_duty(case)
    earlier = {case.id: case for case, _ in known}
    left = [id_ for case in changed for id_ in orphans(earlier[case.id], case)]
    return changed + told + (await stand_alone(left, room, claim) if left else [])


async def stand_alone(ids: Sequence[str], room: Room, claim: Claim) -> list[Case]:
    """Give carried cases an order of their own: nothing carries them any more."""
    at = room.moment()
    cases = [case for case in (await room.store.load(ids)).values() if case.goal is State.LINKED]
    appeals = await room.load_appeals([(case.id, case.revision) for case in cases]) if cases else {}

    def alone(case: Case) -> Case:
        return claimed(case, standing_alone(case, appeals.get((case.id, case.revision)), room, at), claim)

    return await room.store.change_all(cases, alone)


def standing_alone(case: Case, appeal: Appeal | None, room: Room, at: datetime) -> Case:
    """Decide a case that nothing carries any more for itself."""
    if case.goal is not State.LINKED or case.decision is None or appeal is None:
        return case
    context = replace(case.decision.context, linked_to=None)
    return decide_again(case, decided(appeal, context, room), context, at)


def amended(case: Case, item: Handed, room: Room, claim: Claim, at: datetime, *, alone: bool = False) -> Case:
    """Take a revision into its case; `alone`: no order carries it any more."""
    decision, context = None, None
    accused = case.assigned_by_person and _accuses_holder(case, item.appeal, room)
    if needs_decision(case, item.change, item.appeal.revision, accuses_holder=accused):
        appeal, context = _asked(case, item)
        if alone or context.linked_to not in dict(named(item)):
            context = replace(context, linked_to=None)  # its new text is about something else
        decision = decided(appeal, context, room)
    after = amend(case, item.appeal, item.change, at, decision=decision, context=context)
    if needs_duty(after):
        after = call_duty(after, room.fallback(item.appeal), at)
    if after is not case:
        after = replace(after, due=at if after.goal is State.DELIVERED else None)  # the next look reckons it anew
    return claimed(case, after, claim)


def _asked(case: Case, item: Handed) -> tuple[Appeal, Context]:
    """Give what a new revision is decided on."""
    if case.decision is None:
        return item.appeal, Context(mode=case.mode, holder=case.holder)
    return item.appeal, replace(case.decision.context, mode=case.mode, holder=case.holder)


def _accuses_holder(case: Case, appeal: Appeal, room: Room) -> bool:
    accused, directory = Accused(appeal, room.tables.directory), room.tables.directory
    return any((unit := directory.get(code)) is not None and unit in accused for code in holders(case))


def decided(appeal: Appeal, context: Context, room: Room) -> Decision | Exception:
    """Decide, and let one that cannot be decided be the failure of one (promise 11)."""
    try:
        return room.decide(appeal, context, room.tables)
    except Exception as error:  # noqa: BLE001 - whatever it is, it parks this appeal alone
        # No traceback and no text of the error: both may quote the citizen.
        logger.error("Deciding failed", action="case_undecided", case=appeal.id, error=type(error).__name__)  # noqa: TRY400
        return error


def tell_duty(case: Case) -> None:
    """Call the person on duty, if the last event says so; the log carries no word of the citizen."""
    last = case.events[-1]
    if last.kind is Kind.DUTY_CALLED:
        logger.warning(
            "A critical appeal waits in triage: call the person on duty",
            action="duty_called",
            case=case.id,
            department=last.department,
        )


# ---------------------------------------------------------------- publish and mark


async def _mine(cases: Iterable[Case], room: Room, claim: Claim) -> tuple[list[Case], int]:
    """Give those with something to send that are ours; claim what a crash left behind, leave what others are at."""
    unsent = [case for case in cases if case.unsent]
    mine = [case for case in unsent if case.fence == claim.fence]
    lapsed = await room.store.claim([case.id for case in unsent if case.fence != claim.fence], claim.fence, claim.until)
    return mine + lapsed.mine, lapsed.theirs


async def _deliver(
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


# ---------------------------------------------------------------- claims


def claimed(before: Case, after: Case, claim: Claim) -> Case:
    """Claim a case in the very write that gives it something to send; let go of it in the write that leaves nothing."""
    if after is before:
        return after
    if not after.unsent:
        return replace(after, fence=None, until=None)
    if not before.unsent:
        return replace(after, fence=claim.fence, until=claim.until)
    return after


def claim_of(room: Room) -> Claim:
    """Begin a claim: a new fence, and one lease from now."""
    return Claim(room.fence(), room.moment() + room.lease)
