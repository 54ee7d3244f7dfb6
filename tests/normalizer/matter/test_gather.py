"""Appeals are gathered into events by names, words and subjects."""

from __future__ import annotations

from collections import Counter

from normalizer.matter.gather import Scene, gather
from normalizer.matter.likeness import Lexicon, contradict, evidence, likeness, strings
from normalizer.matter.portrait import Portrait
from tests.normalizer.matter.appeals import portrait

LEXICON = Lexicon.of(["路灯不亮", "夜间施工", "噪音扰民", "物业服务"])
LAMPS = [
    portrait("1", "青杉苑小区南门路灯不亮", "青杉苑小区南门外的路灯已经三周不亮，老人出门摔倒过，请维修路灯。"),
    portrait(
        "2", "青杉苑小区南门一片漆黑", "我住青杉苑小区，南门外路灯不亮快一个月了，走夜路很害怕，路灯什么时候修好。"
    ),
    portrait("3", "青杉苑小区南门的路灯坏了没人修", "青杉苑小区南门路灯坏了很久，打电话报修了一直没来人，请维修路灯。"),
]
FEES = portrait("4", "青杉苑小区物业乱收费", "青杉苑小区物业没有公示就涨停车费，业主不交就不让进门。", code="0104")
NOISE = portrait("5", "云岭大厦工地夜间施工", "云岭大厦旁工地天天夜间施工，噪音扰民，孩子没法睡觉。", code="0401")


def scene(*portraits: Portrait, fixed: frozenset[str] = frozenset()) -> Scene:
    count = Counter(name for one in portraits for name in one.names)
    return Scene(
        portraits={one.id: one for one in portraits}, count=lambda name: count[name], lexicon=LEXICON, fixed=fixed
    )


def test_voices_about_one_thing_in_their_own_words_are_one_event_and_others_are_not_in_it() -> None:
    every = scene(*LAMPS, FEES, NOISE)
    assert gather(every, every.portraits, []) == [["1", "2", "3"]]


def test_the_order_in_which_they_come_does_not_matter() -> None:
    late = scene(LAMPS[2], NOISE, LAMPS[0], FEES, LAMPS[1])
    assert gather(late, late.portraits, []) == [["1", "2", "3"]]


def test_a_group_that_stands_takes_in_what_comes_later() -> None:
    every = scene(*LAMPS)
    assert gather(every, ["3"], [["1", "2"]]) == [["1", "2", "3"]]


def test_whom_a_person_put_somewhere_stays_there_however_unlike() -> None:
    every = scene(LAMPS[0], LAMPS[1], NOISE, fixed=frozenset({"5"}))
    (group,) = [ids for ids in gather(every, ["2"], [["1", "5"]]) if "5" in ids]
    assert "1" in group


def test_a_letter_copied_for_another_school_is_another_matter() -> None:
    text = "学校要求学生必须去指定的工厂实习，不去就不给毕业证，工资还被扣掉一半，希望有关部门制止。"
    one = portrait("a", "云泽财贸学院强制学生实习", f"我是云泽财贸学院的学生，{text}", code="0606")
    other = portrait("b", "云泽工商学院强制学生实习", f"我是云泽工商学院的学生，{text}", code="0606")
    assert contradict(one, other)
    assert likeness(one, other, lambda _: 2, LEXICON) == 0.0


def test_the_style_of_one_hand_links_no_two_matters() -> None:
    phrase = "在国家大力倡导高质量发展的大背景下，请问有何具体举措来满足广大群众的殷切期盼刻不容缓"
    one = portrait("a", "加快云泽公园建设刻不容缓", f"地处云泽老城，{phrase}。", code="0207", person="p")
    other = portrait("b", "加快云泽医院建设刻不容缓", f"地处云泽老城，{phrase}。", code="0801", person="p")
    assert likeness(one, other, lambda _: 2, LEXICON) == 0.0


def test_the_evidence_names_what_both_have() -> None:
    why = evidence(LAMPS[0], LAMPS[1], lambda _: 3, LEXICON)
    assert any("青杉苑" in name for name in why.names)
    assert "路灯" in why.words
    assert why.same_class


def test_overlapping_runs_are_written_as_the_name_that_they_are() -> None:
    assert set(strings(["丽发新", "发新城", "搅拌站"])) == {"搅拌站", "丽发新城"}
