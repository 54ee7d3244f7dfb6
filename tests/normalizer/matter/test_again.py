"""The same person again, and the same person about something else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from normalizer.matter.again import Said, repeats, similarity

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
LAMP = "青杉苑小区南门外的路灯已经三周不亮，晚上老人出门摔倒过，请尽快派人维修路灯。"


def said(id_: str, day: int, text: str = LAMP, person: str = "p", district: str | None = None) -> Said:
    return Said(id=id_, person=person, at=BEGIN + timedelta(days=day), title="路灯不亮", text=text, district=district)


def test_who_says_the_same_again_within_a_month_is_told_with_what_was_said_first() -> None:
    earlier = [said("a", 0), said("b", 3, LAMP.replace("三周", "四周"))]
    assert repeats([said("c", 9)], earlier) == {"c": ["a", "b"]}


def test_two_of_one_page_find_each_other_and_the_later_is_the_repeat() -> None:
    assert repeats([said("b", 1), said("a", 0)], []) == {"b": ["a"]}


def test_what_another_worker_stored_of_the_same_page_counts_once() -> None:
    page = [said("a", 0), said("b", 1)]
    assert repeats(page, page) == {"b": ["a"]}


def test_an_author_who_writes_about_something_else_is_no_repeat() -> None:
    library = "市图书馆周一闭馆，孩子放学以后没有地方看书，建议延长开放的时间，多设自习的座位。"
    assert repeats([said("b", 1, library)], [said("a", 0)]) == {}


def test_another_person_another_place_and_another_month_are_no_repeats() -> None:
    assert repeats([said("b", 1, person="q")], [said("a", 0)]) == {}
    assert repeats([said("b", 1, district="青枫区")], [said("a", 0, district="望湖区")]) == {}
    assert repeats([said("b", 31)], [said("a", 0)]) == {}
    assert repeats([said("b", 30)], [said("a", 0)]) == {"b": ["a"]}


def test_similarity_is_one_for_the_same_and_nothing_for_what_is_too_short() -> None:
    assert similarity(LAMP, LAMP) == 1.0
    assert similarity("你好", "您好") == 0.0
    assert 0.75 < similarity(LAMP, LAMP.replace("三周", "四周")) < 1.0
