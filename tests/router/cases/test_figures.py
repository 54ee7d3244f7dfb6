"""Figures: published ones come out, small samples say so, each opens to its cases, and a script outside agrees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from router.cases.asked import Span
from router.cases.carrying import carry, let_go
from router.cases.case import Case
from router.cases.centre import Visit, decide_ask, reassign, visit
from router.cases.facts import Fact, fact_of
from router.cases.figures import FIGURES, concerns, identities, of_sources, of_units, reckon
from router.cases.measures import Count, Identity, Measure, Rate, Score, Spread
from router.cases.moves import Because
from router.cases.work import Ask
from router.dispatch import SHANGHAI
from tests.router.cases.histories import CLOCK, VERSIONS
from tests.router.cases.ledgers import NOW, ledger
from tests.router.cases.test_hearing import delivered, heard, said
from tests.router.city import AT

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "figures.py"
#: Numerator, denominator and percentage as cities published them (or as follows from what they published).
PUBLISHED = [
    (25783, 29186, 88.34),
    (24165, 29186, 82.8),
    (597, 601, 99.33),
    (11163, 11171, 99.93),
    (262660, 375967, 69.86),
    (110044, 113307, 97.12),
    (34859, 38447, 90.67),
    (19651, 38447, 51.11),
    (15390, 18113, 84.97),
    (124599, 195532, 63.72),
    (37527, 71184, 52.72),
    (33523, 71184, 47.09),
    (50154, 83218, 60.27),
    (26213, 83218, 31.5),
    (2, 3, 66.67),
    (3884, 3942, 98.53),
    (1635, 4668, 35.03),
]
#: 恒等式 as cities published them: what does not add up is said, never rounded away.
IDENTITIES = [
    (38447, {"直办": 20334, "派单": 18113}, 0),
    (18113, {"县区": 15390, "市直": 2013, "流转中": 710}, 0),
    (83218, {"直办": 41489, "派单": 41729}, 0),
    (83218, {"当月": 78589, "结转": 4629}, 0),
    (71184, {"直办": 37527, "派单": 33657}, 0),
    (63458, {"当月": 55978, "结转": 5844}, 1636),
    (284406, {"各类合计": 195532}, 88874),
    (3942, {"办结": 3884, "在办": 59}, -1),
]
SINCE = (AT - timedelta(days=1)).astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(("numerator", "denominator", "percent"), PUBLISHED)
def test_published_figures_come_out(numerator: int, denominator: int, percent: float) -> None:
    found = Rate(numerator, denominator)
    assert found.percent == percent
    assert found.interval is not None
    assert found.interval[0] <= percent <= found.interval[1]


@pytest.mark.parametrize(("whole", "parts", "difference"), IDENTITIES)
def test_what_does_not_add_up_is_told(whole: int, parts: dict[str, int], difference: int) -> None:
    found = Identity("受理量", whole, parts)
    assert found.difference == difference
    assert found.text().endswith("：平" if not difference else f"不平 {abs(difference)}")


def test_a_small_sample_is_no_percentage_and_none_is_not_zero() -> None:
    assert Rate(2, 3).text() == "2/3（样本少）"
    assert Rate(0, 0).text() == "无件"
    assert Rate(0, 0).percent is None
    assert Rate(24165, 29186).text().startswith("82.80%")
    assert Spread.of({}).text() == "无件"
    assert "样本少" in Spread.of({"a": 3600}).text()
    assert Score.of({"a": 1}, {"a": Rate(0, 0)}).text() == "无件"
    assert "样本少" in Score.of({"a": 1}, {"a": Rate(1, 2)}).text()


def test_hours_are_told_by_their_middle_their_upper_parts_and_their_mean() -> None:
    found = Spread.of({f"c{hours}": hours * 3600 for hours in range(1, 11)})
    assert (found.n, found.median, found.p75, found.p90, found.mean) == (10, 5.5, 8.0, 9.0, 5.5)
    assert found.cases[0] == "c10"


def of(case: Case, **changed: object) -> Fact:
    return replace(fact_of(case, CLOCK, NOW), **changed)


def by_name(facts: Sequence[Fact], days: int = 60) -> dict[str, Measure]:
    return reckon(facts, Span(SINCE, SINCE + timedelta(days=days)))


def rate_of(facts: Sequence[Fact], name: str, days: int = 60) -> Rate:
    found = by_name(facts, days)[name]
    assert isinstance(found, Rate)
    return found


def test_what_was_never_signed_counts_against_its_department_and_what_is_not_due_does_not_count() -> None:
    case = delivered("ZJJ")
    on_time = heard(case, said(case, "accepted"), said(case, "contacted", 2), said(case, "resolved", 3))
    facts = [of(case), of(on_time)]
    assert rate_of(facts, "sign_on_time")[:2] == (1, 2)
    assert rate_of(facts, "on_time_close")[:3] == (1, 2, ("a1",))
    assert rate_of(facts, "overdue_rate")[:3] == (1, 2, ("a1",))
    assert rate_of(facts, "on_time_close", days=2).denominator == 0, "not due yet"
    early = [replace(fact, as_of=AT + timedelta(hours=2)) for fact in facts]
    assert rate_of(early, "on_time_close")[:2] == (1, 1), "what is not due when the ledger is read is not asked about"
    late = heard(case, said(case, "resolved"), at=AT + timedelta(days=30))
    assert rate_of([of(late)], "on_time_close")[:2] == (0, 1)
    assert rate_of([of(late)], "close_rate")[:2] == (1, 1)


def test_what_was_said_of_one_units_work_is_not_counted_for_the_next() -> None:
    case = heard(delivered("ZJJ"), said(delivered("ZJJ"), "resolved"))
    case = visit(case, Visit(reached=True, solved="no", satisfied="no"), "李", AT + timedelta(days=1))
    span = Span(AT, AT + timedelta(days=40))
    assert reckon([fact_of(case, CLOCK, NOW)], span)["satisfied"] == Rate(0, 1, (case.id,))
    moved = reassign(case, "CGJ", "王", "改派", VERSIONS, AT + timedelta(days=2))
    assert reckon([fact_of(moved, CLOCK, NOW)], span)["satisfied"] == Rate(0, 0)


def test_who_says_it_again_urges_and_is_no_new_case() -> None:
    order = delivered("ZJJ")
    again, other = (replace(delivered("ZJJ"), id=name) for name in ("a2", "a3"))
    order = carry(order, again, Because.SAME_PERSON, AT)
    order = carry(order, other, Because.SAME_EVENT, AT)
    assert fact_of(order, CLOCK, NOW).urged == 1
    assert fact_of(let_go(order, "a2", AT, "王", "不是一件事"), CLOCK, NOW).urged == 0


def test_three_tries_told_one_by_one_are_three_tries() -> None:
    case = delivered("ZJJ")
    for hour in (1, 2, 3):
        tried = replace(said(case, "contacted", 60 * hour, f"try{hour}"), reached=False)
        assert fact_of(case, CLOCK, NOW).contacted_at is None
        case = heard(case, tried, at=AT + timedelta(hours=hour))
    fact = fact_of(case, CLOCK, NOW)
    assert (fact.contacted_at, fact.unreachable) == (AT + timedelta(hours=3), True)


def test_a_suspension_does_not_undo_what_was_late_before_it() -> None:
    case = heard(delivered("ZJJ"), said(delivered("ZJJ"), "suspended"), at=AT + timedelta(days=18))
    case = decide_ask(case, "ZJJ", Ask.SUSPENSION, "王", "同意", AT + timedelta(days=19), granted=True)
    late = fact_of(case, CLOCK, AT + timedelta(days=20))
    assert late.close_due is not None
    found = reckon([late], Span(AT, AT + timedelta(days=20)))
    assert found["on_time_close"] == found["close_rate"] == Rate(0, 1, (late.case,))
    assert found["sign_on_time"] == Rate(0, 1, (late.case,))
    early = heard(delivered("ZJJ"), said(delivered("ZJJ"), "suspended"), at=AT + timedelta(days=2))
    early = decide_ask(early, "ZJJ", Ask.SUSPENSION, "王", "同意", AT + timedelta(days=3), granted=True)
    assert fact_of(early, CLOCK, AT + timedelta(days=20)).close_due is None, "its clock stands still"


def test_a_visited_case_counts_as_visited_solved_and_satisfied_also_after_its_end() -> None:
    case = delivered("ZJJ")
    case = heard(case, said(case, "resolved"))
    assert rate_of([of(case)], "visited")[:2] == (0, 1)
    case = visit(case, Visit(reached=True, solved="explained", satisfied="basically"), "李", AT + timedelta(days=1))
    for name, counted in (("visited", 1), ("solved", 1), ("satisfied", 0), ("satisfied_wide", 1), ("on_time_close", 1)):
        assert rate_of([of(case)], name)[:2] == (counted, 1), name


def test_what_hangs_on_circumstances_is_told_apart_and_is_not_unsolved() -> None:
    case = delivered("ZJJ")
    case = heard(case, said(case, "resolved"))
    case = visit(case, Visit(reached=True, solved="no", objective=True), "李", AT + timedelta(days=1))
    assert rate_of([of(case)], "solved").denominator == 0
    assert by_name([of(case)])["hung"] == Count(1, ("a1",))


def test_praise_and_what_no_department_has_are_in_no_rate() -> None:
    fact = of(delivered("ZJJ"), excluded="praise")
    assert rate_of([fact], "sign_on_time").denominator == 0
    assert rate_of([replace(fact, excluded="exempt")], "on_time_close").denominator == 0
    assert rate_of([replace(fact, excluded="exempt")], "recognized")[:2] == (0, 1)


def test_a_return_counts_for_who_made_it_and_not_for_who_got_the_case_then() -> None:
    case = delivered("ZJJ")
    case = heard(case, said(case, "return_requested"))
    asked = fact_of(case, CLOCK, NOW)
    upheld = fact_of(decide_ask(case, "ZJJ", Ask.RETURN, "王", "是", AT + timedelta(hours=2), granted=True), CLOCK, NOW)
    refused = fact_of(
        decide_ask(case, "ZJJ", Ask.RETURN, "王", "否", AT + timedelta(hours=2), granted=False), CLOCK, NOW
    )
    moved = replace(upheld, unit="CGJ", case="a2")
    span = Span(SINCE, SINCE + timedelta(days=60))
    for unit, counted in (("ZJJ", (1, 1)), ("CGJ", (0, 0))):
        found = reckon(of_units([moved]).get(unit, []), span._replace(unit=unit))
        assert tuple(found["return_rate"])[:2] == counted
    assert rate_of([asked, replace(refused, case="a3")], "refused_returns")[:2] == (1, 2)
    assert rate_of([moved], "first_route")[:2] == (0, 1)
    assert rate_of([moved], "automatic_moved")[:3] == (1, 1, ("a2",))


def test_an_order_is_dispatched_in_time_by_the_hours_of_the_office() -> None:
    fact = of(delivered("ZJJ"))  # a Sunday morning: two hours
    assert fact.dispatch_due == AT + timedelta(hours=2)
    assert rate_of([fact], "dispatch_on_time")[:2] == (1, 1)
    waits = replace(fact, way="waiting", excluded="triage", dispatched_at=None)
    assert rate_of([fact, waits], "dispatch_on_time")[:2] == (1, 2), "what still waits is not left out"


def test_first_time_resolved_waits_sixty_days_and_fails_on_whoever_came_back() -> None:
    case = delivered("ZJJ")
    done = of(heard(case, said(case, "resolved")))
    end = done.resolved_at
    assert end is not None
    back = replace(done, said_again=(end + timedelta(days=59),))
    late = replace(done, said_again=(end + timedelta(days=61),))
    assert rate_of([done, back, late], "first_time_resolved")[:2] == (2, 3)
    assert rate_of([done, back, late], "relapse_rate")[:2] == (2, 3)
    young = replace(done, as_of=end + timedelta(days=59))
    assert rate_of([young], "first_time_resolved").text() == "无件"
    assert by_name([young])["first_time_pending"] == Count(1, ("a1",))
    petition = replace(done, channel="petition", as_of=end + timedelta(days=61))
    assert rate_of([petition], "first_time_resolved").denominator == 0, "the petition office waits ninety days"


def test_the_same_again_within_a_day_is_a_slip_and_later_a_repeat() -> None:
    fact = of(delivered("ZJJ"))
    slip = replace(fact, said_before=fact.said_at - timedelta(hours=23))
    again = replace(fact, said_before=fact.said_at - timedelta(hours=25), excluded="linked", way=None, repeats=("x",))
    assert rate_of([fact, slip, again], "repeat_rate")[:2] == (1, 3)


def test_working_hours_are_the_leads_own_and_no_weekend() -> None:
    case = delivered("ZJJ")  # Sunday 22 November 2026, 09:02
    monday = AT + timedelta(days=1, hours=3)  # 12:02: three hours after nine
    done = of(heard(case, said(case, "resolved"), at=monday))
    assert done.worked_seconds == 3 * 3600
    found = by_name([done])["avg_handle_hours"]
    assert isinstance(found, Spread)
    assert found[:5] == (1, 3.0, 3.0, 3.0, 3.0)


def test_low_coverage_says_that_satisfaction_must_not_stand_alone() -> None:
    case = delivered("ZJJ")
    case = heard(case, said(case, "resolved"))
    waiting = [replace(of(case), case=f"w{number}") for number in range(9)]
    met = of(visit(case, Visit(reached=True, solved="yes", satisfied="yes"), "李", AT + timedelta(days=1)))
    assert "不得单独发布" in rate_of([*waiting, met], "satisfied").text()
    assert "不得单独发布" not in rate_of([met], "satisfied").text()


def test_a_source_that_sends_bad_data_scores_less() -> None:
    fact = of(delivered("ZJJ"), source="good")
    bad = replace(fact, source="bad", lacks=("placed", "dated"))
    span = Span(SINCE, SINCE + timedelta(days=60))
    scores = {name: reckon(facts, span)["dq_score"] for name, facts in of_sources([fact, bad]).items()}
    assert {name: score.value for name, score in scores.items() if isinstance(score, Score)} == {"good": 100, "bad": 75}


def script(facts: Sequence[Fact], folder: Path, *unit: str) -> dict[str, list[str]]:
    file = folder / "ledger.jsonl"
    file.write_bytes(b"".join(msgspec.json.encode(fact) + b"\n" for fact in facts))
    words = [sys.executable, str(SCRIPT), str(file), f"{SINCE:%Y-%m-%d}", f"{SINCE + timedelta(days=60):%Y-%m-%d}"]
    told = subprocess.run([*words, *unit], check=True, capture_output=True, text=True, timeout=60).stdout
    return {name: values for name, *values in map(str.split, told.splitlines())}


def told(found: Measure) -> list[str]:
    match found:
        case Count(n):
            values: list[object] = [n]
        case Rate(numerator, denominator):
            values = [numerator, denominator]
        case Spread(n):
            values = [n, found.median, found.p75, found.p90, found.mean] if n else [0]
        case Score(value):
            values = [value]
    return [str(value) for value in values]


@pytest.mark.parametrize("unit", [None, "ZJJ"])
def test_a_script_outside_reckons_every_figure_the_same(tmp_path: Path, unit: str | None) -> None:
    facts = ledger()
    span = Span(SINCE, SINCE + timedelta(days=60), unit)
    here = reckon(facts, span)
    assert script(facts, tmp_path, *([unit] if unit else [])) == {name: told(found) for name, found in here.items()}
    empty = {name for name, found in here.items() if not (found.denominator if isinstance(found, Rate) else found[0])}
    assert not empty - {"direct"}, "a figure that this ledger never asks for is not compared"


def test_only_what_concerns_a_span_need_be_held() -> None:
    facts = ledger(120)
    span = Span(SINCE, SINCE + timedelta(days=2))
    held = [fact for fact in facts if concerns(fact, span)]
    assert {n: told(found) for n, found in reckon(held, span).items()} == {
        n: told(found) for n, found in reckon(facts, span).items()
    }


def test_what_units_have_adds_up_to_what_all_have() -> None:
    facts = ledger()
    span = Span(SINCE, SINCE + timedelta(days=60))
    whole = reckon(facts, span)
    units = {unit: reckon(mine, span._replace(unit=unit)) for unit, mine in of_units(facts).items()}
    for name in ("dispatched", "sign_on_time", "on_time_close", "return_rate", "solved", "assisted"):
        sums = [
            sum(int(str(told(found[name])[at])) for found in units.values()) for at in range(len(told(whole[name])))
        ]
        assert [str(each) for each in sums] == told(whole[name]), name


def test_identities_hold_in_every_ledger_and_every_name_is_there_once() -> None:
    assert [each.difference for each in identities(ledger(), Span(SINCE, SINCE + timedelta(days=60)))] == [0, 0]
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)
