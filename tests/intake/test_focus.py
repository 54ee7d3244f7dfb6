"""The focus list: people and not voices, growth and duration, and three criteria each with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from intake.focus import PASSED, STRONG, TYPICAL, Voice, _hops, _within, focus, people

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def voice(native: str, event: str = "e", person: str | None = None, day: float = 0, **more: Any) -> Voice:
    return Voice(
        event=event,
        id=f"id of {native}",
        native_id=native,
        person=person or f"person of {native}",
        at=BEGIN + timedelta(days=day),
        title="路灯不亮",
        place="望湖区",
        district=more.pop("district", "望湖区"),
        category=more.pop("category", "0206"),
        category_name="路灯",
        names=["青杉苑"],
        **more,
    )


def test_who_writes_a_hundred_times_is_one_person() -> None:
    loud = [voice(f"a{n}", "loud", person="one", day=n) for n in range(100)]
    many = [voice(f"b{n}", "many") for n in range(3)]
    rows = focus([*loud, *many], NOW)
    assert [(row.event, row.people, row.voices) for row in rows] == [("many", 3, 3), ("loud", 1, 100)]
    assert people([voice("x"), voice("y")]) == 2


def test_reactions_are_shown_and_count_for_nothing() -> None:
    liked = [voice("a1", "liked", likes=9_000, views=1_000_000), voice("a2", "liked")]
    rows = focus([*liked, *(voice(f"b{n}", "plain") for n in range(3))], NOW)
    assert [row.event for row in rows] == ["plain", "liked"]
    assert [row.titled.startswith(f"id of {name}") for row, name in zip(rows, "ba", strict=True)] == [True, True]
    assert rows[1].reactions == {"likes": 9_000, "views": 1_000_000, "replies": 0}


def test_growth_is_told_from_five_voices_on_and_recurrence_after_quiet_days() -> None:
    steady = [voice(f"a{n}", day=day) for n, day in enumerate([0, 1, 8, 9, 10, 11])]
    assert focus(steady, NOW)[0].growth == 2.0
    assert focus(steady[:4], NOW)[0].growth is None
    assert not focus(steady, NOW)[0].recurred
    assert focus([*steady, voice("z", day=60)], NOW)[0].recurred


def test_strongly_voiced_by_five_people_or_one_person_three_times_in_thirty_days() -> None:
    assert STRONG in focus([voice(f"a{n}") for n in range(5)], NOW)[0].criteria
    assert STRONG not in focus([voice(f"a{n}") for n in range(4)], NOW)[0].criteria
    assert STRONG in focus([voice(f"a{n}", person="p", day=15 * n) for n in range(3)], NOW)[0].criteria
    assert STRONG not in focus([voice(f"a{n}", person="p", day=16 * n) for n in range(3)], NOW)[0].criteria


def test_passed_around_without_end_needs_both() -> None:
    passed = [voice("a", hops=3, open_since=NOW - timedelta(days=30)), voice("b")]
    assert PASSED in focus(passed, NOW)[0].criteria
    assert PASSED not in focus([voice("a", hops=2, open_since=NOW - timedelta(days=300)), voice("b")], NOW)[0].criteria
    assert PASSED not in focus([voice("a", hops=9, open_since=NOW - timedelta(days=29)), voice("b")], NOW)[0].criteria
    events = [{"kind": kind} for kind in ("received", "dispatched", "recalled", "return_asked", "reassigned")]
    assert _hops({"state": "delivered", "events": events, "decision": {"context": {"hops": 1, "returns": []}}}) == 3
    assert _hops(None) == 0


def test_each_criterion_has_its_own_list_ranked_anew_and_says_why() -> None:
    found = [voice(f"a{n}", "big") for n in range(6)] + [
        voice("p1", "passed", hops=4, open_since=NOW - timedelta(days=90)),
        voice("p2", "passed"),
    ]
    (row,) = focus(found, NOW, PASSED)
    assert (row.rank, row.event, row.members) == (1, "passed", ["p1", "p2"])
    assert "转办退单 4 次" in row.why
    assert "90 天" in row.why
    assert [row.event for row in focus(found, NOW, STRONG)] == ["big"]
    assert {row.event for row in focus(found, NOW, TYPICAL)} == {"big", "passed"}


def test_days_are_those_of_the_centre() -> None:
    late = datetime(2026, 9, 1, 16, 30, tzinfo=UTC)  # half past midnight there
    assert _within(late, date(2026, 9, 2), None)
    assert not _within(late, None, date(2026, 9, 1))
