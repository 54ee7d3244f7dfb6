"""Figures: published ones come out, small samples say so, each opens to its cases, and a script outside agrees."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from router.cases.centre import Visit, visit
from router.cases.figures import FIGURES, Fact, Rate, fact_of, rate
from router.dispatch import SHANGHAI
from tests.router.cases.histories import CLOCK, history
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
SINCE = (AT - timedelta(days=1)).astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(("numerator", "denominator", "percent"), PUBLISHED)
def test_published_figures_come_out(numerator: int, denominator: int, percent: float) -> None:
    found = Rate(numerator, denominator)
    assert found.percent == percent
    assert found.interval is not None
    assert found.interval[0] <= percent <= found.interval[1]


def test_a_small_sample_is_no_percentage_and_none_is_not_zero() -> None:
    assert Rate(2, 3).text() == "2/3（样本少）"
    assert Rate(0, 0).text() == "无件"
    assert Rate(0, 0).percent is None
    assert Rate(24165, 29186).text().startswith("82.80%")


def by_name(facts: list[Fact], days: int = 60) -> dict[str, Rate]:
    return {figure.name: rate(figure, facts, SINCE, SINCE + timedelta(days=days)) for figure in FIGURES}


def test_what_was_never_signed_counts_against_its_department_and_what_is_not_due_does_not_count() -> None:
    case = delivered("ZJJ")
    on_time = heard(case, said(case, "accepted"), said(case, "contacted", 2), said(case, "resolved", 3))
    facts = [fact_of(case, CLOCK, praise=False), fact_of(on_time, CLOCK, praise=False)]
    found = by_name(facts)
    assert found["sign_on_time"][:2] == (1, 2)
    assert found["on_time_close"] == (1, 2, ("a1",))
    assert by_name(facts, days=2)["on_time_close"].denominator == 0, "not due yet"
    late = heard(case, said(case, "resolved"), at=AT + timedelta(days=30))
    assert by_name([fact_of(late, CLOCK, praise=False)])["on_time_close"][:2] == (0, 1)
    assert by_name([fact_of(late, CLOCK, praise=False)])["close_rate"][:2] == (1, 1)


def test_a_visited_case_counts_as_visited_solved_and_satisfied_also_after_its_end() -> None:
    case = delivered("ZJJ")
    case = heard(case, said(case, "resolved"))
    waiting = by_name([fact_of(case, CLOCK, praise=False)])
    assert waiting["visited"][:2] == (0, 1)
    case = visit(case, Visit(reached=True, solved="explained", satisfied="basically"), "李", AT + timedelta(days=1))
    found = by_name([fact_of(case, CLOCK, praise=False)])
    for name, counted in (("visited", 1), ("solved", 1), ("satisfied", 0), ("satisfied_wide", 1), ("on_time_close", 1)):
        assert found[name][:2] == (counted, 1), name


def test_praise_and_what_no_department_has_are_in_no_rate() -> None:
    case = delivered("ZJJ")
    facts = [fact_of(case, CLOCK, praise=True), fact_of(history(3, 1)[0], CLOCK, praise=False)]
    assert facts[0].excluded == "praise"
    assert by_name(facts[:1])["sign_on_time"].denominator == 0


def test_a_script_outside_reckons_the_same(tmp_path: Path) -> None:
    facts = [fact_of(history(seed)[0], CLOCK, praise=seed % 9 == 0) for seed in range(300)]
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b"".join(msgspec.json.encode(fact) + b"\n" for fact in facts))
    words = [sys.executable, str(SCRIPT), str(file), f"{SINCE:%Y-%m-%d}", f"{SINCE + timedelta(days=60):%Y-%m-%d}"]
    told = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout
    outside = {name: (int(n), int(d)) for name, n, d in (line.split() for line in told.splitlines())}
    here = {name: (found.numerator, found.denominator) for name, found in by_name(facts).items()}
    assert outside == here
    assert all(denominator > 0 for _, denominator in here.values()), here
