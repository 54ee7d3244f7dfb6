"""Decisions: the right unit, the right reason, and never a guess."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalizer.appeal import (
    Appeal,
    Citizen,
    DecidedBy,
    Evidence,
    Mode,
    Place,
    RequestType,
    RunnerUp,
    Signals,
    Urgency,
)
from router.dispatch import Context, Decision, Outcome
from router.dispatching.decide import decide
from tests.router.dispatching.appeals import appeal
from tests.router.dispatching.units import city, packaged

WH = Place(district="望湖区")
LY = Place(district="望湖区", street="柳荫街道")


def decided(item: Appeal, **context: Any) -> Decision:
    return decide(item, Context(**context), city())


def test_the_category_names_the_lead_and_the_place_its_unit() -> None:
    decision = decided(appeal("路面上全是垃圾没人扫", "0203", place=LY))
    assert decision.outcome is Outcome.DISPATCH
    assert (decision.routing.lead, decision.routing.assist) == ("CGJ_LY", ["JD_LY"])
    assert (decision.routing.rule, decision.routing.decided_by) == ("0203", DecidedBy.RULE)
    assert decision.routing.district == "望湖区"
    assert "柳荫城管" in decision.sentence


def test_an_assistant_whose_place_is_unknown_is_dropped_and_named() -> None:
    decision = decided(appeal("路面上全是垃圾没人扫", "0203"))
    assert (decision.routing.lead, decision.routing.assist) == ("CGJ", [])
    assert "街道办、社区" in decision.sentence


def test_a_territorial_matter_without_a_place_goes_to_triage() -> None:
    decision = decided(appeal("房子要拆迁了", "0108"))
    assert (decision.outcome, decision.routing.lead) == (Outcome.TRIAGE, None)
    assert decided(appeal("房子要拆迁了", "0108", place=WH)).routing.lead == "QX_WH"


def test_two_units_that_nothing_tells_apart_go_to_triage() -> None:
    decision = decided(appeal("停水了", "0301", place=Place(district="青枫区")))
    assert decision.outcome is Outcome.TRIAGE
    assert [other.department for other in decision.routing.alternatives] == ["WATER_N", "WATER_S"]


def test_little_confidence_goes_to_triage_with_alternatives() -> None:
    runners = Signals(runners_up=[RunnerUp(code="0104", confidence=0.25)])
    decision = decided(appeal("不好说的一件事", "0203", 0.3, signals=runners))
    assert decision.outcome is Outcome.TRIAGE
    assert decision.routing.decided_by is DecidedBy.TRIAGE
    assert [other.department for other in decision.routing.alternatives] == ["CGJ", "ZJJ"]


def test_a_small_margin_between_two_units_goes_to_triage() -> None:
    runners = Signals(runners_up=[RunnerUp(code="0104", confidence=0.42)])
    assert decided(appeal("又脏又吵", "0203", 0.45, signals=runners)).outcome is Outcome.TRIAGE


def test_two_categories_of_the_same_unit_strengthen_it_instead_of_competing() -> None:
    runners = Signals(runners_up=[RunnerUp(code="0205", confidence=0.3)])
    decision = decided(appeal("又黑又脏", "0203", 0.35, signals=runners))
    assert (decision.outcome, decision.routing.lead) == (Outcome.DISPATCH, "CGJ")
    assert decision.routing.confidence == 0.65


def test_a_finer_rule_stands_above_its_category_and_shows_its_words() -> None:
    decision = decide(appeal("路口写着电力的井盖碎了", "0204"), Context(), packaged())
    assert (decision.routing.lead, decision.routing.rule) == ("GDGS", "A12-power-lid")
    assert [(item.text, item.start) for item in decision.routing.evidence] == [("井盖", 7), ("电力", 4)]
    assert "供电公司" in decision.sentence


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(f"N{number}", Outcome.HANDED_OVER if number in (4, 5) else Outcome.INFORMED) for number in range(1, 10)]
    + [(code, Outcome.HANDED_OVER) for code in ("110", "119", "120", "122", "petition")]
    + [("praise", Outcome.INFORMED)],
)
def test_a_referral_ends_at_the_desk_with_its_code_and_a_sentence(code: str, outcome: Outcome) -> None:
    decision = decided(appeal(signals=Signals(referral=code)))
    assert (decision.outcome, decision.code) == (outcome, code)
    assert len(decision.sentence) > 8


def test_a_referral_that_nobody_knows_decides_nothing() -> None:
    assert decided(appeal(signals=Signals(referral="N99"))).outcome is Outcome.DISPATCH


def test_praise_and_nonsense_are_informed_without_a_referral() -> None:
    assert decided(appeal("谢谢", request_type=RequestType.PRAISE)).code == "praise"
    assert decided(appeal("哈哈", request_type=RequestType.INVALID)).code == "N3"


def test_what_only_discipline_inspection_may_take_is_informed() -> None:
    decision = decided(appeal("有人受贿", "1305"))
    assert (decision.outcome, decision.code) == (Outcome.INFORMED, "N1")
    assert "12388" in decision.sentence


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.HISTORY])
def test_observing_decides_everything_and_sends_nothing(mode: Mode) -> None:
    decision = decided(appeal("垃圾没人扫", "0203"), mode=mode)
    assert (decision.outcome, decision.routing.lead) == (Outcome.OBSERVED, "CGJ")


def test_following_lets_the_sources_own_handler_stand() -> None:
    item = appeal("垃圾没人扫", "0203", signals=Signals(handler="市住建局"))
    decision = decided(item, mode=Mode.FOLLOW)
    assert (decision.routing.lead, decision.routing.decided_by) == ("ZJJ", DecidedBy.SOURCE)
    assert decision.routing.assist == []


@pytest.mark.parametrize("handler", ["没有这个单位", None])
def test_following_an_unknown_handler_goes_to_triage(handler: str | None) -> None:
    item = appeal("垃圾没人扫", "0203", signals=Signals(handler=handler))
    assert decided(item, mode=Mode.FOLLOW).outcome is Outcome.TRIAGE


def test_a_complaint_about_the_lead_goes_to_its_superior() -> None:
    item = appeal(
        "垃圾没人扫", "0203", place=WH, request_type=RequestType.COMPLAIN, signals=Signals(accused=["望湖区城市管理局"])
    )
    decision = decided(item)
    assert (decision.routing.lead, decision.routing.assist) == ("CGJ", [])
    assert "上级" in decision.sentence


def test_a_complaint_that_may_mean_every_level_goes_to_triage() -> None:
    item = appeal("垃圾没人扫", "0203", place=WH, signals=Signals(accused=["城管"]))
    assert decided(item).outcome is Outcome.TRIAGE


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("望湖区城管局的人收钱不办事，垃圾没人扫", "CGJ"),
        ("望湖城管局不作为，垃圾没人扫", "CGJ"),
        ("市城管局不作为，垃圾没人扫", None),
        ("云泽市城管局和望湖区城管局都不作为", None),
        ("青枫区城管局不作为，垃圾没人扫", None),
    ],
)
def test_a_text_that_says_whose_office_leaves_the_others_free(text: str, lead: str | None) -> None:
    for accused in ([], ["城管局"]):
        item = appeal(text, "0203", place=WH, request_type=RequestType.COMPLAIN, signals=Signals(accused=accused))
        assert decided(item).routing.lead == lead


def test_a_complaint_about_an_office_does_not_go_to_those_under_it() -> None:
    item = appeal("公安局包庇违章停车的人", "0509", request_type=RequestType.COMPLAIN)
    assert decided(item).outcome is Outcome.TRIAGE


def test_where_a_place_has_no_community_unit_its_street_leads_and_then_its_district() -> None:
    assert decided(appeal("楼上漏水", "1007", place=LY)).routing.lead == "JD_LY"
    assert decided(appeal("楼上漏水", "1007", place=WH)).routing.lead == "QX_WH"
    assert decided(appeal("楼上漏水", "1007")).outcome is Outcome.TRIAGE


def test_the_text_alone_keeps_a_complaint_from_the_accused() -> None:
    item = appeal("交警支队执法人员态度恶劣，还乱罚款", "0509", request_type=RequestType.COMPLAIN)
    assert decided(item).routing.lead == "GAJ"
    both = appeal("公安局和交警支队互相推诿", "0509", request_type=RequestType.COMPLAIN)
    assert decided(both).outcome is Outcome.TRIAGE


def test_having_turned_to_an_office_does_not_accuse_it() -> None:
    item = appeal("向城管局反映过，物业不作为，垃圾没人扫", "0203", request_type=RequestType.COMPLAIN)
    assert decided(item).routing.lead == "CGJ"


def test_following_never_sends_to_the_accused_either() -> None:
    item = appeal("住建局不作为", "0104", request_type=RequestType.COMPLAIN, signals=Signals(handler="住建局"))
    assert decided(item, mode=Mode.FOLLOW).outcome is Outcome.TRIAGE


def test_an_accused_assistant_gets_no_copy() -> None:
    item = appeal("占道经营影响交通", "0201", place=LY, signals=Signals(accused=["交警支队"]))
    assert "JJZD" not in decided(item).routing.assist


def test_a_report_is_shown_to_no_street_and_to_no_assistant_without_need() -> None:
    plain = appeal("垃圾倒在路边", "0203", place=LY, request_type=RequestType.REPORT)
    assert decided(plain).routing.assist == []
    needed = appeal("摊点卖过期食品", "0201", place=LY, request_type=RequestType.REPORT)
    assert decided(needed).routing.assist == ["SCJ"]
    confidential = appeal("垃圾倒在路边", "0203", place=LY, citizen=Citizen(confidential=True))
    assert decided(confidential).routing.assist == []


def test_an_upheld_return_is_not_sent_there_again() -> None:
    assert decided(appeal("垃圾没人扫", "0203"), returns=["CGJ"]).outcome is Outcome.TRIAGE
    assert decided(appeal("垃圾没人扫", "0203"), returns=["ZJJ", "GAJ"]).outcome is Outcome.TRIAGE


def test_a_category_that_no_rule_knows_goes_to_triage() -> None:
    assert decided(appeal("什么", "9999")).outcome is Outcome.TRIAGE


words = st.text(alphabet="城管局不作为公安态度恶劣路灯坏了井盖电力通信投诉，。\n😀", max_size=40)
roles = st.sampled_from([*sorted(packaged().rules.categories), "9999", ""])
places = st.builds(
    Place,
    district=st.sampled_from([None, "望湖区", "青枫区", "x"]),
    street=st.sampled_from([None, "柳荫街道", "/"]),
    community=st.sampled_from([None, "柳荫社区"]),
)
share = st.floats(0, 1)
signals = st.builds(
    Signals,
    evidence=st.just([Evidence(field="text", start=0, end=1, text="路", why="词")]),
    runners_up=st.lists(st.builds(RunnerUp, code=roles, confidence=share), max_size=4),
    accused=st.lists(st.sampled_from(["城管局", "公安局", "望湖区城市管理局", "谁", "", "市"]), max_size=3),
    handler=st.none() | words,
    referral=st.none() | st.sampled_from(["N1", "119", "praise", "?"]),
)
appeals = st.builds(
    lambda text, code, confidence, place, kind, urgency, found: appeal(
        text,
        code,
        confidence,
        title=text[:5],
        place=place,
        request_type=kind,
        urgency=urgency,
        signals=found,
    ),
    words,
    roles,
    share,
    places,
    st.sampled_from(RequestType),
    st.sampled_from(Urgency),
    signals,
)
contexts = st.builds(Context, mode=st.sampled_from(Mode), returns=st.lists(st.sampled_from(["CGJ", "ZJJ"]), max_size=2))


@given(appeals, contexts)
@settings(max_examples=300, deadline=None)
def test_deciding_is_total_and_keeps_its_promises(item: Appeal, context: Context) -> None:
    for tables in (city(), packaged()):
        decision = decide(item, context, tables)
        assert decide(item, context, tables) == decision
        routing = decision.routing
        accused = tables.directory.meant(item.signals.accused)
        assert decision.sentence
        assert routing.lead is None or routing.lead in tables.directory
        assert routing.lead not in accused
        assert not accused & set(routing.assist)
        assert not accused & {other.department for other in routing.alternatives}
        assert routing.lead not in context.returns
        assert routing.lead not in routing.assist
        assert len(set(routing.assist)) == len(routing.assist)
        assert 0.0 <= routing.confidence <= 1.0
        assert routing.versions == tables.versions
        if decision.outcome is Outcome.TRIAGE:
            assert routing.lead is None
        if decision.outcome is Outcome.DISPATCH:
            assert routing.lead is not None
            assert context.mode in (Mode.ROUTE, Mode.FOLLOW)
        if context.mode in (Mode.OBSERVE, Mode.HISTORY):
            assert decision.outcome is Outcome.OBSERVED
        if item.request_type is RequestType.REPORT:
            kinds = {tables.directory.units[code].kind for code in routing.assist}
            assert kinds.isdisjoint({"terr", "util"})
