"""The life of a case without I/O: every history stays in the table, sequences have no gaps, no input is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from normalizer.appeal import Change, Mode, Quality, Urgency, Versions
from router.cases.case import (
    Case,
    changes,
    dispatch_of,
    facts_of,
    from_document,
    holders,
    needs_duty,
    sendable,
    to_document,
)
from router.cases.centre import Visit, decide_ask, reassign, reopen, urge, visit
from router.cases.clock import Limits
from router.cases.deciding import (
    amend,
    assign,
    call_duty,
    decide_again,
    fall_back,
    needs_decision,
    open_case,
)
from router.cases.delivery import confirm, discard, park, retry
from router.cases.hearing import hear
from router.cases.moves import MOVES, Kind, Sent, State
from router.cases.returns import give_to
from router.cases.work import Ask
from router.desk import parked_rows
from router.dispatch import Context, MessageType, Role, message_id
from router.errors import MoveNotAllowed
from tests.router.cases.test_hearing import said
from tests.router.city import AT, appeal, decide

VERSIONS = Versions(taxonomy="t1", directory="d1", rules="r1")


def opened(to: str = "ZJJ", mode: Mode = Mode.ROUTE, urgency: Urgency = Urgency.NORMAL) -> Case:
    context = Context(mode=mode)
    first = appeal(to=to, urgency=urgency)
    return open_case(first, mode, decide(first, context), context, AT)


def amended(case: Case, to: str, change: Change = Change.CHANGED) -> Case:
    later = replace(appeal(to=to), revision=case.revision + 1)
    context = Context(mode=case.mode, holder=case.holder)
    decision = decide(later, context) if needs_decision(case, change, later.revision) else None
    return amend(case, later, change, AT, decision=decision, context=context if decision else None)


def sent(case: Case) -> Case:
    while sendable(case):
        case = confirm(case, [row.id for row in sendable(case)], AT)
    return case


def rows(case: Case) -> list[tuple[str, int, MessageType]]:
    return [(row.department, row.sequence, row.type) for row in case.dispatches]


def test_a_dispatched_case_has_one_message_for_each_department_and_is_delivered_when_all_are_confirmed() -> None:
    case = opened("ZJJ+CGJ")
    assert (case.state, case.unsent, case.holder) == (State.IN_FLIGHT, 2, "ZJJ")
    assert holders(case) == {"ZJJ": Role.LEAD, "CGJ": Role.ASSIST}
    half = confirm(case, [case.dispatches[0].id], AT)
    assert half.state is State.IN_FLIGHT
    assert confirm(half, [case.dispatches[1].id], AT).state is State.DELIVERED


@pytest.mark.parametrize(("fate", "state"), [("triage", State.TRIAGE), ("informed", State.INFORMED)])
def test_what_is_not_dispatched_ends_where_the_decision_says(fate: str, state: State) -> None:
    assert opened(fate).state is state


def test_what_is_only_observed_sends_nothing_and_stays_observed_after_going_live() -> None:
    case = opened(mode=Mode.OBSERVE)
    assert (case.state, case.dispatches) == (State.OBSERVED, [])
    assert amended(case, "ZJJ").state is State.OBSERVED


def test_a_decision_that_failed_parks_the_case_and_can_be_made_again() -> None:
    context = Context()
    case = open_case(appeal(), Mode.ROUTE, ValueError("路灯不亮"), context, AT)
    assert case.state is State.PARKED
    assert "路灯" not in str(to_document(case))
    assert decide_again(case, decide(appeal(), context), context, AT).state is State.IN_FLIGHT


def test_a_change_of_department_recalls_there_and_dispatches_here() -> None:
    case = amended(sent(opened("ZJJ")), "CGJ")
    assert rows(case)[1:] == [("ZJJ", 2, MessageType.RECALLED), ("CGJ", 1, MessageType.DISPATCHED)]
    assert holders(case) == {"CGJ": Role.LEAD}


def test_the_same_department_gets_an_update() -> None:
    case = amended(sent(opened("ZJJ")), "ZJJ")
    assert rows(case)[1:] == [("ZJJ", 2, MessageType.UPDATED)]
    assert case.state is State.IN_FLIGHT


def test_who_keeps_a_case_hears_nothing_of_what_was_only_seen_in_it() -> None:
    case = sent(opened("ZJJ+CGJ"))
    same = amended(case, "ZJJ+CGJ", Change.REREAD)
    assert (same.dispatches, same.events[-1].kind, same.revision) == (case.dispatches, Kind.RECORDED, case.revision + 1)
    moved = amended(case, "ZJJ", Change.REREAD)
    assert [row.type for row in moved.dispatches[2:]] == [MessageType.RECALLED]
    elsewhere = amended(case, "GAJ", Change.REREAD)
    assert sorted((row.department, row.type) for row in elsewhere.dispatches[2:]) == [
        ("CGJ", MessageType.RECALLED),
        ("GAJ", MessageType.DISPATCHED),
        ("ZJJ", MessageType.RECALLED),
    ]


def test_what_a_person_assigned_stays_and_its_holder_gets_the_update() -> None:
    case = sent(assign(opened("triage"), "CGJ", "王", "归城管", VERSIONS, AT))
    after = amended(case, "ZJJ")
    assert rows(after)[1:] == [("CGJ", 2, MessageType.UPDATED)]
    assert after.assigned_by_person


def test_what_its_lead_has_taken_on_stays_with_its_new_text_too() -> None:
    case = sent(opened("ZJJ"))
    received = hear(case, "ZJJ", said(case, "received"), AT, Limits())
    assert needs_decision(received, Change.CHANGED, 2), "a program has it, and nobody has taken it on"
    signed = sent(hear(case, "ZJJ", said(case, "accepted"), AT, Limits()))
    after = amended(signed, "CGJ")
    assert [(row.department, row.type) for row in after.dispatches[2:]] == [("ZJJ", MessageType.UPDATED)]
    assert needs_decision(signed, Change.CHANGED, 2, accuses_holder=True)
    asks = hear(signed, "ZJJ", said(signed, "return_requested", 60), AT + timedelta(hours=1), Limits())
    assert needs_decision(asks, Change.CHANGED, 2), "it wants to give it back"


def test_a_new_text_after_the_end_is_for_a_case_of_its_own_and_the_closed_one_only_names_it() -> None:
    closed = ended()
    after = amended(closed, "ZJJ")
    assert not needs_decision(closed, Change.CHANGED, 2, accuses_holder=True)
    assert (after.continued, after.revision, after.dispatches) == ("a1~2", closed.revision, closed.dispatches)
    assert [event.kind for event in after.events[len(closed.events) :]] == [Kind.CONTINUED]
    assert amended(after, "CGJ", Change.WITHDRAWN) is after, "what comes later is for the case that follows"
    with pytest.raises(MoveNotAllowed, match="a1~2"):
        reopen(after, "李", "没有修好", AT)


@pytest.mark.parametrize("change", [Change.SAME, Change.REREAD, Change.WITHDRAWN, Change.BACK])
def test_what_says_nothing_new_after_the_end_is_recorded_there(change: Change) -> None:
    closed = ended()
    after = amended(closed, "CGJ", change)
    assert (after.continued, after.dispatches, after.events[-1].kind) == (UNSET, closed.dispatches, Kind.RECORDED)
    counted = ("goal", "handling", "revision", "category", "urgency", "holder")
    assert [getattr(after, name) for name in counted] == [getattr(closed, name) for name in counted]
    assert amend(after, appeal(revision=2), change, AT) is after, "once"


def test_chatter_after_the_end_opens_no_case() -> None:
    closed = ended()
    chatter = replace(appeal(revision=2), quality=Quality(is_appeal=False))
    assert not amend(closed, chatter, Change.CHANGED, AT).continued


def ended() -> Case:
    """A case that its call-back has closed."""
    case = sent(assign(opened("triage"), "CGJ", "王", "归城管", VERSIONS, AT))
    done = hear(case, "CGJ", said(case, "resolved", department="CGJ"), AT, Limits())
    return sent(visit(done, Visit(reached=True, solved="yes"), "李", AT))


def test_a_round_begins_a_deadline_of_its_own_and_its_messages_say_so() -> None:
    day = timedelta(days=1)
    case = sent(opened("ZJJ"))
    case = sent(hear(case, "ZJJ", said(case, "resolved"), AT, Limits()))
    case = sent(urge(reopen(case, "李", "未解决", AT + 9 * day), "王", "请尽快", AT + 10 * day))
    begun = [(row.type, (found := dispatch_of(case, row)).since or found.at) for row in case.dispatches]
    assert begun[-2:] == [(MessageType.REOPENED, AT + 9 * day), (MessageType.URGED, AT + 9 * day)]
    assert dispatch_of(case, case.dispatches[-1]).dispatch == case.dispatches[0].id
    back = reassign(
        reassign(case, "CGJ", "王", "x", VERSIONS, AT + 11 * day), "ZJJ", "王", "x", VERSIONS, AT + 12 * day
    )
    told = [dispatch_of(back, row) for row in back.dispatches if row.department == "ZJJ"][-1]
    assert (told.type, told.since) == (MessageType.DISPATCHED, None), "given to it anew"


def test_another_assistant_takes_the_place_of_one_that_returns_it_and_its_lead_works_on() -> None:
    case = sent(opened("ZJJ+CGJ"))
    case = hear(case, "CGJ", said(case, "return_requested", department="CGJ"), AT, Limits())
    case = decide_ask(case, "CGJ", Ask.RETURN, "王", "属实", AT, granted=True)
    after = give_to(case, "CGJ", "GAJ", "王", "属实", VERSIONS, "李", AT)
    assert (after.holder, holders(after)) == ("ZJJ", {"ZJJ": Role.LEAD, "GAJ": Role.ASSIST})
    assert [(row.department, row.type) for row in after.dispatches[4:]] == [
        ("CGJ", MessageType.RECALLED),
        ("GAJ", MessageType.DISPATCHED),
    ]


def test_an_assistants_order_given_up_leaves_its_lead_at_work() -> None:
    case = sent(opened("ZJJ+CGJ"))
    dead = park(case, case.dispatches[1].id, "delivery_limit", AT, Kind.DEAD_LETTERED)
    after = discard(dead, "王", "不用协办", AT)
    assert (after.state, after.goal, holders(after)) == (State.DELIVERED, State.DELIVERED, {"ZJJ": Role.LEAD})


def test_what_could_not_be_decided_waits_for_a_decision_whatever_was_discarded_before() -> None:
    case = amended(park(opened("ZJJ"), opened("ZJJ").dispatches[0].id, "NO_ROUTE", AT), "CGJ")
    assert case.dispatches[0].state is Sent.DISCARDED
    failed = amend(sent(case), appeal(revision=3), Change.CHANGED, AT, decision=ValueError(), context=Context())
    assert [message for _, message, _ in parked_rows([failed])] == [None]


def test_a_revision_that_belongs_to_nobody_goes_back_to_triage_and_is_recalled() -> None:
    case = amended(sent(opened("ZJJ")), "triage")
    assert (case.state, case.holder) == (State.TRIAGE, None)
    assert rows(case)[-1] == ("ZJJ", 2, MessageType.RECALLED)
    assert sent(case).state is State.TRIAGE


def test_a_case_in_triage_is_decided_again() -> None:
    assert amended(opened("triage"), "ZJJ").state is State.IN_FLIGHT


def test_withdrawn_tells_each_holder_and_ends_withdrawn() -> None:
    case = amended(sent(opened("ZJJ+CGJ")), "ZJJ", Change.WITHDRAWN)
    assert rows(case)[2:] == [("ZJJ", 2, MessageType.WITHDRAWN), ("CGJ", 2, MessageType.WITHDRAWN)]
    assert case.state is State.IN_FLIGHT
    assert sent(case).state is State.WITHDRAWN


def test_withdrawn_before_anything_left_is_withdrawn_at_once() -> None:
    assert amended(opened("triage"), "triage", Change.WITHDRAWN).state is State.WITHDRAWN
    returned = park(opened("ZJJ"), opened("ZJJ").dispatches[0].id, "NO_ROUTE", AT)
    after = amended(returned, "ZJJ", Change.WITHDRAWN)
    assert (after.state, after.parked, len(after.dispatches)) == (State.WITHDRAWN, 0, 1)


@pytest.mark.parametrize("change", [Change.CHANGED, Change.BACK])
def test_withdrawn_is_not_final(change: Change) -> None:
    case = sent(amended(sent(opened("ZJJ")), "ZJJ", Change.WITHDRAWN))
    again = amended(case, "ZJJ", change)
    assert rows(again)[-1] == ("ZJJ", 3, MessageType.DISPATCHED)
    assert sent(again).state is State.DELIVERED


@pytest.mark.parametrize("change", [Change.REFRESHED, Change.SAME])
def test_what_says_nothing_new_sends_nothing(change: Change) -> None:
    case = sent(opened("ZJJ"))
    after = amended(case, "CGJ", change)
    assert after.dispatches == case.dispatches
    assert after.state is State.DELIVERED


def test_the_same_revision_twice_changes_nothing() -> None:
    case = amended(sent(opened("ZJJ")), "CGJ")
    again = amend(case, replace(appeal(to="CGJ"), revision=case.revision), Change.CHANGED, AT)
    assert again is case


def test_a_returned_dispatch_parks_what_waits_behind_it_and_retry_lets_all_go_in_order() -> None:
    case = amended(opened("ZJJ+CGJ"), "ZJJ+CGJ")
    first = case.dispatches[0]
    parked = park(confirm(case, [row.id for row in sendable(case) if row.department == "CGJ"], AT), first.id, "x", AT)
    assert parked.parked == 2
    assert [row.department for row in sendable(parked)] == ["CGJ"]
    assert sent(parked).state is State.PARKED
    again = retry(sent(parked), "王", AT)
    assert [row.id for row in sendable(again)] == [first.id]
    assert sent(again).state is State.DELIVERED


def test_a_dead_letter_parks_what_was_delivered() -> None:
    case = sent(opened("ZJJ"))
    dead = park(case, case.dispatches[0].id, "delivery_limit", AT, Kind.DEAD_LETTERED)
    assert dead.state is State.PARKED
    assert park(case, case.dispatches[0].id, "late", AT, Kind.RETURNED) is case


def test_an_order_given_up_leaves_its_case_parked_and_a_recall_given_up_does_not() -> None:
    order = park(opened("ZJJ"), opened("ZJJ").dispatches[0].id, "x", AT)
    given_up = discard(order, "王", "部门已撤并", AT)
    assert (given_up.state, given_up.parked) == (State.PARKED, 0)
    recalled = amended(sent(opened("ZJJ")), "informed")
    parked = park(recalled, recalled.dispatches[-1].id, "x", AT)
    assert discard(parked, "王", "部门已撤并", AT).state is State.INFORMED


def test_a_critical_case_in_triage_calls_the_duty_once_for_each_time_it_comes_there() -> None:
    case = opened("triage", urgency=Urgency.CRITICAL)
    assert needs_duty(case)
    called = call_duty(case, "QZF", AT)
    assert not needs_duty(called)
    assert fall_back(called, "QZF", "15 分钟", VERSIONS, AT).holder == "QZF"
    assert not fall_back(called, "QZF", "15 分钟", VERSIONS, AT).assigned_by_person


def test_what_departments_have_cannot_be_assigned_like_something_in_triage() -> None:
    with pytest.raises(MoveNotAllowed):
        assign(sent(opened("ZJJ")), "CGJ", "王", "改派", VERSIONS, AT)


def test_a_message_is_made_from_the_decision_of_its_own_moment() -> None:
    case = sent(opened("ZJJ"))
    first = facts_of(case, case.dispatches[0])
    later = amended(case, "CGJ")
    assert facts_of(later, later.dispatches[0]) == first
    assert facts_of(later, later.dispatches[-1]).routing.lead == "CGJ"


def test_a_change_carries_only_what_is_new() -> None:
    case = sent(opened("ZJJ"))
    update = changes(case, amended(case, "CGJ"))
    assert len(update["$push"]["dispatches"]["$each"]) == 2
    assert "events" not in update["$set"]
    assert update["$set"]["version"] == case.version + 1


# ---------------------------------------------------------------- any history

FATES = st.sampled_from(["ZJJ", "CGJ", "ZJJ+CGJ", "CGJ+ZJJ", "triage", "informed"])
STEP = st.one_of(
    st.tuples(
        st.just("amend"), FATES, st.sampled_from([Change.CHANGED, Change.CHANGED, Change.SAME, Change.WITHDRAWN])
    ),
    st.tuples(st.sampled_from(["confirm", "return", "dead"]), st.integers(0, 9), st.none()),
    st.tuples(st.sampled_from(["retry", "discard", "assign", "broken"]), FATES, st.none()),
)


def step(case: Case, what: str, by: object, change: object, at: datetime) -> Case:
    row = case.dispatches[by % len(case.dispatches)].id if isinstance(by, int) and case.dispatches else "none"
    out = row if row in {each.id for each in sendable(case)} else "none"
    later = replace(appeal(), revision=case.revision + 1)
    moves: dict[str, Callable[[], Case]] = {
        "amend": lambda: amended(case, str(by), Change(str(change))),
        "broken": lambda: amend(case, later, Change.CHANGED, at, decision=ValueError(), context=Context()),
        "confirm": lambda: confirm(case, [out], at),
        "return": lambda: park(case, out, "x", at),
        "dead": lambda: park(case, row, "x", at, Kind.DEAD_LETTERED),
        "retry": lambda: retry(case, "王", at),
        "discard": lambda: discard(case, "王", "x", at),
        "assign": lambda: assign(case, "GAJ", "王", "x", VERSIONS, at) if may_assign(case) else case,
    }
    return moves[what]()


def may_assign(case: Case) -> bool:
    return case.state in MOVES[Kind.ASSIGNED].before


@settings(max_examples=400)
@given(FATES, st.lists(STEP, max_size=14))
def test_no_history_leaves_the_table_and_no_sequence_has_a_gap(
    fate: str, steps: list[tuple[str, object, object]]
) -> None:
    case = opened(fate)
    for number, (what, by, change) in enumerate(steps):
        before = to_document(case)
        after = step(case, what, by, change, AT + timedelta(minutes=number))
        assert to_document(case) == before, "a move changed the case that it was given"
        check(after)
        assert after.events[: len(case.events)] == case.events, "the ledger is appended to, never changed"
        assert [row.id for row in after.dispatches[: len(case.dispatches)]] == [row.id for row in case.dispatches]
        assert from_document(to_document(after)) == after
        case = after


def check(case: Case) -> None:
    assert [event.n for event in case.events] == list(range(1, len(case.events) + 1))
    counted: dict[str, int] = {}
    unconfirmed: set[str] = set()
    for row in case.dispatches:
        counted[row.department] = counted.get(row.department, 0) + 1
        assert row.sequence == counted[row.department]
        assert row.id == message_id(case.id, row.department, row.sequence)
        if row.state in {Sent.PENDING, Sent.PARKED}:
            unconfirmed.add(row.department)
    assert case.sequences == counted
    assert len({row.id for row in case.dispatches}) == len(case.dispatches)
    states = [row.state for row in case.dispatches]
    assert (case.unsent, case.parked) == (states.count(Sent.PENDING), states.count(Sent.PARKED))
    assert case.state is not State.RECEIVED
    if case.state is State.DELIVERED:
        assert case.unsent == case.parked == 0
        assert holders(case)
    for row in sendable(case):
        earlier = [r for r in case.dispatches if r.department == row.department and r.sequence < row.sequence]
        assert all(r.state is Sent.SENT or r.sent_at is not None for r in earlier), "a number is missing"
    # What is unsent can go out: nothing waits for ever without being parked.
    assert bool(sendable(case)) == bool(case.unsent)


def test_every_kind_of_event_has_its_line_in_the_table() -> None:
    assert set(MOVES) == set(Kind)
    assert State.RECEIVED not in {move.goal for move in MOVES.values()}


def test_who_loses_a_case_is_told_no_more_than_it_knew() -> None:
    """The new text may be a complaint about this very department (promise 8)."""
    for to in ("CGJ", "triage", "informed"):
        after = amended(sent(opened("ZJJ")), to)
        recall = next(row for row in after.dispatches if row.type is MessageType.RECALLED)
        assert (after.revision, recall.revision) == (2, 1)
        assert facts_of(after, recall).routing.lead == "ZJJ"
        assert after.decision is not None
        assert after.decision.sentence != recall.reason


def test_words_that_could_not_be_decided_reach_nobody() -> None:
    failed = ValueError("路灯不亮")
    case = amend(sent(opened("ZJJ")), appeal(revision=2), Change.CHANGED, AT, decision=failed, context=Context())
    assert case.state is State.PARKED
    heard_since = hear(urge(case, "王", "请尽快", AT), "ZJJ", said(case, "progress"), AT + timedelta(hours=1), Limits())
    assert [(row.type, row.revision) for row in heard_since.dispatches[1:]] == [
        (MessageType.URGED, 1),
        (MessageType.OUTCOME, 1),
    ]
    context = Context(holder="ZJJ")
    elsewhere = decide_again(heard_since, decide(appeal(to="CGJ", revision=2), context), context, AT)
    assert [(row.department, row.type, row.revision) for row in elsewhere.dispatches[3:]] == [
        ("ZJJ", MessageType.RECALLED, 1),
        ("CGJ", MessageType.DISPATCHED, 2),
    ]
    stays = decide_again(heard_since, decide(appeal(revision=2), context), context, AT)
    assert [(row.type, row.revision) for row in stays.dispatches[3:]] == [(MessageType.UPDATED, 2)]


def test_what_its_author_took_back_is_told_as_it_was_sent() -> None:
    case = sent(amended(sent(opened("ZJJ")), "ZJJ"))
    gone = amend(case, replace(appeal(to="CGJ"), revision=3), Change.WITHDRAWN, AT)
    assert [(row.type, row.revision) for row in gone.dispatches][2:] == [(MessageType.WITHDRAWN, 2)]


def told_in(case: Case, department: str = "ZJJ") -> list[tuple[int, MessageType, int]]:
    rows = [row for row in case.dispatches if row.department == department and row.state is not Sent.DISCARDED]
    return [(row.sequence, row.type, row.revision) for row in rows]


def test_the_number_of_an_update_that_never_left_comes_with_the_next_one_as_an_update() -> None:
    case = amended(sent(opened("ZJJ")), "ZJJ")
    case = discard(park(case, case.dispatches[-1].id, "x", AT), "王", "部门说不用", AT)
    assert told_in(case) == [(1, MessageType.DISPATCHED, 1)], "nothing goes out before there is something to say"
    after = urge(case, "王", "请尽快", AT)
    assert told_in(after)[1:] == [(2, MessageType.UPDATED, 2), (3, MessageType.URGED, 2)]
    assert [row.sequence for row in sendable(after)] == [2]
    assert from_document(to_document(after)) == after
    recalled = amended(case, "CGJ")
    assert told_in(recalled)[1:] == [(2, MessageType.UPDATED, 1), (3, MessageType.RECALLED, 1)]


def test_a_department_that_never_had_it_gets_the_number_recalled_before_its_order() -> None:
    order = park(opened("ZJJ"), opened("ZJJ").dispatches[0].id, "NO_ROUTE", AT)
    given_up = discard(order, "王", "部门已撤并", AT)
    after = assign(given_up, "ZJJ", "王", "又建回来了", VERSIONS, AT)
    assert told_in(after) == [(1, MessageType.RECALLED, 1), (2, MessageType.DISPATCHED, 1)]
    assert holders(after) == {"ZJJ": Role.LEAD}
    assert dispatch_of(after, after.dispatches[0]).reason == "此号原来的消息未能送达，已放弃；以本条补号"
    elsewhere = assign(given_up, "CGJ", "王", "归城管", VERSIONS, AT)
    assert told_in(elsewhere) == [], "who never had it hears nothing"
    again = discard(park(after, after.dispatches[0].id, "NO_ROUTE", AT), "王", "还是不行", AT)
    assert told_in(assign(again, "ZJJ", "王", "再来", VERSIONS, AT)) == [
        (1, MessageType.RECALLED, 1),
        (2, MessageType.RECALLED, 1),
        (3, MessageType.DISPATCHED, 1),
    ]


def test_what_was_refused_and_given_up_is_not_sent_anew() -> None:
    case = sent(amended(sent(opened("ZJJ")), "ZJJ"))
    dead = park(case, case.dispatches[-1].id, "rejected", AT, Kind.DEAD_LETTERED)
    after = urge(discard(dead, "王", "部门读不懂", AT), "王", "请尽快", AT)
    assert [row[0] for row in told_in(after)] == [1, 3]


def test_a_number_that_was_in_the_queue_once_bears_no_other_words_where_it_was_sent_again_in_vain() -> None:
    """Whoever stored it would take the second body for a repeat of the first, and never learn that it was recalled."""
    order = sent(opened("ZJJ"))
    dead = park(order, order.dispatches[0].id, "delivery_limit", AT, Kind.DEAD_LETTERED)
    in_vain = park(retry(dead, "王", AT), order.dispatches[0].id, "NO_ROUTE", AT)
    after = assign(discard(in_vain, "王", "部门已撤并", AT), "ZJJ", "王", "又建回来了", VERSIONS, AT)
    assert told_in(after) == [(2, MessageType.DISPATCHED, 1)]
    recalled = amended(in_vain, "CGJ")
    assert told_in(recalled) == [(1, MessageType.DISPATCHED, 1), (2, MessageType.RECALLED, 1)]


def test_an_update_given_up_leaves_the_order_with_its_department() -> None:
    case = amended(sent(opened("ZJJ")), "ZJJ")
    parked = park(case, case.dispatches[-1].id, "x", AT)
    assert parked.state is State.PARKED
    after = discard(parked, "王", "部门说不用", AT)
    assert (after.state, holders(after)) == (State.DELIVERED, {"ZJJ": Role.LEAD})
