"""Feedback in any order, late, twice or foreign: the same state, one outcome each, and nothing leaves the table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer.appeal import Versions
from router.cases.case import Case, from_document, to_document
from router.cases.centre import decide_ask, open_asks, reassign, reply_of, review
from router.cases.clock import Limits
from router.cases.deciding import assign, open_case
from router.cases.delivery import confirm
from router.cases.hearing import AHEAD, MOST, REFUSALS, hear
from router.cases.moves import Kind, State
from router.cases.work import CENTRE, NAMES, STEPS, Ask, Work, drawing
from router.dispatch import Context, MessageType
from router.feedback import Feedback, Outcome, Replied
from tests.router.city import AT, appeal, decide

KINDS = tuple(STEPS)
FIELDS: dict[str, dict[str, Any]] = {
    "contacted": {"attempts": 1, "method": "phone"},
    "interim": {"reply_public": "已安排人员"},
    "extension_requested": {"working_days": 3, "reason": "等材料"},
    "suspended": {"reason": "等汛期过去"},
    "return_requested": {"code": "R1", "clause": "三定规定", "evidence": "不在辖区"},
    "replied": {"reply_public": "已修好", "signed_by": "局办"},
    "resolved": {"resolution": "solved"},
    "exclusion_requested": {"clause": "X6", "evidence": "停工令"},
    "disputed": {"against": "rating", "clause": "A1", "evidence": "照片"},
}


def delivered(to: str = "ZJJ+CGJ") -> Case:
    context = Context()
    case = open_case(appeal(to=to), context.mode, decide(appeal(to=to), context), context, AT)
    return confirm(case, [row.id for row in case.dispatches], AT)


def said(case: Case, kind: str, minute: int = 1, name: str = "", department: str = "ZJJ") -> Feedback:
    order = [row.id for row in case.dispatches if row.department == department]
    fields = {
        "kind": kind,
        "id": name or f"{department}-{kind}-{minute}",
        "dispatch": order[0],
        "case": case.id,
        "at": (AT + timedelta(minutes=minute)).isoformat(),
        "handler": "办公室",
    }
    made: Feedback = msgspec.convert(fields | FIELDS.get(kind, {}), Feedback)
    return made


def heard(case: Case, *feedback: Feedback, department: str = "ZJJ", at: datetime | None = None) -> Case:
    for each in feedback:
        case = hear(case, department, each, at or AT + timedelta(hours=1), Limits())
    return case


def outcomes(case: Case, department: str = "ZJJ") -> list[Outcome]:
    return [
        msgspec.convert(row.told, Outcome)
        for row in case.dispatches
        if row.type is MessageType.OUTCOME and row.department == department
    ]


def work(case: Case) -> Work | None:
    assert case.handling is not None
    return case.handling.work


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        (["received"], Work.DISPATCHED),
        (["accepted"], Work.SIGNED),
        (["accepted", "contacted"], Work.HANDLING),
        (["accepted", "progress", "interim"], Work.INTERIM_REPLIED),
        (["accepted", "extension_requested"], Work.EXTENSION_REQUESTED),
        (["accepted", "suspended"], Work.SUSPENSION_REQUESTED),
        (["return_requested"], Work.RETURN_REQUESTED),
        (["return_requested", "replied"], Work.REPLIED),
        (["replied", "resolved"], Work.CALLBACK),
        (["resolved", "accepted", "progress"], Work.CALLBACK),
    ],
)
def test_each_feedback_makes_the_state_of_the_table(kinds: list[str], state: Work) -> None:
    case = delivered()
    case = heard(case, *(said(case, kind, minute) for minute, kind in enumerate(kinds, 1)))
    assert work(case) is state
    assert outcomes(case)[-1].state == state.value


histories = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 6), st.sampled_from(["ZJJ", "CGJ"])), max_size=9)


@settings(max_examples=200, deadline=None)
@given(histories, st.data())
def test_any_order_and_any_repeat_gives_the_same_state(history: Sequence[tuple[str, int, str]], data: Any) -> None:
    case = delivered()
    feedback = [(department, said(case, kind, minute, department=department)) for kind, minute, department in history]
    replay = data.draw(st.permutations(feedback + feedback[: len(feedback) // 2]))

    def after(order: Sequence[tuple[str, Feedback]]) -> Any:
        done = case
        for department, each in order:
            done = hear(done, department, each, AT + timedelta(hours=1), Limits())
        handling = done.handling
        if handling is None:
            return None
        return handling.work, {
            code: (track.state, track.asks, track.reply, track.extended) for code, track in handling.tracks.items()
        }

    assert after(feedback) == after(replay)


@settings(max_examples=100, deadline=None)
@given(histories)
def test_each_feedback_has_one_event_and_one_outcome_and_no_state_is_outside_the_table(
    history: Sequence[tuple[str, int, str]],
) -> None:
    case = delivered()
    for kind, minute, department in history:
        case = heard(case, said(case, kind, minute, department=department), department=department)
        assert work(case) in NAMES
        assert from_document(to_document(case)) == case
    ids = {(department, kind, minute) for kind, minute, department in history}
    assert len(outcomes(case)) + len(outcomes(case, "CGJ")) == len(ids)
    assert len([event for event in case.events if "feedback" in event.data]) == len(ids)
    for department in ("ZJJ", "CGJ"):
        sequences = [row.sequence for row in case.dispatches if row.department == department]
        assert sequences == list(range(1, len(sequences) + 1))


def test_an_assisting_department_has_its_own_track_and_does_not_move_the_case() -> None:
    case = delivered()
    case = heard(case, said(case, "resolved", department="CGJ"), department="CGJ")
    assert case.handling is not None
    assert case.handling.tracks["CGJ"].state is Work.CALLBACK
    assert case.handling.work is Work.DISPATCHED


def test_the_same_id_again_leaves_nothing() -> None:
    case = delivered()
    once = heard(case, said(case, "accepted"))
    assert heard(once, said(case, "accepted")) is once


def test_who_does_not_have_the_case_is_not_heard() -> None:
    case = delivered()
    assert heard(case, said(case, "accepted"), department="GAJ") is case


def refusal(case: Case, each: Feedback, at: datetime | None = None, limits: Limits | None = None) -> str:
    after = hear(case, "ZJJ", each, at or AT + timedelta(hours=1), limits or Limits())
    assert after.events[-1].kind is Kind.FEEDBACK_REFUSED
    outcome = outcomes(after)[-1]
    assert outcome.outcome == "refused"
    assert outcome.sentence == REFUSALS[outcome.code]
    return outcome.code


def test_what_is_refused_says_why() -> None:
    case = delivered()
    later = AT + timedelta(days=3)
    other = msgspec.structs.replace(said(case, "accepted"), dispatch="f" * 32)
    assert refusal(case, other) == "no_order"
    assert refusal(case, said(case, "accepted", 60), AT + timedelta(minutes=60) - AHEAD - timedelta(seconds=1)) == (
        "bad_time"
    )
    strange = msgspec.structs.replace(said(case, "accepted"), at="2026-13-40T99:00:00Z")
    assert refusal(case, strange) == "bad_time"
    answered = heard(case, said(case, "replied", 3))
    assert refusal(answered, said(case, "return_requested", 2)) == "too_late"
    assert refusal(case, said(case, "return_requested"), later, Limits(return_until=AT)) == "return_late"
    assert refusal(case, said(case, "extension_requested"), later, Limits(extend_until=AT)) == "extend_late"
    assert refusal(case, said(case, "extension_requested"), limits=Limits(extend_most=2)) == "extend_long"


def test_a_flood_is_refused_and_not_kept() -> None:
    case = delivered()
    huge = msgspec.structs.replace(said(case, "progress"), note="路" * 20_000)
    for number in range(25):
        case = heard(case, msgspec.structs.replace(huge, id=f"n{number}"))
    assert outcomes(case)[-1].code == "too_much"
    assert sum(len(event.note or "") for event in case.events) < 410_000
    small = delivered()
    for number in range(MOST + 1):
        small = heard(small, said(small, "progress", name=f"m{number}"))
    assert outcomes(small)[-1].code == "too_much"


def test_a_case_that_went_elsewhere_forgets_the_track_of_the_former_holder() -> None:
    case = heard(delivered("ZJJ"), said(delivered("ZJJ"), "resolved"))
    triaged = msgspec.structs.replace(case, goal=State.TRIAGE, state=State.TRIAGE)
    moved = assign(triaged, "CGJ", "王", "归城管", Versions(taxonomy="t", directory="d", rules="r"), AT)
    assert work(moved) is Work.DISPATCHED
    assert moved.handling is not None
    assert list(moved.handling.tracks) == ["CGJ"]


def test_the_drawing_has_every_state_and_only_arrows_of_the_table() -> None:
    drawn = drawing()
    arrows = {tuple(line.replace(":", "").split()) for line in drawn.splitlines() if "-->" in line}
    told = {before for before, *_ in arrows} | {after for _, _, after, *_ in arrows}
    assert {state.value for state in Work} <= told
    for before, _, after, *kind in arrows:
        if kind:
            step = STEPS.get(kind[0]) or CENTRE[Kind(kind[0])]
            assert (Work(before) in step.before, step.after) == (True, Work(after))


def test_two_departments_may_choose_the_same_id_for_their_feedback() -> None:
    case = delivered()
    lead = said(case, "suspended", 1, "7")
    assistant = said(case, "extension_requested", 1, "7", "CGJ")
    case = heard(heard(case, lead), assistant, department="CGJ")
    case = decide_ask(case, "CGJ", Ask.EXTENSION, "王", "同意", AT + timedelta(hours=2), granted=True)
    assert [row[:2] for row in open_asks(case)] == [("ZJJ", Ask.SUSPENSION)], "only one of them was decided"
    case = decide_ask(case, "ZJJ", Ask.SUSPENSION, "王", "不行", AT + timedelta(hours=3), granted=False)
    assert case.handling is not None
    assert case.handling.tracks["CGJ"].extended == 3
    assert (case.handling.tracks["ZJJ"].state, case.handling.tracks["ZJJ"].pauses) == (Work.DISPATCHED, [])


def test_a_reply_is_reviewed_though_another_department_s_with_the_same_id_was() -> None:
    case = delivered("ZJJ")
    case = review(heard(case, said(case, "replied", 1, "1")), "李", "已修好", AT + timedelta(hours=2))
    versions = Versions(taxonomy="t", directory="d", rules="r")
    case = reassign(case, "CGJ", "王", "归城管", versions, AT + timedelta(hours=3))
    answer = said(case, "replied", 300, "1", "CGJ")
    assert isinstance(answer, Replied)
    answer = msgspec.structs.replace(answer, reply_public="换了新灯")
    case = heard(case, answer, department="CGJ", at=AT + timedelta(hours=6))
    assert case.handling is not None
    assert case.handling.waits_review == "1"
    assert reply_of(case) == "换了新灯"
