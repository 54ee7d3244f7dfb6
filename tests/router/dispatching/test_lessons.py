"""What upheld returns teach: at once where it is like, never against a person, the accused or its own evidence."""

from __future__ import annotations

from dataclasses import replace as with_fields
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from normalizer.appeal import Appeal, DecidedBy, Place, RequestType
from router.dispatch import Context, Decision, Outcome
from router.dispatching.decide import decide, ruled
from router.dispatching.lesson_list import listed
from router.dispatching.lessons import KEPT, MANY, NOTHING, PREFIX, Lessons, lesson_id, lessons_of, words_of
from router.dispatching.precedents import (
    Entry,
    Precedent,
    Ruled,
    Settled,
    Undone,
    called,
    from_document,
    to_document,
)
from router.dispatching.tables import Tables
from tests.router.dispatching.appeals import appeal
from tests.router.dispatching.units import city

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SPOT = ("0203", "CGJ")
PILE = "桥下空间堆满了装修垃圾没人清"


def precedent(name: str, text: str = PILE, owner: str | None = "ZJJ", **fields: Any) -> Precedent:
    words = " ".join(words_of(appeal(text, "0203")))
    plain: dict[str, Any] = {
        "case": name,
        "case_no": f"20261122-RX-{name}",
        "rule": "0203",
        "sent_to": "CGJ",
        "words": words,
        "at": AT,
    }
    refused = fields.pop("refused", ["CGJ"] if owner != "CGJ" else [])
    return Precedent(**(plain | fields), owner=owner, refused=refused, by="王")


def taught(*precedents: Precedent) -> Lessons:
    return lessons_of(Settled(number, one) for number, one in enumerate(precedents, start=1))


def with_lessons(lessons: Lessons) -> Tables:
    return with_fields(city(), lessons=lessons)


def decided(of: Appeal, lessons: Lessons, **context: Any) -> Decision:
    return decide(of, Context(**context), with_lessons(lessons))


def test_one_upheld_return_moves_the_next_like_case_and_says_why() -> None:
    of = appeal("我家楼下的桥下空间又堆满了装修垃圾", "0203")
    assert decided(of, NOTHING).routing.lead == "CGJ"
    decision = decided(of, taught(precedent("A")))
    assert (decision.outcome, decision.routing.lead) == (Outcome.DISPATCH, "ZJJ")
    assert (decision.routing.decided_by, decision.routing.rule) == (DecidedBy.MODEL, f"{PREFIX}0203.CGJ.ZJJ")
    (why,) = {each.why for each in decision.routing.evidence if "同类" in each.why}
    assert "近1件同类由" in why
    assert "20261122-RX-A" in why
    assert "王" in why
    shown = [each for each in decision.routing.evidence if each.why == why]
    assert all(of.text[each.start : each.end] == each.text for each in shown)
    assert any("桥下空间" in each.text for each in shown)
    assert decision.routing.versions.model == "lessons-1"
    assert decided(of, NOTHING).routing.versions.model is None


def test_what_is_not_like_it_stays_where_the_rule_sends_it() -> None:
    kept = [precedent(f"k{number}", "小区门口的垃圾桶好几天没人倒", "CGJ") for number in range(5)]
    lessons = taught(*kept, precedent("A"))
    assert decided(appeal("小区门口的垃圾桶满了", "0203"), lessons).routing.lead == "CGJ"
    assert decided(appeal(PILE, "0203"), lessons).routing.lead == "ZJJ"
    assert decided(appeal(PILE, "0202"), lessons).routing.lead != "ZJJ", "another rule has other precedents"


def test_a_lesson_needs_somebody_who_took_it_on() -> None:
    assert decided(appeal(PILE, "0203"), taught(precedent("A", owner=None))).routing.lead == "CGJ"


def test_what_its_new_owner_sends_back_counts_against_it() -> None:
    lessons = taught(precedent("A"))
    assert decided(appeal(PILE, "0203"), lessons).routing.lead == "ZJJ"
    for number in range(2, 4):
        back = precedent(f"B{number}", owner=None, refused=["CGJ", "ZJJ"])
        lessons = lessons.learn(Settled(number, back))
    assert decided(appeal(PILE, "0203"), lessons).routing.lead == "CGJ"


def test_a_case_counts_once_as_it_stands_now() -> None:
    lessons = taught(precedent("A"), precedent("A", owner="CGJ", refused=[], turned_down=["CGJ"]))
    assert decided(appeal(PILE, "0203"), lessons).routing.lead == "CGJ"
    assert lessons.nodes[SPOT].totals == {"CGJ": 1}


def test_nothing_goes_to_the_accused_nor_where_it_was_returned_from() -> None:
    lessons = taught(precedent("A"))
    about = appeal(f"{PILE}，住建局的人态度恶劣，不作为", "0203", request_type=RequestType.COMPLAIN)
    assert decided(about, lessons).routing.lead == "CGJ", "the lesson is passed over, the rule stands"
    assert decided(appeal(PILE, "0203"), lessons, returns=["ZJJ"]).routing.lead == "CGJ"


def test_a_report_goes_to_nobody_who_lives_door_to_door() -> None:
    lessons = taught(precedent("A", owner="QX_WH"))
    assert decided(appeal(PILE, "0203"), lessons).routing.lead == "QX_WH"
    assert decided(appeal(PILE, "0203", request_type=RequestType.REPORT), lessons).routing.lead == "CGJ"


def test_people_forbid_and_allow_a_lesson_and_undo_a_precedent() -> None:
    name, of = lesson_id(SPOT, "ZJJ"), appeal(PILE, "0203")
    lessons = taught(precedent("A"))
    forbidden = lessons.learn(Ruled(2, name, allowed=False, by="王", reason="x", at=AT))
    assert decided(of, forbidden).routing.lead == "CGJ"
    assert [each.forbidden for each in listed(forbidden)] == [True]
    allowed = forbidden.learn(Ruled(3, name, allowed=True, by="王", reason="x", at=AT))
    assert decided(of, allowed).routing.lead == "ZJJ"
    undone = allowed.learn(Undone(4, "A", undone=True, by="王", reason="x", at=AT))
    assert decided(of, undone).routing.lead == "CGJ"
    assert decided(of, undone.learn(Settled(5, precedent("A")))).routing.lead == "CGJ", "it stays undone"
    restored = undone.learn(Undone(5, "A", undone=False, by="王", reason="x", at=AT)).learn(Settled(6, precedent("A")))
    assert decided(of, restored).routing.lead == "ZJJ"


def test_a_lesson_is_listed_with_its_words_and_its_cases() -> None:
    kept = [precedent(f"k{number}", "小区门口的垃圾桶好几天没人倒", "CGJ") for number in range(3)]
    (one,) = listed(taught(*kept, precedent("A"), precedent("B", "高架桥的桥下空间全是建筑垃圾")))
    assert (one.id, one.precedents, one.against) == ("0203.CGJ.ZJJ", 2, 3)
    assert one.cases == ["20261122-RX-B", "20261122-RX-A"]
    assert {"桥下", "下空", "空间"} & set(one.words)


def test_districts_learn_together_what_their_own_units_return() -> None:
    units = city().directory.units
    assert called(units["CGJ_WH"], ("望湖区", "柳荫街道")) == "CGJ@"
    assert called(units["CGJ_WH"], ("青枫区",)) == "CGJ_WH", "another district's is meant by its own name"
    assert called(units["CGJ"], ("望湖区",)) == "CGJ"
    lessons = taught(precedent("A", sent_to="CGJ@"))
    for place in (Place(district="望湖区"), Place(district="望湖区", street="柳荫街道")):
        assert decided(appeal(PILE, "0203", place=place), lessons).routing.lead == "ZJJ"
    back = taught(precedent("A", owner="CGJ@", refused=["CGJ"]))
    assert decided(appeal(PILE, "0203"), back).routing.lead == "CGJ", "no place, so no unit of it"


def test_what_clearly_stays_is_not_written_down_for_ever() -> None:
    of = appeal("小区门口的垃圾桶好几天没人倒", "0203")
    kept = [precedent(f"k{number}", of.text, "CGJ") for number in range(MANY)]
    one_more = precedent("more", of.text, "CGJ")
    assert not NOTHING.is_news(one_more, of), "where nothing was returned nothing is written down"
    assert taught(precedent("A"), *kept[:3]).is_news(one_more, of)
    assert not taught(precedent("A"), *kept).is_news(one_more, of)
    assert taught(precedent("A"), *kept).is_news(precedent("B"), of)


NAMES = st.sampled_from([f"c{number}" for number in range(12)])
OWNERS = st.sampled_from(["ZJJ", "CGJ", "GAJ", None])
PRECEDENTS = st.builds(precedent, NAMES, st.sampled_from([PILE, "路边垃圾桶", "河堤步道垃圾"]), OWNERS)


@given(st.lists(st.one_of(PRECEDENTS, NAMES), max_size=40))
def test_any_version_can_be_made_again_and_counts_what_stands(steps: list[Precedent | str]) -> None:
    entries: list[Entry] = [
        Settled(n, step) if isinstance(step, Precedent) else Undone(n, step, undone=True, by="王", reason="x", at=AT)
        for n, step in enumerate(steps, start=1)
    ]
    lessons, of = NOTHING, appeal(PILE, "0203")
    for n, entry in enumerate(entries, start=1):
        assert from_document(to_document(entry)) == entry
        lessons = lessons.learn(entry)
        assert decided(of, lessons_of(entries[:n])) == decided(of, lessons)
    stands = {one.case: one for one in steps if isinstance(one, Precedent)}
    last = {step if isinstance(step, str) else step.case: step for step in steps}
    for node in lessons.nodes.values():
        assert len(node.precedents) <= KEPT
        assert all(node.precedents[case] in steps and case in stands for case in node.precedents)
        assert not any(isinstance(last[case], str) for case in node.precedents)


def test_old_precedents_make_room() -> None:
    many = [precedent(f"k{number}") for number in range(KEPT + 5)]
    node = taught(*many).nodes[SPOT]
    assert len(node.precedents) == KEPT
    assert "k4" not in node.precedents


def test_the_rule_stands_where_the_rules_are_not_sure() -> None:
    unsure = appeal(PILE, "0203", 0.2)
    assert ruled(unsure, city()) is None
    assert decided(unsure, taught(precedent("A"))).outcome is Outcome.TRIAGE
