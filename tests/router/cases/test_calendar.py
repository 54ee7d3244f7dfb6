"""Working days and deadlines, on the worked examples of the domain notes (domain/data/sla_vectors.json)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.appeal import RequestType
from router.cases.calendar import Calendar, Reckoned, load_calendar
from router.cases.deadlines import Deadlines, due, load_deadlines, local


def _calendar() -> Calendar:
    problems: list[str] = []
    calendar = load_calendar(None, problems)
    assert calendar is not None
    assert problems == []
    return calendar


def _deadlines() -> Deadlines:
    problems: list[str] = []
    deadlines = load_deadlines(None, problems)
    assert deadlines is not None
    assert problems == []
    return deadlines


CALENDAR = _calendar()
DEADLINES = _deadlines()

VECTORS = [
    ("2026-11-23T09:10:00+08:00", 1, "2026-11-24"),  # Monday, plain
    ("2026-11-20T23:50:00+08:00", 1, "2026-11-23"),  # Friday night: the day of receipt never counts
    ("2026-11-21T10:00:00+08:00", 1, "2026-11-23"),  # Saturday
    ("2026-02-12T16:00:00+08:00", 5, "2026-02-26"),  # Spring Festival, with a make-up Saturday before it
    ("2026-02-14T09:00:00+08:00", 1, "2026-02-24"),  # received on a make-up Saturday
    ("2026-02-27T17:00:00+08:00", 2, "2026-03-02"),  # the 28th is a make-up Saturday
    ("2026-09-18T09:00:00+08:00", 5, "2026-09-24"),  # a make-up Sunday
    ("2026-09-30T18:00:00+08:00", 3, "2026-10-10"),  # National Day
    ("2026-04-30T09:00:00+08:00", 5, "2026-05-11"),  # Labour Day
    ("2025-09-26T09:00:00+08:00", 10, "2025-10-16"),
    ("2025-01-24T09:00:00+08:00", 5, "2025-02-07"),
    ("2024-09-13T09:00:00+08:00", 15, "2024-10-11"),
]


@pytest.mark.parametrize(("received", "days", "expected"), VECTORS)
def test_working_days_end_where_the_worked_examples_say(received: str, days: int, expected: str) -> None:
    at, provisional = due(f"d{days}", datetime.fromisoformat(received), CALENDAR)
    assert local(at) == f"{expected} 24:00"
    assert not provisional


def test_the_local_date_counts_and_not_the_utc_one() -> None:
    at, _ = due("d1", datetime(2026, 11, 23, 17, 0, tzinfo=UTC), CALENDAR)  # already the 24th in Shanghai
    assert local(at) == "2026-11-25 24:00"


def test_a_year_that_was_not_announced_is_reckoned_and_provisional() -> None:
    at, provisional = due("d45", datetime.fromisoformat("2026-11-22T10:00:00+08:00"), CALENDAR)
    assert (local(at), provisional) == ("2027-01-25 24:00", True)
    assert not CALENDAR.is_working(date(2027, 1, 1))
    assert CALENDAR.is_working(date(2027, 1, 4))


def test_a_deadline_in_an_announced_year_is_not_provisional() -> None:
    assert CALENDAR.after(date(2026, 12, 10), 15) == Reckoned(date(2026, 12, 31), provisional=False)
    assert CALENDAR.after(date(2026, 12, 11), 15).provisional


def test_the_operator_is_warned_before_the_calendar_ends() -> None:
    assert CALENDAR.covers(date(2026, 6, 1))
    assert not CALENDAR.covers(date(2026, 11, 22))


@pytest.mark.parametrize(
    ("start", "span", "ends"),
    [
        ("2026-11-23T09:00", "h4", "2026-11-23 14:30"),
        ("2026-11-23T17:00", "h4", "2026-11-24 14:00"),
        ("2026-11-20T17:30", "h1", "2026-11-23 10:00"),
        ("2026-11-21T10:00", "h4", "2026-11-23 14:30"),
        ("2026-11-23T12:10", "h1", "2026-11-23 14:30"),
        ("2026-11-23T09:00", "h7", "2026-11-23 17:30"),
        ("2026-11-21T23:00", "H2", "2026-11-22 01:00"),
        ("2026-11-21T23:00", "M30", "2026-11-21 23:30"),
        ("2026-11-21T23:00", "D2", "2026-11-23 24:00"),
        ("2026-11-21T22:00", "H2", "2026-11-21 24:00"),
    ],
)
def test_spans_of_hours_and_plain_days_end_on_the_minute(start: str, span: str, ends: str) -> None:
    at, _ = due(span, datetime.fromisoformat(f"{start}:00+08:00"), CALENDAR)
    assert local(at) == ends


@pytest.mark.parametrize(
    ("code", "kind", "rules"),
    [
        ("P0", RequestType.HELP, ["P0 M15", "P0 M30", "P0 H2"]),
        ("P1", RequestType.HELP, ["P1 H1", "P1 H2", "P1 H24", "P1 d3"]),
        ("P2", RequestType.HELP, ["P2 h4", "P2 d1", "P2 d5"]),
        ("P2", RequestType.COMPLAIN, ["P2 h4", "P2 d1", "P2 d10"]),
        ("P2", RequestType.REPORT, ["P2 h4", "P2 d1", "P2 d10"]),
        ("P3", RequestType.CONSULT, ["P3 h4", "P3 d1"]),
        ("P4", RequestType.COMPLAIN, ["P4 h4", "P4 d1", "P4 d5", "P4 d15"]),
        ("PL", RequestType.REPORT, ["PL h4", "PL d1"]),
        ("P9", RequestType.PRAISE, ["P9 d1"]),
        ("P7", RequestType.HELP, ["P2 h4", "P2 d1", "P2 d5"]),
    ],
)
def test_each_class_has_the_deadlines_of_its_row(code: str, kind: RequestType, rules: list[str]) -> None:
    start = datetime.fromisoformat("2026-11-23T09:10:00+08:00")
    found = DEADLINES.of(code, kind, start, CALENDAR)
    assert [deadline.rule for deadline in found] == rules
    assert all(deadline.basis for deadline in found)


@given(st.dates(date(2022, 1, 1), date(2029, 1, 1)), st.integers(1, 60), st.integers(1, 30))
def test_counting_in_two_steps_or_one_comes_to_the_same_day(day: date, first: int, second: int) -> None:
    whole = CALENDAR.after(day, first + second).day
    assert CALENDAR.after(CALENDAR.after(day, first).day, second).day == whole
    assert CALENDAR.is_working(whole)
    assert whole > day + timedelta(days=first)


def test_every_problem_of_the_calendar_and_the_classes_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    years = ("off = [2026-01-01]\nwork = [2027-01-01]", "off = []\nwork = []")
    path.write_text("".join(f"[[year]]\nyear = 2027\n{days}\n" for days in years), "utf-8")
    problems: list[str] = []
    load_calendar(path, problems)
    assert [problem.split(": ", 1)[1] for problem in problems] == [
        "year 2027: 2026-01-01 is not in the year",
        "year 2027: 2027-01-01 is a make-up day on no weekend",
        "year 2027 is there twice, first on line 1",
    ]
    path.write_text('version = "1"\ndefault = "P2"\noffice_hours = ["12:00-09:00"]\n[[class]]\ncode = "P1"\n', "utf-8")
    problems.clear()
    assert load_deadlines(path, problems) is None
    assert len(problems) == 3
