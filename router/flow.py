"""START HERE. A page of appeals in; each becomes a case, and each case's dispatches are in the departments' queues.

Decide, store, publish, mark. A dispatch is written down before it is published, and whoever publishes it again
publishes the same id and the same body, so a crash between any two of these steps is mended by running the same flow
again: on the page, or by `deliver_forgotten` on what lapsed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from msgspec.structs import replace

from normalizer.appeal import Appeal, Change, Handed, appeal_of
from router.cases.answering import with_answer
from router.cases.carrying import may_carry
from router.cases.case import Case, holders, needs_duty
from router.cases.clock import Clock, first_look
from router.cases.deciding import (
    amend,
    call_duty,
    decide_again,
    needs_decision,
    next_revision,
    open_case,
    open_withdrawn,
    stays_put,
)
from router.cases.moves import Kind, State
from router.delivering import RoutedPage as RoutedPage
from router.delivering import deliver as deliver
from router.delivering import deliver_forgotten as deliver_forgotten
from router.delivering import mine, send
from router.dispatch import Context, Decision
from router.dispatching.accused import Accused
from router.dispatching.tables import Tables
from router.linking import Carrier, carrier_of, carriers, named, orphans, tell_carriers, tell_news
from router.passed_over import told_after_all
from router.room import Claim as Claim
from router.room import Outgoing as Outgoing
from router.room import Room as Room
from router.room import Text as Text
from router.room import claim_of as claim_of
from router.room import claimed as claimed
from router.rounds import newest

logger = structlog.get_logger(__name__)


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

    ours, theirs = await mine([*opened, *amended, *carrying], room, claim)
    delivered = await send(ours, texts, room, claim, page)

    cases = {case.id: case for case in (*opened, *amended, *delivered)}
    page.states.update(case.state.value for case in cases.values())
    page.parked += sum(case.state is State.PARKED for case in opened)
    page.waiting += theirs
    over = {appeal_of(case.id) for case in amended if case.continued}
    if over:
        # The closed cases name the next ones, which are not there yet: now they are begun.
        rest = [replace(item, change=_not_new(item.change)) for item in handed if item.appeal.id in over]
        return page.and_then(await route_page(rest, room))
    return page


def _not_new(change: Change) -> Change:
    return Change.CHANGED if change is Change.NEW else change


async def _route_in_turn(handed: Sequence[Handed], once: Mapping[str, Handed], room: Room) -> RoutedPage:
    """Route a page that has an appeal more than once: the first of each, then what builds on it."""
    first = [item for item in handed if once[item.appeal.id] is item]
    rest = [item for item in handed if once[item.appeal.id] is not item]
    return (await route_page(first, room)).and_then(await route_page(rest, room))


# ---------------------------------------------------------------- decide and store


async def _open(
    handed: Sequence[Handed], room: Room, claim: Claim
) -> tuple[list[Case], list[tuple[Case, Handed]], list[Case]]:
    """Begin a case for each appeal that has none; give the others with the case they have, and orders that carry."""
    older = await newest([item.appeal.id for item in handed if item.change is not Change.NEW], room.store)
    at = room.moment()
    # What is named and not there is begun as what is nowhere: the next round of a closed case.
    closed = {id_: case for id_, case in older.items() if case.continued}
    known = [(older[id_], item) for item in handed if (id_ := item.appeal.id) in older and id_ not in closed]
    begins = [item for item in handed if _begins(item, older.get(item.appeal.id))]
    candidates = await carriers(begins, room.store)
    linked: dict[str, tuple[Case, Carrier]] = {}
    cases = [begun(item, room, claim, at, candidates, linked, closed.get(item.appeal.id)) for item in begins]
    # First the order says that it carries them; then they are there.
    carrying = await tell_carriers(linked, room.store, at, claim) if linked else []
    there = await room.store.insert(cases)
    if there:
        found = await newest([appeal_of(id_) for id_ in there], room.store)
        known += [(found[item.appeal.id], item) for item in begins if item.appeal.id in found]
    opened = [case for case in cases if case.id not in there]
    for case in opened:
        tell_duty(case)
    return opened, known, carrying


def _begins(item: Handed, before: Case | None) -> bool:
    """Say whether a case begins with this: chatter never becomes one, but what a closed one names must be there."""
    if before is None:
        return item.appeal.quality.is_appeal
    return bool(before.continued) and item.appeal.revision >= next_revision(before)


def begun(  # noqa: PLR0917 - an item, what surrounds it, and what may carry it
    item: Handed,
    room: Room,
    claim: Claim,
    at: datetime,
    candidates: Mapping[str, Sequence[Carrier]],
    linked: dict[str, tuple[Case, Carrier]],
    closed: Case | None = None,
) -> Case:
    """Begin a case, or the round after a closed one; what is carried by another order is told in `linked`."""
    mode = item.mode if closed is None else closed.mode  # as of every later revision
    if item.change is Change.WITHDRAWN:
        return open_withdrawn(item.appeal, mode, at, closed)
    context = Context(mode=mode)
    decision = decided(item.appeal, context, room)
    named_orders = candidates.get(item.appeal.id, ())  # most name none
    carrier = carrier_of(decision, [one for one in named_orders if not accuses_holder(one.order, item.appeal, room)])
    if carrier is not None:
        context = replace(context, linked_to=carrier.order.id)
    case = open_case(item.appeal, mode, decision, context, at, closed)
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
    at, known = room.moment(), await told_after_all(known, room)
    items = {case.id: item for case, item in known}
    before = {case.id: case.version for case, _ in known}
    # As where a case begins: first the order that carries it knows, then the case does.
    told, alone = await tell_news(
        known, lambda order, case, item: carries_on(order, case, item, room), room.store, at, claim
    )
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
    accused = stays_put(case) and accuses_holder(case, item.appeal, room)
    if needs_decision(case, item.change, item.appeal.revision, accuses_holder=accused):
        appeal, context = _asked(case, item)
        if alone or appeal_of(context.linked_to or "") not in dict(named(item)):
            context = replace(context, linked_to=None)  # its new text is about something else
        decision = decided(appeal, context, room)
    after = amend(case, item.appeal, item.change, at, decision=decision, context=context)
    if after.continued:
        return claimed(case, after, claim)
    if needs_duty(after):
        after = call_duty(after, room.fallback(item.appeal), at)
    if after is not case:
        after = replace(after, due=at if after.goal is State.DELIVERED else None)  # the next look reckons it anew
        after = with_answer(case, after, at, room.answering.get(case.source))
    return claimed(case, after, claim)


def carries_on(order: Case, case: Case, item: Handed, room: Room) -> bool:
    """Say whether an order carries a case with its new text too: it reaches who is addressed, and nobody accused."""
    return may_carry(order, decided(*_asked(case, item), room)) and not accuses_holder(order, item.appeal, room)


def _asked(case: Case, item: Handed) -> tuple[Appeal, Context]:
    """Give what a new revision is decided on."""
    if case.decision is None:
        return item.appeal, Context(mode=case.mode, holder=case.holder)
    return item.appeal, replace(case.decision.context, mode=case.mode, holder=case.holder)


def accuses_holder(case: Case, appeal: Appeal, room: Room) -> bool:
    """Say whether an appeal is about one of those who hold a case, or about one above them (promise 8)."""
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
