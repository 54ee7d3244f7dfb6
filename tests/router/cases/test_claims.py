"""剔除 and 申诉: by a clause, in time, decided by a person; figures leave out what was granted and nothing else."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer.appeal import Change
from router import centre, claiming
from router.cases.case import Case, from_document, to_document
from router.cases.centre import Visit, decide_ask, reopen, take_back, visit
from router.cases.claims import (
    Claim,
    Granted,
    closes,
    decide_claim,
    granted,
    hear_claim,
    load_claims,
    open_claims,
    overturned,
)
from router.cases.deciding import amend
from router.cases.facts import fact_of
from router.cases.moves import Kind, State
from router.cases.work import Ask, Work
from router.dispatch import Context, MessageType
from router.errors import MoveNotAllowed
from router.flow import route_page
from router.listening import Ear, take_said
from tests.router.cases.test_hearing import delivered, heard, outcomes, said
from tests.router.city import AT, appeal, decide, handed, tables
from tests.router.conftest import Street
from tests.router.test_listening import Seal, masked

TABLES = tables()
RULES, CALENDAR = TABLES.claims, TABLES.calendar
SOON = AT + timedelta(days=2)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def visited(*, reached: bool = True) -> Case:
    """Its lead resolved it, and the citizen said so, and was not content."""
    case = heard(delivered(), said(delivered(), "resolved", 5))
    if not reached:
        return case
    return visit(case, Visit(reached=True, solved="yes", satisfied="no"), "李", AT + timedelta(days=1))


def claim(case: Case, about: str = "exclusion", clause: str = "X6", minute: int = 10, department: str = "ZJJ") -> Claim:
    kind = "exclusion_requested" if about == "exclusion" else "disputed"
    made = said(case, kind, minute, department=department)
    fields: dict[str, Any] = {"clause": clause} | ({} if about == "exclusion" else {"against": about})
    return cast("Claim", msgspec.structs.replace(made, **fields))


def claimed(case: Case, of: Claim, at: datetime = SOON, department: str = "ZJJ") -> Case:
    return hear_claim(case, department, of, at, RULES, CALENDAR)


def judged(case: Case, clause: str, *, granted: bool, at: datetime = SOON, feedback: str | None = None) -> Case:
    return decide_claim(case, feedback, clause, "王科长", "证据属实", at, RULES, CALENDAR, granted=granted)


def refusal(case: Case, of: Claim, at: datetime = SOON, department: str = "ZJJ") -> str:
    after = claimed(case, of, at, department)
    assert after.events[-1].kind is Kind.FEEDBACK_REFUSED
    return outcomes(after, department)[-1].code


def test_a_claim_is_written_down_answered_and_moves_nothing_also_after_the_end() -> None:
    case = visited()
    assert case.handling is not None
    assert case.handling.work is Work.CLOSED
    after = claimed(case, claim(case))
    assert after.handling is not None
    assert (after.handling.work, after.handling.tracks) == (Work.CLOSED, case.handling.tracks)
    (event,) = open_claims(after)
    assert (event.kind, event.department) == (Kind.EXCLUSION_ASKED, "ZJJ")
    assert (event.data["clause"], event.data["about"], event.data["rules"]) == ("X6", "exclusion", RULES.version)
    assert (outcomes(after)[-1].outcome, outcomes(after)[-1].code) == ("pending", "pending")
    assert claimed(after, claim(case)) is after
    assert from_document(to_document(after)) == after


def test_a_decision_cites_a_clause_and_is_told_to_the_department() -> None:
    case = claimed(visited(), claim(visited()))
    after = judged(case, "X6", granted=True)
    assert after.events[-1].kind is Kind.CLAIM_GRANTED
    assert (after.events[-1].actor, after.events[-1].note) == ("王科长", "证据属实")
    row = after.dispatches[-1]
    assert (row.type, row.department, row.reason) == (MessageType.DECIDED, "ZJJ", "证据属实")
    assert row.told == {
        "decided": {"ask": "exclusion", "feedback": "ZJJ-exclusion_requested-10", "granted": True, "clause": "X6"}
    }
    assert open_claims(after) == []
    with pytest.raises(MoveNotAllowed, match="say which claim"):
        judged(after, "X6", granted=False)


@pytest.mark.parametrize("clause", ["A1", "Z9", ""])
def test_a_decision_without_a_fitting_clause_is_none(clause: str) -> None:
    case = claimed(visited(), claim(visited()))
    with pytest.raises(MoveNotAllowed, match="no clause for this claim"):
        judged(case, clause, granted=True)


def test_claims_of_two_departments_that_chose_the_same_id_are_each_decided() -> None:
    case = heard(delivered(), said(delivered(), "return_requested", 1, department="CGJ"), department="CGJ")
    case = decide_ask(case, "CGJ", Ask.RETURN, "王", "不行", AT + timedelta(hours=2), granted=False)
    case = claimed(case, msgspec.structs.replace(claim(case), id="7"))
    dispute = claim(case, "return", "B1", department="CGJ")
    case = claimed(case, msgspec.structs.replace(dispute, id="7"), department="CGJ")
    with pytest.raises(MoveNotAllowed, match="open: ZJJ/7, CGJ/7"):
        judged(case, "X6", granted=True, feedback="7")
    after = judged(case, "X6", granted=True, feedback="ZJJ/7")
    assert [event.department for event in open_claims(after)] == ["CGJ"]
    assert open_claims(judged(after, "B1", granted=False, feedback="7")) == []


def test_a_claim_must_cite_a_clause_come_in_time_once_and_from_who_may_make_it() -> None:
    case = visited()
    assert refusal(case, claim(case, clause="A1")) == "no_clause"
    assert refusal(case, claim(case, clause="Z9")) == "no_clause"
    assert refusal(case, claim(case, department="CGJ"), department="CGJ") == "not_lead"
    assert refusal(case, claim(case, "return", "B1")) == "no_decision"
    assert refusal(visited(reached=False), claim(case, "rating", "A1")) == "no_decision"
    late = closes(case, RULES.claim_days, SOON, CALENDAR)
    assert refusal(case, claim(case), late + timedelta(seconds=1)) == "claim_late"
    assert claimed(case, claim(case), late).events[-1].kind is Kind.EXCLUSION_ASKED
    again = claimed(judged(claimed(case, claim(case)), "X6", granted=False), claim(case, clause="X4", minute=11))
    assert outcomes(again)[-1].code == "claim_again"
    assert claimed(case, claim(case), department="GAJ") is case


def test_the_window_and_the_sign_off_are_working_days_of_the_next_month() -> None:
    case = visited()  # it counts in November 2026
    assert closes(case, 3, SOON, CALENDAR) == datetime(2026, 12, 4, tzinfo=SHANGHAI)
    assert closes(case, 8, SOON, CALENDAR) == datetime(2026, 12, 11, tzinfo=SHANGHAI)
    signed_off = closes(case, RULES.sign_off_days, SOON, CALENDAR)
    open_ = claimed(case, claim(case))
    assert judged(open_, "X6", granted=True, at=signed_off).events[-1].kind is Kind.CLAIM_GRANTED
    with pytest.raises(MoveNotAllowed, match="signed off"):
        judged(open_, "X6", granted=True, at=signed_off + timedelta(seconds=1))


def told_anew(case: Case, to: str) -> Case:
    later = appeal(to=to, revision=2)
    context = Context(holder=case.holder)
    return amend(case, later, Change.CHANGED, SOON, decision=decide(later, context), context=context)


def test_who_had_a_case_before_it_was_taken_back_claims_nothing_that_the_table_does_not_have() -> None:
    case = take_back(visited(), "王", "派错了", SOON)
    assert hear_claim(case, "ZJJ", claim(case), SOON, RULES, CALENDAR) is case


def test_a_closed_case_whose_author_said_more_is_still_claimed_of() -> None:
    case = told_anew(visited(), "triage")
    assert (case.continued, case.goal) == ("a1~2", State.DELIVERED)
    assert claimed(case, claim(case)).events[-1].kind is Kind.EXCLUSION_ASKED


def test_the_decision_of_a_claim_carries_no_words_that_the_department_never_got() -> None:
    case = heard(delivered(), said(delivered(), "return_requested", 1))
    case = decide_ask(case, "ZJJ", Ask.RETURN, "王", "不成立", AT + timedelta(minutes=3), granted=False)
    case = heard(case, said(case, "resolved", 5))
    case = visit(case, Visit(reached=True, solved="yes"), "李", AT + timedelta(days=1))
    case = told_anew(case, "GAJ")  # perhaps for being about its department
    case = hear_claim(case, "ZJJ", claim(case, "return", "B1"), SOON, RULES, CALENDAR)
    after = decide_claim(case, None, "B1", "王", "属实", SOON, RULES, CALENDAR, granted=True)
    assert (after.dispatches[-1].type, after.dispatches[-1].revision) == (MessageType.DECIDED, 1)


def test_figures_leave_out_what_was_granted_and_say_by_which_clause() -> None:
    case = visited()
    fact = fact_of(case, None, SOON)
    assert (fact.excluded, fact.clause, fact.satisfied, fact.disputed) == (None, None, "no", None)
    asked = claimed(case, claim(case))
    assert fact_of(asked, None, SOON).excluded is None
    assert fact_of(judged(asked, "X6", granted=False), None, SOON).excluded is None
    left_out = fact_of(judged(asked, "X6", granted=True), None, SOON)
    assert (left_out.excluded, left_out.clause) == ("exempt", "X6")


def test_a_rating_that_was_disputed_with_success_is_in_no_rate_and_the_visit_still_counts() -> None:
    case = claimed(visited(), claim(visited(), "rating", "A2"))
    after = judged(case, "A2", granted=True)
    fact = fact_of(after, None, SOON)
    assert (fact.excluded, fact.disputed, fact.satisfied) == (None, "A2", None)
    assert fact.visited_at is not None
    again = visited_again(after)
    assert granted(again) == Granted(None, None)
    assert fact_of(again, None, SOON).satisfied == "yes"


def visited_again(case: Case) -> Case:
    """It is reopened, resolved and visited once more."""
    at = SOON + timedelta(days=1)
    case = reopen(case, "王", "又坏了", at)
    order = [row.id for row in case.dispatches if row.department == "ZJJ" and row.type is MessageType.DISPATCHED][-1]
    again = msgspec.structs.replace(said(case, "resolved", 60 * 24 * 4), dispatch=order)
    case = heard(case, again, at=at + timedelta(days=2))
    return visit(case, Visit(reached=True, solved="yes", satisfied="yes"), "李", at + timedelta(days=3))


def test_a_refused_return_that_was_wrong_is_counted_as_upheld() -> None:
    case = heard(delivered(), said(delivered(), "return_requested", 2))
    case = decide_ask(case, "ZJJ", Ask.RETURN, "王", "属本单位", AT + timedelta(hours=2), granted=False)
    after = judged(claimed(case, claim(case, "return", "B1")), "B1", granted=True)
    assert overturned(after, "ZJJ") == 1
    (hand,) = [each for each in fact_of(after, None, SOON).hands if each.unit == "ZJJ"]
    assert (hand.asked, hand.upheld, hand.refused) == (1, 1, 0)


@settings(max_examples=60, deadline=None)
@given(st.permutations(["exclusion", "rating"]), st.booleans(), st.booleans())
def test_in_whatever_order_claims_come_each_is_decided_for_itself(order: list[str], first: bool, second: bool) -> None:
    case = visited()
    clauses = {"exclusion": "X6", "rating": "A1"}
    for minute, about in enumerate(order, 10):
        case = claimed(case, claim(case, about, clauses[about], minute))
    for about, yes in zip(order, (first, second), strict=True):
        (event,) = [each for each in open_claims(case) if each.data["about"] == about]
        case = judged(case, clauses[about], granted=yes, feedback=event.data["feedback"])
    wanted = {about: clauses[about] for about, yes in zip(order, (first, second), strict=True) if yes}
    assert granted(case) == Granted(wanted.get("exclusion"), wanted.get("rating"))


def test_the_packaged_rules_say_what_is_confirmed_and_a_bad_table_says_where_it_is_wrong(tmp_path: Path) -> None:
    assert {clause.confirmed for clause in RULES.clauses.values()} == {True, False}
    assert all(clause.needs and clause.basis for clause in RULES.clauses.values())
    bad = tmp_path / "claims.toml"
    bad.write_text('version = "1"\nclaim_days = 9\nsign_off_days = 8\n[[clause]]\ncode = "X1"\n', encoding="utf-8")
    problems: list[str] = []
    assert load_claims(bad, problems) is None
    assert any(f"{bad}:4" in problem for problem in problems)
    assert any(f"{bad}:2" in problem for problem in problems)


async def test_a_department_claims_after_the_end_and_hears_the_decision_on_its_queue(street: Street) -> None:
    await route_page(street.appeals.keep(handed(appeal())), street.room)
    (case,) = (await street.cases()).values()
    ear = Ear(room=street.room, seal=Seal(), mask=masked)
    at = street.now().isoformat()
    await take_said(msgspec.structs.replace(said(case, "resolved"), at=at), "ZJJ", ear)
    met = Visit(reached=True, solved="yes", satisfied="no")
    assert (await centre.visit(case.id, met, "李", street.room)).handling is not None
    asked = msgspec.structs.replace(claim(case, "rating", "A1"), at=at, evidence="电话13800001111可证")
    heard_it = await take_said(asked, "ZJJ", ear)
    assert heard_it is not None
    assert "13800001111" not in open_claims(heard_it)[0].data["evidence"]
    assert [each.id for each in await street.store.lists.claimed()] == [case.id]
    assert await take_said(asked, "GAJ", ear) is None
    done = await claiming.judge(case.id, None, "A1", "王科长", "照片属实", street.room, granted=True)
    assert granted(done).rating == "A1"
    told = [json.loads(body) for _, body in await street.drain("dept.ZJJ")]
    assert [each["type"].split(".")[1] for each in told] == ["dispatched", "outcome", "closed", "outcome", "decided"]
    assert told[-1]["data"]["decided"]["clause"] == "A1"
    assert told[-1]["data"]["reason"] == "照片属实"
