"""What a case teaches, and what is advised on a return: read off the ledger alone."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from normalizer.appeal import Appeal, Category, Mode
from router.cases import centre, returns
from router.cases.advice import Advice, advise
from router.cases.case import Case
from router.cases.clock import Limits
from router.cases.deciding import open_case
from router.cases.delivery import all_sent
from router.cases.hearing import hear, order_of
from router.cases.teaching import precedent_of
from router.cases.work import Ask
from router.dispatch import Context
from router.dispatching.decide import decide
from router.dispatching.lessons import NOTHING, Lessons, lessons_of, words_of
from router.dispatching.precedents import Precedent, Settled
from tests.router.cases.test_hearing import said
from tests.router.city import AT, appeal, tables

PILE = "桥下空间堆满了装修垃圾没人清"
TABLES = tables()


def letter(text: str = PILE) -> Appeal:
    rubbish = Category(code="0203", name="环境卫生与垃圾", path=["城管", "环卫"], confidence=0.9)
    return msgspec.structs.replace(appeal("a1", text=text), title="", category=rubbish)


def opened(of: Appeal, mode: Mode = Mode.ROUTE) -> Case:
    context = Context(mode=mode)
    return all_sent(open_case(of, mode, decide(of, context, TABLES), context, AT), AT)


def says(case: Case, kind: str, minute: int, **fields: str) -> Case:
    lead = case.holder or ""
    feedback = said(case, kind, minute, name=f"{lead}-{kind}-{minute}", department=lead)
    feedback = msgspec.structs.replace(feedback, dispatch=order_of(case, lead) or "", **fields)
    return all_sent(hear(case, lead, feedback, AT + timedelta(minutes=minute), Limits()), AT)


def returned(case: Case, to: str, minute: int, code: str = "R2") -> Case:
    lead, at = case.holder or "", AT + timedelta(minutes=minute)
    case = centre.decide_ask(
        says(case, "return_requested", minute, code=code), lead, Ask.RETURN, "王", "x", at, granted=True
    )
    return all_sent(returns.give_to(case, lead, to, "王", "归它", TABLES.versions, "李", at), at)


def kept(case: Case, minute: int) -> Case:
    asked = says(case, "return_requested", minute, code="R2")
    return all_sent(centre.decide_ask(asked, case.holder or "", Ask.RETURN, "王", "x", AT, granted=False), AT)


def taught(case: Case) -> tuple[str | None, list[str], list[str]] | None:
    found = precedent_of(case, letter(), TABLES)
    return None if found is None else (found.owner, found.refused, found.turned_down)


def test_a_precedent_is_who_took_on_what_another_had_returned() -> None:
    case = opened(letter())
    assert case.holder == "CGJ"
    assert taught(case) is None
    case = returned(case, "ZJJ", 1)
    assert taught(case) == (None, ["CGJ"], []), "nobody has taken it on"
    case = says(case, "accepted", 2)
    assert taught(case) == ("ZJJ", ["CGJ"], [])
    asked = says(case, "return_requested", 3, code="R2")
    assert taught(asked) == (None, ["CGJ"], []), "who signs and then asks to give it back has not taken it on"


def test_what_comes_back_in_the_end_teaches_that_it_stays() -> None:
    case = says(returned(returned(opened(letter()), "ZJJ", 1), "CGJ", 2), "accepted", 3)
    assert taught(case) == ("CGJ", ["ZJJ"], [])
    assert taught(says(kept(opened(letter()), 1), "accepted", 2)) == ("CGJ", [], ["CGJ"])


@pytest.mark.parametrize("code", ["R5", "R6", "R7", "R8"])
def test_what_is_not_about_whose_it_is_teaches_nothing(code: str) -> None:
    assert taught(says(returned(opened(letter()), "ZJJ", 1, code), "accepted", 2)) is None


def test_what_the_source_had_chosen_teaches_nothing_of_our_rules() -> None:
    follows = msgspec.structs.replace(letter(), signals=msgspec.structs.replace(letter().signals, handler="城管局"))
    case = opened(follows, Mode.FOLLOW)
    assert case.holder == "CGJ"
    assert taught(says(returned(case, "ZJJ", 1), "accepted", 2)) is None


def precedents(owner: str, count: int, text: str = PILE) -> list[Precedent]:
    return [
        Precedent(
            case=f"{owner}{number}",
            case_no=f"{owner}-{number}",
            rule="0203",
            sent_to="CGJ",
            owner=owner,
            refused=["CGJ"] if owner != "CGJ" else [],
            words=" ".join(words_of(letter(text))),
            by="王",
            at=AT,
        )
        for number in range(count)
    ]


def known(*groups: list[Precedent]) -> Lessons:
    every = [one for group in groups for one in group]
    return lessons_of(Settled(number, one) for number, one in enumerate(every, start=1))


def advised(lessons: Lessons, case: Case | None = None, **asked: str) -> Advice:
    case = case or says(opened(letter()), "return_requested", 1, **({"code": "R2"} | asked))
    return advise(case, letter(), case.holder or "", TABLES, lessons)


def test_where_nothing_is_known_a_person_looks_and_is_told_what_is_written() -> None:
    advice = advised(NOTHING, proposed_owner="住建局")
    assert (advice.suggest, advice.to, advice.clear) == ("look", "ZJJ", False)
    told = "；".join(advice.why)
    assert "城管局：分类0203（环境卫生与垃圾）的主办" in told
    assert "建议由住建局（ZJJ）办理" in told
    assert "没有同一规则派出的先例" in told
    assert "所建议的单位不在部门目录" in "；".join(advised(NOTHING, proposed_owner="天宫").why)


def test_clear_precedents_uphold_a_return_or_refuse_it() -> None:
    other = precedents("CGJ", 4, "小区门口的垃圾桶好几天没人倒")
    advice = advised(known(other, precedents("ZJJ", 4)))
    assert (advice.suggest, advice.to, advice.clear) == ("uphold", "ZJJ", True)
    assert not advised(known(other, precedents("ZJJ", 1))).clear, "one is not enough"
    advice = advised(known(precedents("CGJ", 5)))
    assert (advice.suggest, advice.clear) == ("refuse", True)


def test_what_is_new_in_a_case_and_who_insists_are_looked_at_by_a_person() -> None:
    assert not advised(known(precedents("CGJ", 5, "小区门口的垃圾桶好几天没人倒"))).clear
    insists = says(kept(opened(letter()), 1), "return_requested", 2, code="R2")
    assert not advised(known(precedents("CGJ", 5)), insists).clear


def test_returns_that_are_not_about_whose_it_is_are_never_decided_by_precedents() -> None:
    assert advised(known(precedents("ZJJ", 5)), code="R5").suggest == "look"


def test_whose_returns_were_mostly_refused_is_looked_at_twice() -> None:
    bad = [msgspec.structs.replace(one, turned_down=["CGJ"], rule="0202") for one in precedents("CGJ", 6)]
    advice = advised(known(bad))
    assert (advice.suggest, advice.clear) == ("refuse", False)
    assert any("驳回6件" in why for why in advice.why)
