"""One order that carries others (主单): the same person again, or members of a confirmed event. Pure.

A carried case is `linked` and has no order of its own; the order that carries it says so to whoever holds it. Who was
addressed too hears of it: a case is carried only where everyone it would have gone to holds the carrying order already.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from normalizer.appeal import Appeal, RequestType
from router.cases.case import Case, holders
from router.cases.deciding import is_over, settle
from router.cases.ledger import draft_of, record
from router.cases.moves import Because, Kind, State
from router.cases.sending import append, recall_all
from router.dispatch import Decision, MessageType, Outcome

_SAID = {
    Because.SAME_PERSON: "同一诉求人再次反映同一事项（{case_no}），并入本单催办，不另行派单",
    Because.SAME_EVENT: "又有诉求人反映同一事件（{case_no}），以本单为主单一并办理，答复将分别反馈",
}
MOST_NEWS = 1000  #: characters of a carried case's new text that the holders of its order are told
UNDER_ANOTHER = "已并入同一事件的主单一并办理"
_HELD = frozenset({State.IN_FLIGHT, State.DELIVERED, State.PARKED})


def may_carry(order: Case, decision: Decision | Exception) -> bool:
    """Say whether an order stands that carries what was decided so: each unit that it would go to holds the order."""
    if isinstance(decision, Exception) or decision.outcome is not Outcome.DISPATCH:
        return False
    if order.goal is not State.DELIVERED or order.state not in _HELD:
        return False
    addressed = {decision.routing.lead, *decision.routing.assist} - {None}
    return addressed <= holders(order).keys()


def carry(order: Case, member: Case, because: Because, at: datetime) -> Case:
    """Let an order carry a case, and tell whoever holds it; once for each case, however often it is asked."""
    if member.id in carried(order):
        return order
    order = draft_of(order)
    reason = _SAID[because].format(case_no=member.case_no)
    for code, role in holders(order).items():
        append(order, code, MessageType.LINKED, role, at, reason)
    record(order, Kind.CARRIES, at, data={"case": member.id, "case_no": member.case_no, "because": because.value})
    return order


def bring_news(order: Case, member: Case, appeal: Appeal, at: datetime) -> Case:
    """Tell whoever holds an order what a case that it carries says now; once for each revision."""
    known = {"case": member.id, "revision": appeal.revision}
    if any(event.kind is Kind.UPDATED and known.items() <= event.data.items() for event in order.events):
        return order
    order = draft_of(order)
    secret = appeal.request_type is RequestType.REPORT or appeal.citizen.confidential
    reason = f"并入本单的诉求（{member.case_no}）有新内容：{'涉密从略' if secret else appeal.text[:MOST_NEWS]}"
    held = holders(order)
    for code, role in held.items():
        append(order, code, MessageType.UPDATED, role, at, reason)
    record(order, Kind.UPDATED, at, data={"departments": list(held)} | known)
    return order


def put_under(member: Case, order: str, person: str, reason: str, at: datetime) -> Case:
    """Put a case under another order, on a person's word: whoever has it is told that it is theirs no more."""
    decision = member.decision
    if decision is None or decision.context.linked_to == order:
        return member
    member = draft_of(member)
    recall_all(member, {}, at, UNDER_ANOTHER)
    settle(member, replace(decision, context=replace(decision.context, linked_to=order)))
    member.holder = None
    record(member, Kind.LINKED, at, actor=person, note=reason, data={"to": order})
    return member


def may_go_under(member: Case, order: Case) -> bool:
    """Say whether a case may be put under an order: nobody has it who does not have the order too.

    What is closed stays as it was counted.
    """
    if member.goal is State.TRIAGE:
        return True
    return not is_over(member) and member.goal is State.DELIVERED and holders(member).keys() <= holders(order).keys()


def let_go(order: Case, member: str, at: datetime, actor: str, reason: str) -> Case:
    """Carry a case no longer: it has an order of its own again."""
    if member not in carried(order):
        return order
    order = draft_of(order)
    record(order, Kind.LETS_GO, at, actor=actor, note=reason, data={"case": member})
    return order


def carried(order: Case) -> list[str]:
    """Give the cases that an order carries now."""
    now: dict[str, None] = {}
    for event in order.events:
        if event.kind is Kind.CARRIES:
            now[event.data["case"]] = None
        elif event.kind is Kind.LETS_GO:
            now.pop(event.data["case"], None)
    return list(now)
